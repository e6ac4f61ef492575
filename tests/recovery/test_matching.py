"""Which messages came before an order, and what ties them to it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from saleor_nudges import crypto
from saleor_nudges.capture import capture
from saleor_nudges.events import OrderCancelled
from saleor_nudges.models import MatchedBy, RecoveredOrder, SeenOrder, Send, TrackedCheckout
from saleor_nudges.recovery.sending import send as sending
from saleor_nudges.recovery.watching import matching
from saleor_nudges.testing import (
    CHANNEL,
    a_checkout,
    consume,
    left_behind,
    make_shop,
    order_placed,
    switch_on_recovery,
)

pytestmark = pytest.mark.django_db

ANNA = "anna@example.com"


@pytest.fixture
def shop():
    shop = make_shop()
    switch_on_recovery(shop)
    return shop


def written_to(shop):
    checkout = left_behind(shop)
    assert sending.send_due() == 1
    return checkout


def matched(shop):
    return [row.matched_by for row in RecoveredOrder.objects.of(shop)]


def test_an_order_of_the_very_checkout_is_matched_with_its_worth(shop):
    checkout = written_to(shop)
    order = order_placed(shop, checkout)
    row = RecoveredOrder.objects.of(shop).get()
    assert row.matched_by == MatchedBy.CHECKOUT
    assert (row.amount, row.currency) == (Decimal(5), "EUR")
    assert row.order.order_id == order.id
    assert (row.is_clicked, row.counts_in_holdout) == (False, True)
    assert 0 <= row.seconds < 60


def test_the_same_person_from_another_checkout_is_another_tie(shop):
    written_to(shop)
    order_placed(shop, a_checkout(shop, age=timedelta(minutes=1), email=ANNA))
    assert matched(shop) == ["PERSON"]


def test_an_order_before_the_message_and_one_of_a_stranger_are_not_matched(shop):
    checkout = written_to(shop)
    order_placed(shop, a_checkout(shop, email="bert@example.com"))
    order_placed(shop, checkout, at=datetime.now(UTC) - timedelta(minutes=5))
    assert matched(shop) == []


def test_a_message_so_long_ago_earned_nothing(shop):
    checkout = written_to(shop)
    Send.objects.of(shop).update(marked_at=datetime.now(UTC) - matching.WIDEST)
    order_placed(shop, checkout)
    assert matched(shop) == []


def test_an_order_by_the_link_is_matched_to_the_message_whose_link_it_was(shop):
    written_to(shop)
    parent = TrackedCheckout.objects.of(shop).get()
    fresh = a_checkout(shop, age=timedelta(minutes=1))
    TrackedCheckout.objects.of(shop).create(
        shop=shop,
        channel=CHANNEL,
        checkout=crypto.checkout_hash(fresh.id),
        sealed_checkout_id=b"",
        started_at=fresh.created_at,
        changed_at=fresh.changed_at,
        seen_at=fresh.changed_at,
        parent=parent,
    )
    Send.objects.of(shop).update(returned_at=datetime.now(UTC))
    order_placed(shop, fresh, email="gift@example.com")
    row = RecoveredOrder.objects.of(shop).get()
    assert (row.matched_by, row.is_clicked) == ("LINK", True)


def test_a_cancelled_order_is_taken_back_and_nothing_is_counted_twice(shop):
    checkout = written_to(shop)
    order = order_placed(shop, checkout)
    tracked = TrackedCheckout.objects.of(shop).get()
    assert len(matching.of_checkouts(shop, [tracked.pk])) == 1

    # when
    capture(
        OrderCancelled(
            shop=shop.pk,
            channel=CHANNEL,
            occurred_at=datetime.now(UTC),
            order_id=order.id,
            revision="later",
        )
    )
    consume()

    # then
    assert RecoveredOrder.objects.of(shop).count() == 1
    assert SeenOrder.objects.of(shop).get().is_void
    assert matching.of_checkouts(shop, [tracked.pk]) == []
