"""What happens to products, stock and customers."""

from dataclasses import dataclass
from typing import ClassVar

from saleor_nudges.events.base import Contact, Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductFact(Fact):
    """About a product."""

    in_channel: ClassVar[bool] = False
    product_id: str

    @property
    def subject(self) -> str:
        return self.product_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductChanged(ProductFact):
    """A product's name, image or publication may have changed."""

    kind: ClassVar[str] = "product_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductWithdrawn(ProductFact):
    """A product is gone; so are its nudges."""

    kind: ClassVar[str] = "product_withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class StockChanged(Fact):
    """A variant's stock may have changed; ask the host before saying so."""

    kind: ClassVar[str] = "stock_changed"
    in_channel: ClassVar[bool] = False
    variant_id: str

    @property
    def subject(self) -> str:
        return self.variant_id


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerErased(Fact):
    """The shop deleted a customer; we forget the person too."""

    kind: ClassVar[str] = "customer_erased"
    in_channel: ClassVar[bool] = False
    user: str  # a keyed hash of the user's global id
    contact: Contact | None = None

    @property
    def subject(self) -> str:
        return self.user
