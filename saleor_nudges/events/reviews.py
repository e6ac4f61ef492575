"""What happens to reviews. Their words stay in the review: an event says only which it is."""

from dataclasses import dataclass
from typing import ClassVar

from saleor_nudges.events.base import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewFact(Fact):
    """About a review, by our own name of it."""

    review_id: str
    product_id: str

    @property
    def subject(self) -> str:
        return self.review_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPosted(ReviewFact):
    """A review can be read, or reads otherwise than before."""

    kind: ClassVar[str] = "review_posted"
    rating: int
    is_verified: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewWithdrawn(ReviewFact):
    """A review can no longer be read, or is without its author; its nudge goes."""

    kind: ClassVar[str] = "review_withdrawn"
