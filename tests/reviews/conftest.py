"""One word each: shop, anna (a visitor who has bought the juice)."""

import pytest

from saleor_nudges import access, crypto
from saleor_nudges.capture import capture
from saleor_nudges.models import Shop
from saleor_nudges.reviews import admission
from saleor_nudges.reviews.authors import Author
from saleor_nudges.testing import JUICE, a_checkout, consume, make_shop, order_placed, viewed

USER = "VXNlcjox"


@pytest.fixture(autouse=True)
def _nobody_has_written_yet() -> None:
    admission._gate = None


@pytest.fixture
def shop(db: None) -> Shop:
    return make_shop()


def buy(shop, *products, visitor=None, **contact):
    """An order of these products; a visitor is tied to it by the checkout their page showed."""
    from saleor_nudges.testing import a_cart

    contact = contact or {"email": "anna@example.com", "first_name": "Anna"}
    checkout = a_checkout(shop, cart=a_cart(*products), **contact)
    if visitor is not None:
        capture(viewed(shop, JUICE.id, visitor, checkout=crypto.checkout_hash(checkout.id)))
    return order_placed(shop, checkout)


@pytest.fixture
def anna(shop: Shop) -> Author:
    visitor = access.new_visitor(shop.pk).id
    buy(shop, visitor=visitor)
    consume()
    return Author(visitor)
