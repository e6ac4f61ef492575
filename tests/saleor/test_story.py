"""Seen → nudged → left behind → written to → ordered, through public doors only."""

import re
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from django.core import mail

from saleor_nudges import tasks
from saleor_nudges.events.identity import uuid7

from .conftest import BASE, CHANNEL, Seller, Storefront, hashed

ORDER_OF = """query($id: ID!) { order(id: $id) { id userEmail lines { variant { id } } } }"""


def work() -> None:
    """What the worker does within seconds."""
    tasks.drain()


def sweep() -> None:
    """What the worker does about checkouts, once the first message's delay has passed."""
    time.sleep(1.2)
    tasks.drain()
    tasks.reconcile()
    tasks.drain()
    tasks.sweep()


def links_in(message: Any) -> tuple[str, str]:
    """Return the paths of the two links of a message: back to the cart, out of the list."""
    found = re.findall(r"https?://[^\s]+?/([ru])/(\S+)", message.body)
    tokens = dict(found)
    return f"{BASE}r/{tokens['r']}", f"{BASE}u/{tokens['u']}"


def test_purchase_is_told_to_others_and_not_to_its_shopper(
    seller: Seller, shopper: Storefront, visitor: Storefront, email: str
):
    # given
    seller.track("ORDER")
    [product] = shopper.products(1)
    # when
    checkout, _ = shopper.buy(product["variant"], email=email)
    work()
    # then
    [nudge] = visitor.nudges(page="HOME")
    assert (nudge["type"], nudge["category"]) == ("ORDER", "RECENT_PURCHASE")
    assert nudge["product"] == {
        "id": product["id"],
        "name": product["name"],
        "slug": product["slug"],
    }
    assert product["name"] in nudge["text"]
    # Where the only buyer lives is nobody's business.
    assert "New York" not in nudge["text"]
    assert nudge["evidence"]["metric"] == "orders"
    assert shopper.nudges(page="HOME", checkout=hashed(checkout)) == []


def test_cancelled_order_takes_its_nudge_away(
    seller: Seller, shopper: Storefront, visitor: Storefront, email: str
):
    seller.track("ORDER")
    [product] = shopper.products(1)
    _, order = shopper.buy(product["variant"], email=email)
    work()
    assert len(visitor.nudges(page="HOME")) == 1
    # when
    seller.ask(
        """mutation($id: ID!) { orderCancel(id: $id) {
          order { status } errors { field message code } } }""",
        id=order,
    )
    work()
    # then
    assert visitor.nudges(page="HOME") == []


def test_deleted_product_takes_its_nudges_away(
    seller: Seller, shopper: Storefront, visitor: Storefront, email: str
):
    seller.track("ORDER")
    product = shopper.products(15)[-1]
    shopper.buy(product["variant"], email=email)
    work()
    assert len(visitor.nudges(page="HOME")) == 1
    # when
    seller.ask(
        """mutation($id: ID!) { productDelete(id: $id) {
          product { id } errors { field message code } } }""",
        id=product["id"],
    )
    work()
    # then
    assert visitor.nudges(page="HOME") == []


def test_views_are_counted_without_ones_own(seller: Seller, visitor: Storefront):
    # given
    seller.track("PRODUCT_VIEW")
    [product] = visitor.products(1)
    tokens = [visitor.post("v1/session", {}).json()["token"] for _ in range(31)]
    # when
    for token in tokens:
        answer = visitor.post("v1/events", {"token": token, "events": [view(product["id"])]})
        assert (answer.status_code, answer.json()) == (202, {"accepted": 1, "rejected": []})
    work()
    # then
    others = {"page": "PRODUCT", "product": product["id"]}
    [nudge] = visitor.nudges(**others)
    assert (nudge["type"], nudge["evidence"]["value"]) == ("PRODUCT_VIEW", 31)
    [nudge] = visitor.nudges(**others, token=tokens[0])
    assert nudge["evidence"]["value"] == 30


def view(product: str) -> dict[str, str]:
    """A beacon of one product view."""
    return {
        "id": str(uuid7()),
        "kind": "product_viewed",
        "at": datetime.now(UTC).isoformat(),
        "channel": CHANNEL,
        "product": product,
        "page": "PRODUCT",
    }


def test_checkout_left_behind_is_won_back(seller: Seller, shopper: Storefront, email: str):
    # given: somebody who leaves an address and two products
    seller.track()
    seller.write()
    first, second = shopper.products(2)
    left = shopper.start(first["variant"], quantity=2)
    shopper.add(left, second["variant"])
    shopper.say_email(left, email)
    # when
    sweep()
    sweep()
    # then: one email, without the checkout's id
    [message] = mail.outbox
    assert message.to == [email]
    assert first["name"] in message.body
    assert left not in message.message().as_string()
    assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    # when: a mail scanner opens the link, and then the shopper follows it
    back, _ = links_in(message)
    looked = shopper.client.get(back)
    assert looked.status_code == 200
    assert "checkout=" not in looked.content.decode()
    followed = shopper.client.post(back)
    # then: a fresh checkout with the same lines and nobody's data
    assert followed.status_code == 303
    assert followed["Referrer-Policy"] == "no-referrer"
    target = urlsplit(followed["Location"])
    assert target.netloc == "shop.example.com"
    tags = parse_qs(target.query)
    [fresh] = tags.pop("checkout")
    assert fresh != left
    assert tags.keys() == {"utm_source", "utm_medium", "utm_campaign"}
    # and a second tap finds the same one
    assert shopper.client.post(back)["Location"] == followed["Location"]
    seen = shopper.ask(
        """query($id: ID!) { checkout(id: $id) { email user { id } billingAddress { id }
          shippingAddress { id } lines { quantity variant { id } } } }""",
        id=fresh,
    )
    assert {line["variant"]["id"]: line["quantity"] for line in seen.pop("lines")} == {
        first["variant"]: 2,
        second["variant"]: 1,
    }
    assert seen == {"email": None, "user": None, "billingAddress": None, "shippingAddress": None}
    # when: they order through it
    shopper.say_email(fresh, email)
    shopper.complete(fresh)
    work()
    # then
    states = sorted(checkout["state"] for checkout in seller.left_behind())
    assert "RECOVERED" in states
    sweep()
    assert len(mail.outbox) == 1


def state_of(checkout: str) -> str:
    """Return what became of a checkout."""
    from saleor.core.db.connection import allow_writer

    from saleor_nudges.models import TrackedCheckout

    with allow_writer():
        return str(TrackedCheckout.objects.across_shops().get(checkout=hashed(checkout)).state)


def test_order_before_the_send_stops_it(seller: Seller, shopper: Storefront, email: str):
    seller.track()
    seller.write()
    [product] = shopper.products(1)
    left = shopper.start(product["variant"], email=email)
    work()
    shopper.complete(left)
    sweep()
    assert mail.outbox == []
    # The sweep finds what other tests have left, so this very one is asked for.
    assert state_of(left) == "ORDERED"


def test_order_by_another_checkout_of_the_same_person_stops_it(
    seller: Seller, shopper: Storefront, email: str
):
    seller.track()
    seller.write()
    [product] = shopper.products(1)
    shopper.start(product["variant"], email=email)
    work()
    shopper.buy(product["variant"], email=email.upper())
    sweep()
    assert mail.outbox == []


def test_order_nobody_told_us_of_stops_it(
    seller: Seller, shopper: Storefront, email: str, monkeypatch: pytest.MonkeyPatch
):
    # given: a crash between Saleor's commit and our hook
    from saleor_nudges.plugin import hooks

    seller.track()
    seller.write()
    [product] = shopper.products(1)
    left = shopper.start(product["variant"], email=email)
    work()
    with monkeypatch.context() as crash:
        crash.setattr(hooks, "hear", lambda *_args: None)
        shopper.buy(product["variant"], email=email)
    # when
    sweep()
    # then
    assert mail.outbox == []
    assert left not in str(seller.left_behind())


@pytest.mark.parametrize("switch", ["plugin", "sending", "campaign"])
def test_every_switch_stops_the_next_message(
    seller: Seller, shopper: Storefront, email: str, switch: str
):
    # given
    seller.track()
    seller.write()
    [product] = shopper.products(1)
    shopper.start(product["variant"], email=email)
    work()
    # when
    match switch:
        case "plugin":
            seller.activate(active=False)
        case "sending":
            seller.sending(on=False)
        case "campaign":
            seller.campaign("Pause")
    sweep()
    # then
    assert mail.outbox == []


def test_inactive_plugin_answers_nothing(seller: Seller, visitor: Storefront):
    seller.track("ORDER")
    seller.activate(active=False)
    assert visitor.client.get(f"{BASE}v1/nudges?channel={CHANNEL}").status_code == 404
    answer = visitor.answer(
        "query($c: String!) { products(first: 1, channel: $c) { edges { node { id nudges {"
        " pollAfter } } } } }",
        c=CHANNEL,
    )
    assert "errors" not in answer
    [edge] = answer["data"]["products"]["edges"]
    assert edge["node"]["nudges"] is None


def test_unsubscribed_is_not_written_to_again(seller: Seller, shopper: Storefront, email: str):
    seller.track()
    seller.write()
    [product] = shopper.products(1)
    shopper.start(product["variant"], email=email)
    sweep()
    _, out = links_in(mail.outbox[0])
    # when
    assert shopper.client.post(out, {"List-Unsubscribe": "One-Click"}).status_code == 200
    shopper.start(product["variant"], email=email)
    sweep()
    # then
    assert len(mail.outbox) == 1


def test_checkout_from_before_activation_is_never_written_about(
    seller: Seller, shopper: Storefront, email: str
):
    seller.track()
    [product] = shopper.products(1)
    shopper.start(product["variant"], email=email)
    work()
    seller.write()
    sweep()
    assert mail.outbox == []


def test_deleted_customer_is_forgotten(seller: Seller, shopper: Storefront, email: str):
    # given: a customer who bought
    from saleor.core.db.connection import allow_writer

    from saleor_nudges.models import Person, Shop

    seller.track("ORDER")
    customer = seller.ask(
        """mutation($email: String!) { customerCreate(input: { email: $email }) {
          user { id } errors { field message code } } }""",
        email=email,
    )["user"]["id"]
    [product] = shopper.products(1)
    shopper.buy(product["variant"], email=email)
    work()
    # when
    seller.ask(
        """mutation($id: ID!) { customerDelete(id: $id) {
          user { id } errors { field message code } } }""",
        id=customer,
    )
    work()
    # then
    with allow_writer():
        people = list(Person.objects.of(Shop.objects.get()))
    assert people
    assert all(person.sealed_key is None for person in people)


def test_unknown_link_says_nothing(seller: Seller, shopper: Storefront):
    seller.track()
    assert shopper.client.get(f"{BASE}r/{uuid4()}").status_code == 404
