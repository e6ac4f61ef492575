"""What every event is, and the plain objects events are made of."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from saleor_nudges.events.identity import fact_id, uuid7

NIL = UUID(int=0)


class Flow(StrEnum):
    """Which stream an event takes."""

    COMMERCE = "commerce"  # never dropped; acknowledged when committed to Postgres
    VIEWS = "views"  # what storefronts saw; fast, with a declared loss budget


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a cart or an order. Ids are Saleor's global ids."""

    product_id: str
    variant_id: str
    quantity: int
    product_name: str = ""
    product_slug: str = ""
    image_url: str = ""
    unit_price: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Cart:
    """What is in a checkout or an order. `total` is gross, in `currency` (ISO 4217).

    `voucher` is a keyed name of the code that is in, never the code; "" for none, None where
    nobody asked.
    """

    lines: tuple[Line, ...] = ()
    total: Decimal = Decimal(0)
    currency: str = ""
    language: str = ""
    voucher: str | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom an event is about. Sealed wherever it rests; never stored with the event."""

    email: str = ""
    phone: str = ""
    user_id: str = ""
    first_name: str = ""
    city: str = ""
    country: str = ""
    region: str = ""  # a state or province, where the country's addresses have one

    def is_known(self) -> bool:
        """Tell whether this is enough to recognise the person again."""
        return bool(self.email or self.phone or self.user_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened in a shop, at `occurred_at` (aware), in one sales channel."""

    kind: ClassVar[str]
    flow: ClassVar[Flow]
    # These fields are encrypted wherever the event waits, and left out where it is stored.
    sealed: ClassVar[frozenset[str]] = frozenset({"contact", "checkout_id"})
    # A product, its stock and a customer belong to the whole shop: their channel is "".
    in_channel: ClassVar[bool] = True

    shop: UUID
    channel: str
    occurred_at: datetime
    id: UUID = NIL
    person: UUID | None = None

    @property
    def subject(self) -> str:
        """Return the public name of what this is about; never a checkout's id."""
        return ""

    def __post_init__(self) -> None:
        if self.id is NIL:
            object.__setattr__(self, "id", self.identity())

    def identity(self) -> UUID:
        """Return the id this event has unless it was given one."""
        return uuid7(self.occurred_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact(Event):
    """What the shop itself knows. One fact has one id, however it reaches us."""

    flow: ClassVar[Flow] = Flow.COMMERCE
    revision: str = ""

    def identity(self) -> UUID:
        return fact_id(self.shop, self.kind, self.subject, self.revision, self.occurred_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class View(Event):
    """What a storefront saw. The browser gives the id, so sending it twice counts once.

    `device`, `browser` and `referrer` are said only beside a `checkout`: of which kind they are,
    and the host name of the site that led to the shop.
    """

    flow: ClassVar[Flow] = Flow.VIEWS
    visitor: UUID | None = None
    checkout: str = ""  # SHA-256 of the checkout's global id, never the id
    user: str = ""  # a keyed hash, never the user's id
    page: str = ""
    device: str = ""
    browser: str = ""
    referrer: str = ""
