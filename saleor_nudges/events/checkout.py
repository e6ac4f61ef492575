"""What happens to a checkout."""

from dataclasses import dataclass
from typing import ClassVar

from saleor_nudges.events.base import Cart, Contact, Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutFact(Fact):
    """About a checkout. Without `cart` it says only "look again"; the consumer asks the host."""

    checkout: str  # SHA-256 of the global id
    checkout_id: str = ""
    contact: Contact | None = None
    cart: Cart | None = None
    payment_started: bool = False
    marketing_consent: bool | None = None
    refuses_featuring: bool = False

    @property
    def subject(self) -> str:
        return self.checkout


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutStarted(CheckoutFact):
    """A checkout was created."""

    kind: ClassVar[str] = "checkout_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutChanged(CheckoutFact):
    """A checkout's lines, addresses or contact changed; `revision` is the shop's own time of it."""

    kind: ClassVar[str] = "checkout_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutPaid(CheckoutFact):
    """A checkout is fully paid or authorised: an order is on its way."""

    kind: ClassVar[str] = "checkout_paid"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutContactKnown(Fact):
    """Somebody typed an address into a checkout's form, and agreed that it is told."""

    kind: ClassVar[str] = "checkout_contact_known"
    # A storefront says so and nobody vouches for it; `revision` is the id it gave the event.
    checkout: str
    contact: Contact | None = None

    @property
    def subject(self) -> str:
        return self.checkout
