"""The kinds of nudge there are: one list. Adding one is a file, a line here, and a test."""

from collections.abc import Sequence

from saleor_nudges.events import Event
from saleor_nudges.models import NudgeType, Shop
from saleor_nudges.nudges import own
from saleor_nudges.nudges.base import Kind
from saleor_nudges.nudges.order import OrderKind
from saleor_nudges.nudges.product_view import ProductViewKind

KINDS: dict[NudgeType, Kind] = {kind.type: kind for kind in (OrderKind(), ProductViewKind())}


def fold(shop: Shop, events: Sequence[Event]) -> None:
    """Let every kind make of the events what it can."""
    own.fold(shop, events)
    for kind in KINDS.values():
        kind.fold(shop, events)
