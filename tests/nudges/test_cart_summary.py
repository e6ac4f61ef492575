"""“This was put into 45 carts”: distinct checkouts of the window, never more than there were."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from saleor_nudges import facts, people
from saleor_nudges.capture import capture
from saleor_nudges.events import CustomerErased
from saleor_nudges.models import Evidence, Nudge, NudgeType
from saleor_nudges.nudges import KINDS
from saleor_nudges.nudges.choose import Ask, choose
from saleor_nudges.testing import (
    CHANNEL,
    JUICE,
    a_cart,
    a_checkout,
    checkout_seen,
    consume,
    make_shop,
    order_placed,
    switch_on_nudge,
)
from tests.nudges.test_order import PEAR

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
KIND = KINDS[NudgeType.CART_SUMMARY]


@pytest.fixture
def shop():
    shop = make_shop()
    switch_on_nudge(shop, NudgeType.CART_SUMMARY)
    return shop


def shown(shop, page="PRODUCT", product=JUICE.id, **ask):
    feed = choose(shop, Ask(CHANNEL, page, product, **ask), datetime.now(UTC))
    return [nudge.text for nudge in feed.nudges if nudge.card.product == product]


def carts(shop, count, *products, age=HOUR, **contact):
    """Let us hear of so many carts at once."""
    checkouts = [
        a_checkout(shop, age=age, cart=a_cart(*products) if products else None, **contact)
        for _ in range(count)
    ]
    capture(*[facts.full_checkout(shop, checkout) for checkout in checkouts])
    consume()
    return checkouts


def measured_again(shop):
    """Let the time pass in which a number is good enough."""
    Nudge.objects.of(shop).update(valid_until=timezone.now() + timedelta(seconds=40))
    KIND.measure(shop, [(CHANNEL, JUICE.id), (CHANNEL, "")])


def test_checkouts_are_counted_not_changes_of_them(shop):
    for checkout in carts(shop, 5, JUICE, PEAR):
        checkout_seen(shop, replace(checkout, changed_at=datetime.now(UTC), cart=a_cart(JUICE)))
    measured_again(shop)
    assert shown(shop) == ["This was put into 5 carts in the last 24 hours"]


def test_the_channel_counts_a_cart_once_whatever_is_in_it(shop):
    carts(shop, 3, JUICE, PEAR)
    carts(shop, 3, PEAR)
    measured_again(shop)
    assert shown(shop) == []
    assert shown(shop, "HOME", "") == ["6 carts were filled here in the last 24 hours"]


@pytest.mark.parametrize(
    ("language", "product", "channel"),
    [
        (
            "de",
            "Das wurde in den letzten 24 Stunden in 6 Warenkörbe gelegt",
            "6 Warenkörbe wurden hier in den letzten 24 Stunden gefüllt",
        ),
        (
            "pl",
            "Dodano to do koszyków: 6 w ciągu ostatnich 24 godzin",
            "Koszyki napełnione tutaj: 6 w ciągu ostatnich 24 godzin",
        ),
    ],
)
def test_it_is_said_in_the_shoppers_language(language, product, channel, shop):
    carts(shop, 6)
    assert shown(shop, language=language) == [product]
    assert shown(shop, "HOME", "", language=language) == [channel]


def test_the_number_has_its_evidence(shop):
    carts(shop, 6)
    evidence = Evidence.objects.of(shop).get(product_id=JUICE.id)
    found = (evidence.metric, evidence.value, evidence.window_seconds, evidence.threshold)
    assert found == ("carts", 6, 86400, 5)
    assert evidence.rule_version == "cart-summary-1"


@pytest.mark.parametrize(("_case", "count", "expected"), [("at", 5, 2), ("below", 4, 0)])
def test_a_small_number_is_not_said(_case, count, expected, shop):
    carts(shop, count)
    assert Evidence.objects.of(shop).count() == expected


@pytest.mark.parametrize(
    ("window", "age", "expected"),
    [
        (3600, timedelta(minutes=58), 1),
        (3600, timedelta(minutes=59, seconds=1), 0),
        (604800, timedelta(days=6, hours=22), 1),
        (2592000, timedelta(days=29, hours=22), 1),
        (2592000, timedelta(days=30), 0),
    ],
)
def test_a_cart_counts_only_where_it_will_count_to_the_end(window, age, expected, shop):
    switch_on_nudge(shop, NudgeType.CART_SUMMARY, window_seconds=window)
    carts(shop, 5, age=age)
    assert len(shown(shop)) == expected


def test_a_cart_stays_counted_when_it_is_emptied_or_bought(shop):
    # They did put it there.
    first, second, *_ = carts(shop, 5)
    checkout_seen(
        shop, replace(first, changed_at=datetime.now(UTC), cart=replace(first.cart, lines=()))
    )
    order_placed(shop, second)
    measured_again(shop)
    assert len(shown(shop)) == 1


def test_an_erased_persons_cart_is_not_counted_from_that_moment_on(shop):
    # given
    carts(shop, 4)
    carts(shop, 1, user_id="VXNlcjox", email="anna@example.com")
    measured_again(shop)
    assert len(shown(shop)) == 1

    # when
    user = people.user_hash("VXNlcjox")
    capture(CustomerErased(shop=shop.pk, channel="", occurred_at=datetime.now(UTC), user=user))
    consume()

    # then, and it is not measured up again
    assert shown(shop) == []
    assert shown(shop, "HOME", "") == []
    measured_again(shop)
    assert shown(shop) == []


def test_a_cart_that_turns_out_to_be_older_is_not_said_any_longer(shop):
    # given five carts of the last hour
    switch_on_nudge(shop, NudgeType.CART_SUMMARY, window_seconds=3600)
    *_, last = carts(shop, 5, age=timedelta(minutes=5))
    assert len(shown(shop)) == 1

    # when a late fact says that one of them was filled before
    long_ago = replace(last, changed_at=last.changed_at - 2 * HOUR)
    capture(facts.full_checkout(shop, long_ago))
    consume()

    # then
    assert shown(shop) == []


def test_an_empty_cart_is_none_of_the_channels(shop):
    carts(shop, 4)
    for checkout in [a_checkout(shop, cart=replace(a_cart(), lines=())) for _ in range(4)]:
        checkout_seen(shop, checkout)
    measured_again(shop)
    assert shown(shop, "HOME", "") == []


def test_while_switched_off_nothing_is_counted(shop):
    switch_on_nudge(shop, NudgeType.CART_SUMMARY, is_enabled=False)
    carts(shop, 9)
    assert Evidence.objects.of(shop).count() == 0


def test_other_shops_and_channels_are_not_counted(shop):
    other = make_shop("other.example.com")
    carts(other, 9)
    checkouts = [replace(a_checkout(shop), channel="elsewhere") for _ in range(9)]
    capture(*[facts.full_checkout(shop, checkout) for checkout in checkouts])
    consume()
    carts(shop, 5)
    measured_again(shop)
    values = set(Evidence.objects.of(shop).values_list("channel", "value"))
    assert values == {(CHANNEL, 5)}


def test_numbers_of_many_products_cost_as_much_as_of_one(shop, django_assert_num_queries):
    products = [f"product {n}" for n in range(30)]
    with django_assert_num_queries(7):
        KIND.measure(shop, [(CHANNEL, product) for product in (*products, "")])
