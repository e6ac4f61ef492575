"""A shop that answers at once, in any process: what it says of a checkout stands in its id.

Asking a shop is not what is measured. Saleor's own answer (a row lock where we are its plugin, a
request where we are an App) comes on top, for whoever sends.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Final

from saleor_nudges.events import Cart, Contact, Line
from saleor_nudges.host.base import Checkout
from saleor_nudges.host.memory import MemoryHost

CHANNEL: Final = "default-channel"
CART: Final = Cart(
    lines=tuple(
        Line(
            product_id=f"UHJvZHVjdDo{number}",
            variant_id=f"UHJvZHVjdFZhcmlhbnQ6{number}",
            quantity=number,
            product_name=f"Apple Juice {number}",
            product_slug=f"apple-juice-{number}",
            image_url=f"https://cdn.example.com/apple-juice-{number}.png",
            unit_price=Decimal("5.00"),
        )
        for number in (1, 2)
    ),
    total=Decimal("15.00"),
    currency="EUR",
)
CONTACT: Final = Contact(email="anna@example.com", first_name="Anna")


def checkout_id(number: int, changed_at: datetime) -> str:
    """Return the id of the shop's checkout of this number, last changed then."""
    return f"Checkout:{number}|{changed_at.isoformat()}"


class BenchHost(MemoryHost):
    """Every checkout there is, with the same two lines, as it was when its id was made."""

    def checkouts(self, ids: Collection[str]) -> dict[str, Checkout]:
        return {one: _checkout(one) for one in ids}

    @contextmanager
    def holding(self, checkout_id: str) -> Iterator[Checkout | None]:
        yield _checkout(checkout_id)


def _checkout(name: str) -> Checkout:
    changed_at = datetime.fromisoformat(name.partition("|")[2])
    return Checkout(
        id=name,
        channel=CHANNEL,
        created_at=changed_at,
        changed_at=changed_at,
        # Whose it is stands in our tables, in each row under another name.
        contact=Contact(),
        cart=CART,
    )
