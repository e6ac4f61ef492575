"""What is known of products: noted when somebody looks at them, asked of the shop over and over."""

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from saleor_nudges import nudges, retention, tasks
from saleor_nudges.capture import capture
from saleor_nudges.events import AddedToCart, ProductChanged, ProductWithdrawn, StockChanged
from saleor_nudges.events.identity import uuid7
from saleor_nudges.exceptions import HostUnavailable
from saleor_nudges.host import ProductCard
from saleor_nudges.host.memory import SHELVES, MemoryHost
from saleor_nudges.models import Nudge, NudgeType, ShopProduct
from saleor_nudges.nudges import asking, products
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
    viewed,
)

pytestmark = pytest.mark.django_db

TEE = ProductCard(
    "UHJvZHVjdDoy",
    "Tee",
    "tee",
    "https://shop.example.com/tee.png",
    categories=("Q2F0ZWdvcnk6Mg==", "Q2F0ZWdvcnk6MQ=="),
    collections=("Q29sbGVjdGlvbjox",),
    stock=7,
)


@pytest.fixture
def shop():
    shop = make_shop()
    MemoryHost(shop).shelf.products[TEE.id] = TEE
    switch_on_nudge(shop, NudgeType.ORDER)
    return shop


def shelf_of(shop):
    return SHELVES[shop.key]


def row(shop, product=TEE.id, channel=CHANNEL):
    return ShopProduct.objects.of(shop).get(channel=channel, product_id=product)


def due_again(shop):
    """Let the half minute pass after which a product is asked for again."""
    ShopProduct.objects.of(shop).update(asked_at=timezone.now() - timedelta(seconds=31))


def see(shop, *ids, channel=CHANNEL):
    capture(*[viewed(shop, product, channel=channel) for product in ids])
    consume()


def shown(shop, product=""):
    ask = Ask(CHANNEL, "PRODUCT" if product else "HOME", product)
    return [found.card.product for found in choose(shop, ask, datetime.now(UTC)).nudges]


# Noting.


def test_what_is_looked_at_put_into_a_cart_and_bought_is_noted(shop):
    # given
    now = datetime.now(UTC)
    cap = replace(TEE, id="UHJvZHVjdDoz")
    carted = AddedToCart(
        shop=shop.pk,
        channel=CHANNEL,
        occurred_at=now,
        id=uuid7(now),
        visitor=uuid7(),
        product="UHJvZHVjdDo0",
    )

    # when
    capture(viewed(shop, TEE.id), carted)
    consume()
    checkout_seen(shop, a_checkout(shop, cart=a_cart(cap)))
    order_placed(shop, a_checkout(shop, cart=a_cart(JUICE)))

    # then
    found = ShopProduct.objects.of(shop).values_list("channel", "product_id")
    assert set(found) == {
        (CHANNEL, product) for product in (TEE.id, cap.id, "UHJvZHVjdDo0", JUICE.id)
    }


def test_a_product_is_written_again_only_half_a_minute_later(shop):
    # given
    now = datetime.now(UTC)
    at = {after: now - timedelta(seconds=60 - after) for after in (0, 29, 31)}
    seen = {}

    # when
    for after, moment in at.items():
        products.fold(shop, [viewed(shop, TEE.id, occurred_at=moment)])
        seen[after] = row(shop).seen_at

    # then
    assert seen == {0: at[0], 29: at[0], 31: at[31]}


def test_noting_takes_one_statement_for_any_number_of_views(shop, django_assert_num_queries):
    some = [viewed(shop, f"UHJvZHVjdDo{n}") for n in range(300) for _ in range(3)]
    with django_assert_num_queries(1):
        products.fold(shop, some)
    assert ShopProduct.objects.of(shop).count() == 300
    with django_assert_num_queries(1):
        products.fold(shop, some)
    assert ShopProduct.objects.of(shop).count() == 300


@pytest.mark.django_db(transaction=True)
def test_a_batch_does_not_wait_for_whoever_writes_an_answer(shop):
    # given
    old = datetime.now(UTC) - timedelta(minutes=1)
    products.fold(shop, [viewed(shop, TEE.id, occurred_at=old)])
    errors = []

    def note():
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '100ms'")
            products.fold(shop, [viewed(shop, product) for product in (TEE.id, JUICE.id)])
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    # when
    with transaction.atomic():
        products.locked(ShopProduct.objects.of(shop).all())
        other = threading.Thread(target=note)
        other.start()
        other.join(timeout=10)

    # then
    assert errors == []
    assert row(shop).seen_at == old
    assert ShopProduct.objects.of(shop).filter(product_id=JUICE.id).exists()


def test_a_late_event_does_not_turn_the_clock_back(shop):
    now = datetime.now(UTC)
    products.fold(shop, [viewed(shop, TEE.id, occurred_at=now)])
    products.fold(shop, [viewed(shop, TEE.id, occurred_at=now - timedelta(hours=5))])
    assert row(shop).seen_at == now


def test_what_was_seen_more_than_a_month_ago_is_not_noted(shop):
    old = datetime.now(UTC) - timedelta(days=32)
    products.fold(shop, [viewed(shop, TEE.id, occurred_at=old)])
    assert not ShopProduct.objects.of(shop).exists()


# Asking.


def test_the_answer_is_kept(shop):
    # given
    see(shop, TEE.id)
    assert (row(shop).is_available, row(shop).asked_at) == (True, None)

    # when
    before = timezone.now()
    assert tasks.products() == 1

    # then
    found = products.known(shop, CHANNEL, [TEE.id, "UHJvZHVjdDo5"])
    assert list(found) == [TEE.id]
    kept = found[TEE.id]
    assert kept.asked_at >= before
    assert (
        ProductCard(
            kept.product_id,
            kept.name,
            kept.slug,
            kept.image_url,
            tuple(kept.categories),
            tuple(kept.collections),
            kept.stock,
        )
        == TEE
    )
    assert kept.is_available


def test_one_shop_knows_nothing_of_another_s(shop):
    other = make_shop("other.example.com")
    see(shop, TEE.id)
    assert products.known(other, CHANNEL, [TEE.id]) == {}
    assert products.known(shop, "other-channel", [TEE.id]) == {}


def test_a_product_is_asked_for_again_when_the_answer_has_aged(shop):
    see(shop, TEE.id)
    tasks.products()
    shelf_of(shop).products[TEE.id] = replace(TEE, stock=2)
    assert tasks.products() == 0
    due_again(shop)
    assert tasks.products() == 1
    assert row(shop).stock == 2


def test_nothing_is_asked_where_nothing_is_shown(shop):
    switch_on_nudge(shop, NudgeType.ORDER, is_enabled=False)
    see(shop, TEE.id)
    assert tasks.products() == 0
    assert row(shop).asked_at is None


def test_those_unasked_the_longest_come_first_and_no_more_than_so_many(shop, monkeypatch):
    # given
    monkeypatch.setattr(asking, "MOST_SEEN_LATELY", 2)
    see(shop, *(f"UHJvZHVjdDo{n}" for n in range(4)))
    now = timezone.now()
    for number, age in enumerate((40, 60, 50, 30)):
        rows = ShopProduct.objects.of(shop).filter(product_id=f"UHJvZHVjdDo{number}")
        rows.update(asked_at=now - timedelta(seconds=age))

    # when
    assert tasks.products() == 2

    # then
    asked = ShopProduct.objects.of(shop).filter(asked_at__gte=now).values_list("product_id")
    assert set(asked) == {("UHJvZHVjdDo1",), ("UHJvZHVjdDo2",)}


def test_what_nobody_looks_at_any_more_is_asked_for_now_and_then(shop):
    # given
    see(shop, TEE.id)
    tasks.products()
    ShopProduct.objects.of(shop).update(seen_at=timezone.now() - timedelta(hours=4))
    due_again(shop)

    # when / then
    assert tasks.products() == 0
    ShopProduct.objects.of(shop).update(asked_at=timezone.now() - timedelta(minutes=11))
    assert tasks.products() == 1


def test_an_answer_that_was_overtaken_is_not_kept(shop, monkeypatch):
    # given a question during which somebody else asks and hears something newer
    see(shop, TEE.id)

    def slow(self, channel, ids):
        ShopProduct.objects.of(shop).update(stock=1, asked_at=timezone.now())
        return {TEE.id: TEE}

    monkeypatch.setattr(MemoryHost, "product_cards", slow)

    # when
    tasks.products()

    # then
    assert row(shop).stock == 1


def test_a_shop_that_is_away_delays_no_other(shop, monkeypatch):
    # given
    other = make_shop("other.example.com")
    switch_on_nudge(other, NudgeType.ORDER)
    see(shop, TEE.id)
    see(other, JUICE.id)
    shelf_of(shop).is_away = True
    asked = []
    monkeypatch.setattr(asking, "_by_health", lambda: [shop, other])

    # when
    asked = tasks.products()

    # then
    assert asked == 1
    assert (row(shop).asked_at, row(other, JUICE.id).asked_at is None) == (None, False)


def test_a_shop_that_is_away_is_left_alone_for_a_while(shop, monkeypatch):
    # given
    see(shop, TEE.id)
    shelf_of(shop).is_away = True
    tasks.products()
    shelf_of(shop).is_away = False

    # when / then
    assert tasks.products() == 0
    monkeypatch.setitem(asking._away_until, shop.pk, time.monotonic() - 1)
    assert tasks.products() == 1


def test_a_shop_whose_answer_makes_no_sense_delays_no_other(shop, monkeypatch, caplog):
    # given
    other = make_shop("other.example.com")
    switch_on_nudge(other, NudgeType.ORDER)
    see(shop, TEE.id)
    see(other, JUICE.id)
    cards = MemoryHost.product_cards

    def broken(self, channel, ids):
        if self.shop == shop:
            raise ZeroDivisionError
        return cards(self, channel, ids)

    monkeypatch.setattr(MemoryHost, "product_cards", broken)

    # when / then
    assert tasks.products() == 1
    assert [r.getMessage() for r in caplog.records if r.levelname == "ERROR"] == [
        "asking a shop for its products failed"
    ]


def test_shops_that_answered_lately_are_asked_first(shop):
    # given
    from saleor_nudges.testing import caught_up

    other = make_shop("other.example.com")
    switch_on_nudge(other, NudgeType.ORDER)
    caught_up(other)

    # when / then
    assert [found.pk for found in asking._by_health()] == [other.pk, shop.pk]


def test_a_run_ends_in_time(shop):
    see(shop, TEE.id)
    assert list(asking.ask_due(seconds=0)) == []
    assert row(shop).asked_at is None


# Changes.


def changed(shop, kind=ProductChanged, product=TEE.id):
    now = datetime.now(UTC)
    capture(kind(shop=shop.pk, channel="", occurred_at=now, product_id=product))
    consume()


def test_a_product_that_changed_is_asked_for_at_once(shop):
    # given
    see(shop, TEE.id)
    tasks.products()
    shelf_of(shop).products[TEE.id] = replace(TEE, name="Long tee")

    # when
    changed(shop)

    # then
    assert row(shop).name == "Long tee"


def test_stock_that_changed_is_asked_for_at_once(shop):
    # given
    see(shop, TEE.id)
    tasks.products()
    shelf_of(shop).products[TEE.id] = replace(TEE, stock=1)
    shelf_of(shop).variants["variant"] = TEE.id
    now = datetime.now(UTC)

    # when
    capture(StockChanged(shop=shop.pk, channel="", occurred_at=now, variant_id="variant"))
    consume()

    # then
    assert row(shop).stock == 1


def test_a_whole_stock_imported_is_left_to_the_next_runs(shop, monkeypatch):
    # given
    monkeypatch.setattr(asking, "MOST_SEEN_LATELY", 1)
    see(shop, TEE.id)
    tasks.products()
    shelf_of(shop).products[TEE.id] = replace(TEE, stock=1)
    shelf_of(shop).variants |= {"one": TEE.id, "two": TEE.id}
    now = datetime.now(UTC)
    asked = []
    monkeypatch.setattr(MemoryHost, "products_of", lambda _, ids: asked.append(ids) or {})

    # when
    capture(
        *[
            StockChanged(shop=shop.pk, channel="", occurred_at=now, variant_id=variant)
            for variant in ("one", "two")
        ]
    )
    consume()

    # then
    assert (asked, row(shop).stock) == ([], 7)


def test_a_change_the_shop_does_not_answer_for_is_asked_for_with_the_next_run(shop, monkeypatch):
    # given
    see(shop, TEE.id)
    tasks.products()
    shelf_of(shop).products[TEE.id] = replace(TEE, name="Long tee")

    # when
    shelf_of(shop).is_away = True
    changed(shop)
    shelf_of(shop).is_away = False
    assert row(shop).name == "Tee"
    asking._away_until.clear()

    # then
    assert tasks.products() == 1
    assert row(shop).name == "Long tee"


def test_a_change_of_what_nobody_looked_at_asks_nothing(shop, monkeypatch):
    monkeypatch.setattr(
        MemoryHost, "product_cards", lambda *_: pytest.fail("asked for what nobody looked at")
    )
    changed(shop)
    assert not ShopProduct.objects.of(shop).exists()


def test_what_nobody_saw_for_a_month_is_forgotten(shop, now):
    # given
    see(shop, TEE.id, JUICE.id)
    ShopProduct.objects.of(shop).filter(product_id=TEE.id).update(seen_at=now - timedelta(days=32))
    ShopProduct.objects.of(shop).filter(product_id=JUICE.id).update(
        seen_at=now - timedelta(days=30)
    )

    # when
    retention.delete_aged(now)

    # then
    left = ShopProduct.objects.of(shop).values_list("product_id", flat=True)
    assert list(left) == [JUICE.id]


# What pages lose and get back.


def sell(shop):
    order_placed(shop, a_checkout(shop, cart=a_cart(TEE)))
    tasks.products()


def test_an_unpublished_product_leaves_the_pages_and_comes_back_as_it_was(shop):
    # given
    sell(shop)
    assert shown(shop) == [TEE.id]

    # when
    shelf_of(shop).unpublished.add((CHANNEL, TEE.id))
    changed(shop)

    # then
    assert (shown(shop), shown(shop, TEE.id)) == ([], [])
    assert (row(shop).is_available, row(shop).stock) == (False, None)

    # and when it is back
    shelf_of(shop).unpublished.clear()
    due_again(shop)
    tasks.products()
    assert (shown(shop), row(shop).stock) == ([TEE.id], 7)


def test_without_being_told_pages_lose_it_by_the_next_run(shop):
    sell(shop)
    shelf_of(shop).unpublished.add((CHANNEL, TEE.id))
    due_again(shop)
    tasks.products()
    assert shown(shop) == []


def test_a_product_changed_while_it_is_hidden_stays_hidden(shop):
    sell(shop)
    shelf_of(shop).unpublished.add((CHANNEL, TEE.id))
    changed(shop)
    shelf_of(shop).is_away = True
    changed(shop)
    assert shown(shop) == []


def test_unpublished_in_one_channel_stays_in_the_other(shop):
    # given
    other = "channel-pln"
    see(shop, TEE.id)
    see(shop, TEE.id, channel=other)
    nudges.configs.change_config(shop, other, NudgeType.ORDER, {"is_enabled": True})
    shelf_of(shop).unpublished.add((other, TEE.id))

    # when
    assert tasks.products() == 2

    # then
    assert (row(shop).is_available, row(shop, channel=other).is_available) == (True, False)


def test_a_deleted_product_is_gone_for_good(shop):
    # given
    sell(shop)

    # when
    del shelf_of(shop).products[TEE.id]
    changed(shop, ProductWithdrawn)

    # then
    assert (shown(shop), row(shop).is_available) == ([], False)
    assert Nudge.objects.of(shop).get().withdrawn_at is not None

    # and a product of that id does not bring it back
    shelf_of(shop).products[TEE.id] = TEE
    due_again(shop)
    tasks.products()
    assert shown(shop) == []


def test_boards_come_down_only_for_what_changed(shop, monkeypatch):
    # given
    see(shop, TEE.id, JUICE.id)
    tasks.products()
    taken = []
    monkeypatch.setattr(asking.shelf, "take_down", lambda _, places: taken.append(places))
    shelf_of(shop).products[TEE.id] = replace(TEE, name="Long tee")
    due_again(shop)

    # when
    tasks.products()

    # then
    assert taken == [{(CHANNEL, TEE.id), (CHANNEL, "")}]


def test_a_long_address_is_left_out_and_a_large_number_cut(shop):
    # given
    see(shop, TEE.id)
    card = replace(TEE, image_url="https://" + "a" * 1000, name="n" * 300, stock=2**40)
    shelf_of(shop).products[TEE.id] = card

    # when
    tasks.products()

    # then
    kept = row(shop)
    assert (kept.image_url, kept.name, kept.stock) == ("", "n" * 255, 2**31 - 1)


def test_asking_takes_as_many_queries_for_many_products(shop, django_assert_num_queries):
    ids = [f"UHJvZHVjdDo{n}" for n in range(80)]
    shelf_of(shop).products.update({key: replace(TEE, id=key) for key in ids})
    products.fold(shop, [viewed(shop, key) for key in ids])
    # Which products; lock, time and answer in a savepoint.
    with django_assert_num_queries(7):
        asked = asking._ask(shop, lambda host: asking._due(shop, timezone.now(), host))
    assert len(asked) == 80


def test_host_that_is_away_is_no_reason_to_fail(shop, monkeypatch):
    def away(self, variants):
        raise HostUnavailable

    monkeypatch.setattr(MemoryHost, "products_of", away)
    now = datetime.now(UTC)
    capture(StockChanged(shop=shop.pk, channel="", occurred_at=now, variant_id="variant"))
    assert consume() == 1
