"""What happens to an order."""

from dataclasses import dataclass
from typing import ClassVar

from saleor_nudges.events.base import Cart, Contact, Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFact(Fact):
    """About an order. Without `cart` it says only "look again"; the consumer asks the host."""

    order_id: str
    status: str = ""
    checkout: str = ""  # SHA-256 of the global id of the checkout it came from
    contact: Contact | None = None
    cart: Cart | None = None

    @property
    def subject(self) -> str:
        return self.order_id


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPlaced(OrderFact):
    """Somebody bought something. `occurred_at` is when the order was created."""

    kind: ClassVar[str] = "order_placed"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderChanged(OrderFact):
    """An order's status or lines may have changed; `revision` is the shop's own time of it."""

    kind: ClassVar[str] = "order_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPaid(OrderFact):
    """An order was fully paid."""

    kind: ClassVar[str] = "order_paid"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCancelled(OrderFact):
    """An order was cancelled; its nudges go."""

    kind: ClassVar[str] = "order_cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRefunded(OrderFact):
    """All of an order's money was given back; its nudges go."""

    kind: ClassVar[str] = "order_refunded"
