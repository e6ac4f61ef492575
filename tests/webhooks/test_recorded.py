"""What real Saleors sent, with their real signatures: all of it is understood, none twice."""

import json
from datetime import timedelta

import pytest
import time_machine

from saleor_nudges import consumers, reconcile, retention
from saleor_nudges.events import Flow
from saleor_nudges.models import (
    AppInstallation,
    SeenOrder,
    ShopEvent,
    TrackedCheckout,
    WaitingEvent,
)
from saleor_nudges.stream.postgres import PostgresStream
from tests.webhooks.conftest import LINES, deliver, deliveries, everything, recorded

pytestmark = pytest.mark.django_db

RECORDED = [delivery for line in LINES for delivery in deliveries(line)]
OTHER_KEY = [delivery for line in LINES for delivery in deliveries(line, other_key=True)]
# What each event must become; the refund and the cancellation prove the order, too.
KINDS = {
    "CHECKOUT_CREATED": {"checkout_started", "checkout_changed"},
    "CHECKOUT_UPDATED": {"checkout_changed"},
    "CHECKOUT_FULLY_PAID": {"checkout_paid"},
    "ORDER_CREATED": {"order_placed", "order_changed"},
    "ORDER_UPDATED": {"order_placed", "order_changed"},
    "ORDER_PAID": {"order_placed", "order_changed"},
    "ORDER_FULLY_PAID": {"order_placed", "order_changed", "order_paid"},
    "ORDER_CANCELLED": {"order_placed", "order_changed", "order_cancelled"},
    "ORDER_REFUNDED": {"order_placed", "order_changed", "order_refunded"},
    "PRODUCT_UPDATED": {"product_changed"},
    "PRODUCT_DELETED": {"product_withdrawn"},
    "PRODUCT_VARIANT_STOCK_UPDATED": {"stock_changed"},
    "PRODUCT_VARIANT_OUT_OF_STOCK": {"stock_changed"},
    "PRODUCT_VARIANT_BACK_IN_STOCK": {"stock_changed"},
    "CUSTOMER_DELETED": {"customer_erased"},
}
NEWS = [one for one in RECORDED if one.event in KINDS]


def named(delivery):
    return f"{delivery.line}-{delivery.event}"


def kinds_waiting():
    return [entry.kind for entry in WaitingEvent.objects.across_shops()]


@pytest.mark.parametrize("delivery", NEWS, ids=named)
def test_delivery_is_kept_once(delivery, shop_of, client):
    # given
    shop_of(delivery.line)
    with time_machine.travel(delivery.issued + timedelta(seconds=3), tick=False):
        # when
        first = deliver(client, delivery)
        kept = everything()
        again = deliver(client, delivery)

    # then
    assert [first.status_code, again.status_code] == [202, 202]
    expected = KINDS[delivery.event]
    if delivery.event == "ORDER_UPDATED" and b'"CANCELED"' in delivery.body:
        expected = expected | {"order_cancelled"}
    assert sorted(kinds_waiting()) == sorted(expected)
    assert everything() == kept


@pytest.mark.parametrize("delivery", RECORDED, ids=named)
def test_one_flipped_bit_changes_nothing_and_says_nothing(delivery, shop_of, client):
    # given
    shop_of(delivery.line)
    middle = len(delivery.body) // 2
    flipped = bytearray(delivery.body)
    flipped[middle] ^= 1
    before = everything()

    # when
    with time_machine.travel(delivery.issued, tick=False):
        response = deliver(client, delivery, body=bytes(flipped))

    # then
    assert (response.status_code, response.content) == (401, b"")
    assert everything() == before


@pytest.mark.parametrize("delivery", RECORDED[:3], ids=named)
def test_unknown_shop_is_answered_like_a_bad_signature(delivery, shop_of, client):
    # given
    shop_of(delivery.line)
    before = everything()

    # when
    with time_machine.travel(delivery.issued, tick=False):
        response = deliver(
            client, delivery, headers={"saleor-api-url": "https://other.example.com/graphql/"}
        )

    # then
    assert (response.status_code, response.content) == (401, b"")
    assert everything() == before


@pytest.mark.parametrize("delivery", OTHER_KEY, ids=named)
def test_delivery_signed_by_a_key_the_shop_no_longer_has(delivery, shop_of, client):
    # given
    shop_of(delivery.line)
    before = everything()

    # when
    with time_machine.travel(delivery.issued, tick=False):
        response = deliver(client, delivery)

    # then
    assert (response.status_code, response.content) == (401, b"")
    assert everything() == before


def test_key_the_shop_has_now_is_fetched(shop_of, standing, client):
    # given
    delivery = OTHER_KEY[0]
    shop = shop_of(delivery.line)
    standing.key_set = recorded(delivery.line)["other_key"]["jwks"]

    # when
    with time_machine.travel(delivery.issued, tick=False):
        response = deliver(client, delivery)

    # then
    assert response.status_code == 202
    assert AppInstallation.objects.of(shop).get().key_set == standing.key_set


def test_day_old_delivery_is_a_replay(shop_of, client):
    # given
    delivery = NEWS[0]
    shop_of(delivery.line)
    before = everything()

    # when
    with time_machine.travel(delivery.issued + timedelta(hours=24, seconds=1), tick=False):
        response = deliver(client, delivery)

    # then
    assert response.status_code == 401
    assert everything() == before


def test_app_deleted_wipes_how_to_reach_the_shop(shop_of, client):
    # given
    delivery = next(one for one in RECORDED if one.event == "APP_DELETED")
    shop = shop_of(delivery.line)

    # when
    with time_machine.travel(delivery.issued, tick=False):
        response = deliver(client, delivery)

    # then
    shop.refresh_from_db()
    assert response.status_code == 202
    assert shop.is_active is False
    assert not AppInstallation.objects.of(shop).exists()


@pytest.mark.parametrize("line", LINES)
def test_whole_recording_is_the_story_the_shop_tells(line, shop_of, client):
    # given
    shop = shop_of(line)
    told = [delivery for delivery in NEWS if delivery.line == line]
    for delivery in told:
        with time_machine.travel(delivery.issued, tick=False):
            assert deliver(client, delivery).status_code == 202

    # when
    with time_machine.travel(told[-1].issued, tick=False):
        retention.make_partitions(told[-1].issued)
        consumers.drain(Flow.COMMERCE, seconds=60)

    # then
    orders = SeenOrder.objects.of(shop)
    assert orders.count() == 3
    assert orders.filter(is_void=True).count() == 2
    states = TrackedCheckout.objects.of(shop).values_list("state", flat=True)
    assert list(states) == ["ORDERED"] * 3


@pytest.mark.parametrize("line", LINES)
def test_sweep_finds_nothing_that_webhooks_had_not_said(line, shop_of, standing, client):
    # given
    shop = shop_of(line)
    told = [delivery for delivery in NEWS if delivery.line == line]
    heard = set()
    for delivery in told:
        with time_machine.travel(delivery.issued, tick=False):
            deliver(client, delivery)
        order = json.loads(delivery.body).get("order")
        if order:
            heard.add((order["id"], delivery.event))
            amount = 41.99 if (order["id"], "ORDER_REFUNDED") in heard else 0
            standing.orders[order["id"]] = order | {"totalRefunded": {"amount": amount}}
    with time_machine.travel(told[-1].issued, tick=False):
        retention.make_partitions(told[-1].issued)
        consumers.drain(Flow.COMMERCE, seconds=60)
        known = set(ShopEvent.objects.of(shop).values_list("pk", flat=True))

        # when
        read = reconcile.reconcile_orders(shop)
        swept = PostgresStream(Flow.COMMERCE).pending()

    # then
    assert read == 3
    assert len(known) > 5
    assert swept == 0
