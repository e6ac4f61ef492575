"""`Product.nudges` inside Saleor's own schema: true, and as cheap for a list as for one product."""

from typing import Any

import pytest
from django.db import connections

from .conftest import CHANNEL, Seller, Storefront

LIST = """query($channel: String!, $size: Int!) { products(first: $size, channel: $channel) {
  edges { node { id nudges(first: 2) {
    nudges { type productId text tag showTime highlight } withdrawn pollAfter } } } } }"""


class Watch:
    """Counts our statements, and our looks at the shelf."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.looks = 0

    def __call__(self, execute: Any, sql: str, *rest: Any) -> Any:
        if "saleor_nudges_" in sql:
            self.statements.append(sql)
        return execute(sql, *rest)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    from saleor_nudges.nudges import shelf

    found, look = Watch(), shelf.look

    def counted(*arguments: Any) -> Any:
        found.looks += 1
        return look(*arguments)

    monkeypatch.setattr(shelf, "look", counted)
    return found


def listed(asker: Storefront, size: int, watch: Watch | None = None) -> dict[str, Any]:
    """Return what a list of products says of each, by id."""
    with connections["default"].execute_wrapper(watch or Watch()):
        found = asker.ask(LIST, channel=CHANNEL, size=size)
    return {edge["node"]["id"]: edge["node"]["nudges"] for edge in found["edges"]}


def test_a_list_of_products_costs_as_many_look_ups_as_one(
    seller: Seller, shopper: Storefront, visitor: Storefront, email: str, watch: Watch
):
    from saleor_nudges import tasks

    # given a shop in which two products were bought
    seller.track("ORDER")
    bought = shopper.products(2)
    for product in bought:
        shopper.buy(product["variant"], email=email)
    tasks.drain()

    # when one product is asked for, and then as many as there are
    one = listed(visitor, 1, watch)
    cost = len(watch.statements), watch.looks
    watch.statements, watch.looks = [], 0
    many = listed(visitor, 50, watch)

    # then
    assert (len(one), len(many) > 10) == (1, True)
    assert (len(watch.statements), watch.looks) == cost
    assert 0 < cost[0] <= 15
    assert cost[1] == 1
    for product in bought:
        nudges = many[product["id"]]["nudges"]
        assert nudges[0]["productId"] == product["id"]
        assert nudges[0]["text"] == f"Someone bought {product['name']}"
        assert (nudges[0]["tag"], nudges[0]["showTime"]) == ("Recently bought", True)


def test_an_inactive_plugin_takes_nothing_from_the_products(seller: Seller, visitor: Storefront):
    seller.track("ORDER")
    seller.activate(active=False)
    found = listed(visitor, 5)
    assert len(found) == 5
    assert set(found.values()) == {None}


def test_a_bad_question_costs_its_own_answer_only(seller: Seller, visitor: Storefront):
    seller.track("ORDER")
    [product] = visitor.products(1)
    answer = visitor.answer(
        """query($id: ID!, $channel: String!) { product(id: $id, channel: $channel) {
          name good: nudges(first: 1) { pollAfter } bad: nudges(first: 21) { pollAfter } } }""",
        id=product["id"],
        channel=CHANNEL,
    )
    found = answer["data"]["product"]
    assert found == {"name": product["name"], "good": {"pollAfter": 5}, "bad": None}
    assert [error["path"] for error in answer["errors"]] == [["product", "bad"]]
