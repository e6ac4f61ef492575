"""What payloads say of people beside their address: where they are, and whether they mind."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from saleor_nudges.events import Cart, Contact
from saleor_nudges.host import Checkout
from saleor_nudges.webhooks import payloads
from tests.service.stand_in import checkout_json

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
ANNA = Contact(
    email="anna@example.com", first_name="Anna", city="Boston", country="US", region="MA"
)
CHECKOUT = Checkout(
    id="Checkout:one",
    channel="c",
    created_at=NOON,
    changed_at=NOON,
    contact=ANNA,
    cart=Cart(currency="USD", language="en-us"),
)


def test_a_region_is_read_with_the_address():
    assert payloads.checkout(checkout_json(CHECKOUT)).contact == ANNA


def test_an_installation_with_older_webhooks_knows_no_region():
    data = checkout_json(CHECKOUT)
    del data["shippingAddress"]["countryArea"], data["stayAnonymous"]
    found = payloads.checkout(data)
    assert (found.contact, found.refuses_featuring) == (replace(ANNA, region=""), False)


@pytest.mark.parametrize(
    ("said", "refuses"), [("true", True), ("false", False), ("perhaps", False), (None, False)]
)
def test_who_wants_to_stay_unnamed_says_so_in_the_checkout(said, refuses):
    data = checkout_json(CHECKOUT) | {"stayAnonymous": said}
    assert payloads.checkout(data).refuses_featuring is refuses
