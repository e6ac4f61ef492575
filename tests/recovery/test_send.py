"""At most one message per (checkout, cycle, step), whatever happens when."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from django.db import connections
from django.db.models.functions import Now

from saleor_nudges import crypto, facts
from saleor_nudges.capture import capture
from saleor_nudges.exceptions import DeliveryFailed, DeliveryRefused, DeliveryUnknown
from saleor_nudges.host.memory import SHELVES, MemoryHost
from saleor_nudges.messaging.channels.memory import SENT, TROUBLE, MemoryChannel
from saleor_nudges.models import Send, TrackedCheckout
from saleor_nudges.recovery.sending import detect
from saleor_nudges.recovery.sending import send as sending
from saleor_nudges.testing import (
    a_cart,
    a_checkout,
    caught_up,
    checkout_seen,
    consume,
    left_behind,
    make_shop,
    switch_on_recovery,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    shop = make_shop()
    switch_on_recovery(shop)
    return shop


def the_send(shop):
    return Send.objects.of(shop).get()


def outcome(shop):
    send = the_send(shop)
    return send.state, send.reason


def due_now(shop):
    """Let the time pass that a put off message waits."""
    Send.objects.of(shop).update(due_at=Now())


def changed(shop, checkout, **changes):
    """Change a checkout in the shop, unheard by us, and return it."""
    fresh = replace(checkout, **changes)
    MemoryHost(shop).shelf.checkouts[checkout.id] = fresh
    return fresh


def in_parallel(work, count):
    """Run the work in threads that start together, each on a connection of its own."""
    barrier = Barrier(count)

    def run(_):
        try:
            barrier.wait(10)
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


# Once.


def test_a_checkout_left_behind_gets_one_message(shop):
    # given
    left_behind(shop)

    # when
    counts = [sending.send_due(), sending.send_due(), detect.detect(), sending.send_due()]

    # then
    assert counts == [1, 0, 0, 0]
    assert [message.to for message in SENT] == ["anna@example.com"]
    send = the_send(shop)
    assert (send.state, send.reason, send.fence) == ("SENT", "", 1)
    assert SENT[0].key == send.pk.hex
    assert send.sent_at is not None


def test_a_change_after_the_message_brings_no_second_one(shop):
    # given
    checkout = left_behind(shop)
    sending.send_due()

    # when
    later = changed(
        shop,
        checkout,
        changed_at=checkout.changed_at + timedelta(minutes=5),
        cart=a_cart(quantity=2),
    )
    checkout_seen(shop, later)
    due = TrackedCheckout.objects.of(shop).get().next_due_at
    detect.detect()

    # then
    assert due is not None
    assert sending.send_due() == 0
    assert Send.objects.of(shop).count() == 1
    assert len(SENT) == 1


@pytest.mark.django_db(transaction=True)
def test_parallel_sweeps_send_each_message_once():
    # given
    shop = make_shop()
    switch_on_recovery(shop)
    for number in range(12):
        checkout_seen(shop, a_checkout(shop, email=f"shopper{number}@example.com"))
    caught_up(shop)

    # when
    def sweep():
        return detect.detect(), sending.send_due()

    results = in_parallel(sweep, 6)

    # then
    assert sum(entered for entered, _ in results) == 12
    assert Send.objects.of(shop).count() == 12
    assert sum(left for _, left in results) == 12
    assert sorted(message.to for message in SENT) == sorted(
        f"shopper{number}@example.com" for number in range(12)
    )
    assert set(Send.objects.of(shop).values_list("state", flat=True)) == {"SENT"}


@pytest.mark.django_db(transaction=True)
def test_two_workers_that_hold_the_same_row_send_it_once():
    # given a worker that claimed, slept past its lease, and another that claimed meanwhile
    shop = make_shop()
    switch_on_recovery(shop)
    left_behind(shop)
    [sleeper] = sending.claim()
    Send.objects.of(shop).update(lease_until=Now() - timedelta(seconds=1))
    [other] = sending.claim()

    # when both go on at the same time
    todo = [sleeper, other]
    results = in_parallel(lambda: sending.deliver(todo.pop()), 2)

    # then
    assert sorted(results) == [False, True]
    assert len(SENT) == 1
    assert outcome(shop) == ("SENT", "")


def test_a_claimed_row_is_nobody_elses(shop):
    left_behind(shop)
    assert len(sending.claim()) == 1
    assert sending.claim() == []
    assert sending.send_due() == 0
    assert SENT == []


def test_when_a_worker_dies_after_the_claim_another_sends(shop):
    # given
    left_behind(shop)
    [dead] = sending.claim()

    # when
    Send.objects.of(shop).update(lease_until=Now() - timedelta(seconds=1))

    # then
    assert sending.send_due() == 1
    assert the_send(shop).fence == dead.fence + 1
    assert len(SENT) == 1


def test_a_worker_past_its_lease_marks_nothing(shop):
    # given
    left_behind(shop)
    [zombie] = sending.claim()
    Send.objects.of(shop).update(lease_until=Now() - timedelta(seconds=1))
    sending.claim()

    # when
    assert sending.deliver(zombie) is False

    # then
    send = the_send(shop)
    assert (send.state, send.fence, send.reason) == ("CLAIMED", 2, "")
    assert SENT == []


def test_when_a_worker_dies_after_the_mark_the_message_is_in_doubt_for_good(shop, monkeypatch):
    # given
    left_behind(shop)
    monkeypatch.setattr(MemoryChannel, "send", _die)
    with pytest.raises(SystemExit):
        sending.send_due()
    monkeypatch.undo()
    assert the_send(shop).state == "SENDING"

    # when its lease is not over, then is
    assert sending.send_due() == 0
    assert the_send(shop).state == "SENDING"
    Send.objects.of(shop).update(lease_until=Now() - timedelta(seconds=1))
    counts = [sending.send_due(), sending.send_due()]

    # then
    assert counts == [0, 0]
    assert outcome(shop) == ("IN_DOUBT", "WORKER_LOST")
    assert detect.detect() == 0
    assert SENT == []


def _die(*_):
    raise SystemExit


def test_the_mark_starts_the_lease_anew(shop, monkeypatch):
    # given a worker that comes to this row at the end of its lease
    left_behind(shop)
    [send] = sending.claim()
    Send.objects.of(shop).update(lease_until=Now() + timedelta(seconds=2))
    seen = []
    monkeypatch.setattr(MemoryChannel, "send", lambda *_: seen.append(the_send(shop).lease_until))

    # when
    assert sending.deliver(send) is True

    # then a provider that takes its time is not taken for a dead worker
    assert seen[0] > datetime.now(UTC) + timedelta(seconds=60)


def test_a_row_being_sent_is_not_marked_again_by_whoever_holds_it(shop, monkeypatch):
    # given a worker that comes back to a row it is just handing over
    left_behind(shop)
    [send] = sending.claim()
    again = []

    def twice(_channel, message):
        SENT.append(message)
        if len(SENT) == 1:
            again.append(sending.deliver(send))

    monkeypatch.setattr(MemoryChannel, "send", twice)

    # when
    assert sending.deliver(send) is True

    # then
    assert again == [False]
    assert len(SENT) == 1


# What the provider says.


@pytest.mark.parametrize(
    ("_case", "trouble", "state", "reason"),
    [
        ("refused", DeliveryRefused(), "REFUSED", "PROVIDER_REFUSED"),
        ("unknown", DeliveryUnknown(), "IN_DOUBT", "OUTCOME_UNKNOWN"),
        ("anything_else", ZeroDivisionError(), "IN_DOUBT", "OUTCOME_UNKNOWN"),
    ],
)
def test_a_message_is_never_repeated_unless_it_surely_stayed(_case, trouble, state, reason, shop):
    # given
    left_behind(shop)
    TROUBLE.append(trouble)

    # when
    assert sending.send_due() == 0

    # then
    assert outcome(shop) == (state, reason)
    due_now(shop)
    assert sending.send_due() == 0
    assert SENT == []


def test_a_message_that_surely_stayed_goes_a_minute_later(shop):
    # given
    left_behind(shop)
    TROUBLE.append(DeliveryFailed())

    # when
    assert sending.send_due() == 0

    # then
    send = the_send(shop)
    assert (send.state, send.reason) == ("DUE", "PROVIDER_AWAY")
    wait = send.due_at - datetime.now(UTC)
    assert timedelta(seconds=50) < wait <= timedelta(seconds=60)
    due_now(shop)
    assert sending.send_due() == 1
    assert len(SENT) == 1


# What the shop says.


def test_a_busy_checkout_is_put_off(shop):
    # given
    checkout = left_behind(shop)
    MemoryHost(shop).shelf.busy.add(checkout.id)

    # when
    assert sending.send_due() == 0

    # then
    assert outcome(shop) == ("DUE", "HOST_BUSY")
    MemoryHost(shop).shelf.busy.clear()
    due_now(shop)
    assert sending.send_due() == 1


def test_a_shop_that_does_not_answer_is_asked_again(shop):
    # given
    left_behind(shop)
    shelf = MemoryHost(shop).shelf
    shelf.is_away = True

    # when
    assert sending.send_due() == 0

    # then
    assert outcome(shop) == ("DUE", "HOST_UNAVAILABLE")
    shelf.is_away = False
    due_now(shop)
    assert sending.send_due() == 1


def test_a_checkout_the_shop_no_longer_has_gets_nothing(shop):
    # given
    checkout = left_behind(shop)
    del MemoryHost(shop).shelf.checkouts[checkout.id]

    # when
    assert sending.send_due() == 0

    # then
    assert outcome(shop) == ("CANCELLED", "CHECKOUT_GONE")
    assert TrackedCheckout.objects.of(shop).get().state == "GONE"
    assert SENT == []


def test_a_change_we_missed_counts_the_silence_anew(shop):
    # given
    checkout = left_behind(shop)
    moment = datetime.now(UTC) - timedelta(minutes=2)
    changed(shop, checkout, changed_at=moment, cart=a_cart(quantity=7))

    # when
    assert sending.send_due() == 0

    # then
    send = the_send(shop)
    assert (send.state, send.reason) == ("DUE", "CHECKOUT_CHANGED")
    assert send.due_at == moment + timedelta(minutes=30)
    tracked = TrackedCheckout.objects.of(shop).get()
    assert (tracked.changed_at, tracked.lines[0]["quantity"]) == (moment, 7)
    assert SENT == []


def test_a_change_we_heard_of_while_the_message_waited_counts_the_silence_anew(shop):
    # given a message that could not go, and a shopper who came back meanwhile
    checkout = left_behind(shop)
    MemoryHost(shop).shelf.is_away = True
    sending.send_due()
    SHELVES[shop.key].is_away = False
    moment = datetime.now(UTC) - timedelta(seconds=20)
    checkout_seen(shop, changed(shop, checkout, changed_at=moment, cart=a_cart(quantity=2)))
    due_now(shop)

    # when
    assert sending.send_due() == 0

    # then
    send = the_send(shop)
    assert (send.state, send.due_at) == ("DUE", moment + timedelta(minutes=30))
    assert SENT == []


def test_an_emptied_checkout_gets_nothing(shop):
    # given
    checkout = left_behind(shop)
    changed(
        shop,
        checkout,
        changed_at=checkout.changed_at + timedelta(minutes=1),
        cart=replace(a_cart(), lines=()),
    )

    # when
    assert sending.send_due() == 0

    # then
    assert outcome(shop) == ("CANCELLED", "CHECKOUT_CLOSED")
    assert TrackedCheckout.objects.of(shop).get().state == "EMPTIED"
    assert SENT == []


@pytest.mark.timeout(20)
def test_a_started_payment_waits_and_does_not_spin(shop):
    # given
    checkout = left_behind(shop)
    changed(shop, checkout, payment_started=True)

    # when
    assert sending.send_due() == 0

    # then
    send = the_send(shop)
    assert (send.state, send.reason, send.fence) == ("DUE", "PAYMENT_STARTED", 1)
    assert send.due_at > datetime.now(UTC) + timedelta(seconds=50)
    assert SENT == []


def test_after_a_payment_that_came_to_nothing_the_message_goes(shop):
    # given
    checkout = left_behind(shop)
    changed(shop, checkout, payment_started=True)
    sending.send_due()

    # when
    later = checkout.changed_at + timedelta(minutes=1)
    checkout_seen(shop, changed(shop, checkout, payment_started=False, changed_at=later))
    due_now(shop)

    # then
    assert sending.send_due() == 1


def test_a_corrected_address_gets_the_message_and_the_mistaken_one_none(shop):
    # given a row in the ledger for the mistaken address
    checkout = left_behind(shop, email="ana@example.com")

    # when the shopper corrects it and falls silent again
    corrected = changed(
        shop,
        checkout,
        changed_at=checkout.changed_at + timedelta(minutes=1),
        contact=replace(checkout.contact, email="anna@example.com"),
    )
    checkout_seen(shop, corrected)
    sending.send_due()

    # then
    assert [message.to for message in SENT] == ["anna@example.com"]


def test_a_corrected_address_that_we_missed_gets_the_message(shop):
    # given
    checkout = left_behind(shop, email="ana@example.com")
    changed(
        shop,
        checkout,
        changed_at=checkout.changed_at + timedelta(minutes=1),
        contact=replace(checkout.contact, email="anna@example.com"),
    )

    # when
    sending.send_due()

    # then
    assert [message.to for message in SENT] == ["anna@example.com"]


def test_an_order_folded_between_claim_and_mark_stays_known(shop):
    # given
    checkout = left_behind(shop)
    [send] = sending.claim()
    order = MemoryHost(shop).place_order(checkout.id, datetime.now(UTC))
    capture(*facts.facts_of(shop, order))
    consume()
    later = checkout.changed_at + timedelta(minutes=1)
    MemoryHost(shop).shelf.checkouts[checkout.id] = replace(checkout, changed_at=later)

    # when
    assert sending.deliver(send) is False

    # then
    assert TrackedCheckout.objects.of(shop).get().state == "ORDERED"
    assert outcome(shop)[0] == "CANCELLED"
    assert SENT == []


# What must not hold up the others.


@pytest.mark.parametrize(
    ("_case", "harm"),
    [
        (
            "unreadable_checkout_id",
            lambda shop: TrackedCheckout.objects.of(shop).update(
                sealed_checkout_id=b"not sealed by us"
            ),
        ),
        (
            "unusable_sender",
            lambda shop: (
                type(shop).objects.filter(pk=shop.pk).update(sender_email="größe@shop.example.com")
            ),
        ),
    ],
)
def test_one_broken_message_holds_up_no_other(_case, harm, shop):
    # given
    left_behind(shop)
    harm(shop)
    other = make_shop("other.example.com")
    switch_on_recovery(other)
    left_behind(other, email="bert@example.com")

    # when
    assert sending.send_due() == 1

    # then
    assert [message.to for message in SENT] == ["bert@example.com"]
    assert the_send(shop).state in ("DUE", "CANCELLED")
    assert outcome(other) == ("SENT", "")


def test_a_template_that_cannot_be_filled_is_cancelled(shop):
    # given
    left_behind(shop)
    send = the_send(shop)
    type(send.step).objects.of(shop).update(text="{% for n in (1..2000) %}x{% endfor %}")

    # when
    assert sending.send_due() == 0

    # then
    assert outcome(shop) == ("CANCELLED", "TEMPLATE")
    assert SENT == []


def test_the_ledger_holds_no_checkout_id(shop):
    checkout = left_behind(shop)
    sending.send_due()
    message = SENT[0]
    whole = " ".join([message.text, message.html, message.subject, str(message.headers)])
    assert checkout.id not in whole
    assert crypto.checkout_hash(checkout.id) not in whole
