"""The story on the memory host: seen, bought, told; left, written to, ordered."""

from datetime import UTC, datetime, timedelta

import pytest

from saleor_nudges.capture import capture
from saleor_nudges.messaging.channels.memory import SENT
from saleor_nudges.models import NudgeType, Send, TrackedCheckout
from saleor_nudges.nudges.choose import Ask, choose
from saleor_nudges.recovery.sending import detect, send
from saleor_nudges.testing import *  # noqa: F403
from saleor_nudges.testing import (
    CHANNEL,
    JUICE,
    a_checkout,
    caught_up,
    checkout_seen,
    consume,
    make_shop,
    order_placed,
    switch_on_nudge,
    switch_on_recovery,
    viewed,
)

pytestmark = pytest.mark.django_db


def test_purchase_becomes_a_nudge():
    shop = make_shop()
    switch_on_nudge(shop, NudgeType.ORDER)
    # A place is told once five buyers share it.
    for name in ("anna", "ben", "cleo", "dan", "eve"):
        checkout = a_checkout(shop, email=f"{name}@example.com", city="Wroclaw", country="PL")
        checkout_seen(shop, checkout)
        order_placed(shop, checkout)
    feed = choose(shop, Ask(channel=CHANNEL, page="HOME", count=1), datetime.now(UTC))
    assert [shown.text for shown in feed.nudges] == ["Someone from Wroclaw bought Apple Juice"]


def test_views_become_a_nudge():
    shop = make_shop()
    switch_on_nudge(shop, NudgeType.PRODUCT_VIEW)
    capture(*[viewed(shop, JUICE.id) for _ in range(31)])
    consume()
    feed = choose(shop, Ask(channel=CHANNEL, page="PRODUCT", product=JUICE.id), datetime.now(UTC))
    assert [s.text for s in feed.nudges] == ["31 people viewed this in the last hour"]


def test_left_behind_gets_one_email():
    shop = make_shop()
    switch_on_recovery(shop)
    checkout = a_checkout(shop, email="anna@example.com", first_name="Anna")
    checkout_seen(shop, checkout)
    caught_up(shop)
    assert detect.detect() == 1
    assert send.send_due() == 1
    assert send.send_due() == 0
    assert len(SENT) == 1
    order_placed(shop, checkout)
    assert TrackedCheckout.objects.of(shop).get().state == "RECOVERED"


def test_order_stops():
    shop = make_shop()
    switch_on_recovery(shop)
    checkout = a_checkout(shop, email="anna@example.com", first_name="Anna")
    checkout_seen(shop, checkout)
    caught_up(shop)
    detect.detect()
    other = a_checkout(shop, email="Anna@example.com", age=timedelta(minutes=1))
    order_placed(shop, other)
    assert send.send_due() == 0
    assert Send.objects.of(shop).get().reason == "ORDERED"
    assert SENT == []
