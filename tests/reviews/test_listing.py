"""Pages of reviews: complete, in order, whatever came between, and never another shop's."""

import random
from base64 import urlsafe_b64encode
from datetime import timedelta

import pytest

from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.models import ProductReview, ReviewState
from saleor_nudges.reviews import listing
from saleor_nudges.reviews.listing import Sort
from saleor_nudges.testing import CHANNEL, JUICE, make_shop

pytestmark = pytest.mark.django_db

KEYS = {
    Sort.NEWEST: lambda review: (review.posted_at, review.pk),
    Sort.HIGHEST_RATED: lambda review: (review.rating, review.posted_at, review.pk),
    Sort.LOWEST_RATED: lambda review: (-review.rating, review.posted_at, review.pk),
}


def some(shop, now, count, **fields):
    """Reviews of random stars, many of the same moment."""
    chance = random.Random(7)
    return [
        ProductReview.objects.of(shop).create(
            **{
                "shop": shop,
                "channel": CHANNEL,
                "product_id": JUICE.id,
                "rating": chance.randint(1, 5),
                "posted_at": now - timedelta(days=chance.randint(0, 3)),
                "state": ReviewState.APPROVED,
            }
            | fields
        )
        for _ in range(count)
    ]


def walk(reviews, sort, size):
    found, after = [], ""
    while True:
        page = listing.page(reviews, sort, size, after)
        assert page.has_previous == bool(after)
        found += [review for _, review in page.reviews]
        if not page.has_next:
            return found
        assert len(page.reviews) == size
        after = page.reviews[-1][0]


@pytest.mark.parametrize("sort", list(Sort))
@pytest.mark.parametrize("size", [1, 7, 100])
def test_every_review_comes_once_and_in_order(sort, size, shop, now):
    # given
    every = some(shop, now, 40)

    # when
    found = walk(listing.reviews_in(shop, CHANNEL), sort, size)

    # then
    assert found == sorted(every, key=KEYS[sort], reverse=True)


def test_what_comes_between_two_pages_moves_nothing(shop, now):
    # given
    some(shop, now, 4)
    reviews = listing.reviews_in(shop, CHANNEL)
    first = listing.page(reviews, Sort.NEWEST, 2, "")
    rest = list(reviews.order_by("-posted_at", "-id")[2:])

    # when
    some(shop, now + timedelta(days=9), 3)

    # then
    second = listing.page(reviews, Sort.NEWEST, 100, first.reviews[-1][0])
    assert [review for _, review in second.reviews] == rest


def test_only_what_was_asked_for(shop, now):
    # given
    other = make_shop("other.example.com")
    shown = some(shop, now, 1)
    pear = some(shop, now - timedelta(days=9), 1, product_id="pear")
    some(shop, now, 1, channel="elsewhere")
    pending = some(shop, now, 1, state=ReviewState.PENDING)
    some(shop, now, 1, state=ReviewState.REJECTED)
    some(other, now, 1)

    # then
    assert walk(listing.reviews_in(shop, CHANNEL, JUICE.id), Sort.NEWEST, 9) == shown
    assert walk(listing.reviews_in(shop, CHANNEL), Sort.NEWEST, 9) == shown + pear
    waiting = listing.reviews_in(shop, CHANNEL, state=ReviewState.PENDING)
    assert walk(waiting, Sort.NEWEST, 9) == pending


@pytest.mark.parametrize(
    ("ratings", "count", "average"),
    [([], 0, None), ([5], 1, 5.0), ([5, 4, 4], 3, 4.33), ([1, 2], 2, 1.5)],
)
def test_number_and_average(ratings, count, average, shop, now):
    # given
    for rating in ratings:
        some(shop, now, 1, rating=rating)
    some(shop, now, 1, rating=1, state=ReviewState.PENDING)

    # then
    found = listing.summary(listing.reviews_in(shop, CHANNEL, JUICE.id))
    assert (found.count, found.average) == (count, average)


@pytest.mark.parametrize("first", [0, -1, 101])
def test_a_page_has_bounds(first, shop):
    with pytest.raises(InvalidInput) as refused:
        listing.page(listing.reviews_in(shop, CHANNEL), Sort.NEWEST, first, "")
    assert refused.value.field == "first"


def packed(text):
    return urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "after",
    [
        "é",
        "AAAA",
        "A",
        packed("1"),
        packed("[1,2,3]"),
        packed('["NEWEST",5,"2026-01-01T00:00:00","0"]'),
        packed('["NEWEST",5,"2026-01-01T00:00:00","01890000000070008000000000000001"]'),
        packed('["NEWEST",99,"2026-01-01T00:00:00+00:00","01890000000070008000000000000001"]'),
        packed('["LOWEST_RATED",5,"2026-01-01T00:00:00+00:00","01890000000070008000000000000001"]'),
        packed('["NEWEST",5,"2026-01-01T00:00:00+00:00",7]'),
        packed("[" * 50_000),
    ],
)
def test_what_is_no_cursor_of_this_list_is_refused(after, shop):
    with pytest.raises(InvalidInput) as refused:
        listing.page(listing.reviews_in(shop, CHANNEL), Sort.NEWEST, 5, after)
    assert refused.value.field == "after"


@pytest.mark.parametrize(
    ("channel", "product", "field"),
    [("", "", "channel"), ("a\0", "", "channel"), (CHANNEL, "a\0", "productId")],
)
def test_what_can_be_the_name_of_nothing_is_refused(channel, product, field, shop):
    with pytest.raises(InvalidInput) as refused:
        listing.reviews_in(shop, channel, product)
    assert refused.value.field == field


def test_a_page_costs_one_query_however_many_have_a_name(shop, now, django_assert_num_queries):
    # given
    from saleor_nudges.reviews.authors import name_of, stranger
    from saleor_nudges.reviews.writing import sealed_name

    for number in range(9):
        person = stranger(shop)
        some(shop, now, 1, person=person, sealed_author=sealed_name(person, f"Anna{number}"))

    # then
    with django_assert_num_queries(1):
        page = listing.page(listing.reviews_in(shop, CHANNEL), Sort.NEWEST, 9, "")
        names = {name_of(review) for _, review in page.reviews}
    assert names == {f"Anna{number}" for number in range(9)}
