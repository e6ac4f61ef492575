"""What a person answered: the newest answer counts, in whatever order answers arrive."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from saleor_nudges import consent, facts, people
from saleor_nudges.capture import capture
from saleor_nudges.events import ConsentGiven, ConsentWithdrawn, Contact
from saleor_nudges.messaging import consents
from saleor_nudges.models import Consent, LegalBasis, MessageChannel, Send, Shop, Suppression
from saleor_nudges.testing import (
    CHANNEL,
    a_checkout,
    checkout_seen,
    consume,
    left_behind,
    make_shop,
    switch_on_recovery,
)

pytestmark = pytest.mark.django_db

EMAIL = MessageChannel.EMAIL
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def shop():
    return make_shop()


@pytest.fixture
def person(shop):
    return people.resolve(shop, Contact(email="anna@example.com"))


def newest(shop, person):
    answer = Consent.objects.of(shop).filter(person=person).order_by("-at", "-id").first()
    return answer and answer.is_given


def say(shop, person, *answers):
    for hour, given in answers:
        at = NOON + timedelta(hours=hour)
        consents.record(shop, person.pk, EMAIL, given=given, at=at, source="test")


@pytest.mark.parametrize("order", list(permutations([(1, False), (2, True), (3, False)])))
def test_a_last_no_is_a_no_in_whatever_order_answers_arrive(order, shop, person):
    say(shop, person, *order)
    assert newest(shop, person) is False


@pytest.mark.parametrize("order", list(permutations([(1, False), (2, True)])))
def test_a_yes_after_a_no_is_a_yes(order, shop, person):
    say(shop, person, *order)
    assert newest(shop, person) is True


def test_the_same_answer_again_adds_no_row(shop, person):
    say(shop, person, (1, True), (2, True), (1, True))
    assert Consent.objects.of(shop).count() == 1


def test_an_unsubscription_outlives_the_person(shop, person):
    consents.unsubscribe(shop, person, EMAIL, NOON)
    consents.unsubscribe(shop, person, EMAIL, NOON)
    people.erase(person)
    suppressed = Suppression.objects.of(shop).get()
    assert suppressed.address_hash == people.email_hash("anna@example.com")
    assert suppressed.reason == "UNSUBSCRIBED"
    assert newest(shop, person) is False


def test_an_erased_person_can_still_click_unsubscribe(shop, person):
    people.erase(person)
    person.refresh_from_db()
    consents.unsubscribe(shop, person, EMAIL, NOON)
    assert Suppression.objects.of(shop).count() == 0


@pytest.mark.parametrize(("kind", "expected"), [(ConsentGiven, True), (ConsentWithdrawn, False)])
def test_an_answer_by_event_is_written_down(kind, expected, shop, person):
    capture(
        kind(
            shop=shop.pk,
            channel=CHANNEL,
            occurred_at=datetime.now(UTC),
            message_channel="EMAIL",
            source="account",
            contact=Contact(email="Anna@example.com"),
        )
    )
    consume()
    answer = Consent.objects.of(shop).get()
    assert (answer.person_id, answer.is_given, answer.source) == (person.pk, expected, "account")


@pytest.mark.parametrize(("box", "expected"), [(True, True), (False, None), (None, None)])
def test_a_ticked_box_is_a_yes_and_an_unticked_one_is_silence(box, expected, shop, person):
    checkout = replace(a_checkout(shop, email="anna@example.com"), marketing_consent=box)
    capture(facts.full_checkout(shop, checkout))
    consume()
    assert newest(shop, person) is expected


@pytest.mark.parametrize(
    ("_case", "changes", "expected"),
    [
        ("on", {}, True),
        ("never_switched_on", {"sending_since": None}, False),
        ("no_basis", {"legal_basis": LegalBasis.NONE}, False),
        ("another_installation", {"sending_installation": "x"}, False),
        ("removed", {"is_active": False}, False),
    ],
)
def test_a_shop_sends_only_when_everything_is_on(_case, changes, expected, shop):
    switch_on_recovery(shop)
    left_behind(shop)
    Shop.objects.filter(pk=shop.pk).update(**changes)
    assert consent.may_send_now(shop) is expected
    assert Send.objects.of(shop).filter(consent.may_write(EMAIL)).exists() is expected


def test_a_new_shop_writes_to_nobody(shop):
    checkout_seen(shop, a_checkout(shop, email="anna@example.com"))
    fresh = Shop.objects.create(key="fresh.example.com")
    assert (fresh.tracking_since, fresh.sending_since) == (None, None)
    assert fresh.legal_basis == LegalBasis.NONE
    assert [consent.may_send_now(one) for one in (shop, fresh)] == [False, False]
