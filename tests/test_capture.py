"""The one way in: what is refused keeps nothing, what is taken is durable and sealed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from saleor_nudges import facts
from saleor_nudges.capture import capture
from saleor_nudges.events import CheckoutChanged, ConsentGiven, Contact, Flow, OrderPlaced
from saleor_nudges.events.identity import uuid7
from saleor_nudges.exceptions import InvalidEvent, StreamUnavailable
from saleor_nudges.models import ShopEvent, TrackedCheckout, WaitingEvent
from saleor_nudges.stream import get_stream
from saleor_nudges.stream.memory import WAITING, MemoryStream
from saleor_nudges.stream.postgres import PostgresStream
from saleor_nudges.testing import (
    CHANNEL,
    JUICE,
    a_checkout,
    consume,
    make_shop,
    order_placed,
    viewed,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return make_shop()


def waiting():
    return sum(get_stream(flow).pending() for flow in Flow)


@pytest.mark.parametrize(
    ("_case", "changes", "field"),
    [
        ("no_channel", {"channel": ""}, "channel"),
        ("time_without_zone", {"occurred_at": datetime(2026, 1, 1)}, "at"),  # noqa: DTZ001
        ("uuid_4", {"id": uuid4()}, "id"),
        ("id_in_the_future", {"id": uuid7(datetime.now(UTC) + timedelta(hours=25))}, "id"),
        ("in_the_future", {"occurred_at": datetime.now(UTC) + timedelta(hours=25)}, "id"),
        ("old_id", {"id": uuid7(datetime.now(UTC) - timedelta(days=60))}, "id"),
        ("long_ago", {"occurred_at": datetime.now(UTC) - timedelta(days=60)}, "id"),
    ],
)
def test_a_bad_event_keeps_nothing_not_even_its_companions(_case, changes, field, shop):
    good = viewed(shop, JUICE.id)
    with pytest.raises(InvalidEvent) as raised:
        capture(good, replace(viewed(shop, JUICE.id), **changes))
    assert raised.value.field == field
    assert waiting() == 0


@pytest.mark.parametrize("hours", [-24 * 20, 0, 23])
def test_a_little_late_or_early_is_taken(hours, shop):
    moment = datetime.now(UTC) + timedelta(hours=hours)
    capture(viewed(shop, JUICE.id, id=uuid7(moment)))
    assert waiting() == 1
    consume()
    assert waiting() == 0


def test_facts_of_two_months_ago_are_taken_and_older_ones_not(shop):
    now = datetime(2026, 6, 15, tzinfo=UTC)
    order = {"shop": shop.pk, "channel": CHANNEL, "order_id": "1"}
    capture(OrderPlaced(**order, occurred_at=datetime(2026, 4, 1, tzinfo=UTC)), now=now)
    with pytest.raises(InvalidEvent):
        capture(OrderPlaced(**order, occurred_at=datetime(2026, 3, 31, tzinfo=UTC)), now=now)


def test_the_same_fact_again_changes_nothing(shop):
    checkout = a_checkout(shop, email="anna@example.com")
    for _ in range(3):
        capture(facts.full_checkout(shop, checkout))
        consume()
    assert TrackedCheckout.objects.of(shop).count() == 1
    assert ShopEvent.objects.of(shop).count() == 1


def test_personal_fields_wait_sealed_and_are_not_stored(shop):
    # given
    checkout = a_checkout(shop, email="anna@example.com", first_name="Annabella", city="Wroclaw")

    # when
    capture(facts.full_checkout(shop, checkout))

    # then
    row = WaitingEvent.objects.of(shop).values().get()
    assert "sealed" in row
    for secret in ("anna@example.com", "Annabella", "Wroclaw", checkout.id):
        assert secret not in str(row["payload"])
        assert secret.encode() not in bytes(row["sealed"])
    order_placed(shop, checkout)
    stored = str(list(ShopEvent.objects.of(shop).values()))
    tracked = str(TrackedCheckout.objects.of(shop).values().get())
    for secret in ("anna@example.com", "Annabella", "Wroclaw", checkout.id):
        assert secret not in stored
        assert secret not in tracked


def test_while_a_stream_is_away_events_wait_in_postgres(shop, settings, monkeypatch):
    # given
    path = "saleor_nudges.stream.memory.MemoryStream"
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"VIEWS_STREAM": path}

    def away(*_):
        raise StreamUnavailable

    monkeypatch.setattr(MemoryStream, "append_packs", away)

    # when
    capture(viewed(shop, JUICE.id))

    # then
    assert (WAITING[Flow.VIEWS], PostgresStream(Flow.VIEWS).pending()) == ([], 1)
    consume()
    assert PostgresStream(Flow.VIEWS).pending() == 0


def test_when_postgres_is_away_the_caller_is_told(shop, monkeypatch):
    def away(*_):
        raise StreamUnavailable

    monkeypatch.setattr(PostgresStream, "append", away)
    with pytest.raises(StreamUnavailable):
        capture(viewed(shop, JUICE.id))


def test_the_streams_of_the_two_flows_are_two(shop):
    now = datetime.now(UTC)
    contact = Contact(email="anna@example.com")
    capture(
        viewed(shop, JUICE.id),
        ConsentGiven(
            shop=shop.pk,
            channel=CHANNEL,
            occurred_at=now,
            message_channel="EMAIL",
            source="test",
            contact=contact,
        ),
    )
    assert [get_stream(flow).pending() for flow in (Flow.COMMERCE, Flow.VIEWS)] == [1, 1]
    assert CheckoutChanged.flow is Flow.COMMERCE
