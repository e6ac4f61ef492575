"""The kinds of nudge there are: one list. Adding one is a file, a line here, and a test."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from saleor_nudges.events import Event
from saleor_nudges.models import NudgeType, Shop
from saleor_nudges.nudges import own
from saleor_nudges.nudges.base import Kind
from saleor_nudges.nudges.measured import Measured, Product, take_marked
from saleor_nudges.nudges.order import OrderKind
from saleor_nudges.nudges.product_view import ProductViewKind

KINDS: dict[NudgeType, Kind] = {
    kind.type: kind
    for kind in (
        OrderKind(),
        ProductViewKind(),
    )
}


def fold(shop: Shop, events: Sequence[Event]) -> None:
    """Let every kind make of the events what it can."""
    own.fold(shop, events)
    for kind in KINDS.values():
        kind.fold(shop, events)


def measure(shop_id: UUID, name: NudgeType, products: Iterable[Product]) -> None:
    """Count numbers of one kind again, if the shop and the kind still exist."""
    kind, shop = KINDS[name], Shop.objects.filter(pk=shop_id).first()
    if shop is not None and isinstance(kind, Measured):
        kind.measure(shop, products)


def measure_due(shop: Shop) -> int:
    """Count again what is on pages and about to expire; return how many numbers."""
    kinds = [kind for kind in KINDS.values() if isinstance(kind, Measured)]
    return sum(kind.measure_due(shop) for kind in kinds)


__all__ = ["KINDS", "fold", "measure", "measure_due", "take_marked"]
