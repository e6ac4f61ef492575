"""What storefronts report: views, and what visitors did with nudges."""

from dataclasses import dataclass
from typing import ClassVar

from saleor_nudges.events.base import View


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductViewed(View):
    """A product's page was looked at."""

    kind: ClassVar[str] = "product_viewed"
    product: str

    @property
    def subject(self) -> str:
        return self.product


@dataclass(frozen=True, slots=True, kw_only=True)
class PageViewed(View):
    """Any other page was looked at."""

    kind: ClassVar[str] = "page_viewed"

    @property
    def subject(self) -> str:
        return self.page


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedToCart(View):
    """The shopper's own page says so. Stored, never counted: carts are counted from checkouts."""

    kind: ClassVar[str] = "added_to_cart"
    product: str
    variant: str = ""

    @property
    def subject(self) -> str:
        return self.product


@dataclass(frozen=True, slots=True, kw_only=True)
class NudgeInteraction(View):
    """What a visitor did with a nudge, named by its public id."""

    nudge: str

    @property
    def subject(self) -> str:
        return self.nudge


@dataclass(frozen=True, slots=True, kw_only=True)
class NudgeViewed(NudgeInteraction):
    """A nudge was really visible."""

    kind: ClassVar[str] = "nudge_viewed"


@dataclass(frozen=True, slots=True, kw_only=True)
class NudgeClicked(NudgeInteraction):
    """A nudge was clicked."""

    kind: ClassVar[str] = "nudge_clicked"


@dataclass(frozen=True, slots=True, kw_only=True)
class NudgeClosed(NudgeInteraction):
    """A nudge was closed by its visitor."""

    kind: ClassVar[str] = "nudge_closed"
