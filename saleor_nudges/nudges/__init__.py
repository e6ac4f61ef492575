"""True nudges: what they are made of (folds), what they are (`kinds/`), and who sees them."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from saleor_nudges.events import Event
from saleor_nudges.models import NudgeType, Shop
from saleor_nudges.nudges import activity, asking, featuring, own, products
from saleor_nudges.nudges.kinds import KINDS, LOW_STOCK, discrete
from saleor_nudges.nudges.kinds.measured import Measured, Product, take_marked


def fold(shop: Shop, events: Sequence[Event]) -> None:
    """Let every kind make of the events what it can."""
    own.fold(shop, events)
    products.fold(shop, events)
    activity.fold(shop, events)
    for kind in KINDS.values():
        kind.fold(shop, events)
    featuring.fold(shop, events)
    discrete.forget(shop, events)
    activity.forget(shop, events)


def ask_due() -> int:
    """Ask the shops again for the products whose pages are open; return for how many."""
    return sum(_stock_asked(shop, asked) for shop, asked in asking.ask_due())


def ask_changed() -> int:
    """Ask the shops at once for the products that events say have changed; return how many."""
    return sum(_stock_asked(shop, asked) for shop, asked in asking.ask_changed())


def _stock_asked(shop: Shop, asked: set[Product]) -> int:
    LOW_STOCK.stock_asked(shop, asked)
    return len(asked)


def measure(shop_id: UUID, name: NudgeType, products: Iterable[Product]) -> None:
    """Count numbers of one kind again, if the shop and the kind still exist."""
    kind, shop = KINDS[name], Shop.objects.filter(pk=shop_id).first()
    if shop is not None and isinstance(kind, Measured):
        kind.measure(shop, products)


def measure_due(shop: Shop) -> int:
    """Count again what is on pages and about to expire; return how many numbers."""
    kinds = [kind for kind in KINDS.values() if isinstance(kind, Measured)]
    return sum(kind.measure_due(shop) for kind in kinds)


__all__ = ["KINDS", "ask_changed", "ask_due", "fold", "measure", "measure_due", "take_marked"]
