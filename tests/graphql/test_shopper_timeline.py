"""Everything between us and one shopper, told to whoever may see customers."""

from datetime import UTC, datetime, timedelta

import pytest

from saleor_nudges import people
from saleor_nudges.events import Contact
from saleor_nudges.host.memory import MemoryHost
from saleor_nudges.messaging import consents
from saleor_nudges.models import Consent, MessageChannel, Person, Send, TrackedCheckout
from saleor_nudges.recovery.insight.timeline import persons_of, timeline
from saleor_nudges.recovery.sending import send as sending
from saleor_nudges.testing import (
    left_behind,
    make_shop,
    order_placed,
    switch_on_recovery,
)
from tests.graphql.seller import ask, code_of

pytestmark = pytest.mark.django_db
ANNA = "anna@example.com"
TIMELINE = """
query ($email: String, $user: ID, $order: ID, $first: Int, $after: String) {
    shopperTimeline(email: $email, user: $user, order: $order, first: $first, after: $after) {
        entries { at kind text checkout }
        cursor
    }
}
"""


@pytest.fixture
def shop():
    shop = make_shop()
    switch_on_recovery(shop)
    return shop


def kinds(shop, **named):
    found = timeline(shop, persons_of(shop, **(named or {"email": ANNA})))
    return [str(entry.kind) for entry in found]


def told(shop):
    return " / ".join(entry.text for entry in timeline(shop, persons_of(shop, email=ANNA)))


def test_it_begins_with_what_was_left(shop):
    left_behind(shop)
    assert kinds(shop) == ["MESSAGE_WAITS", "LAST_SEEN", "CHECKOUT_STARTED"]
    assert "due " in told(shop)


def test_a_message_a_visit_and_an_order_follow(shop):
    # given
    checkout = left_behind(shop)
    sending.send_due()
    Send.objects.of(shop).update(returned_at=datetime.now(UTC))

    # when
    order_placed(shop, checkout)

    # then
    assert set(kinds(shop)) == {
        *("CHECKOUT_STARTED", "LAST_SEEN", "MESSAGE_SENT", "CAME_BACK", "ORDERED")
    }
    assert "Message 1 of “Checkout left behind”: sent by email." in told(shop)
    assert "Placed order" in told(shop)


def test_why_a_message_did_not_go_is_told_in_words(shop):
    left_behind(shop)
    person = Person.objects.of(shop).get()
    consents.unsubscribe(shop, person, MessageChannel.EMAIL, datetime.now(UTC))
    sending.send_due()
    assert "SUPPRESSED" in kinds(shop)
    assert "MESSAGE_ENDED" in kinds(shop)
    assert "unsubscribed" in told(shop)


def test_answers_are_in_it(shop):
    left_behind(shop)
    person = Person.objects.of(shop).get()
    person_of = {"shop": shop, "person": person, "message_channel": MessageChannel.EMAIL}
    for is_given, days in ((True, 2), (False, 1)):
        at = datetime.now(UTC) - timedelta(days=days)
        Consent.objects.of(shop).create(**person_of, is_given=is_given, at=at, source="checkout")
    assert {"CONSENT_GIVEN", "CONSENT_WITHDRAWN"} <= set(kinds(shop))


def test_everybody_of_one_account_is_one_shopper(shop):
    left_behind(shop)
    Person.objects.of(shop).update(user_hash=people.user_hash("VXNlcjox"))
    people.resolve(shop, Contact(email="anna@work.example.com", user_id="VXNlcjox"))
    assert kinds(shop, email="anna@work.example.com") == kinds(shop)
    assert kinds(shop, user="VXNlcjox") == kinds(shop)


def test_of_somebody_erased_nothing_is_told(shop):
    left_behind(shop)
    people.erase(Person.objects.of(shop).get())
    assert kinds(shop) == []


def test_page_after_page_nothing_is_missed_or_told_twice(shop):
    # given
    for _ in range(4):
        left_behind(shop)
    TrackedCheckout.objects.of(shop).update(seen_at=datetime.now(UTC))
    whole = ask(TIMELINE, {"email": ANNA})["data"]["shopperTimeline"]

    # when
    pages, after = [], ""
    while True:
        variables = {"email": ANNA, "first": 2, "after": after}
        page = ask(TIMELINE, variables)["data"]["shopperTimeline"]
        pages += page["entries"]
        if not (after := page["cursor"]):
            break

    # then
    assert pages == whole["entries"]
    assert len(pages) >= 8
    assert whole["cursor"] == ""


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "Name an email, a user or an order"),
        ({"email": ANNA, "order": "T3JkZXI6MQ=="}, "Name an email, a user or an order"),
        ({"email": ANNA, "first": -1}, "From 1 to 100"),
        ({"email": ANNA, "first": 101}, "From 1 to 100"),
        ({"email": ANNA, "after": "no cursor"}, "no cursor of ours"),
    ],
)
def test_what_is_asked_wrongly_is_refused_in_plain_words(shop, variables, said):
    answer = ask(TIMELINE, variables)
    assert code_of(answer) == "Refused"
    assert said in answer["errors"][0]["message"]


def test_nobody_is_an_empty_timeline(shop):
    found = ask(TIMELINE, {"email": "nobody@example.com"})
    assert found["data"]["shopperTimeline"] == {"entries": [], "cursor": ""}


def test_it_reads_the_same_number_of_statements_for_any_number_of_checkouts(
    shop, django_assert_num_queries
):
    left_behind(shop)
    with django_assert_num_queries(10):
        kinds(shop)
    for _ in range(5):
        left_behind(shop)
    MemoryHost(shop).shelf.checkouts.clear()
    with django_assert_num_queries(10):
        kinds(shop)
