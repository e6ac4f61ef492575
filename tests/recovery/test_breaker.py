"""A provider that fails again and again is left alone, and only that one."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models.functions import Now

from saleor_nudges.exceptions import DeliveryFailed, DeliveryStopped
from saleor_nudges.messaging.channels.memory import SENT, MemoryChannel
from saleor_nudges.models import Cursor, Send
from saleor_nudges.recovery.sending import breaker
from saleor_nudges.recovery.sending import send as sending
from saleor_nudges.testing import left_behind, make_shop, switch_on_recovery

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    shop = make_shop()
    switch_on_recovery(shop)
    return shop


def due(shop, count):
    for number in range(count):
        left_behind(shop, email=f"shopper{number}@example.com")


def failing(monkeypatch, error):
    tried = []

    def send(self, message):
        tried.append(message.to)
        raise error

    monkeypatch.setattr(MemoryChannel, "send", send)
    return tried


def again(shop):
    Send.objects.of(shop).update(due_at=Now())


def reasons(shop):
    return set(Send.objects.of(shop).values_list("reason", flat=True))


def pause_of(shop):
    return Cursor.objects.of(shop).get(kind="paused:EMAIL")


def test_a_few_failures_are_tried_again_as_ever(shop, monkeypatch):
    due(shop, breaker.MOST_WAITING - 1)
    tried = failing(monkeypatch, DeliveryFailed())
    sending.send_due()
    again(shop)
    sending.send_due()
    assert len(tried) == 2 * (breaker.MOST_WAITING - 1)
    assert reasons(shop) == {"PROVIDER_AWAY"}


def test_after_so_many_the_provider_is_left_alone(shop, monkeypatch):
    # given
    due(shop, breaker.MOST_WAITING + 3)
    tried = failing(monkeypatch, DeliveryFailed())
    sending.send_due()
    once = len(tried)
    assert "PROVIDER_PAUSED" in reasons(shop)

    # when
    again(shop)
    assert sending.send_due() == 0

    # then nobody asked it
    assert len(tried) == once


def test_when_it_is_back_everything_goes(shop, monkeypatch):
    due(shop, breaker.MOST_WAITING)
    with monkeypatch.context() as broken:
        failing(broken, DeliveryFailed())
        sending.send_due()
    Cursor.objects.of(shop).filter(kind="paused:EMAIL").update(
        caught_up_at=datetime.now(UTC) - timedelta(seconds=1)
    )
    again(shop)
    assert sending.send_due() == breaker.MOST_WAITING
    assert len(SENT) == breaker.MOST_WAITING


def test_a_pause_that_did_not_help_is_followed_by_a_longer_one(shop, monkeypatch):
    due(shop, breaker.MOST_WAITING)
    failing(monkeypatch, DeliveryFailed())
    spans = []
    for _ in range(8):
        sending.send_due()
        row = pause_of(shop)
        spans.append(row.caught_up_at - row.position)
        over = datetime.now(UTC) - timedelta(milliseconds=1)
        Cursor.objects.of(shop).filter(pk=row.pk).update(
            position=over - spans[-1], caught_up_at=over
        )
        again(shop)
    assert spans[:3] == [breaker.FIRST_PAUSE, 2 * breaker.FIRST_PAUSE, 4 * breaker.FIRST_PAUSE]
    assert spans[-1] == breaker.LONGEST_PAUSE


def test_who_is_not_let_in_stops_at_once(shop, monkeypatch):
    due(shop, 3)
    tried = failing(monkeypatch, DeliveryStopped())
    sending.send_due()
    again(shop)
    sending.send_due()
    row = pause_of(shop)
    assert row.caught_up_at - row.position == breaker.LONGEST_PAUSE
    # Those that were claimed together with the first had been taken already.
    assert len(tried) <= 3


def test_another_shops_provider_is_another(shop, monkeypatch):
    due(shop, breaker.MOST_WAITING)
    with monkeypatch.context() as broken:
        failing(broken, DeliveryFailed())
        sending.send_due()
    other = make_shop("https://other.example.com/graphql/")
    switch_on_recovery(other)
    left_behind(other)
    assert sending.send_due() == 1
