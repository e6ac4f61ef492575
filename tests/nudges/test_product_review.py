"""“Anna gave Apple Juice 5 stars”: from approved reviews, as they read now."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from saleor_nudges import access, crypto, facts, people, retention
from saleor_nudges.capture import capture
from saleor_nudges.events import (
    CustomerErased,
    OrderCancelled,
    ProductWithdrawn,
    ReviewPosted,
    ReviewWithdrawn,
)
from saleor_nudges.events.base import NIL
from saleor_nudges.events.identity import uuid7
from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.host import ProductCard
from saleor_nudges.host.memory import MemoryHost
from saleor_nudges.models import (
    Evidence,
    Nudge,
    NudgeType,
    ProductReview,
    ReviewState,
    ShopProduct,
)
from saleor_nudges.nudges import ask_due, choose, shelf
from saleor_nudges.nudges.choose import Ask
from saleor_nudges.reviews import bringing, moderating, writing
from saleor_nudges.reviews.authors import Author
from saleor_nudges.testing import (
    CHANNEL,
    JUICE,
    a_checkout,
    consume,
    make_shop,
    order_placed,
    switch_on_nudge,
    viewed,
)

pytestmark = pytest.mark.django_db

USER = "VXNlcjox"
APPROVED, REJECTED = ReviewState.APPROVED, ReviewState.REJECTED
ANONYMOUS = "Someone gave Apple Juice 5 stars: “Great taste”"


@pytest.fixture
def shop():
    shop = make_shop()
    switch_on_nudge(shop, NudgeType.PRODUCT_REVIEW)
    return shop


def account(user_id=USER):
    return Author(user=people.user_hash(user_id), user_id=user_id)


def written(shop, author=None, **words):
    now = words.pop("now", datetime.now(UTC))
    said = writing.words(**({"rating": 5, "text": "Great taste", "author_name": "Anna"} | words))
    return writing.create(shop, author or account(), CHANNEL, JUICE.id, said, now)


def decide(shop, review, state):
    moderating.moderate(shop, str(review.pk), state, datetime.now(UTC))
    settle()


def approved(shop, author=None, **words):
    review = written(shop, author, **words)
    decide(shop, review, APPROVED)
    return review


def settle():
    consume()
    ask_due()


def texts(shop, **ask):
    ask = {"page": "HOME", "count": 20} | ask
    feed = choose.choose(shop, Ask(CHANNEL, **ask), datetime.now(UTC))
    return [shown.text for shown in feed.nudges]


# What is told.


def test_an_approved_review_makes_a_nudge_and_its_evidence(shop):
    # when
    review = approved(shop, now=datetime.now(UTC) - timedelta(days=2))

    # then
    nudge = Nudge.objects.of(shop).get()
    assert (nudge.type, nudge.product_id, nudge.channel) == ("PRODUCT_REVIEW", JUICE.id, CHANNEL)
    assert (nudge.occurred_at, nudge.source_subject) == (review.posted_at, str(review.pk))
    assert nudge.details == {"rating": 5, "excerpt": "Great taste", "verified": False}
    evidence = Evidence.objects.of(shop).get()
    assert (evidence.metric, evidence.value, evidence.product_id) == ("reviews", 1, JUICE.id)
    assert (evidence.rule_version, evidence.source_event) == (
        "product-review-1",
        nudge.source_event,
    )
    assert texts(shop) == [ANONYMOUS]


def test_what_nobody_has_approved_makes_none(shop):
    written(shop)
    settle()
    rejected = written(shop, account("VXNlcjoy"))
    decide(shop, rejected, REJECTED)
    assert Nudge.objects.of(shop).count() == 0
    assert texts(shop) == []


@pytest.mark.parametrize(
    ("_case", "words", "text"),
    [
        ("named", {}, "Anna gave Apple Juice 5 stars: “Great taste”"),
        ("first_name_only", {"author_name": "Anna Nowak"}, None),
        ("no_name", {"author_name": ""}, ANONYMOUS),
        ("no_first_name", {"author_name": "4nna spam"}, ANONYMOUS),
        ("title_only", {"text": "", "title": "Yes"}, "Anna gave Apple Juice 5 stars: “Yes”"),
        ("no_words", {"text": ""}, "Anna gave Apple Juice 5 stars"),
        ("plain", {"text": "<b>Wow</b>"}, "Anna gave Apple Juice 5 stars: “Wow”"),
    ],
)
def test_what_is_said_when_the_seller_lets_names_be_said(_case, words, text, shop):
    switch_on_nudge(shop, NudgeType.PRODUCT_REVIEW, is_anonymous=False)
    approved(shop, **words)
    assert texts(shop) == [text or "Anna gave Apple Juice 5 stars: “Great taste”"]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Jemand hat Apple Juice 4 Sterne gegeben: „Great taste“"),
        ("pl", "Ktoś: 4/5 dla Apple Juice: „Great taste”"),
        ("fr", "Someone gave Apple Juice 4 stars: “Great taste”"),
    ],
)
def test_it_is_said_in_the_visitors_language(language, text, shop):
    approved(shop, rating=4)
    assert texts(shop, language=language) == [text]


def test_one_star_is_a_star(shop):
    switch_on_nudge(shop, NudgeType.PRODUCT_REVIEW, minimum=1)
    approved(shop, rating=1)
    assert texts(shop) == ["Someone gave Apple Juice 1 star: “Great taste”"]
    assert texts(shop, language="de") == ["Jemand hat Apple Juice 1 Stern gegeben: „Great taste“"]


def test_a_long_review_is_cut_between_words(shop):
    approved(shop, text="Great taste " * 100)
    excerpt = Nudge.objects.of(shop).get().details["excerpt"]
    assert len(excerpt) <= 120
    assert excerpt.endswith(" taste…")
    assert texts(shop) == [f"Someone gave Apple Juice 5 stars: “{excerpt}”"]


def test_the_seller_says_from_how_many_stars_on(shop):
    # given
    for rating in range(1, 6):
        approved(shop, account(f"VXNlcjo{rating}"), rating=rating, text="")

    # then
    for least in range(1, 6):
        switch_on_nudge(shop, NudgeType.PRODUCT_REVIEW, minimum=least)
        stars = sorted(int(text.split()[4]) for text in texts(shop))
        assert stars == list(range(least, 6))


@pytest.mark.parametrize("least", [0, 6])
def test_a_least_that_is_no_number_of_stars_is_refused(least, shop):
    with pytest.raises(InvalidInput) as refused:
        switch_on_nudge(shop, NudgeType.PRODUCT_REVIEW, minimum=least)
    assert refused.value.field == "minimum"


def test_by_default_four_stars_are_the_least(shop):
    approved(shop, rating=3)
    assert Nudge.objects.of(shop).count() == 1
    assert texts(shop) == []


def test_the_sellers_own_words_may_use_all_of_it(shop):
    template = "{{ rating }}/5 {{ excerpt }} {% if verified %}sure{% else %}?{% endif %}"
    switch_on_nudge(shop, NudgeType.PRODUCT_REVIEW, texts={"en": template})
    approved(shop)
    assert texts(shop) == ["5/5 Great taste ?"]


def test_an_old_review_is_told_of_for_as_long_as_the_seller_says(shop):
    # given
    now = datetime.now(UTC)
    approved(shop, now=now - timedelta(days=91))
    approved(shop, account("VXNlcjoy"), now=now - timedelta(days=366))
    assert Nudge.objects.of(shop).count() == 1
    assert texts(shop) == []

    # when
    switch_on_nudge(shop, NudgeType.PRODUCT_REVIEW, window_seconds=92 * 86_400)

    # then
    assert texts(shop) == [ANONYMOUS]


@pytest.mark.parametrize(("days", "left"), [(32, 1), (365, 1), (367, 0)])
def test_an_old_review_and_its_product_are_kept_for_a_year(days, left, shop):
    # given: a nudge made so long ago, of a product nobody has looked at since
    now = datetime.now(UTC)
    approved(shop)
    moment = now - timedelta(days=days)
    Nudge.objects.of(shop).update(id=uuid7(moment), occurred_at=moment)
    ShopProduct.objects.of(shop).update(seen_at=moment)

    # when: what the products wait for may go with them
    retention.delete_aged(now)
    retention.delete_aged(now)

    # then
    assert Nudge.objects.of(shop).count() == left
    assert ShopProduct.objects.of(shop).count() == left


def test_a_product_nobody_ever_looked_at_is_asked_for(shop):
    approved(shop)
    assert texts(shop, product=JUICE.id, page="PRODUCT") == [ANONYMOUS]


def test_a_product_that_is_not_for_sale_is_not_told_of(shop):
    approved(shop)
    MemoryHost(shop).shelf.unpublished.add((CHANNEL, JUICE.id))
    _asked_again(shop)
    assert texts(shop) == []


def _asked_again(shop):
    ShopProduct.objects.of(shop).update(asked_at=None)
    ask_due()


# Whose it is.


def test_an_author_does_not_see_their_own(shop):
    # given
    approved(shop)

    # then
    assert texts(shop, user=people.user_hash(USER)) == []
    assert texts(shop, user=people.user_hash("VXNlcjoy")) == [ANONYMOUS]


def test_a_visitor_without_account_does_not_see_their_own(shop):
    visitor = access.new_visitor(shop.pk).id
    approved(shop, Author(visitor))
    assert texts(shop, visitor=visitor) == []
    assert texts(shop, visitor=access.new_visitor(shop.pk).id) == [ANONYMOUS]


def test_a_buyer_does_not_see_their_own_in_the_checkout_they_made_it_from(shop):
    # given
    visitor = access.new_visitor(shop.pk).id
    checkout = a_checkout(shop, email="anna@example.com")
    name = crypto.checkout_hash(checkout.id)
    capture(facts.full_checkout(shop, checkout), viewed(shop, JUICE.id, visitor, checkout=name))
    order_placed(shop, checkout)

    # when
    review = approved(shop, Author(visitor))

    # then
    assert ProductReview.objects.of(shop).get(pk=review.pk).is_verified is True
    assert Nudge.objects.of(shop).get(type="PRODUCT_REVIEW").details["verified"] is True
    assert texts(shop, checkout=name) == []
    assert texts(shop) == [ANONYMOUS]


# Taken back.


def test_a_rejected_review_is_gone_with_the_next_poll(shop):
    # given
    review = approved(shop)
    assert texts(shop) == [ANONYMOUS]

    # when
    decide(shop, review, REJECTED)

    # then
    assert texts(shop) == []
    assert Nudge.objects.of(shop).get().withdrawn_at is not None


def test_an_author_erased_is_gone_with_the_next_poll(shop):
    # given
    switch_on_nudge(shop, NudgeType.PRODUCT_REVIEW, is_anonymous=False)
    review = approved(shop)
    assert len(texts(shop)) == 1

    # when
    erase(shop)

    # then
    assert texts(shop) == []
    nudge = Nudge.objects.of(shop).select_related("person").get()
    assert nudge.withdrawn_at is not None
    assert people.unseal_about(nudge.person, nudge.sealed_who) is None

    # when: the seller approves once more what is without its author now
    decide(shop, review, APPROVED)

    # then
    assert texts(shop) == []


def erase(shop):
    capture(
        CustomerErased(
            shop=shop.pk, channel="", occurred_at=datetime.now(UTC), user=people.user_hash(USER)
        )
    )
    consume()


def test_an_erasure_and_its_review_in_one_batch_leave_no_nudge(shop):
    # given
    review = written(shop)
    now = datetime.now(UTC)
    moderating.moderate(shop, str(review.pk), APPROVED, now)

    # when
    erase(shop)

    # then
    assert texts(shop) == []
    assert Nudge.objects.of(shop).filter(withdrawn_at=None).count() == 0


def test_an_erased_person_is_gone_even_without_the_news(shop):
    review = approved(shop)
    person = ProductReview.objects.of(shop).select_related("person").get(pk=review.pk).person
    people.erase(person)
    _asked_again(shop)
    shelf.take_down(shop.pk, [(CHANNEL, "")])
    assert texts(shop) == []


def test_a_purchase_undone_is_called_verified_no_longer(shop):
    # given
    order = order_placed(shop, a_checkout(shop, user_id=USER, email="anna@example.com"))
    approved(shop)
    switch_on_nudge(shop, NudgeType.PRODUCT_REVIEW, texts={"en": "{{ verified }} {{ rating }}"})
    assert texts(shop) == ["true 5"]

    # when
    capture(facts.full_order(OrderCancelled, shop, order))
    consume()

    # then
    assert texts(shop) == ["false 5"]


def brought(shop, moment, **changes):
    said = {
        "externalId": "r1",
        "product": JUICE.id,
        "rating": 5,
        "text": "Great taste",
        "createdAt": "2026-10-20T10:00:00+00:00",
        "state": "APPROVED",
    }
    said["createdAt"] = (moment - timedelta(days=1)).replace(microsecond=0).isoformat()
    delivery = bringing.Delivery("stars-inc", CHANNEL, moment, [said | changes])
    assert bringing.take(shop, delivery, moment) == []
    settle()


def test_a_purchase_that_only_a_service_vouches_for_is_not_called_verified(shop):
    brought(shop, datetime.now(UTC), verified=True)
    assert ProductReview.objects.of(shop).get().is_verified is True
    assert Nudge.objects.of(shop).get().details["verified"] is False


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"rating": 4}, ["Someone gave Apple Juice 4 stars: “Great taste”"]),
        ({"rating": 1}, []),
        ({"text": "Sweet"}, ["Someone gave Apple Juice 5 stars: “Sweet”"]),
        ({"state": "PENDING"}, []),
        ({"state": "WITHDRAWN"}, []),
    ],
)
def test_a_review_that_was_changed_outside_reads_as_it_is(changes, shown, shop):
    # given
    moment = datetime.now(UTC)
    brought(shop, moment)
    assert texts(shop) == [ANONYMOUS]
    (old,) = Nudge.objects.of(shop).values_list("public_id", flat=True)

    # when
    said = {"createdAt": (moment - timedelta(days=1)).replace(microsecond=0).isoformat()}
    brought(shop, moment + timedelta(seconds=1), **said | changes)

    # then
    assert texts(shop) == shown
    assert Nudge.objects.of(shop).get(public_id=old).withdrawn_at is not None


def test_a_product_that_is_deleted_takes_its_reviews_along(shop):
    approved(shop)
    capture(
        ProductWithdrawn(
            shop=shop.pk, channel="", occurred_at=datetime.now(UTC), product_id=JUICE.id
        )
    )
    consume()
    assert texts(shop) == []


# News in any order.


def news(review, kind, number):
    about = {
        "shop": review.shop_id,
        "channel": CHANNEL,
        "occurred_at": datetime.now(UTC),
        "revision": str(number),
        "review_id": str(review.pk),
        "product_id": JUICE.id,
    }
    if kind is ReviewPosted:
        about |= {"rating": review.rating, "is_verified": False}
    return kind(**about)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_the_order_of_news_the_review_has_the_last_word(seed, shop):
    # given: a history of decisions, whose news come shuffled, doubled, and in other batches
    chance = random.Random(seed)
    review = written(shop)
    told = []
    for number in range(chance.randint(1, 8)):
        review.state = chance.choice([APPROVED, REJECTED])
        review.rating = chance.choice([4, 5])
        review.save()
        told.append(
            news(review, ReviewPosted if review.state == APPROVED else ReviewWithdrawn, number)
        )
    told += chance.sample(told, len(told) // 2)
    chance.shuffle(told)

    # when
    while told:
        size = chance.randint(1, 3)
        capture(*told[:size])
        told = told[size:]
        consume()
    ask_due()

    # then
    expected = []
    if review.state == APPROVED:
        expected = [f"Someone gave Apple Juice {review.rating} stars: “Great taste”"]
    assert texts(shop) == expected
    standing = Nudge.objects.of(shop).filter(withdrawn_at=None)
    assert [nudge.details["rating"] for nudge in standing] == [review.rating] * len(expected)


def test_reviews_of_another_shop_are_told_nowhere_else(shop):
    # given
    other = make_shop("other.example.com")
    switch_on_nudge(other, NudgeType.PRODUCT_REVIEW)

    # when
    review = approved(shop)
    for kind in (ReviewPosted, ReviewWithdrawn):
        capture(replace(news(review, kind, 1), shop=other.pk, id=NIL))
    consume()

    # then
    assert texts(shop) == [ANONYMOUS]
    assert texts(other) == []


def test_two_products_and_the_page_of_one(shop):
    # given
    pear = ProductCard("UHJvZHVjdDoy", "Pear Juice", "pear-juice")
    MemoryHost(shop).shelf.products[pear.id] = pear
    approved(shop)
    said = writing.words(4)
    review = writing.create(shop, account(), CHANNEL, pear.id, said, datetime.now(UTC))
    decide(shop, review, APPROVED)

    # then
    assert texts(shop, product=pear.id, page="PRODUCT")[0] == "Someone gave Pear Juice 4 stars"
    assert sorted(texts(shop)) == [ANONYMOUS, "Someone gave Pear Juice 4 stars"]
