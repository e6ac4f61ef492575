"""What a seller decides, what others hear of it, and what is answered."""

from datetime import timedelta

import pytest

from saleor_nudges import people
from saleor_nudges.events import ReviewPosted, ReviewWithdrawn
from saleor_nudges.events.identity import uuid7
from saleor_nudges.exceptions import InvalidInput, NotFound
from saleor_nudges.host.memory import SHELVES
from saleor_nudges.models import ProductReview, ReviewState, WaitingEvent
from saleor_nudges.reviews import moderating, writing
from saleor_nudges.reviews.authors import Author
from saleor_nudges.stream.codec import KINDS
from saleor_nudges.testing import CHANNEL, JUICE, make_shop
from tests.reviews.conftest import USER, buy

pytestmark = pytest.mark.django_db
APPROVED, REJECTED = ReviewState.APPROVED, ReviewState.REJECTED


@pytest.fixture
def review(shop, now):
    author = Author(user=people.user_hash(USER), user_id=USER)
    said = writing.words(5, text="Great taste", author_name="Anna")
    return writing.create(shop, author, CHANNEL, JUICE.id, said, now)


def heard(shop):
    """What waits to be heard of reviews, oldest first."""
    found = WaitingEvent.objects.of(shop).filter(kind__startswith="review").order_by("position")
    return [(event.kind, event.payload["subject"]) for event in found]


def decide(shop, review, *states, now):
    for number, state in enumerate(states):
        moment = now + timedelta(seconds=number)
        review = moderating.moderate(shop, str(review.pk), state, moment)
    return review


def test_kinds_are_in_the_vocabulary():
    assert KINDS["review_posted"] is ReviewPosted
    assert KINDS["review_withdrawn"] is ReviewWithdrawn


@pytest.mark.parametrize(
    ("_case", "states", "kinds"),
    [
        ("approved", (APPROVED,), ["review_posted"]),
        ("rejected_at_once", (REJECTED,), []),
        ("approved_twice", (APPROVED, APPROVED), ["review_posted"]),
        ("approved_and_rejected", (APPROVED, REJECTED), ["review_posted", "review_withdrawn"]),
        ("rejected_and_approved", (REJECTED, APPROVED), ["review_posted"]),
    ],
)
def test_what_others_hear(_case, states, kinds, shop, review, now):
    decided = decide(shop, review, *states, now=now)
    assert decided.state == states[-1]
    assert decided.moderated_at == now + timedelta(seconds=len(states) - 1)
    assert heard(shop) == [(kind, str(review.pk)) for kind in kinds]


def test_what_is_heard_holds_no_words_and_no_name(shop, review, now):
    # when
    decide(shop, review, APPROVED, now=now)

    # then
    event = WaitingEvent.objects.of(shop).get(kind="review_posted")
    assert event.payload["data"] == {
        "revision": now.isoformat(),
        "review_id": str(review.pk),
        "product_id": JUICE.id,
        "rating": 5,
        "is_verified": False,
    }
    assert event.sealed is None


def test_a_decision_that_is_none_is_refused(shop, review, now):
    with pytest.raises(InvalidInput) as refused:
        moderating.moderate(shop, str(review.pk), ReviewState.PENDING, now)
    assert refused.value.field == "state"
    assert ProductReview.objects.of(shop).get().moderated_at is None


@pytest.mark.parametrize("name", ["", "1", "nonsense", "\0", str(uuid7())])
def test_what_is_not_there_is_not_found(name, shop, review, now):
    with pytest.raises(NotFound):
        moderating.moderate(shop, name, APPROVED, now)
    with pytest.raises(NotFound):
        moderating.reply(shop, name, "Thanks", now)


def test_a_review_of_another_shop_is_not_there(shop, review, now):
    other = make_shop("other.example.com")
    before = ProductReview.objects.of(shop).values().get()
    with pytest.raises(NotFound):
        moderating.moderate(other, str(review.pk), APPROVED, now)
    with pytest.raises(NotFound):
        moderating.reply(other, str(review.pk), "Thanks", now)
    assert ProductReview.objects.of(shop).values().get() == before


def test_an_order_that_came_after_its_review_verifies_it_when_approved(shop, review, now):
    # given
    assert review.is_verified is False
    order = buy(shop, user_id=USER)

    # when
    approved = decide(shop, review, APPROVED, now=now)

    # then
    assert (approved.is_verified, approved.order_id) == (True, order.id)


def test_approving_works_while_the_shop_is_away(shop, review, now):
    buy(shop, user_id=USER)
    SHELVES[shop.key].is_away = True
    assert decide(shop, review, APPROVED, now=now).state == APPROVED


def test_a_reply_is_plain_and_can_be_taken_back(shop, review, now):
    # when
    replied = moderating.reply(shop, str(review.pk), "Thank you, <b>Anna</b>!", now)
    assert (replied.reply, replied.replied_at) == ("Thank you, Anna !", now)

    # then
    silent = moderating.reply(shop, str(review.pk), "", now)
    assert (silent.reply, silent.replied_at) == ("", None)


def test_a_reply_that_is_too_long_changes_nothing(shop, review, now):
    with pytest.raises(InvalidInput) as refused:
        moderating.reply(shop, str(review.pk), "x" * 5001, now)
    assert refused.value.field == "text"
    assert ProductReview.objects.of(shop).get().reply == ""


def test_a_reply_makes_no_news(shop, review, now):
    decide(shop, review, APPROVED, now=now)
    before = heard(shop)
    moderating.reply(shop, str(review.pk), "Thanks", now)
    assert heard(shop) == before
