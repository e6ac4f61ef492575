"""Messages made ready together: whatever moved meanwhile, the answer is that of the long way."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import F
from django.db.models.functions import Now

from saleor_nudges import consent, facts
from saleor_nudges.capture import capture
from saleor_nudges.exceptions import DeliveryFailed
from saleor_nudges.host.memory import MemoryHost
from saleor_nudges.messaging.channels.memory import SENT, MemoryChannel
from saleor_nudges.models import Campaign, Cursor, Send, Shop, Suppression, TrackedCheckout
from saleor_nudges.recovery import campaigns
from saleor_nudges.recovery.sending import detect, marking, volley
from saleor_nudges.recovery.sending import send as sending
from saleor_nudges.testing import consume, left_behind, make_shop, switch_on_recovery

pytestmark = pytest.mark.django_db
ANNA = "anna@example.com"


@pytest.fixture
def shop():
    shop = make_shop()
    switch_on_recovery(shop)
    return shop


@pytest.fixture
def long_way(monkeypatch):
    """Return the messages that took the long way."""
    taken, mark = [], marking.mark

    def noted(send):
        taken.append(send.pk)
        return mark(send)

    monkeypatch.setattr(marking, "mark", noted)
    return taken


def test_when_nothing_moves_the_long_way_is_not_taken(shop, long_way):
    for number in range(30):
        left_behind(shop, email=f"shopper{number}@example.com")
    assert sending.send_due() == 30
    assert long_way == []
    assert {message.to for message in SENT} == {f"shopper{n}@example.com" for n in range(30)}
    kept = Send.objects.of(shop).filter(state="SENT", marked_at__isnull=False)
    assert kept.filter(link_hash__isnull=False, link_expires_at__gt=Now()).count() == 30


def ordered(shop, checkout):
    order = MemoryHost(shop).place_order(checkout.id, datetime.now(UTC))
    # On another device it stands there still.
    MemoryHost(shop).shelf.checkouts[checkout.id] = checkout
    capture(*facts.facts_of(shop, order))
    consume()


def changed(shop, checkout):
    later = replace(checkout, changed_at=datetime.now(UTC))
    MemoryHost(shop).shelf.checkouts[checkout.id] = later


def gone(shop, checkout):
    del MemoryHost(shop).shelf.checkouts[checkout.id]


def paying(shop, checkout):
    changes = replace(checkout, payment_started=True)
    MemoryHost(shop).shelf.checkouts[checkout.id] = changes


def unsubscribed(shop, _checkout):
    send = Send.objects.of(shop).select_related("person").get()
    Suppression.objects.of(shop).create(
        shop=shop, message_channel="EMAIL", address_hash=send.person.email_hash, reason="X"
    )


def paused(shop, _checkout):
    campaigns.pause(Campaign.objects.of(shop).get())


def elsewhere(shop, _checkout):
    Shop.objects.filter(pk=shop.pk).update(sending_installation="another")


def seen_again(shop, _checkout):
    TrackedCheckout.objects.of(shop).update(seen_at=Now())


def switched_off(shop, _checkout):
    Shop.objects.filter(pk=shop.pk).update(sending_since=None)


def taken_by_another(shop, _checkout):
    Send.objects.of(shop).update(fence=F("fence") + 1)


def slept_past_its_lease(shop, _checkout):
    Send.objects.of(shop).update(lease_until=Now() - timedelta(seconds=1))


@pytest.mark.parametrize(
    ("meanwhile", "then"),
    [
        (ordered, ("CANCELLED", "ORDERED")),
        (changed, ("DUE", "CHECKOUT_CHANGED")),
        (gone, ("CANCELLED", "CHECKOUT_GONE")),
        (paying, ("DUE", "PAYMENT_STARTED")),
        (unsubscribed, ("CANCELLED", "UNSUBSCRIBED")),
        (paused, ("DUE", "CAMPAIGN_OFF")),
        (elsewhere, ("DUE", "INSTALLATION_CHANGED")),
        (switched_off, ("DUE", "SENDING_OFF")),
        (seen_again, ("DUE", "CHECKOUT_CHANGED")),
        (taken_by_another, ("CLAIMED", "")),
        (slept_past_its_lease, ("DUE", "CHANGED_MEANWHILE")),
    ],
)
def test_what_moves_after_all_was_ready_is_asked_at_the_mark(shop, meanwhile, then):
    # given
    checkout = left_behind(shop)
    [send] = sending.claim()
    ready = volley.make_ready([send])[send.pk]

    # when
    meanwhile(shop, checkout)

    # then
    assert volley.mark(send, ready) is False
    assert sending.deliver(send, ready=ready) is False
    row = Send.objects.of(shop).get()
    assert (row.state, row.reason) == then
    assert SENT == []


def test_two_messages_of_one_person_in_one_volley_are_judged_one_after_the_other(shop, long_way):
    # given two carts of one person, both in the ledger
    left_behind(shop)
    left_behind(shop, email="bert@example.com")
    older, _ = Send.objects.of(shop).order_by("id")
    TrackedCheckout.objects.of(shop).update(person=older.person)
    Send.objects.of(shop).update(person=older.person)

    # when
    sending.send_due()

    # then at most one is marked without a second thought
    assert len(SENT) <= 1
    assert len(long_way) >= 1


def test_what_was_ready_too_long_ago_is_judged_anew(shop, monkeypatch, long_way):
    monkeypatch.setattr(volley, "FRESH_SECONDS", -1.0)
    left_behind(shop)
    assert sending.send_due() == 1
    assert len(long_way) == 1


def test_one_message_that_cannot_be_written_spoils_no_volley(shop, monkeypatch, long_way):
    # given
    left_behind(shop)
    left_behind(shop, email="bert@example.com")
    write = volley.message.prepare

    def broken(send, given=None):
        if "bert" in volley.message.people.contact_of(send.person).email:
            raise RuntimeError
        return write(send, given)

    monkeypatch.setattr(volley.message, "prepare", broken)

    # when, then
    assert sending.send_due() == 1
    assert [message.to for message in SENT] == [ANNA]
    assert len(long_way) == 1


def test_the_mark_asks_what_the_long_way_asks(shop):
    left_behind(shop)
    statement, given = volley._statement(
        volley.MessageChannel.EMAIL, consent.installation(), volley.conf.get()
    )
    for condition in ("suppression", "consent", "seenorder", "waitingevent", "deadletter"):
        assert f"saleor_nudges_{condition}" in statement
    assert volley.THE_ROW in given
    assert statement.count("%s") == len(given) + 7


# Providers that take each key once.


@pytest.fixture
def once_per_key(monkeypatch):
    """Let the provider take each key only once; return the keys it has taken."""
    keys = set()

    def send(_channel, message):
        if message.key not in keys:
            keys.add(message.key)
            SENT.append(message)

    monkeypatch.setattr(MemoryChannel, "honours_keys", True)
    monkeypatch.setattr(MemoryChannel, "send", send)
    return keys


def dies_at_the_mark(shop, *, is_taken):
    """Leave a message as a worker leaves it that is killed while handing it over."""
    left_behind(shop)
    [send] = sending.claim()
    prepared = marking.mark(send)
    if is_taken:
        MemoryChannel().send(prepared)
    Send.objects.of(shop).update(lease_until=Now() - timedelta(seconds=1))


@pytest.mark.parametrize("is_taken", [False, True])
def test_a_provider_that_honours_keys_gets_what_is_in_doubt_again(shop, once_per_key, is_taken):
    dies_at_the_mark(shop, is_taken=is_taken)
    assert sending.send_due() == 1
    assert len(SENT) == 1
    assert [row.state for row in Send.objects.of(shop)] == ["SENT"]
    assert sending.send_due() == 0


@pytest.mark.parametrize("meanwhile", [ordered, gone, unsubscribed, switched_off])
def test_what_may_not_go_any_more_stays_in_doubt(shop, once_per_key, meanwhile):
    # given
    dies_at_the_mark(shop, is_taken=False)
    [checkout] = MemoryHost(shop).shelf.checkouts.values()

    # when
    meanwhile(shop, checkout)
    assert sending.send_due() == 0

    # then it may have left, and nobody claims to know
    row = Send.objects.of(shop).get()
    assert (row.state, row.reason, SENT) == ("IN_DOUBT", "WORKER_LOST", [])


def test_while_the_provider_is_away_what_is_in_doubt_waits(shop, once_per_key, monkeypatch):
    # given
    dies_at_the_mark(shop, is_taken=True)

    def away(*_):
        raise DeliveryFailed

    with monkeypatch.context() as patched:
        patched.setattr(MemoryChannel, "send", away)
        assert sending.send_due() == 0
    assert Send.objects.of(shop).get().state == "SENDING"

    # when the provider is back and the lease over
    Send.objects.of(shop).update(lease_until=Now() - timedelta(seconds=1))
    assert sending.send_due() == 1
    assert len(SENT) == 1


def test_while_its_provider_is_left_alone_what_is_in_doubt_is_not_given_up(shop, once_per_key):
    # given
    dies_at_the_mark(shop, is_taken=False)
    Cursor.objects.of(shop).create(
        shop=shop, kind="paused:EMAIL", position=Now(), caught_up_at=Now() + timedelta(minutes=5)
    )

    # when
    assert sending.send_due() == 0

    # then it waits, until nobody would remember the cart
    assert Send.objects.of(shop).get().state == "SENDING"
    Send.objects.of(shop).update(ready_at=Now() - timedelta(days=2))
    assert sending.send_due() == 0
    assert Send.objects.of(shop).get().state == "IN_DOUBT"


# Shops take turns.


def test_a_shop_with_much_to_look_at_holds_up_no_other(shop, settings):
    # given
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"SEND_BATCH": 2}
    other = make_shop("other.example.com")
    switch_on_recovery(other)
    for number in range(6):
        left_behind(shop, email=f"shopper{number}@example.com")
    left_behind(other)
    for each in (shop, other):
        Send.objects.of(each).delete()
        TrackedCheckout.objects.of(each).update(next_due_at=Now())

    # when there is time for one round only
    rounds = iter([0.0, 0.0, 9.0])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(detect.time, "monotonic", lambda: next(rounds))
        entered = detect.detect(seconds=5)

    # then
    assert entered == 3
    assert Send.objects.of(other).count() == 1
