"""An order that comes after its review makes the review its buyer's."""

from datetime import UTC, datetime

import pytest

from saleor_nudges import access, crypto
from saleor_nudges.capture import capture
from saleor_nudges.events import Contact, CustomerErased
from saleor_nudges.models import ProductReview, ReviewState
from saleor_nudges.reviews import moderating, writing
from saleor_nudges.reviews.authors import Author, name_of
from saleor_nudges.testing import (
    CHANNEL,
    JUICE,
    a_cart,
    a_checkout,
    consume,
    make_shop,
    order_placed,
    viewed,
)

pytestmark = pytest.mark.django_db


def test_its_author_is_forgotten_with_the_buyer():
    # given a review under a name, verified when the order was heard of
    shop = make_shop()
    visitor = access.new_visitor(shop.pk).id
    checkout = a_checkout(shop, cart=a_cart(), email="anna@example.com")
    capture(viewed(shop, JUICE.id, visitor, checkout=crypto.checkout_hash(checkout.id)))
    consume()
    words = writing.words(rating=5, text="Good", author_name="Anna Kowalska")
    now = datetime.now(UTC)
    review = writing.create(shop, Author(visitor), CHANNEL, JUICE.id, words, now)
    assert not review.is_verified
    order_placed(shop, checkout)
    approved = moderating.moderate(shop, str(review.pk), ReviewState.APPROVED, now)
    assert (approved.is_verified, name_of(approved)) == (True, "Anna Kowalska")
    # when
    erased = {"user": "", "contact": Contact(email="anna@example.com")}
    capture(CustomerErased(shop=shop.pk, channel="", occurred_at=datetime.now(UTC), **erased))
    consume()
    # then
    kept = ProductReview.objects.of(shop).get(pk=review.pk)
    assert (name_of(kept), kept.order_id, kept.forgotten_at is not None) == ("", "", True)
