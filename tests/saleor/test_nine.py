"""The kinds that Saleor feeds with carts and orders: from real mutations, through public doors."""

from collections.abc import Iterator
from typing import Any

import pytest

from saleor_nudges import tasks

from .conftest import CHANNEL, Seller, Storefront

CARTS = ("ADD_TO_CART", "CART_SUMMARY")
ORDERS = ("ORDER", "ORDER_SUMMARY")
Told = dict[tuple[str, str | None], int]


@pytest.fixture
def shop(seller: Seller) -> Seller:
    """A seller who shows all four kinds, and numbers from one on."""
    seller.track(*CARTS, *ORDERS)
    for kind in ("CART_SUMMARY", "ORDER_SUMMARY"):
        change(seller, kind, minimum=1)
    return seller


def change(seller: Seller, kind: str, **changes: Any) -> None:
    """Shape one kind as a seller does."""
    seller.ask(
        """mutation($channel: String!, $type: NudgeTypeEnum!, $input: NudgeConfigInput!) {
          nudgeConfigUpdate(channel: $channel, type: $type, input: $input) {
            nudgeConfig { isEnabled } errors { field message code } } }""",
        channel=CHANNEL,
        type=kind,
        input=changes,
    )


def work() -> None:
    """What the worker does within seconds."""
    tasks.drain()


def told(visitor: Storefront, product: str) -> Told:
    """Return what a product's page is told, by kind and product: a number, or how often."""
    found: Told = {}
    for nudge in visitor.nudges(page="PRODUCT", product=product, count="20"):
        about = (nudge["type"], nudge["product"]["id"] if nudge["product"] else None)
        found[about] = found.get(about, 0) + nudge["evidence"]["value"]
    return found


def test_a_cart_is_told_counted_bought_and_cancelled(
    shop: Seller, shopper: Storefront, visitor: Storefront, email: str
):
    first, second = (product["id"] for product in shopper.products(2))
    variants = [product["variant"] for product in shopper.products(2)]

    # given what is put into a cart, one after the other
    checkout = shopper.start(variants[0], email=email)
    work()
    in_cart = {("ADD_TO_CART", first): 1, ("CART_SUMMARY", first): 1, ("CART_SUMMARY", None): 1}
    assert told(visitor, first) == in_cart
    shopper.add(checkout, variants[1])
    work()
    assert told(visitor, first) == in_cart | {("ADD_TO_CART", second): 1}
    assert told(visitor, second)["CART_SUMMARY", second] == 1

    # when it is bought
    order = shopper.complete(checkout)
    work()

    # then that is the better news, and the cart was filled all the same
    counted = {("CART_SUMMARY", first): 1, ("CART_SUMMARY", None): 1}
    assert told(visitor, first) == counted | {
        ("ORDER", first): 1,
        ("ORDER", second): 1,
        ("ORDER_SUMMARY", first): 1,
        ("ORDER_SUMMARY", None): 1,
    }

    # when it is cancelled
    shop.ask(
        """mutation($id: ID!) { orderCancel(id: $id) {
          order { status } errors { field message code } } }""",
        id=order,
    )
    work()

    # then only what is still true is left
    assert told(visitor, first) == counted


def test_what_leaves_a_cart_is_told_no_more(shop: Seller, shopper: Storefront, visitor: Storefront):
    first, second = shopper.products(2)
    checkout = shopper.start(first["variant"], second["variant"])
    work()
    assert told(visitor, first["id"])["ADD_TO_CART", first["id"]] == 1
    # when
    shopper.ask(
        """mutation($id: ID!, $lines: [CheckoutLineUpdateInput!]!) {
          checkoutLinesUpdate(id: $id, lines: $lines) {
            checkout { id } errors { field message code } } }""",
        id=checkout,
        lines=[{"variantId": first["variant"], "quantity": 0}],
    )
    work()
    # then
    left = told(visitor, first["id"])
    assert ("ADD_TO_CART", first["id"]) not in left
    assert left["ADD_TO_CART", second["id"]] == 1


def test_a_refund_of_everything_takes_an_order_back_and_one_of_a_part_does_not(
    shop: Seller, shopper: Storefront, visitor: Storefront, email: str, by_payment: None
):
    # given an order that is paid
    [product] = shopper.products(1)
    _, order = shopper.buy(product["variant"], email=email)
    paid = shop.ask(
        """mutation($id: ID!) { orderMarkAsPaid(id: $id) {
          order { total { gross { amount } } } errors { field message code } } }""",
        id=order,
    )
    amount = paid["order"]["total"]["gross"]["amount"]
    work()
    bought = {
        ("ORDER", product["id"]): 1,
        ("ORDER_SUMMARY", product["id"]): 1,
        ("ORDER_SUMMARY", None): 1,
    }
    assert told(visitor, product["id"]) == bought

    # when / then
    refund(shop, order, 1)
    work()
    assert told(visitor, product["id"]) == bought
    refund(shop, order, amount - 1)
    work()
    assert told(visitor, product["id"]) == {}


@pytest.fixture
def by_payment(staff: Seller) -> Iterator[None]:
    """Orders marked as paid have a payment, as `orderRefund` wants it, while the test runs."""
    mutation = """mutation($id: ID!, $flow: MarkAsPaidStrategyEnum!) {
      channelUpdate(id: $id, input: { orderSettings: { markAsPaidStrategy: $flow } }) {
        channel { id } errors { field message code } } }"""
    found = staff.ask(
        """query($slug: String!) { channel(slug: $slug) {
          id orderSettings { markAsPaidStrategy } } }""",
        slug=CHANNEL,
    )
    before = found["orderSettings"]["markAsPaidStrategy"]
    staff.ask(mutation, id=found["id"], flow="PAYMENT_FLOW")
    yield
    staff.ask(mutation, id=found["id"], flow=before)


def test_money_given_back_by_a_payment_app_takes_an_order_back(
    shop: Seller, shopper: Storefront, visitor: Storefront, email: str
):
    # given an order paid by card
    token = shop.ask(
        """mutation { appCreate(input: { name: "Till", permissions: [HANDLE_PAYMENTS] }) {
          authToken errors { field message code } } }"""
    )["authToken"]
    till = Seller(token)
    [product] = shopper.products(1)
    _, order = shopper.buy(product["variant"], email=email)
    amount = shop.ask(
        "query($id: ID!) { order(id: $id) { total { gross { amount } } } }", id=order
    )["total"]["gross"]["amount"]
    card = till.ask(
        """mutation($id: ID!, $amount: PositiveDecimal!) { transactionCreate(id: $id,
          transaction: { name: "Card", amountCharged: { amount: $amount, currency: "USD" } }) {
            transaction { id } errors { field message code } } }""",
        id=order,
        amount=amount,
    )["transaction"]["id"]
    work()
    assert told(visitor, product["id"])["ORDER", product["id"]] == 1

    # when / then
    for back, is_told in ((1, True), (amount, False)):
        till.ask(
            """mutation($id: ID!, $left: PositiveDecimal!, $back: PositiveDecimal!) {
              transactionUpdate(id: $id, transaction: {
                amountCharged: { amount: $left, currency: "USD" },
                amountRefunded: { amount: $back, currency: "USD" } }) {
                  transaction { id } errors { field message code } } }""",
            id=card,
            left=round(amount - back, 2),
            back=back,
        )
        work()
        assert (("ORDER", product["id"]) in told(visitor, product["id"])) is is_told


def refund(seller: Seller, order: str, amount: float) -> None:
    """Give some of the money back."""
    seller.ask(
        """mutation($id: ID!, $amount: PositiveDecimal!) { orderRefund(id: $id, amount: $amount) {
          order { id } errors { field message code } } }""",
        id=order,
        amount=round(amount, 2),
    )


def test_an_order_follows_the_states_that_the_seller_lets_count(
    shop: Seller, shopper: Storefront, visitor: Storefront, email: str
):
    # given a seller for whom only a confirmed order counts, and one that is not
    for kind in ORDERS:
        change(shop, kind, orderStatuses=["UNFULFILLED"])
    [product] = shopper.products(1)
    _, order = shopper.buy(product["variant"], email=email)
    work()
    assert told(visitor, product["id"]) == {}

    # when it is
    shop.ask(
        """mutation($id: ID!) { orderConfirm(id: $id) {
          order { status } errors { field message code } } }""",
        id=order,
    )
    work()

    # then
    found = told(visitor, product["id"])
    assert (found["ORDER", product["id"]], found["ORDER_SUMMARY", product["id"]]) == (1, 1)
