"""What the rest of us hears of a review: that it can be read, or no longer."""

from datetime import datetime
from typing import Any, NamedTuple

from saleor_nudges.capture import capture
from saleor_nudges.events import ReviewPosted, ReviewWithdrawn
from saleor_nudges.models import ProductReview, ReviewState


class Told(NamedTuple):
    """What can be told of a review: if any of it changes, so does its nudge."""

    is_public: bool
    rating: int
    title: str
    text: str
    author: bytes | None
    is_verified: bool


def told(review: ProductReview) -> Told:
    """Return what can be told of a review now."""
    return Told(
        review.state == ReviewState.APPROVED and review.forgotten_at is None,
        review.rating,
        review.title,
        review.text,
        bytes(review.sealed_author) if review.sealed_author else None,
        review.is_verified,
    )


def announce(review: ProductReview, before: Told | None, now: datetime) -> None:
    """Capture what has changed since `before` (none: it is new). In the change's own transaction.

    Whoever hears of it looks at the review itself, so that the order of news does not matter.
    """
    after = told(review)
    if after == before:
        return
    about: dict[str, Any] = {
        "shop": review.shop_id,
        "channel": review.channel,
        "occurred_at": now,
        "revision": now.isoformat(),
        "person": review.person_id,
        "review_id": str(review.pk),
        "product_id": review.product_id,
    }
    if after.is_public:
        capture(ReviewPosted(rating=review.rating, is_verified=review.is_verified, **about))
    elif before is not None and before.is_public:
        capture(ReviewWithdrawn(**about))
