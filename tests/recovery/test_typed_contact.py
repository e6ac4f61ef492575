"""A typed address: of use where nothing is known, and of no power over anything that is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db.models.functions import Now

from saleor_nudges import crypto, people
from saleor_nudges.capture import capture
from saleor_nudges.events import CheckoutContactKnown, Contact, CustomerErased, ProductViewed
from saleor_nudges.events.identity import uuid7
from saleor_nudges.host.memory import MemoryHost
from saleor_nudges.messaging import consents
from saleor_nudges.messaging.channels.memory import SENT
from saleor_nudges.models import (
    CheckoutState,
    Consent,
    MessageChannel,
    NudgeType,
    Person,
    Send,
    Suppression,
    TrackedCheckout,
)
from saleor_nudges.nudges import shelf
from saleor_nudges.nudges.choose import Ask, choose
from saleor_nudges.recovery.sending import detect
from saleor_nudges.recovery.sending import send as sending
from saleor_nudges.testing import (
    CHANNEL,
    JUICE,
    a_cart,
    a_checkout,
    caught_up,
    checkout_seen,
    consume,
    make_shop,
    order_placed,
    switch_on_nudge,
    switch_on_recovery,
)

pytestmark = pytest.mark.django_db

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
EMAIL = "anna@example.com"


@pytest.fixture
def shop():
    shop = make_shop()
    switch_on_recovery(shop)
    caught_up(shop)
    return shop


def left(shop, **contact):
    """Return a checkout that we know of, changed an hour ago."""
    checkout = a_checkout(shop, **contact)
    checkout_seen(shop, checkout)
    return checkout


def type_in(shop, left, email=EMAIL, ago=HOUR, **changes):
    """Let somebody type an address."""
    event = CheckoutContactKnown(
        shop=shop.pk,
        channel=CHANNEL,
        occurred_at=datetime.now(UTC) - ago,
        checkout=crypto.checkout_hash(left.id),
        contact=Contact(email=email),
        revision=str(uuid7()),
    )
    capture(replace(event, **changes))
    consume()


def tracked(shop, checkout):
    name = crypto.checkout_hash(checkout.id)
    return TrackedCheckout.objects.of(shop).select_related("person").get(checkout=name)


def email_of(shop, checkout):
    return people.contact_of(tracked(shop, checkout).person).email


def sweep():
    detect.detect()
    sending.send_due()
    return [message.to for message in SENT]


def test_who_left_an_address_and_went_is_written_to(shop):
    # given
    checkout = left(shop)
    assert sweep() == []

    # when
    type_in(shop, checkout)

    # then
    found = tracked(shop, checkout)
    assert (email_of(shop, checkout), found.is_contact_typed) == (EMAIL, True)
    assert sweep() == [EMAIL]


def test_the_silence_is_counted_from_when_it_was_typed(shop):
    # given a cart of an hour ago, whose shopper is still there
    checkout = left(shop)

    # when
    type_in(shop, checkout, ago=MINUTE)

    # then
    found = tracked(shop, checkout)
    due_in = found.next_due_at - datetime.now(UTC)
    assert 28 * MINUTE < due_in < 30 * MINUTE
    assert found.changed_at == checkout.changed_at
    assert sweep() == []


def test_what_the_shop_says_is_never_overwritten(shop):
    # given
    checkout = left(shop, email="shop@example.com", first_name="Real")
    before = Person.objects.of(shop).values().get()

    # when
    type_in(shop, checkout)

    # then
    assert email_of(shop, checkout) == "shop@example.com"
    assert tracked(shop, checkout).is_contact_typed is False
    assert Person.objects.of(shop).values().get() == before


@pytest.mark.parametrize("contact", [{"phone": "+48600100200"}, {"user_id": "VXNlcjox"}])
def test_nor_where_the_shop_knows_them_otherwise(contact, shop):
    checkout = left(shop, **contact)
    person = tracked(shop, checkout).person_id
    type_in(shop, checkout)
    assert tracked(shop, checkout).person_id == person
    assert email_of(shop, checkout) == ""


def test_what_the_shop_says_later_takes_its_place(shop):
    # given
    checkout = left(shop)
    type_in(shop, checkout)

    # when
    said = replace(
        checkout,
        contact=Contact(email="real@example.com"),
        changed_at=datetime.now(UTC) - 50 * MINUTE,
    )
    MemoryHost(shop).shelf.checkouts[checkout.id] = said
    checkout_seen(shop, said)

    # then
    assert email_of(shop, checkout) == "real@example.com"
    assert tracked(shop, checkout).is_contact_typed is False
    type_in(shop, checkout, "third@example.com")
    assert email_of(shop, checkout) == "real@example.com"


def test_news_of_the_cart_alone_leaves_it(shop):
    checkout = left(shop)
    type_in(shop, checkout)
    said = replace(checkout, cart=a_cart(quantity=2), changed_at=datetime.now(UTC) - 50 * MINUTE)
    MemoryHost(shop).shelf.checkouts[checkout.id] = said
    checkout_seen(shop, said)
    assert email_of(shop, checkout) == EMAIL
    assert tracked(shop, checkout).is_contact_typed is True


def test_an_address_that_is_corrected_at_the_last_moment_is_the_shops(shop):
    # given a message that is due, and an address the shop has learnt unheard by us
    checkout = left(shop)
    type_in(shop, checkout)
    detect.detect()
    said = replace(
        checkout, contact=Contact(email="real@example.com"), changed_at=datetime.now(UTC) - MINUTE
    )
    MemoryHost(shop).shelf.checkouts[checkout.id] = said

    # when
    sending.send_due()

    # then
    assert SENT == []
    assert email_of(shop, checkout) == "real@example.com"
    assert tracked(shop, checkout).is_contact_typed is False


def test_who_mistyped_may_type_again(shop):
    checkout = left(shop)
    type_in(shop, checkout, "anna@exmaple.com")
    type_in(shop, checkout)
    assert email_of(shop, checkout) == EMAIL
    assert sweep() == [EMAIL]


@pytest.mark.parametrize(
    "state", [CheckoutState.ORDERED, CheckoutState.RECOVERED, CheckoutState.GONE]
)
def test_what_is_over_stays_as_it_was(state, shop):
    checkout = left(shop)
    TrackedCheckout.objects.of(shop).update(state=state)
    type_in(shop, checkout)
    assert tracked(shop, checkout).person_id is None
    assert Person.objects.of(shop).count() == 0


def test_an_emptied_cart_may_be_filled_again(shop):
    checkout = left(shop)
    TrackedCheckout.objects.of(shop).update(state=CheckoutState.EMPTIED)
    type_in(shop, checkout)
    assert email_of(shop, checkout) == EMAIL
    assert tracked(shop, checkout).next_due_at is None


@pytest.mark.parametrize("changes", [{"checkout": "0" * 64}, {"channel": "other-channel"}])
def test_nobody_is_made_for_a_checkout_we_do_not_know(changes, shop):
    checkout = left(shop)
    type_in(shop, checkout, **changes)
    assert Person.objects.of(shop).count() == 0
    assert tracked(shop, checkout).person_id is None


def test_nor_for_a_checkout_of_another_shop(shop):
    checkout, other = left(shop), make_shop("other.example.com")
    type_in(other, checkout)
    assert Person.objects.across_shops().count() == 0
    assert tracked(shop, checkout).person_id is None


def test_an_event_that_lost_its_address_says_nothing(shop):
    checkout = left(shop)
    type_in(shop, checkout, contact=None)
    assert tracked(shop, checkout).person_id is None


# Somebody else's address.


def test_a_person_who_is_known_is_not_changed(shop):
    # given
    known = people.resolve(shop, Contact(email=EMAIL, first_name="Anna", city="Wroclaw"))
    before = Person.objects.of(shop).values().get()
    checkout = left(shop)

    # when
    type_in(shop, checkout, "ANNA@Example.COM")

    # then
    assert tracked(shop, checkout).person_id == known.pk
    assert Person.objects.of(shop).values().get() == before
    assert email_of(shop, checkout) == EMAIL


def test_a_stranger_learns_nothing_of_whose_address_it_is(shop):
    # given what Anna bought, and a stranger who sees it
    switch_on_nudge(shop, NudgeType.ORDER)
    order_placed(shop, a_checkout(shop, email=EMAIL))
    checkout, stranger = left(shop), uuid7()
    capture(
        ProductViewed(
            shop=shop.pk,
            channel=CHANNEL,
            occurred_at=datetime.now(UTC),
            product=JUICE.id,
            visitor=stranger,
            checkout=crypto.checkout_hash(checkout.id),
        )
    )
    consume()
    before = seen_by(shop, stranger, checkout)
    assert before == ["Someone bought Apple Juice"]

    # when
    type_in(shop, checkout)

    # then it is not missing from a page made anew, which would say that it was Anna who bought
    assert tracked(shop, checkout).person_id is not None
    shelf.take_down(shop.pk, [(CHANNEL, ""), (CHANNEL, JUICE.id)])
    assert seen_by(shop, stranger, checkout) == before


def test_what_the_shop_confirms_is_their_own(shop):
    # given the same, until the shop says that this is Anna
    switch_on_nudge(shop, NudgeType.ORDER)
    order_placed(shop, a_checkout(shop, email=EMAIL))
    checkout, anna = left(shop), uuid7()
    type_in(shop, checkout)
    assert seen_by(shop, anna, checkout) == ["Someone bought Apple Juice"]

    # when
    said = replace(checkout, contact=Contact(email=EMAIL), changed_at=datetime.now(UTC))
    checkout_seen(shop, said)

    # then
    assert seen_by(shop, anna, checkout) == []


def seen_by(shop, visitor, checkout):
    ask = Ask(CHANNEL, visitor=visitor, checkout=crypto.checkout_hash(checkout.id))
    return [shown.text for shown in choose(shop, ask, datetime.now(UTC)).nudges]


# Who said no, and who was forgotten.


def test_it_is_no_consent(shop):
    # given a shop that writes only to whoever said yes
    shop.legal_basis = "CONSENT"
    shop.save()
    checkout = left(shop)

    # when
    type_in(shop, checkout)

    # then
    assert sweep() == []
    assert Send.objects.of(shop).get().reason == "NO_CONSENT"
    assert Consent.objects.of(shop).count() == 0


def test_who_unsubscribed_stays_so(shop):
    # given
    anna = people.resolve(shop, Contact(email=EMAIL))
    consents.unsubscribe(shop, anna, MessageChannel.EMAIL, datetime.now(UTC))
    answers = list(Consent.objects.of(shop).values())
    checkout = left(shop)

    # when
    type_in(shop, checkout)

    # then
    assert sweep() == []
    assert Send.objects.of(shop).get().reason == "UNSUBSCRIBED"
    assert list(Consent.objects.of(shop).values()) == answers
    assert Suppression.objects.of(shop).count() == 1


def test_so_does_who_unsubscribed_and_was_erased(shop):
    anna = people.resolve(shop, Contact(email=EMAIL))
    consents.unsubscribe(shop, anna, MessageChannel.EMAIL, datetime.now(UTC))
    people.erase(anna)
    Person.objects.of(shop).update(erased_at=Now() - 2 * HOUR)
    checkout = left(shop)
    type_in(shop, checkout)
    assert sweep() == []
    assert Send.objects.of(shop).get().reason == "UNSUBSCRIBED"


def test_a_checkout_of_somebody_erased_stays_theirs(shop):
    # given
    checkout = left(shop, email=EMAIL)
    erased = tracked(shop, checkout).person
    people.erase(erased)

    # when
    type_in(shop, checkout, ago=timedelta(0))

    # then
    assert tracked(shop, checkout).person_id == erased.pk
    assert Person.objects.of(shop).count() == 1
    assert email_of(shop, checkout) == ""
    assert sweep() == []


def test_nobody_is_made_anew_who_was_erased_since(shop):
    # given an address that waits while its owner is forgotten
    anna = people.resolve(shop, Contact(email=EMAIL, user_id="VXNlcjox"))
    checkout = left(shop)
    capture(
        CustomerErased(
            shop=shop.pk,
            channel="",
            occurred_at=datetime.now(UTC) - MINUTE,
            user=anna.user_hash,
            contact=Contact(email=EMAIL),
        )
    )
    consume()

    # when
    type_in(shop, checkout, ago=2 * MINUTE)

    # then
    assert tracked(shop, checkout).person_id is None
    assert Person.objects.of(shop).count() == 1

    # and whoever types it after that is somebody new
    type_in(shop, checkout, ago=timedelta(0))
    assert email_of(shop, checkout) == EMAIL


def test_who_typed_and_is_erased_is_gone_for_good(shop):
    checkout = left(shop)
    type_in(shop, checkout)
    capture(
        CustomerErased(
            shop=shop.pk,
            channel="",
            occurred_at=datetime.now(UTC),
            user="",
            contact=Contact(email=EMAIL),
        )
    )
    consume()
    assert email_of(shop, checkout) == ""
    assert sweep() == []
