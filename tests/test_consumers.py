"""One fact is one event, by whatever road it comes; what cannot be read is put aside."""

import json
from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from saleor_nudges import consumers, crypto, facts
from saleor_nudges.capture import capture
from saleor_nudges.events import Flow, OrderPlaced
from saleor_nudges.events.identity import uuid7
from saleor_nudges.host.memory import MemoryHost
from saleor_nudges.models import (
    DeadLetter,
    Nudge,
    SeenOrder,
    ShopEvent,
    ViewEvent,
    WaitingEvent,
)
from saleor_nudges.reconcile import reconcile_orders
from saleor_nudges.stream.codec import encode
from saleor_nudges.stream.postgres import PostgresStream
from saleor_nudges.testing import a_checkout, consume, make_shop, viewed
from saleor_nudges.webhooks import payloads

pytestmark = pytest.mark.django_db

RECORDED = Path(__file__).parent / "webhooks" / "recordings" / "saleor-3.23.json"


@pytest.fixture
def shop():
    return make_shop()


@pytest.fixture
def order(shop):
    """Return an order as a real Saleor wrote it, which the shop's own API would tell as well."""
    deliveries = json.loads(RECORDED.read_text())["deliveries"]
    created = next(one for one in deliveries if one["event"].lower() == "order_created")
    found = payloads.order(json.loads(b64decode(created["body_base64"]))["order"])
    # Of today, because what is older than the oldest partition is no news.
    now = datetime.now(UTC)
    found = replace(found, created_at=now, updated_at=now)
    MemoryHost(shop).shelf.orders[found.id] = found
    return found


def by_hook(shop, order):
    capture(facts.order_fact(OrderPlaced, shop, order.id, order.channel, order.created_at))


def by_webhook(shop, order):
    capture(*facts.facts_of(shop, order))


def by_sweep(shop, _order):
    reconcile_orders(shop)


ROADS = {"hook": by_hook, "webhook": by_webhook, "sweep": by_sweep}


@pytest.mark.parametrize("first", ROADS)
@pytest.mark.parametrize("second", ROADS)
@pytest.mark.parametrize("is_consumed_between", [True, False])
def test_one_order_by_two_roads_is_one_event(shop, order, first, second, is_consumed_between):
    # given
    ROADS[first](shop, order)
    if is_consumed_between:
        consume()
    # when
    ROADS[second](shop, order)
    consume()
    # then
    event = ShopEvent.objects.of(shop).get()
    assert (event.kind, event.subject, event.occurred_at) == (
        "order_placed",
        order.id,
        order.created_at,
    )
    assert SeenOrder.objects.of(shop).count() == 1
    assert Nudge.objects.of(shop).count() == len({line.product_id for line in order.cart.lines})
    assert WaitingEvent.objects.of(shop).count() == 0


def test_what_none_of_todays_keys_opens_is_put_aside_and_holds_nothing_up(shop, settings):
    # given a fact that waits, sealed with a key that is lost, and a sound one behind it
    settings.SECRET_KEY = "a key that is gone tomorrow"
    capture(facts.full_checkout(shop, a_checkout(shop, email="anna@example.com")))
    settings.SECRET_KEY = "today's key"
    capture(facts.full_checkout(shop, a_checkout(shop, email="ben@example.com")))
    # when
    assert consumers.consume_batch(Flow.COMMERCE) == 2
    # then
    assert ShopEvent.objects.of(shop).count() == 1
    letter = DeadLetter.objects.of(shop).get()
    assert (letter.kind, letter.reason) == ("checkout_changed", "None of today's keys opens it.")
    assert "email" not in json.dumps(letter.payload)
    assert letter.sealed is not None
    assert WaitingEvent.objects.of(shop).count() == 0


def test_a_kind_of_tomorrow_is_put_aside(shop):
    # given an entry of a newer version of ours
    entry = encode(facts.full_checkout(shop, a_checkout(shop)))
    stranger = msgspec.structs.replace(entry, kind="checkout_teleported")
    PostgresStream(Flow.COMMERCE).append([stranger])
    # when
    consume()
    # then
    assert DeadLetter.objects.of(shop).get().reason == (
        "No event of ours is called 'checkout_teleported'."
    )
    assert ShopEvent.objects.of(shop).count() == 0


def test_nothing_personal_rests_with_an_event(shop):
    # given
    contact = {"email": "anna@example.com", "phone": "+48123456789", "first_name": "Annamaria"}
    checkout = a_checkout(shop, **contact, city="Wroclaw")
    # when
    capture(facts.full_checkout(shop, checkout))
    waiting = WaitingEvent.objects.of(shop).values().get()
    consume()
    stored = ShopEvent.objects.of(shop).values().get()
    # then
    for row in (str(waiting), str(stored)):
        for secret in (*contact.values(), "Wroclaw", checkout.id):
            assert secret not in row
    assert stored["subject"] == crypto.checkout_hash(checkout.id)
    assert stored["person"] is not None


def test_a_view_that_waited_too_long_holds_up_nobody(shop):
    # given a view from before the oldest partition, as one becomes while no worker runs
    long_ago = datetime.now(UTC) - timedelta(days=60)
    old = viewed(shop, "UHJvZHVjdDox", occurred_at=long_ago, id=uuid7(long_ago))
    PostgresStream(Flow.VIEWS).append([encode(old), encode(viewed(shop, "UHJvZHVjdDox"))])
    # when
    assert consume() == 2
    # then
    assert ViewEvent.objects.of(shop).count() == 1
    assert DeadLetter.objects.of(shop).get().event_id == old.id
