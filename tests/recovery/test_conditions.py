"""Who is not written to, and what becomes of the message instead."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db.models.functions import Now
from django.test import Client

from saleor_nudges import crypto, facts, people
from saleor_nudges.capture import capture
from saleor_nudges.events import CheckoutPaid, ConsentWithdrawn, Contact, CustomerErased
from saleor_nudges.host.memory import MemoryHost
from saleor_nudges.messaging import consents
from saleor_nudges.messaging.channels.memory import SENT
from saleor_nudges.models import (
    Campaign,
    CampaignState,
    Cursor,
    DeadLetter,
    LegalBasis,
    MessageChannel,
    Person,
    SeenOrder,
    Send,
    Shop,
    TrackedCheckout,
)
from saleor_nudges.recovery import campaigns
from saleor_nudges.recovery.sending import detect
from saleor_nudges.recovery.sending import send as sending
from saleor_nudges.recovery.sending.conditions import conditions
from saleor_nudges.testing import (
    CHANNEL,
    a_checkout,
    caught_up,
    checkout_seen,
    consume,
    left_behind,
    make_shop,
    order_placed,
    switch_on_recovery,
)
from tests.recovery.letters import way_back

pytestmark = pytest.mark.django_db

EMAIL = MessageChannel.EMAIL


@pytest.fixture
def shop():
    shop = make_shop()
    switch_on_recovery(shop)
    return shop


def outcome(shop):
    send = Send.objects.of(shop).get()
    return send.state, send.reason


def due_now(shop):
    Send.objects.of(shop).update(due_at=Now())


def change_shop(shop, **changes):
    Shop.objects.filter(pk=shop.pk).update(**changes)


# Whoever bought is not written to.


@pytest.mark.parametrize(
    ("_case", "left", "bought"),
    [
        ("same_address", {"email": "anna@example.com"}, {"email": "anna@example.com"}),
        ("address_in_capitals", {"email": "anna@example.com"}, {"email": "ANNA@Example.com"}),
        (
            "same_account_other_address",
            {"email": "anna@example.com", "user_id": "VXNlcjox"},
            {"email": "anna@work.example.com", "user_id": "VXNlcjox"},
        ),
        (
            "same_phone_other_address",
            {"email": "anna@example.com", "phone": "+48 600 100 200"},
            {"email": "anna@work.example.com", "phone": "+48600100200"},
        ),
    ],
)
def test_an_order_by_a_sibling_checkout_stops_the_message(_case, left, bought, shop):
    # given
    left_behind(shop, **left)

    # when
    order_placed(shop, a_checkout(shop, age=timedelta(minutes=1), **bought))

    # then
    assert sending.send_due() == 0
    assert outcome(shop) == ("CANCELLED", "ORDERED")
    assert TrackedCheckout.objects.of(shop).get().state == "ORDERED"
    assert SENT == []


def test_a_strangers_order_stops_nothing(shop):
    left_behind(shop, email="anna@example.com", phone="+48 600 100 200", user_id="VXNlcjox")
    stranger = {"email": "bert@example.com", "phone": "+48 600 100 201", "user_id": "VXNlcjoy"}
    order_placed(shop, a_checkout(shop, age=timedelta(minutes=1), **stranger))
    assert sending.send_due() == 1


def test_an_order_before_the_cart_was_begun_stops_nothing(shop):
    order_placed(
        shop,
        a_checkout(shop, age=timedelta(hours=3), email="anna@example.com"),
        at=datetime.now(UTC) - timedelta(hours=2),
    )
    left_behind(shop)
    assert sending.send_due() == 1


def test_an_order_from_this_very_checkout_stops_the_message(shop):
    # given an order under another name, so that only the checkout tells
    checkout = left_behind(shop)

    # when the shop still shows the checkout, as a stale answer would
    order_placed(shop, checkout, email="gift@example.com")
    MemoryHost(shop).shelf.checkouts[checkout.id] = checkout

    # then
    assert sending.send_due() == 0
    assert outcome(shop) == ("CANCELLED", "ORDERED")
    assert SENT == []


def test_an_order_from_the_checkout_our_link_opened_stops_the_message(shop):
    # given a shopper who came back by the link of a message
    left_behind(shop)
    sending.send_due()
    first = Send.objects.of(shop).get()
    Client().post(way_back(first))
    [fresh] = [c for c in MemoryHost(shop).shelf.checkouts.values() if not c.contact.is_known()]

    # when they buy under another name, and a second message of the old cart were due
    order_placed(shop, fresh, email="gift@example.com")
    parent = TrackedCheckout.objects.of(shop).get(parent__isnull=True)
    assert parent.state == "RECOVERED"
    TrackedCheckout.objects.of(shop).filter(pk=parent.pk).update(state="OPEN")
    first.pk, first.step_number, first.state, first.due_at = None, 2, "DUE", parent.changed_at
    first.pk = Send._meta.pk.get_default()
    first.save(force_insert=True)

    # then
    assert sending.send_due() == 0
    second = Send.objects.of(shop).get(step_number=2)
    assert (second.state, second.reason) == ("CANCELLED", "ORDERED")
    assert len(SENT) == 1


@pytest.mark.parametrize(("is_written_to", "state"), [(True, "RECOVERED"), (False, "ORDERED")])
def test_a_checkout_thrown_away_before_its_order_is_told_was_bought(shop, is_written_to, state):
    # given a checkout the shop has no more
    checkout = left_behind(shop)
    if is_written_to:
        assert sending.send_due() == 1
    tracked = TrackedCheckout.objects.of(shop)
    tracked.update(state="GONE")
    # when another of the same person is bought, it stays so
    order_placed(shop, a_checkout(shop, age=timedelta(minutes=1), email="anna@example.com"))
    assert "GONE" in tracked.values_list("state", flat=True)
    # and when the order of this very one is told, it was bought
    order_placed(shop, checkout)
    assert tracked.get(checkout=crypto.checkout_hash(checkout.id)).state == state


def test_a_cancelled_order_is_still_a_purchase_to_its_shopper(shop):
    left_behind(shop)
    order = order_placed(shop, a_checkout(shop, age=timedelta(minutes=1), email="anna@example.com"))
    capture(*facts.facts_of(shop, replace(order, status="CANCELED")))
    consume()
    assert sending.send_due() == 0
    assert outcome(shop) == ("CANCELLED", "ORDERED")


def test_an_order_that_overtakes_the_news_of_its_checkout_stops_the_message(shop):
    checkout = a_checkout(shop, email="anna@example.com")
    order_placed(shop, checkout)
    MemoryHost(shop).shelf.checkouts[checkout.id] = checkout
    checkout_seen(shop, checkout)
    caught_up(shop)
    assert TrackedCheckout.objects.of(shop).get().state == "ORDERED"
    assert (detect.detect(), sending.send_due()) == (0, 0)
    assert SENT == []


# News that waits.


@pytest.mark.parametrize("kind", ["order", "paid", "withdrawn", "erased"])
def test_news_that_waits_in_the_stream_holds_every_message(kind, shop):
    # given
    checkout = left_behind(shop)
    moment = datetime.now(UTC)
    contact = Contact(email="bert@example.com")
    other = a_checkout(shop, email="bert@example.com")
    events = {
        "order": lambda: facts.facts_of(shop, MemoryHost(shop).place_order(other.id, moment)),
        "paid": lambda: [
            facts.checkout_fact(CheckoutPaid, shop, checkout.id, CHANNEL, checkout.changed_at)
        ],
        "withdrawn": lambda: [
            ConsentWithdrawn(
                shop=shop.pk,
                channel=CHANNEL,
                occurred_at=moment,
                message_channel="EMAIL",
                source="test",
                contact=contact,
            )
        ],
        "erased": lambda: [
            CustomerErased(shop=shop.pk, channel=CHANNEL, occurred_at=moment, user="x")
        ],
    }

    # when
    capture(*events[kind]())

    # then
    assert sending.send_due() == 0
    assert outcome(shop) == ("DUE", "EVENTS_WAITING")
    assert SENT == []


def test_the_waiting_news_of_another_shop_holds_nothing(shop):
    left_behind(shop)
    other = make_shop("other.example.com")
    order = MemoryHost(other).place_order(a_checkout(other).id, datetime.now(UTC))
    capture(*facts.facts_of(other, order))
    assert sending.send_due() == 1


@pytest.mark.parametrize(("_case", "age"), [("never", None), ("long_ago", timedelta(seconds=301))])
def test_while_orders_are_not_caught_up_messages_wait(_case, age, shop):
    # given
    left_behind(shop)
    caught = None if age is None else datetime.now(UTC) - age
    Cursor.objects.of(shop).update(caught_up_at=caught)

    # when
    assert sending.send_due() == 0

    # then
    assert outcome(shop) == ("DUE", "NOT_CAUGHT_UP")
    caught_up(shop)
    due_now(shop)
    assert sending.send_due() == 1


# What the seller switched on.


@pytest.mark.parametrize(
    ("_case", "off", "on", "reason"),
    [
        (
            "sending",
            lambda shop: change_shop(shop, sending_since=None),
            lambda shop: change_shop(shop, sending_since=shop.sending_since),
            "SENDING_OFF",
        ),
        (
            "shop_removed",
            lambda shop: change_shop(shop, is_active=False),
            lambda shop: change_shop(shop, is_active=True),
            "SENDING_OFF",
        ),
        (
            "campaign",
            lambda shop: campaigns.pause(campaigns.campaign_of(shop, CHANNEL)),
            lambda shop: Campaign.objects.of(shop).update(state=CampaignState.ACTIVE),
            "CAMPAIGN_OFF",
        ),
    ],
)
def test_while_switched_off_a_message_waits(_case, off, on, reason, shop):
    # given
    left_behind(shop)
    off(shop)

    # when
    assert sending.send_due() == 0

    # then
    assert outcome(shop) == ("DUE", reason)
    assert SENT == []
    on(shop)
    due_now(shop)
    assert sending.send_due() == 1


def test_a_change_we_missed_while_the_campaign_is_off_does_not_end_the_message(shop):
    # given
    checkout = left_behind(shop)
    campaigns.pause(campaigns.campaign_of(shop, CHANNEL))
    later = checkout.changed_at + timedelta(minutes=1)
    MemoryHost(shop).shelf.checkouts[checkout.id] = replace(checkout, changed_at=later)

    # when
    assert sending.send_due() == 0

    # then
    assert outcome(shop) == ("DUE", "CAMPAIGN_OFF")
    Campaign.objects.of(shop).update(state=CampaignState.ACTIVE)
    due_now(shop)
    assert sending.send_due() == 1


def test_a_message_that_waited_a_day_is_not_sent(shop):
    # given
    checkout = left_behind(shop)
    campaigns.pause(campaigns.campaign_of(shop, CHANNEL))
    moment = datetime.now(UTC) - timedelta(hours=24, minutes=31)
    TrackedCheckout.objects.of(shop).update(changed_at=moment, seen_at=moment)
    Send.objects.of(shop).update(ready_at=moment + timedelta(minutes=30))
    MemoryHost(shop).shelf.checkouts[checkout.id] = replace(checkout, changed_at=moment)

    # when
    assert sending.send_due() == 0

    # then
    assert outcome(shop) == ("CANCELLED", "TOO_OLD")
    assert SENT == []


def test_a_campaign_goes_on_after_a_pause_with_what_waited(shop):
    # given what waited, and what was left during the pause
    left_behind(shop)
    campaign = campaigns.campaign_of(shop, CHANNEL)
    campaigns.pause(campaign)
    checkout_seen(shop, a_checkout(shop, email="bert@example.com"))

    # when
    campaigns.activate(campaign)

    # then
    assert detect.detect() == 0
    assert sending.send_due() == 1
    assert [message.to for message in SENT] == ["anna@example.com"]


def test_an_active_campaign_activated_once_more_goes_on(shop):
    left_behind(shop)
    campaigns.activate(campaigns.campaign_of(shop, CHANNEL))
    assert sending.send_due() == 1


def test_another_installation_sends_nothing(shop, settings):
    # given
    left_behind(shop)
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"PUBLIC_URL": "https://copy.example.com/"}

    # when
    checkout_seen(shop, a_checkout(shop, email="bert@example.com"))
    entered = detect.detect()

    # then
    assert (entered, sending.send_due()) == (0, 0)
    assert outcome(shop) == ("DUE", "INSTALLATION_CHANGED")
    assert SENT == []


def test_another_installation_id_sends_nothing(shop, settings):
    left_behind(shop)
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"INSTALLATION_ID": "a copy"}
    assert sending.send_due() == 0
    assert outcome(shop) == ("DUE", "INSTALLATION_CHANGED")
    assert SENT == []


def test_a_thousand_old_checkouts_are_counted_and_never_messaged():
    # given checkouts left before anything was switched on
    shop = make_shop()
    old = [
        a_checkout(shop, age=timedelta(hours=3, seconds=number), email=f"old{number}@example.com")
        for number in range(1000)
    ]
    capture(*[facts.full_checkout(shop, checkout) for checkout in old])
    consume()

    # when
    switch_on_recovery(shop)
    caught_up(shop)
    assert TrackedCheckout.objects.of(shop).filter(next_due_at__isnull=False).count() == 0
    TrackedCheckout.objects.of(shop).update(next_due_at=Now())
    assert detect.detect() == 0

    # then
    counted = TrackedCheckout.objects.of(shop).filter(state="OPEN", reason="BEFORE_ACTIVATION")
    assert counted.count() == 1000
    assert Send.objects.of(shop).count() == 0
    assert sending.send_due() == 0
    assert SENT == []


@pytest.mark.parametrize("switch", ["sending_since", "active_since"])
def test_a_row_from_before_either_was_switched_on_is_cancelled(switch, shop):
    left_behind(shop)
    moment = datetime.now(UTC) - timedelta(minutes=50)
    if switch == "sending_since":
        change_shop(shop, sending_since=moment)
    else:
        Campaign.objects.of(shop).update(active_since=moment)
    assert sending.send_due() == 0
    assert outcome(shop) == ("CANCELLED", "BEFORE_ACTIVATION")
    assert SENT == []


# What the person said.


def test_without_a_legal_basis_nobody_is_written_to(shop):
    left_behind(shop)
    change_shop(shop, legal_basis=LegalBasis.NONE)
    assert sending.send_due() == 0
    assert outcome(shop)[0] != "SENT"
    assert SENT == []


@pytest.mark.parametrize(
    ("_case", "basis", "answers", "expected"),
    [
        ("consent_silent", "CONSENT", [], ("CANCELLED", "NO_CONSENT")),
        ("consent_yes", "CONSENT", [True], ("SENT", "")),
        ("consent_no", "CONSENT", [False], ("CANCELLED", "NO_CONSENT")),
        ("consent_yes_no", "CONSENT", [True, False], ("CANCELLED", "NO_CONSENT")),
        ("consent_no_yes", "CONSENT", [False, True], ("SENT", "")),
        ("soft_silent", "SOFT_OPT_IN", [], ("SENT", "")),
        ("soft_no", "SOFT_OPT_IN", [False], ("CANCELLED", "NO_CONSENT")),
        ("soft_yes_no", "SOFT_OPT_IN", [True, False], ("CANCELLED", "NO_CONSENT")),
    ],
)
def test_the_newest_answer_decides(_case, basis, answers, expected, shop):
    # given
    left_behind(shop)
    change_shop(shop, legal_basis=basis)
    person = Person.objects.of(shop).get()
    for number, given in enumerate(answers):
        at = datetime.now(UTC) - timedelta(minutes=10 - number)
        consents.record(shop, person.pk, EMAIL, given=given, at=at, source="test")

    # when
    sending.send_due()

    # then
    assert outcome(shop) == expected
    assert len(SENT) == (expected[0] == "SENT")


def test_who_unsubscribed_is_not_written_to(shop):
    left_behind(shop)
    consents.unsubscribe(shop, Person.objects.of(shop).get(), EMAIL, datetime.now(UTC))
    assert sending.send_due() == 0
    assert outcome(shop) == ("CANCELLED", "UNSUBSCRIBED")
    assert SENT == []


def test_a_suppressed_address_is_not_written_to_even_with_consent(shop):
    left_behind(shop)
    person = Person.objects.of(shop).get()
    at = datetime.now(UTC)
    consents.record(shop, person.pk, EMAIL, given=True, at=at, source="test")
    consents.suppress(shop, EMAIL, people.email_hash("ANNA@example.com"), "BOUNCED")
    assert sending.send_due() == 0
    assert outcome(shop) == ("CANCELLED", "UNSUBSCRIBED")


def test_the_suppression_of_another_shop_stops_nothing(shop):
    left_behind(shop)
    other = make_shop("other.example.com")
    consents.suppress(other, EMAIL, people.email_hash("anna@example.com"), "BOUNCED")
    assert sending.send_due() == 1


def test_an_erased_person_is_not_written_to(shop):
    left_behind(shop)
    people.erase(Person.objects.of(shop).get())
    assert sending.send_due() == 0
    assert outcome(shop) == ("CANCELLED", "ERASED")
    assert SENT == []


def test_a_no_outlives_the_erasure(shop):
    # given a person who said no and was then forgotten
    left_behind(shop)
    person = Person.objects.of(shop).get()
    consents.unsubscribe(shop, person, EMAIL, datetime.now(UTC))
    people.erase(person)

    # when they leave a cart behind under the same address
    checkout_seen(shop, a_checkout(shop, email="anna@example.com"))
    detect.detect()

    # then
    assert sending.send_due() == 0
    assert sorted(Send.objects.of(shop).values_list("reason", flat=True)) == [
        "ERASED",
        "UNSUBSCRIBED",
    ]
    assert SENT == []


def test_who_left_no_address_is_counted_only(shop):
    checkout_seen(shop, a_checkout(shop))
    caught_up(shop)
    assert TrackedCheckout.objects.of(shop).count() == 1
    assert (detect.detect(), sending.send_due()) == (0, 0)


def test_who_left_only_a_phone_gets_no_email(shop):
    checkout_seen(shop, a_checkout(shop, phone="+48 600 100 200"))
    caught_up(shop)
    detect.detect()
    assert sending.send_due() == 0
    assert outcome(shop) == ("CANCELLED", "ERASED")


def test_a_payment_we_heard_of_holds_the_message(shop):
    checkout = left_behind(shop)
    capture(facts.checkout_fact(CheckoutPaid, shop, checkout.id, CHANNEL, checkout.changed_at))
    consume()
    assert sending.send_due() == 0
    assert outcome(shop) == ("DUE", "PAYMENT_STARTED")
    assert SENT == []


def test_who_came_back_by_our_link_and_left_again_is_not_written_to_again(shop):
    left_behind(shop)
    sending.send_due()
    Client().post(way_back(Send.objects.of(shop).get()))
    [fresh] = [c for c in MemoryHost(shop).shelf.checkouts.values() if not c.contact.is_known()]
    moment = datetime.now(UTC) + timedelta(seconds=1)
    known = replace(fresh, contact=Contact(email="anna@example.com"), changed_at=moment)
    checkout_seen(shop, known)
    child = TrackedCheckout.objects.of(shop).get(parent__isnull=False)
    assert (child.next_due_at, child.person_id is not None) == (None, True)


def test_every_reason_is_named_once():
    reasons = [condition.reason for condition in conditions(EMAIL)]
    assert reasons == [
        "TOO_OLD",
        "ERASED",
        "ORDERED",
        "CHECKOUT_CLOSED",
        "UNSUBSCRIBED",
        "NO_CONSENT",
        "INSTALLATION_CHANGED",
        "SENDING_OFF",
        "CAMPAIGN_OFF",
        "BEFORE_ACTIVATION",
        "CHECKOUT_CHANGED",
        "PAYMENT_STARTED",
        "NOT_CAUGHT_UP",
        "EVENTS_WAITING",
    ]


def a_letter_aside(shop, kind, *, retry_at=None):
    return DeadLetter.objects.of(shop).create(
        event_id=uuid4(), flow="commerce", shop=shop, kind=kind, payload={}, retry_at=retry_at
    )


@pytest.mark.parametrize(
    ("kind", "is_older", "sent"),
    [
        # It may be the order of this very cart, or the no of this very shopper.
        ("order_placed", False, 0),
        ("checkout_paid", False, 0),
        ("consent_withdrawn", False, 0),
        ("customer_erased", False, 0),
        # What was left after an order was put aside is not ordered by it; a no still counts.
        ("order_placed", True, 1),
        ("consent_withdrawn", True, 0),
        ("product_changed", False, 1),
    ],
)
def test_what_was_put_aside_for_good_stops_what_it_may_be_about(shop, kind, is_older, sent):
    # given
    left_behind(shop)
    letter = a_letter_aside(shop, kind)
    if is_older:
        DeadLetter.objects.of(shop).update(put_aside_at=datetime.now(UTC) - timedelta(days=2))

    # when, then
    assert sending.send_due() == sent
    if not sent:
        assert Send.objects.of(shop).get().reason == "EVENTS_WAITING"

    # and once somebody has settled it
    letter.delete()
    Send.objects.of(shop).update(due_at=datetime.now(UTC))
    assert sending.send_due() == 1 - sent


def test_a_guest_who_has_signed_up_meanwhile_is_known_by_their_account_at_the_mark(shop):
    # given an order by another address of the account that the guest has by now
    checkout = left_behind(shop)
    contact = replace(checkout.contact, user_id="VXNlcjox")
    elsewhere = Contact(email="other@example.com", user_id="VXNlcjox")
    SeenOrder.objects.of(shop).create(
        shop=shop,
        order_id="T3JkZXI6MQ==",
        person=people.resolve(shop, elsewhere),
        placed_at=datetime.now(UTC),
    )
    MemoryHost(shop).shelf.checkouts[checkout.id] = replace(checkout, contact=contact)

    # when the news of the sign-up still waits somewhere
    assert sending.send_due() == 0

    # then
    row = Send.objects.of(shop).get()
    assert (row.state, row.reason) == ("CANCELLED", "ORDERED")


def test_an_address_corrected_without_a_change_is_written_to_instead(shop):
    checkout = left_behind(shop)
    contact = replace(checkout.contact, email="anna@new.example.com")
    MemoryHost(shop).shelf.checkouts[checkout.id] = replace(checkout, contact=contact)
    assert sending.send_due() == 1
    assert [message.to for message in SENT] == ["anna@new.example.com"]
