"""“Only 3 left”: what the shop said a moment ago, and nothing once it is no longer so."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saleor_nudges import tasks
from saleor_nudges.capture import capture
from saleor_nudges.events import ProductChanged, StockChanged
from saleor_nudges.events.identity import uuid7
from saleor_nudges.host.memory import SHELVES
from saleor_nudges.models import Evidence, Nudge, NudgeType, OrderedProduct, ShopProduct, StockRule
from saleor_nudges.nudges import KINDS
from saleor_nudges.nudges.choose import Ask, choose
from saleor_nudges.testing import CHANNEL, JUICE, consume, make_shop, switch_on_nudge, viewed

pytestmark = pytest.mark.django_db

VARIANT = f"{JUICE.id}-variant"


@pytest.fixture
def shop():
    shop = make_shop()
    SHELVES[shop.key].variants[VARIANT] = JUICE.id
    switch_on_nudge(shop, NudgeType.LOW_STOCK)
    return shop


def left(shop, stock):
    """Let so many pieces be left, and the shop be asked, as half a minute later it is."""
    shelf = SHELVES[shop.key]
    shelf.products[JUICE.id] = replace(JUICE, stock=stock)
    ShopProduct.objects.of(shop).update(asked_at=timezone.now() - timedelta(seconds=31))
    tasks.products()


def seen(shop, stock):
    """Let somebody look at a product of which so many pieces are left."""
    capture(viewed(shop, JUICE.id))
    consume()
    left(shop, stock)


def shown(shop, language="en", **ask):
    page = Ask(CHANNEL, "PRODUCT", JUICE.id, language=language, **ask)
    return [nudge.text for nudge in choose(shop, page, datetime.now(UTC)).nudges]


def sold(shop, quantity, *, ago=timedelta(days=1), product=JUICE.id, **fields):
    OrderedProduct.objects.of(shop).create(
        shop=shop,
        channel=fields.pop("channel", CHANNEL),
        order_id=f"order {uuid7()}",
        product_id=product,
        quantity=quantity,
        ordered_at=timezone.now() - ago,
        status_at=timezone.now() - ago,
        **fields,
    )


@pytest.mark.parametrize(
    ("_case", "stock", "expected"),
    [
        ("one", 1, ["Only 1 left"]),
        ("as_many_as_is_low", 5, ["Only 5 left"]),
        ("more", 6, []),
        ("sold_out", 0, []),
        ("not_counted", None, []),
    ],
)
def test_few_are_told(_case, stock, expected, shop):
    seen(shop, stock)
    assert shown(shop) == expected


def test_who_reads_it_is_not_one_of_those_counted(shop):
    seen(shop, 3)
    assert shown(shop, visitor=uuid7()) == ["Only 3 left"]


@pytest.mark.parametrize(
    ("_case", "stock", "de", "pl"),
    [
        ("one", 1, "Nur noch 1 verfügbar", "Została tylko 1 sztuka"),
        ("three", 3, "Nur noch 3 verfügbar", "Zostały tylko 3 sztuki"),
        ("five", 5, "Nur noch 5 verfügbar", "Zostało tylko 5 sztuk"),
        ("twelve", 12, "Nur noch 12 verfügbar", "Zostało tylko 12 sztuk"),
        ("twenty_two", 22, "Nur noch 22 verfügbar", "Pozostało sztuk: 22"),
    ],
)
def test_it_is_told_in_the_visitor_s_language(_case, stock, de, pl, shop):
    switch_on_nudge(shop, NudgeType.LOW_STOCK, maximum=100)
    seen(shop, stock)
    assert (shown(shop, "de"), shown(shop, "pl")) == ([de], [pl])


def test_the_number_has_its_evidence(shop):
    # given / when
    seen(shop, 3)

    # then
    proof = Evidence.objects.of(shop).get()
    assert (proof.metric, proof.value, proof.threshold, proof.maximum) == ("stock", 3, 1, 5)
    assert (proof.window_seconds, proof.rule_version) == (None, "low-stock-1")
    nudge = Nudge.objects.of(shop).get(type=NudgeType.LOW_STOCK)
    assert (nudge.evidence_id, nudge.product_id) == (proof.pk, JUICE.id)


def test_the_seller_says_how_few_are_low(shop):
    switch_on_nudge(shop, NudgeType.LOW_STOCK, minimum=2, maximum=20)
    seen(shop, 20)
    assert shown(shop) == ["Only 20 left"]
    left(shop, 1)
    assert shown(shop) == []


def test_it_is_told_in_one_channel_only(shop):
    # given
    other = "channel-pln"
    capture(viewed(shop, JUICE.id, channel=other))
    seen(shop, 3)

    # then
    found = Nudge.objects.of(shop).filter(type=NudgeType.LOW_STOCK)
    assert list(found.values_list("channel", flat=True)) == [CHANNEL]


def test_while_switched_off_nothing_is_told(shop):
    switch_on_nudge(shop, NudgeType.LOW_STOCK, is_enabled=False)
    switch_on_nudge(shop, NudgeType.ORDER)
    seen(shop, 3)
    assert (shown(shop), Evidence.objects.of(shop).count()) == ([], 0)


# Its end.


@pytest.mark.parametrize(
    ("_case", "stock", "expected"),
    [
        ("restocked", 50, []),
        ("sold_out", 0, []),
        ("no_longer_counted", None, []),
        ("fewer", 2, ["Only 2 left"]),
        ("more_but_few", 4, ["Only 4 left"]),
    ],
)
def test_another_number_takes_its_place_at_once(_case, stock, expected, shop):
    seen(shop, 3)
    left(shop, stock)
    assert shown(shop) == expected


def test_stock_that_changes_is_told_without_waiting(shop):
    # given
    seen(shop, 3)
    SHELVES[shop.key].products[JUICE.id] = replace(JUICE, stock=50)

    # when
    now = datetime.now(UTC)
    capture(StockChanged(shop=shop.pk, channel="", occurred_at=now, variant_id=VARIANT))
    consume()

    # then
    assert shown(shop) == []


def test_an_unpublished_product_is_low_no_longer(shop):
    # given
    seen(shop, 3)
    SHELVES[shop.key].unpublished.add((CHANNEL, JUICE.id))

    # when
    now = datetime.now(UTC)
    capture(ProductChanged(shop=shop.pk, channel="", occurred_at=now, product_id=JUICE.id))
    consume()

    # then
    assert shown(shop) == []
    assert Nudge.objects.of(shop).get().valid_until <= timezone.now()

    # and it is told again when it is back
    SHELVES[shop.key].unpublished.clear()
    left(shop, 3)
    assert shown(shop) == ["Only 3 left"]


def test_it_is_true_for_a_minute_after_the_shop_was_asked(shop):
    seen(shop, 3)
    asked_at = ShopProduct.objects.of(shop).get().asked_at
    assert Nudge.objects.of(shop).get().valid_until == asked_at + timedelta(seconds=60)


@pytest.mark.parametrize("window", [60, 86400])
def test_a_window_does_not_make_it_stand_longer(window, shop):
    switch_on_nudge(shop, NudgeType.LOW_STOCK, window_seconds=window)
    seen(shop, 3)
    asked_at = ShopProduct.objects.of(shop).get().asked_at
    assert Nudge.objects.of(shop).get().valid_until == asked_at + timedelta(seconds=60)


def test_while_the_shop_does_not_answer_it_falls_silent(shop):
    # given
    seen(shop, 3)
    SHELVES[shop.key].is_away = True
    old = timezone.now() - timedelta(seconds=61)
    ShopProduct.objects.of(shop).update(asked_at=old)
    Nudge.objects.of(shop).update(valid_until=old + timedelta(seconds=60))

    # when
    tasks.products()
    tasks.measure()
    KINDS[NudgeType.LOW_STOCK].measure(shop, [(CHANNEL, JUICE.id)])

    # then
    assert shown(shop) == []


# By days of cover.


def by_cover(shop, days=3):
    rule = StockRule.DAYS_OF_COVER
    switch_on_nudge(shop, NudgeType.LOW_STOCK, stock_rule=rule, cover_days=days)


@pytest.mark.parametrize(
    ("_case", "pieces", "stock", "expected"),
    [
        ("gone_within_three_days", 70, 30, ["Only 30 left"]),
        ("lasts_longer", 70, 31, []),
        ("nothing_was_sold", 0, 1, []),
        ("sells_slowly", 2, 1, []),
        ("the_last_one_of_what_sells", 3, 1, ["Only 1 left"]),
        ("sold_out", 70, 0, []),
    ],
)
def test_days_of_cover_go_by_what_was_sold(_case, pieces, stock, expected, shop):
    by_cover(shop)
    if pieces:
        sold(shop, pieces)
    seen(shop, stock)
    assert shown(shop) == expected


@pytest.mark.parametrize(
    ("_case", "fields"),
    [
        ("void", {"is_void": True}),
        ("a_week_ago", {"ago": timedelta(days=7, seconds=1)}),
        ("in_the_future", {"ago": timedelta(hours=-1)}),
        ("in_another_channel", {"channel": "channel-pln"}),
        ("another_product", {"product": "UHJvZHVjdDoy"}),
    ],
)
def test_other_sales_do_not_count(_case, fields, shop):
    by_cover(shop)
    sold(shop, 700, **fields)
    seen(shop, 3)
    assert shown(shop) == []


def test_days_of_cover_are_seen_in_the_evidence(shop):
    # given / when
    by_cover(shop)
    sold(shop, 70)
    seen(shop, 12)

    # then
    proof = Evidence.objects.of(shop).get()
    assert (proof.metric, proof.value, proof.maximum) == ("stock_days_of_cover", 12, 30)
    assert proof.window_seconds == 7 * 86400


def test_what_sells_no_longer_is_not_low(shop):
    by_cover(shop)
    sold(shop, 70)
    seen(shop, 12)
    OrderedProduct.objects.of(shop).update(is_void=True)
    Nudge.objects.of(shop).update(valid_until=timezone.now() + timedelta(seconds=30))
    left(shop, 12)
    assert shown(shop) == []


def test_many_products_take_as_many_queries_as_one(shop, django_assert_num_queries):
    by_cover(shop)
    now = timezone.now()
    for number in range(30):
        ShopProduct.objects.of(shop).create(
            shop=shop,
            channel=CHANNEL,
            product_id=f"product {number}",
            is_available=True,
            stock=2,
            seen_at=now,
            asked_at=now,
        )
        sold(shop, 70, product=f"product {number}")
    with django_assert_num_queries(10):
        kind = KINDS[NudgeType.LOW_STOCK]
        kind.stock_asked(shop, {(CHANNEL, f"product {number}") for number in range(30)})
    assert Nudge.objects.of(shop).count() == 30


# Against an oracle.

STOCK = st.one_of(st.none(), st.integers(0, 12))
SALES = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9), st.booleans()), max_size=6)
STEPS = st.lists(st.tuples(STOCK, SALES, st.booleans()), min_size=1, max_size=5)
RULES = st.one_of(
    st.tuples(st.just(StockRule.COUNT), st.integers(1, 4), st.integers(4, 9)),
    st.tuples(st.just(StockRule.DAYS_OF_COVER), st.integers(1, 4), st.integers(1, 9)),
)


def is_low(rule, stock, sales):
    """Say it once more, from the words of the rule alone."""
    name, minimum, number = rule
    if not stock or stock < minimum:
        return False
    if name is StockRule.COUNT:
        return stock <= number
    pieces = sum(quantity for quantity, days, is_void in sales if days < 7 and not is_void)
    return pieces > 0 and stock / Fraction(pieces, 7) <= number


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rule=RULES, steps=STEPS)
def test_what_is_told_is_low_and_what_is_low_is_told(rule, steps, shop):
    # given a product nobody has heard of, and a rule
    product = replace(JUICE, id=f"product {uuid7()}")
    name, minimum, number = rule
    limit = {"maximum": number} if name is StockRule.COUNT else {"cover_days": number}
    switch_on_nudge(shop, NudgeType.LOW_STOCK, stock_rule=name, minimum=minimum, **limit)
    capture(viewed(shop, product.id))
    consume()
    history = []
    for stock, sales, is_published in steps:
        # when something is sold, delivered, published or taken from the shop
        for quantity, days, is_void in sales:
            ago = timedelta(days=days, minutes=1)
            sold(shop, quantity, ago=ago, product=product.id, is_void=is_void)
        history += sales
        shelf = SHELVES[shop.key]
        shelf.products[product.id] = replace(product, stock=stock)
        shelf.unpublished = set() if is_published else {(CHANNEL, product.id)}
        ShopProduct.objects.of(shop).update(asked_at=timezone.now() - timedelta(seconds=31))
        Nudge.objects.of(shop).filter(valid_until__gt=timezone.now()).update(
            valid_until=timezone.now() + timedelta(seconds=29)
        )
        tasks.products()

        # then
        page = Ask(CHANNEL, "PRODUCT", product.id)
        found = [nudge.value for nudge in choose(shop, page, datetime.now(UTC)).nudges]
        assert found == ([stock] if is_published and is_low(rule, stock, history) else [])
