"""What a seller does with a review: approve it, reject it, answer it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from saleor_nudges.events import Event, OrderCancelled, OrderRefunded
from saleor_nudges.exceptions import HostUnavailable, InvalidInput, NotFound
from saleor_nudges.models import Person, ProductReview, ReviewState, Shop
from saleor_nudges.models.reviews import STOREFRONT
from saleor_nudges.reviews import plain, purchases
from saleor_nudges.reviews.announcing import announce, told
from saleor_nudges.reviews.authors import Author, buyer_key, name_of
from saleor_nudges.reviews.writing import sealed_name

DECISIONS = (ReviewState.APPROVED, ReviewState.REJECTED)


def moderate(shop: Shop, review_id: str, state: ReviewState, now: datetime) -> ProductReview:
    """Approve or reject a review, as often as the seller changes their mind; raises NotFound."""
    if state not in DECISIONS:
        raise InvalidInput("A review is approved or rejected.", field="state")
    with transaction.atomic():
        review = _held(shop, review_id)
        before = told(review)
        review.state, review.moderated_at = state, now
        if state == ReviewState.APPROVED:
            _look_again(shop, review)
        review.save()
        announce(review, before, now)
    return review


def reply(shop: Shop, review_id: str, text: str, now: datetime) -> ProductReview:
    """Answer a review in public; an empty text takes the answer back. Raises NotFound."""
    said = plain.text(text)
    with transaction.atomic():
        review = _held(shop, review_id)
        review.reply, review.replied_at = said, now if said else None
        review.save(update_fields=["reply", "replied_at"])
    return review


def review_of(shop: Shop, review_id: str) -> ProductReview:
    """Return a review of this shop; raises NotFound."""
    found = ProductReview.objects.of(shop).filter(pk=_pk(review_id)).select_related("person")
    if (review := found.first()) is None:
        raise NotFound("There is no review with this id.")
    return review


def fold(shop: Shop, events: Sequence[Event]) -> None:
    """A purchase that was undone verifies no review any longer."""
    undone = {e.order_id for e in events if isinstance(e, OrderCancelled | OrderRefunded)}
    if not undone:
        return
    now = timezone.now()
    verified = ProductReview.objects.of(shop).filter(order_id__in=undone, is_verified=True)
    for review in verified.select_for_update(of=("self",)):
        before = told(review)
        review.is_verified = False
        review.save(update_fields=["is_verified"])
        announce(review, before, now)


def _held(shop: Shop, review_id: str) -> ProductReview:
    found = ProductReview.objects.of(shop).filter(pk=review_of(shop, review_id).pk)
    return found.select_for_update(of=("self",)).select_related("person", "shop").get()


def _look_again(shop: Shop, review: ProductReview) -> None:
    """The order may have come to us only after its review."""
    if review.is_verified or review.order_id or review.source != STOREFRONT:
        return
    who = Author(review.visitor, review.user)
    try:
        purchase = purchases.found(shop, who, review.product_id)
    except HostUnavailable:
        return
    if purchase.order_id and _is_handed_to(shop, review, who, purchase.buyer):
        review.order_id, review.is_verified = purchase.order_id, True


def _is_handed_to(shop: Shop, review: ProductReview, who: Author, buyer: Person | None) -> bool:
    """Make a visitor's review its buyer's, whose wishes it follows from now on.

    False if the buyer has reviewed this product already, by another name.
    """
    if buyer is None or review.user:
        return True
    key = buyer_key(who, buyer)
    same = ProductReview.objects.of(shop).filter(product_id=review.product_id, buyer=key)
    if same.exclude(pk=review.pk).exists():
        return False
    sealed = sealed_name(buyer, name_of(review))
    review.person, review.buyer, review.sealed_author = buyer, key, sealed
    return True


def _pk(review_id: Any) -> UUID:
    try:
        return UUID(str(review_id))
    except ValueError as error:
        raise NotFound("There is no review with this id.") from error
