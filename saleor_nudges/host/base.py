"""What the engine asks of a shop, and the plain objects it gets back."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from saleor_nudges.events import Cart, Contact, Line
from saleor_nudges.exceptions import HostUnavailable
from saleor_nudges.host.looks import CheckoutLook, LineLook
from saleor_nudges.host.vouchers import NewVoucher
from saleor_nudges.models import Shop

NOTHING: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True)
class Checkout:
    """A checkout as the shop has it now. `id` is a bearer secret."""

    id: str
    channel: str
    created_at: datetime
    changed_at: datetime
    contact: Contact
    cart: Cart
    payment_started: bool = False
    marketing_consent: bool | None = None
    # The shopper wants neither name nor place said of what they buy.
    refuses_featuring: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """An order as the shop has it now. `status` is Saleor's, upper case."""

    id: str
    channel: str
    created_at: datetime
    updated_at: datetime
    status: str
    contact: Contact
    cart: Cart
    checkout_id: str = ""


@dataclass(frozen=True, slots=True)
class ProductCard:
    """What a nudge shows and must know of a product, in one channel.

    `categories` and `collections` are global ids, the former its own and all above it. `stock` is
    how many pieces can still be bought in the channel, over all its variants and all warehouses
    that can send there or hand out, net of what orders and checkouts hold; None where that is not
    counted, unlimited or not known.
    """

    id: str
    name: str
    slug: str = ""
    image_url: str = ""
    categories: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()
    stock: int | None = None


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asks: nobody known, a customer, a member of staff, or an app.

    Permissions are Saleor's names. `user_id` is the global id of the account the host itself has
    recognised, if it did.
    """

    shop: Shop
    name: str = "anonymous"
    permissions: frozenset[str] = field(default_factory=frozenset)
    is_app: bool = False
    user_id: str = ""

    def may(self, permission: str) -> bool:
        """Tell whether the requester holds a permission such as MANAGE_CHECKOUTS."""
        return permission in self.permissions


class Host(ABC):
    """The shop we run in. One object per shop; cheap to make, keeps nothing.

    Every method but `writing` may raise HostUnavailable.
    """

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    # Who we are.

    @classmethod
    @abstractmethod
    def shop_of(cls, request: Any) -> Shop:
        """Return the shop a request is for; raises UnknownShop."""

    @classmethod
    @abstractmethod
    def requester_of(cls, request: Any) -> Requester:
        """Return who sends a request; raises UnknownShop, or PermissionDenied for a bad token."""

    @classmethod
    def writing(cls) -> AbstractContextManager[Any]:
        """Return the permission to use the database; whatever starts on its own enters it."""
        return nullcontext()

    # What it knows.

    @abstractmethod
    def checkouts(self, ids: Collection[str]) -> dict[str, Checkout]:
        """Return those of the checkouts that still exist, by global id."""

    @abstractmethod
    def orders(self, ids: Collection[str]) -> dict[str, Order]:
        """Return those of the orders that exist, by global id."""

    @abstractmethod
    def orders_changed(self, since: datetime, size: int, after: str = "") -> "Page[Order]":
        """Return one page of the orders changed since then, oldest change first.

        `after` is the `next` of the page before. An order that changes while its pages are read
        comes again, with its later time; none is passed over.
        """

    @abstractmethod
    def checkouts_changed(self, since: datetime, size: int, after: str = "") -> "Page[Checkout]":
        """Return one page of the checkouts changed since then that still exist, likewise."""

    def looks(self, ids: Collection[str]) -> dict[str, CheckoutLook]:
        """Return where those of the checkouts that still exist stand, by global id.

        Dear: for those a message is due for or a campaign asks about, never in a hook nor while a
        checkout is held. It changes nothing in the shop and asks no app of its for anything. Here
        is what every shop knows; a host that can tell more does.
        """
        return {key: look_of(checkout) for key, checkout in self.checkouts(ids).items()}

    @abstractmethod
    def product_cards(self, channel: str, ids: Collection[str]) -> dict[str, ProductCard]:
        """Return what can be shown of those products that are published, listed and for sale in
        the channel, by global id; what is sold out still is.
        """

    @abstractmethod
    def products_of(self, variants: Collection[str]) -> dict[str, str]:
        """Return which product each of those variants that exist is of, by global ids."""

    @abstractmethod
    def buyable(self, channel: str, lines: Sequence[Line]) -> dict[str, int]:
        """Return how many pieces of the lines any shopper could buy now, by their variants' ids.

        Never more than the lines ask for; what cannot be bought at all is left out.
        """

    @abstractmethod
    def metadata(self, checkout_id: str, keys: Collection[str]) -> dict[str, str]:
        """Return what the shop's own metadata of a checkout says under those keys, where it does.

        Nothing for a checkout that no longer exists.
        """

    # What it does for us.

    @abstractmethod
    def holding(self, checkout_id: str) -> AbstractContextManager[Checkout | None]:
        """Hold a checkout still while the block runs; None when it is no longer open.

        The plugin holds Saleor's own row, in our transaction; the App has an answer of the API that
        is at most two seconds old. Raises HostBusy when somebody is changing it.
        """

    @abstractmethod
    def new_checkout(
        self,
        channel: str,
        lines: Sequence[Line],
        language: str,
        metadata: Mapping[str, str] = NOTHING,
    ) -> str:
        """Open a fresh checkout with as many of the lines as can be bought; return its global id.

        It carries nothing of the person who left the old one. Raises NotFound if nothing is left.
        """

    # Vouchers. Here is what a shop does that knows none.

    def may_make_vouchers(self) -> bool:
        """Tell whether the shop lets us make vouchers."""
        return False

    def make_voucher(self, voucher: NewVoucher) -> None:  # noqa: ARG002
        """Make a voucher. One whose code exists already is left as it is."""
        raise HostUnavailable("This shop makes no vouchers for us.")

    def put_voucher(self, checkout_id: str, code: str) -> bool:  # noqa: ARG002
        """Put a code on a checkout; False if the shop does not take it for this one, or if it
        makes it no cheaper. One that is on already stays.
        """
        return False

    def end_voucher(self, code: str) -> bool:  # noqa: ARG002
        """Take a code that we made out of the shop, unless it was used; tell whether it was.

        Of a code that does not exist: it was not.
        """
        return False

    def code_of(self, checkout_id: str) -> str:  # noqa: ARG002
        """Return the voucher's code that is on a checkout; "" for none. It is a secret."""
        return ""


@dataclass(frozen=True, slots=True)
class Page[T]:
    """Some orders or checkouts, and where the next page begins; empty when this was the last."""

    items: tuple[T, ...]
    next: str = ""


def look_of(checkout: Checkout) -> CheckoutLook:
    """Return what a checkout itself says of where it stands."""
    lines = checkout.cart.lines
    return CheckoutLook(
        id=checkout.id,
        changed_at=checkout.changed_at,
        # A price that the shop has not worked out is told as nothing.
        lines=tuple(
            LineLook(line.variant_id, line.quantity, line.unit_price or None) for line in lines
        ),
        currency=checkout.cart.currency,
        country=checkout.contact.country,
        has_contact=checkout.contact.is_known(),
        voucher=checkout.cart.voucher,
    )


def wanted(ids: Iterable[str]) -> list[str]:
    """Return the ids without repetition, in a stable order."""
    return sorted(set(ids))
