"""“This was ordered 120 times in the last 7 days.” Orders that stand, in states that count."""

from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar, Final

from django.db.models import Q

from saleor_nudges.events import (
    Event,
    OrderCancelled,
    OrderChanged,
    OrderPlaced,
    OrderRefunded,
)
from saleor_nudges.models import NudgeType, OrderedProduct, SeenOrder, Shop
from saleor_nudges.nudges import activity
from saleor_nudges.nudges.kinds.base import Claim
from saleor_nudges.nudges.kinds.measured import Product
from saleor_nudges.nudges.kinds.summary import Summary

CHANGES: Final = (OrderCancelled, OrderRefunded, OrderChanged)
NEVER: Final = ", ".join(f"'{status}'" for status in sorted(activity.NOT_A_PURCHASE))


class OrderSummaryKind(Summary):
    """Distinct orders of a product, or of anything at all, placed within the window."""

    type: ClassVar[NudgeType] = NudgeType.ORDER_SUMMARY
    metric: ClassVar[str] = "orders"
    rule_version: ClassVar[str] = "order-summary-1"
    window: ClassVar[timedelta] = timedelta(days=7)
    priority: ClassVar[int] = 25
    table: ClassVar[str] = OrderedProduct._meta.db_table
    what: ClassVar[str] = "order_id"
    at: ClassVar[str] = "ordered_at"
    # An empty list of states that count is all of them.
    condition: ClassVar[str] = (
        f"NOT known.is_void AND known.quantity > 0 AND known.status NOT IN ({NEVER})"
        " AND (wanted.statuses = '' OR known.status = ANY(string_to_array(wanted.statuses, ',')))"
    )
    texts: ClassVar[dict[str, str]] = {
        "en": "{% if scope == 'CHANNEL' %}{{ count }} orders were placed here"
        "{% else %}This was ordered {{ count }} times{% endif %} in the last {{ window.en }}",
        "de": "{% if scope == 'CHANNEL' %}{{ count }} Bestellungen gingen hier in {{ window.de }}"
        " ein{% else %}Das wurde in {{ window.de }} {{ count }}-mal bestellt{% endif %}",
        "pl": "{% if scope == 'CHANNEL' %}Zamówienia złożone tutaj: {{ count }}"
        "{% else %}Liczba zamówień tego produktu: {{ count }}{% endif %} w ciągu {{ window.pl }}",
    }
    claims: ClassVar[frozenset[Claim]] = frozenset({Claim.ORDERS, Claim.VERIFIED})
    headings: ClassVar[dict[str, str]] = {
        "en": "Often bought",
        "de": "Oft gekauft",
        "pl": "Często kupowane",
    }
    about: ClassVar[dict[str, str]] = {
        "en": "We count each order once, over the last {window}. Cancelled and refunded"
        " orders do not count.",
        "de": "Jede Bestellung wird einmal gezählt, stornierte und erstattete nicht."
        " Zeitraum: {window}.",
        "pl": "Każde zamówienie jest liczone raz, anulowane i zwrócone nie są liczone. Okres:"
        " {window}.",
    }

    def grown(self, shop: Shop, events: Sequence[Event]) -> set[Product]:  # noqa: ARG002
        return activity.places(
            (e.channel, product)
            for e in events
            if isinstance(e, OrderPlaced | OrderChanged) and e.cart
            for product in activity.products_in(e.cart)
        )

    def shrunk(self, shop: Shop, events: Sequence[Event]) -> set[Product]:
        changed = {e.order_id for e in events if isinstance(e, CHANGES)}
        erased = activity.of_erased(events)
        if not changed and erased is None:
            return set()
        about = Q(order_id__in=changed)
        if erased is not None:
            about |= Q(order_id__in=SeenOrder.objects.of(shop).filter(erased).values("order_id"))
        rows = list(OrderedProduct.objects.of(shop).filter(about))
        configs = self._configs(shop, {row.channel for row in rows})
        return activity.places(
            (row.channel, row.product_id)
            for row in rows
            # What stands while the kind is off is told again when it is switched on.
            if (config := configs.get(row.channel)) is None
            or row.is_void
            or not row.quantity
            or not activity.is_counted(config, row.status)
        )
