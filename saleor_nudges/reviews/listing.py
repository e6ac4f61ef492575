"""Reviews page by page, and what they say together: how many, and how many stars on average."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from django.db.models import Avg, Count, Q, QuerySet

from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.models import ProductReview, ReviewState, Shop
from saleor_nudges.models.reviews import BEST_RATING
from saleor_nudges.reviews.writing import is_storable

LARGEST_PAGE: Final = 100
USUAL_PAGE: Final = 20


class Sort(StrEnum):
    """Which reviews come first; among equal ones the newest."""

    NEWEST = "NEWEST"
    HIGHEST_RATED = "HIGHEST_RATED"
    LOWEST_RATED = "LOWEST_RATED"


ORDERS: Final[dict[Sort, tuple[str, ...]]] = {
    Sort.NEWEST: ("-posted_at", "-id"),
    Sort.HIGHEST_RATED: ("-rating", "-posted_at", "-id"),
    Sort.LOWEST_RATED: ("rating", "-posted_at", "-id"),
}


@dataclass(frozen=True, slots=True)
class Summary:
    """What the reviews say together; no average where there is none."""

    count: int
    average: float | None


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """Some reviews, each with its cursor, and whether there are more."""

    reviews: tuple[tuple[str, ProductReview], ...]
    has_next: bool
    has_previous: bool


def reviews_in(
    shop: Shop, channel: str, product_id: str = "", state: ReviewState = ReviewState.APPROVED
) -> "QuerySet[ProductReview]":
    """Return the reviews in one state: of a product, or (product "") of the whole channel.

    Raises InvalidInput for what can be the name of nothing.
    """
    if not is_storable(channel):
        raise InvalidInput("A channel's slug has 1 to 255 characters.", field="channel")
    if product_id and not is_storable(product_id):
        raise InvalidInput("A product's id has 1 to 255 characters.", field="productId")
    about = {"product_id": product_id} if product_id else {}
    return ProductReview.objects.of(shop).filter(channel=channel, state=state, **about)


def summary(reviews: "QuerySet[ProductReview]") -> Summary:
    """Return how many reviews these are, and their average to two places."""
    found = reviews.order_by().aggregate(count=Count("pk"), average=Avg("rating"))
    average = found["average"]
    return Summary(found["count"], None if average is None else round(float(average), 2))


def page(
    reviews: "QuerySet[ProductReview]", sort: Sort, first: int | None, after: str
) -> ReviewPage:
    """Return one page; raises InvalidInput for a size out of bounds or a cursor of another list."""
    size = _size(first)
    if after:
        reviews = reviews.filter(_behind(sort, after))
    found = list(reviews.select_related("person").order_by(*ORDERS[sort])[: size + 1])
    rows = tuple((_cursor(sort, review), review) for review in found[:size])
    return ReviewPage(rows, has_next=len(found) > size, has_previous=bool(after))


def _size(first: int | None) -> int:
    size = USUAL_PAGE if first is None else first
    if not 1 <= size <= LARGEST_PAGE:
        raise InvalidInput(f"A page has 1 to {LARGEST_PAGE} reviews.", field="first")
    return size


def _cursor(sort: Sort, review: ProductReview) -> str:
    place = [sort, review.rating, review.posted_at.isoformat(), review.pk.hex]
    return urlsafe_b64encode(json.dumps(place, separators=(",", ":")).encode()).decode()


def _behind(sort: Sort, after: str) -> Q:
    """Return the condition that a review comes after the one a cursor names."""
    place = _place(sort, after)
    behind, same = Q(), Q()
    for name in ORDERS[sort]:
        field = name.removeprefix("-")
        beyond = "lt" if name.startswith("-") else "gt"
        behind |= same & Q(**{f"{field}__{beyond}": place[field]})
        same &= Q(**{field: place[field]})
    return behind


def _place(sort: Sort, after: str) -> dict[str, Any]:
    try:
        name, rating, posted_at, pk = json.loads(urlsafe_b64decode(after.encode()))
        moment = datetime.fromisoformat(posted_at)
        stars, key = int(rating), UUID(hex=pk)
        is_ours = name == sort and 0 <= stars <= BEST_RATING and moment.tzinfo is not None
    except (ValueError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise InvalidInput("This is not a cursor.", field="after") from error
    if not is_ours:
        raise InvalidInput("This cursor is of another order.", field="after")
    return {"rating": stars, "posted_at": moment, "id": key}
