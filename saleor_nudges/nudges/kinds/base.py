"""What a nudge is: the facts it needs, the sentence it says, and the proof it keeps."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from saleor_nudges.events import Event
from saleor_nudges.models import Nudge, NudgeConfig, NudgeType, Shop
from saleor_nudges.nudges import shelf

# Saleor's storefronts know these pages; a seller says on which of them a nudge may appear.
PAGES = ("HOME", "LISTING", "CATEGORY", "COLLECTION", "BRAND", "PRODUCT", "CART", "SEARCH", "OTHER")


class Scope(StrEnum):
    """What a nudge is about."""

    PRODUCT = "PRODUCT"
    CHANNEL = "CHANNEL"  # the whole shop, as one sales channel has it; its product is ""


class Claim(StrEnum):
    """What a kind's data can prove, so that a seller's words may say it."""

    PRODUCT = "PRODUCT"  # it is about one product: given by the scope, declared by no kind
    LIVE = "LIVE"  # true at the moment it is read
    PEOPLE = "PEOPLE"  # the number counts different people
    VISITORS = "VISITORS"  # somebody looked
    CARTS = "CARTS"  # somebody put it into a cart
    ORDERS = "ORDERS"  # somebody bought, and the order still stands
    REVIEWS = "REVIEWS"  # somebody wrote a review, and a person let it through
    VERIFIED = "VERIFIED"  # it was looked up that they had bought
    STOCK = "STOCK"  # what can still be bought in this channel, net of allocations


class Kind(ABC):
    """One kind of nudge."""

    type: ClassVar[NudgeType]
    category: ClassVar[str]
    scopes: ClassVar[frozenset[Scope]] = frozenset({Scope.PRODUCT})
    # Counted in evidence; raise it when the rule behind the number changes.
    rule_version: ClassVar[str]
    window: ClassVar[timedelta]
    longest_window: ClassVar[timedelta] = timedelta(days=30)
    # Where only these windows make sense.
    windows: ClassVar[tuple[timedelta, ...]] = ()
    minimum: ClassVar[int] = 1
    largest_minimum: ClassVar[int] = 1_000_000
    maximum: ClassVar[int | None] = None
    pages: ClassVar[tuple[str, ...]] = PAGES
    # A kind that speaks of "this" makes sense only beside its own product.
    is_about_this_product: ClassVar[bool] = False
    # A visitor who reads the number may be one of those it counts.
    counts_its_reader: ClassVar[bool] = True
    # Smaller comes first.
    priority: ClassVar[int] = 50
    texts: ClassVar[dict[str, str]]
    headings: ClassVar[dict[str, str]] = {}
    # Why it is shown and how it was counted, by language; a page says {window} in its own words,
    # so only a kind whose evidence has a window may name it.
    about: ClassVar[dict[str, str]]
    # A line drawing on a grid of 24 (the `d` of an SVG path); none means its category's.
    icon: ClassVar[str] = ""
    # What the data can prove beyond its scope; words that need more are refused.
    claims: ClassVar[frozenset[Claim]] = frozenset()
    # What a template of this kind can be told; docs/templates.md says what each is.
    variables: ClassVar[tuple[str, ...]] = (
        "product",
        "name",
        "city",
        "region",
        "country",
        "place",
        "window",
        "scope",
    )

    @abstractmethod
    def fold(self, shop: Shop, events: Sequence[Event]) -> None:
        """Take new events in: make nudges, change counts, withdraw what is no longer true."""

    def default(self, shop: Shop, channel: str) -> NudgeConfig:
        """Return the configuration of a seller who has not touched it: off."""
        return NudgeConfig(
            shop=shop,
            channel=channel,
            type=self.type,
            window_seconds=int(self.window.total_seconds()),
            minimum=self.minimum,
            maximum=self.maximum,
            priority=self.priority,
            pages=list(self.pages),
        )

    def most(self, config: NudgeConfig) -> int | None:
        """Return the largest number this kind may say as the seller configured it; None: any."""
        return config.maximum


def withdraw(shop: Shop, **about: str | UUID) -> None:
    """Take nudges back at once: they are gone from pages with the next poll."""
    standing = Nudge.objects.of(shop).filter(withdrawn_at__isnull=True, **about)
    places = places_of(standing)
    standing.update(withdrawn_at=timezone.now())
    # Only now: where nothing is left to commit, the boards come down at once.
    shelf.take_down(shop.pk, places)


def refresh(shop: Shop, nudges: "QuerySet[Nudge]") -> None:
    """Have the pages of these nudges, and their channels', made anew."""
    shelf.take_down(shop.pk, places_of(nudges))


def places_of(nudges: "QuerySet[Nudge]") -> set[tuple[str, str]]:
    """Return where these nudges may be shown: beside their products, and in their channels."""
    places = set(nudges.values_list("channel", "product_id"))
    return places | {(channel, "") for channel, _ in places}
