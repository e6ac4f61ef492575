"""What storefronts report: views, and what visitors did with nudges; and what pages were told."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Final
from uuid import UUID

from saleor_nudges.events.base import View
from saleor_nudges.events.identity import fact_id

# Seconds within which one number told of one product is one event.
SAME_FOR: Final = 15


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
class ExitIntent(View):
    """Somebody was about to leave a cart or a checkout. Stored, never counted."""

    kind: ClassVar[str] = "exit_intent"

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


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveMeasured(View):
    """Pages were told that so many look at a product right now. No storefront can say it: we do."""

    kind: ClassVar[str] = "live_measured"
    product: str
    value: int
    threshold: int
    maximum: int | None = None

    @property
    def subject(self) -> str:
        return self.product

    def identity(self) -> UUID:
        # Several processes tell the same number of the same moment: it is measured once.
        seconds = int(self.occurred_at.timestamp())
        moment = datetime.fromtimestamp(seconds - seconds % SAME_FOR, UTC)
        about = f"{self.channel}/{self.product}"
        return fact_id(self.shop, self.kind, about, str(self.value), moment)
