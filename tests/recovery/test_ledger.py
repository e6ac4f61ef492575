"""A database that went back in time on the same host sends nothing until somebody confirms it."""

import os
from io import StringIO

import pytest
from django.core.management import call_command
from redis import Redis

from saleor_nudges.messaging.channels.memory import SENT
from saleor_nudges.models import Send, Shop, TrackedCheckout
from saleor_nudges.recovery.sending import detect, ledger
from saleor_nudges.recovery.sending import send as sending
from saleor_nudges.testing import caught_up, left_behind, make_shop, switch_on_recovery

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(settings):
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"REDIS_URL": os.environ["REDIS_URL"]}
    with Redis.from_url(os.environ["REDIS_URL"]) as client:
        client.flushdb()
    shop = make_shop()
    switch_on_recovery(shop)
    return shop


def restored(shop):
    """Put a database back in which the last message is not marked yet."""
    Send.objects.of(shop).update(
        state="DUE", marked_at=None, sent_at=None, lease_until=None, fence=0
    )


def test_a_restored_ledger_sends_nothing_again(shop):
    # given
    left_behind(shop)
    assert sending.send_due() == 1

    # when
    restored(shop)
    detect.detect()

    # then
    assert sending.send_due() == 0
    assert len(SENT) == 1
    assert Send.objects.of(shop).get().reason == "INSTALLATION_CHANGED"
    assert Shop.objects.get(pk=shop.pk).sending_installation == ledger.NOWHERE


def test_somebody_confirms_and_what_was_left_before_is_let_be(shop):
    left_behind(shop)
    sending.send_due()
    restored(shop)
    detect.detect()
    call_command("nudges", "resume-sending", stdout=StringIO())
    caught_up(shop)
    detect.detect()
    assert sending.send_due() == 0
    left_behind(shop, email="bert@example.com")
    # Both left before it was confirmed.
    assert set(TrackedCheckout.objects.of(shop).values_list("reason", flat=True)) == {
        "BEFORE_ACTIVATION"
    }
    assert len(SENT) == 1


def test_what_is_as_it_was_goes_on(shop):
    left_behind(shop)
    sending.send_due()
    left_behind(shop, email="bert@example.com")
    assert sending.send_due() == 1


def test_without_its_redis_nothing_is_known_and_nothing_stops(shop, settings):
    left_behind(shop)
    sending.send_due()
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"REDIS_URL": "redis://127.0.0.1:1/0"}
    restored(shop)
    assert not ledger.stop_if_behind(shop)
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"REDIS_URL": ""}
    assert not ledger.stop_if_behind(shop)
