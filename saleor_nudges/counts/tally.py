"""What a batch of events adds to the counts: plain dicts, before anything is written."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from saleor_nudges.counts.buckets import FIVE_MINUTES, HOUR, MINUTE, seconds
from saleor_nudges.events import (
    Event,
    OrderCancelled,
    OrderFact,
    OrderPlaced,
    OrderRefunded,
    PageViewed,
    ProductViewed,
)

# What is counted. An order that was undone is counted as undone, at its own time, so that whoever
# wants the orders that stand takes the undone from the placed of the same buckets.
VIEWED: Final = ProductViewed.kind
# Every page a channel's visitors looked at, products included; its product is "".
VISITED: Final = "visited"
VISITS: Final = (ProductViewed, PageViewed)
ORDERS: Final = (OrderPlaced, OrderCancelled, OrderRefunded)
KINDS: Final = (VIEWED, VISITED, *(kind.kind for kind in ORDERS))
# Not yet an order, though Saleor keeps it among them.
DRAFT: Final = "DRAFT"

CountKey = tuple[str, str, str, int]  # channel, product, kind, start of the minute
SketchKey = tuple[str, str, int]  # channel, product, start of the five minutes


@dataclass(slots=True)
class Tally:
    """Counts by minute and visitors' hashes by five minutes; hours follow from them."""

    counts: dict[CountKey, int] = field(default_factory=dict)
    quantities: dict[CountKey, int] = field(default_factory=dict)
    visitors: dict[SketchKey, set[int]] = field(default_factory=lambda: defaultdict(set))

    def add_all(self, events: Iterable[Event], hashed: Callable[[UUID], int]) -> None:
        """Count these events, each of which must be new."""
        known: dict[UUID, int] = {}
        for event in events:
            if isinstance(event, VISITS):
                self._visit(event, hashed, known)
            elif isinstance(event, ORDERS):
                self._order(event)

    def hours(self) -> set[int]:
        """Return the hours anything was counted in."""
        return {key[3] // HOUR * HOUR for key in self.counts}

    def _visit(
        self,
        event: ProductViewed | PageViewed,
        hashed: Callable[[UUID], int],
        known: dict[UUID, int],
    ) -> None:
        at = seconds(event.occurred_at)
        minute, channel = at - at % MINUTE, event.channel
        product = event.product if isinstance(event, ProductViewed) else ""
        key = (channel, "", VISITED, minute)
        self.counts[key] = self.counts.get(key, 0) + 1
        if product:
            key = (channel, product, VIEWED, minute)
            self.counts[key] = self.counts.get(key, 0) + 1
        visitor = event.visitor
        if visitor is None:
            return
        value = known.get(visitor)
        if value is None:
            value = known[visitor] = hashed(visitor)
        five = at - at % FIVE_MINUTES
        self.visitors[channel, "", five].add(value)
        if product:
            self.visitors[channel, product, five].add(value)

    def _order(self, event: OrderFact) -> None:
        if event.cart is None or event.status == DRAFT:
            return
        at = seconds(event.occurred_at)
        pieces: dict[str, int] = defaultdict(int)
        for line in event.cart.lines:
            if line.product_id:
                pieces[line.product_id] += line.quantity
        # Two variants of a product in one order are one order of that product.
        for product, quantity in pieces.items():
            key = (event.channel, product, event.kind, at - at % MINUTE)
            self.counts[key] = self.counts.get(key, 0) + 1
            self.quantities[key] = self.quantities.get(key, 0) + quantity
