"""“Someone from Wroclaw bought Apple Juice.” From orders that were placed and still stand."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from django.db.models import Q

from saleor_nudges.events import (
    Event,
    OrderCancelled,
    OrderChanged,
    OrderFact,
    OrderPlaced,
    OrderRefunded,
)
from saleor_nudges.models import Nudge, NudgeType, OrderedProduct, Shop
from saleor_nudges.nudges import activity
from saleor_nudges.nudges.kinds import discrete
from saleor_nudges.nudges.kinds.base import Claim, Kind, refresh

METRIC = "orders"

Bought = tuple[str, str]  # order, product


class OrderKind(Kind):
    """One nudge per order and product; the seller decides whether a first name is said."""

    type: ClassVar[NudgeType] = NudgeType.ORDER
    category: ClassVar[str] = "RECENT_PURCHASE"
    rule_version: ClassVar[str] = "order-2"
    window: ClassVar[timedelta] = timedelta(days=7)
    priority: ClassVar[int] = 40
    texts: ClassVar[dict[str, str]] = {
        "en": "{% if name %}{{ name }}{% else %}Someone{% endif %}"
        "{% if place %} from {{ place }}{% endif %} bought {{ product }}",
        "de": "{% if name %}{{ name }}{% else %}Jemand{% endif %}"
        "{% if city %} aus {{ city }}{% elsif place %} ({{ place }}){% endif %}"
        " hat {{ product }} gekauft",
        "pl": "{% if name %}{{ name }}{% else %}Ktoś{% endif %}"
        "{% if place %} ({{ place }}){% endif %}: zakup {{ product }}",
    }
    claims: ClassVar[frozenset[Claim]] = frozenset({Claim.ORDERS, Claim.VERIFIED})
    headings: ClassVar[dict[str, str]] = {
        "en": "Recently bought",
        "de": "Vor Kurzem gekauft",
        "pl": "Ostatnio kupione",
    }
    about: ClassVar[dict[str, str]] = {
        "en": "This comes from a real order in this shop, and goes when the order is"
        " cancelled or refunded.",
        "de": "Das stammt aus einer echten Bestellung in diesem Shop und verschwindet, wenn"
        " sie storniert oder erstattet wird.",
        "pl": "To informacja z prawdziwego zamówienia w tym sklepie. Znika po anulowaniu"
        " zamówienia lub zwrocie pieniędzy.",
    }

    def fold(self, shop: Shop, events: Sequence[Event]) -> None:
        undone = {e.order_id for e in events if isinstance(e, OrderCancelled | OrderRefunded)}
        if undone:
            discrete.take_back(shop, Q(type=self.type, source_subject__in=undone))
        told = _told(events)
        if told:
            self._tell(shop, told)

    def _tell(self, shop: Shop, told: dict[str, list[OrderFact]]) -> None:
        """Make what is missing of these orders, take back what is not true of them any more."""
        stands = _purchases(shop, told)
        known = Nudge.objects.of(shop).filter(type=self.type, source_subject__in=list(told))
        have = {(nudge.source_subject, nudge.product_id): nudge for nudge in known}
        over = [nudge.pk for bought, nudge in have.items() if bought not in stands]
        if over:
            discrete.take_back(shop, Q(pk__in=over))
        self._bring_up_to_date(shop, have, stands)
        deeds = [
            _deed(told[order], product, stands[order, product])
            for order, product in stands
            if (order, product) not in have
        ]
        discrete.make(shop, self, METRIC, [deed for deed in deeds if deed is not None])

    def _bring_up_to_date(
        self, shop: Shop, have: dict[Bought, Nudge], stands: dict[Bought, dict[str, Any]]
    ) -> None:
        changed = [
            nudge
            for bought, nudge in have.items()
            if bought in stands and nudge.details != stands[bought]
        ]
        for nudge in changed:
            nudge.details = stands[nudge.source_subject, nudge.product_id]
        if changed:
            Nudge.objects.of(shop).bulk_update(changed, ["details"])
            refresh(shop, Nudge.objects.of(shop).filter(pk__in=[nudge.pk for nudge in changed]))


def _told(events: Sequence[Event]) -> dict[str, list[OrderFact]]:
    """Return the facts of each order that say what is in it: first that it was placed."""
    found: dict[str, list[OrderFact]] = defaultdict(list)
    for kind in (OrderPlaced, OrderChanged):
        for event in events:
            if isinstance(event, kind) and event.cart:
                found[event.order_id].append(event)
    return found


def _purchases(shop: Shop, told: Iterable[str]) -> dict[Bought, dict[str, Any]]:
    """Return what was bought by these orders and still is, with the details of its nudge."""
    rows = (
        OrderedProduct.objects.of(shop)
        .filter(order_id__in=list(told), is_void=False, quantity__gt=0)
        .exclude(status__in=activity.NOT_A_PURCHASE)
        .order_by("ordered_at", "order_id", "product_id")
    )
    return {
        (row.order_id, row.product_id): {"status": row.status, "quantity": row.quantity}
        for row in rows
    }


def _deed(
    facts: Iterable[OrderFact], product: str, details: dict[str, Any]
) -> discrete.Deed | None:
    for fact in facts:
        for line in fact.cart.lines if fact.cart else ():
            if line.product_id == product:
                return discrete.Deed(fact, line, fact.occurred_at, fact.order_id, details)
    return None
