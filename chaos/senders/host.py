"""A shop that always says the same: what was left is still there as it was left, and nobody came.

So whatever keeps a message back is the engine's own doing.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from chaos.senders import moments
from saleor_nudges.events import Cart, Contact, Line
from saleor_nudges.exceptions import NotFound, UnknownShop
from saleor_nudges.host import Checkout, CheckoutLook, Host, Order, Page, ProductCard, Requester
from saleor_nudges.host.base import NOTHING, look_of, wanted
from saleor_nudges.models import Shop

CHANNEL: Final = "default-channel"
LONG_AGO: Final = datetime(2020, 1, 1, tzinfo=UTC)
CART: Final = Cart(
    lines=(Line("UHJvZHVjdDox", "UHJvZHVjdFZhcmlhbnQ6MQ==", 1, "Juice", unit_price=Decimal(5)),),
    total=Decimal(5),
    currency="EUR",
)
# A checkout named so was thrown away by its shop, and no news of it came.
GONE: Final = "Checkout:gone-"
# Whose shopper, a guest, has signed up since.
SIGNED_UP: Final = "Checkout:customer-"


class SteadyHost(Host):
    """Answers from nothing but the ids it is asked about."""

    @classmethod
    def shop_of(cls, request: Any) -> Shop:  # noqa: ARG003
        raise UnknownShop

    @classmethod
    def requester_of(cls, request: Any) -> Requester:  # noqa: ARG003
        raise UnknownShop

    def checkouts(self, ids: Collection[str]) -> dict[str, Checkout]:
        moments.at(moments.READ)
        return {key: _checkout(key) for key in wanted(ids)}

    def looks(self, ids: Collection[str]) -> dict[str, CheckoutLook]:
        moments.at(moments.CLAIMED)
        return {key: look_of(_checkout(key)) for key in wanted(ids)}

    def orders(self, ids: Collection[str]) -> dict[str, Order]:  # noqa: ARG002
        return {}

    def orders_changed(self, since: datetime, size: int, after: str = "") -> Page[Order]:  # noqa: ARG002
        return Page(())

    def checkouts_changed(self, since: datetime, size: int, after: str = "") -> Page[Checkout]:  # noqa: ARG002
        return Page(())

    def product_cards(self, channel: str, ids: Collection[str]) -> dict[str, ProductCard]:  # noqa: ARG002
        return {}

    def products_of(self, variants: Collection[str]) -> dict[str, str]:  # noqa: ARG002
        return {}

    def buyable(self, channel: str, lines: Sequence[Line]) -> dict[str, int]:  # noqa: ARG002
        return {line.variant_id: line.quantity for line in lines}

    def metadata(self, checkout_id: str, keys: Collection[str]) -> dict[str, str]:  # noqa: ARG002
        return {}

    @contextmanager
    def holding(self, checkout_id: str) -> Iterator[Checkout | None]:
        moments.at(moments.HELD)
        yield None if checkout_id.startswith(GONE) else _checkout(checkout_id)

    def new_checkout(
        self,
        channel: str,  # noqa: ARG002
        lines: Sequence[Line],  # noqa: ARG002
        language: str,  # noqa: ARG002
        metadata: Mapping[str, str] = NOTHING,  # noqa: ARG002
    ) -> str:
        raise NotFound


def email_of(number: int | str) -> str:
    """Return the address of the shopper with that number."""
    return f"shopper-{number}@example.com"


def user_of(number: int | str) -> str:
    """Return the account of the shopper with that number."""
    return f"User:{number}"


def _checkout(checkout_id: str) -> Checkout:
    contact = Contact()
    if checkout_id.startswith(SIGNED_UP):
        number = checkout_id.removeprefix(SIGNED_UP)
        contact = Contact(email=email_of(number), user_id=user_of(number), first_name="Anna")
    return Checkout(checkout_id, CHANNEL, LONG_AGO, LONG_AGO, contact, CART)
