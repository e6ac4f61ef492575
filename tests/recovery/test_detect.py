"""What is due is read from the shop once more before it is entered into the ledger."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import InvalidToken
from django.db.models.functions import Now

from saleor_nudges import crypto
from saleor_nudges.host.memory import SHELVES, MemoryHost
from saleor_nudges.messaging.channels.memory import SENT
from saleor_nudges.models import Cursor, Send, TrackedCheckout, WaitingEvent
from saleor_nudges.recovery.sending import detect
from saleor_nudges.recovery.sending import send as sending
from saleor_nudges.testing import (
    a_cart,
    a_checkout,
    caught_up,
    checkout_seen,
    consume,
    make_shop,
    switch_on_recovery,
)

pytestmark = pytest.mark.django_db

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def shop():
    shop = make_shop()
    switch_on_recovery(shop)
    caught_up(shop)
    return shop


def due(shop, email="anna@example.com"):
    """Return a checkout whose message is due and not yet in the ledger."""
    checkout = a_checkout(shop, email=email)
    checkout_seen(shop, checkout)
    return checkout


def changed(shop, checkout, ago):
    """Change a checkout in the shop, unheard by us, and return it."""
    fresh = replace(checkout, cart=a_cart(quantity=3), changed_at=datetime.now(UTC) - ago)
    MemoryHost(shop).shelf.checkouts[checkout.id] = fresh
    return fresh


def quantities(shop):
    return [line["quantity"] for line in TrackedCheckout.objects.of(shop).get().lines]


def test_the_shop_is_asked_for_all_that_is_due_together(shop, monkeypatch):
    # given
    held = [due(shop, f"shopper{number}@example.com") for number in range(5)]
    asked = []
    real = MemoryHost.checkouts
    monkeypatch.setattr(MemoryHost, "checkouts", lambda *a: asked.append(sorted(a[1])) or real(*a))

    # when
    count = detect.detect()

    # then
    assert count == 5
    assert Send.objects.of(shop).count() == 5
    # Once for what they are, once for where they stand.
    assert asked == [sorted(checkout.id for checkout in held)] * 2


def test_what_the_shop_no_longer_has_is_never_written_about(shop):
    # given
    gone = due(shop)
    del MemoryHost(shop).shelf.checkouts[gone.id]

    # when
    detect.detect()

    # then
    assert Send.objects.of(shop).count() == 0
    tracked = TrackedCheckout.objects.of(shop).get()
    assert (tracked.state, tracked.next_due_at) == ("GONE", None)
    assert detect.detect() == 0


def test_what_was_changed_lately_is_taken_in_and_waits(shop):
    # given
    fresh = changed(shop, due(shop), MINUTE)

    # when
    detect.detect()

    # then
    assert Send.objects.of(shop).count() == 0
    tracked = TrackedCheckout.objects.of(shop).get()
    assert tracked.next_due_at == fresh.changed_at + timedelta(minutes=30)
    kinds = WaitingEvent.objects.of(shop).values_list("kind", flat=True)
    assert list(kinds) == ["checkout_changed"]
    consume()
    assert quantities(shop) == [3]
    assert detect.detect() == 0


def test_what_was_changed_long_ago_is_written_about_as_it_is_now(shop):
    # given
    changed(shop, due(shop), 40 * MINUTE)

    # when: the first try finds it changed, and looks at it
    detect.detect()
    sending.send_due()
    Send.objects.of(shop).update(due_at=Now())
    sending.send_due()
    consume()

    # then
    assert len(SENT) == 1
    assert quantities(shop) == [3]
    assert [send.state for send in Send.objects.of(shop)] == ["SENT"]
    assert detect.detect() + sending.send_due() <= 1
    assert len(SENT) == 1


@pytest.mark.parametrize("kind", ["stale", "never"])
def test_a_shop_that_is_not_caught_up_is_left_alone(kind, shop, monkeypatch):
    # given
    due(shop)
    cursors = Cursor.objects.of(shop)
    cursors.update(caught_up_at=Now() - HOUR if kind == "stale" else None)
    monkeypatch.setattr(MemoryHost, "checkouts", lambda *_: pytest.fail("asked"))

    # when, then
    assert detect.detect() == 0
    assert Send.objects.of(shop).count() == 0


def test_a_shop_that_does_not_answer_holds_up_no_other(shop):
    # given
    other = make_shop("other.example.com")
    switch_on_recovery(other)
    caught_up(other)
    for one in (shop, other):
        due(one)
    SHELVES[shop.key].is_away = True

    # when
    count = detect.detect()

    # then
    assert count == 1
    assert Send.objects.of(other).count() == 1
    assert TrackedCheckout.objects.of(shop).get().next_due_at is not None


def test_one_whose_id_no_key_opens_holds_up_no_other(shop, monkeypatch):
    # given
    for name in ("lost", "known"):
        due(shop, f"{name}@example.com")
    lost = TrackedCheckout.objects.of(shop).order_by("pk")[0]
    TrackedCheckout.objects.of(shop).filter(pk=lost.pk).update(sealed_checkout_id=b"nonsense")
    with pytest.raises(InvalidToken, match=r"^$"):
        crypto.unseal(b"nonsense")

    # when
    detect.detect()
    sending.send_due()

    # then
    assert [message.to for message in SENT] == ["known@example.com"]
    assert Send.objects.of(shop).get(checkout=lost).state != "SENT"
