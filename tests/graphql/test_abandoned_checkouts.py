"""A page of checkouts, with everything beside them, costs as much as one of them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from saleor_nudges.recovery.sending import send as sending
from saleor_nudges.testing import left_behind, make_shop, order_placed, switch_on_recovery
from tests.graphql.seller import told

pytestmark = pytest.mark.django_db
PAGE = """
{
    abandonedCheckouts(first: 100) {
        edges { node {
            id campaign { name } isContactKnown
            sends { step state campaign { name } }
            attempts { reason text }
            orders { order step total { amount } }
        } }
    }
}
"""


@pytest.fixture
def shop():
    shop = make_shop()
    switch_on_recovery(shop)
    return shop


def nodes_and_statements():
    with CaptureQueriesContext(
        connection,
    ) as asked:
        page = told(PAGE)
    return [edge["node"] for edge in page["edges"]], len(asked)


def test_a_page_of_checkouts_asks_as_often_as_one_checkout(shop):
    # given
    left_behind(shop)
    sending.send_due()
    _, once = nodes_and_statements()

    # when
    for number in range(8):
        left_behind(shop, email=f"shopper{number}@example.com")
    sending.send_due()
    found, often = nodes_and_statements()

    # then
    assert len(found) == 9
    assert all(node["sends"][0]["state"] == "SENT" for node in found)
    assert often == once


def test_each_checkout_has_its_own_beside_it(shop):
    # given
    bought = left_behind(shop)
    left_behind(shop, email="bert@example.com")
    sending.send_due()

    # when
    order = order_placed(shop, bought)
    found, _ = nodes_and_statements()

    # then
    orders = sorted((node["orders"] for node in found), key=len)
    assert orders[0] == []
    assert [row["order"] for row in orders[1]] == [order.id]
    assert all(len(node["sends"]) == 1 for node in found)
