"""What a hook costs the shopper, and what it keeps."""

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connections, transaction

from .conftest import Seller, Storefront, hashed


@contextmanager
def our_statements() -> Iterator[list[str]]:
    """Collect the SQL that our own code sends."""
    found: list[str] = []

    def note(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if any("/saleor_nudges/" in frame.filename for frame in traceback.extract_stack()):
            found.append(sql)
        return execute(sql, *rest)

    with connections["default"].execute_wrapper(note):
        yield found


@pytest.fixture
def waiting() -> Callable[[], list[str]]:
    """Return the kinds of the events that wait to be consumed."""

    def kinds() -> list[str]:
        from saleor.core.db.connection import allow_writer

        from saleor_nudges.models import WaitingEvent

        with allow_writer():
            rows = WaitingEvent.objects.across_shops().order_by("position")
            return list(rows.values_list("kind", flat=True))

    return kinds


def test_every_change_is_kept(
    seller: Seller, shopper: Storefront, email: str, waiting: Callable[[], list[str]]
):
    [product] = shopper.products(1)
    shopper.buy(product["variant"], email=email)
    kinds = waiting()
    assert kinds[0] == "checkout_started"
    assert "order_placed" in kinds
    expected = {"checkout_started", "checkout_changed", "order_placed", "order_changed"}
    assert set(kinds) <= expected | {"stock_changed"}


def test_hook_is_one_insert(seller: Seller, shopper: Storefront):
    # given: a process that has heard a hook before
    [product] = shopper.products(1)
    checkout = shopper.start(product["variant"])
    # when
    with our_statements() as statements:
        shopper.add(checkout, product["variant"])
    # then
    assert [sql.split()[0] for sql in statements] == ["INSERT"]


def test_hook_inside_a_transaction_waits_for_its_end(
    seller: Seller, shopper: Storefront, waiting: Callable[[], list[str]]
):
    from saleor.core.db.connection import allow_writer
    from saleor.plugins.manager import get_plugins_manager

    checkout = a_checkout(shopper)
    before = waiting()
    with allow_writer(), transaction.atomic():
        with our_statements() as statements:
            get_plugins_manager(allow_replica=False).checkout_fully_paid(checkout)
        assert statements == []
    assert waiting() == [*before, "checkout_paid"]


def test_what_was_undone_is_not_kept(
    seller: Seller, shopper: Storefront, waiting: Callable[[], list[str]]
):
    from saleor.core.db.connection import allow_writer
    from saleor.plugins.manager import get_plugins_manager

    checkout = a_checkout(shopper)
    before = waiting()
    with allow_writer(), transaction.atomic():
        get_plugins_manager(allow_replica=False).checkout_fully_paid(checkout)
        transaction.set_rollback(True)
    assert waiting() == before


def test_address_and_checkout_id_rest_sealed(seller: Seller, shopper: Storefront, email: str):
    from saleor.core.db.connection import allow_writer

    from saleor_nudges import tasks
    from saleor_nudges.models import ShopEvent, TrackedCheckout

    [product] = shopper.products(1)
    checkout = shopper.start(product["variant"], email=email)
    tasks.drain()
    with allow_writer():
        stored = list(ShopEvent.objects.across_shops().values())
        [tracked] = TrackedCheckout.objects.across_shops()
    assert stored
    assert tracked.checkout == hashed(checkout)
    text = repr(stored) + repr(vars(tracked))
    assert email not in text
    assert checkout not in text


def test_inactive_plugin_hears_nothing(
    seller: Seller, shopper: Storefront, email: str, waiting: Callable[[], list[str]]
):
    seller.activate(active=False)
    [product] = shopper.products(1)
    shopper.buy(product["variant"], email=email)
    assert waiting() == []


def a_checkout(shopper: Storefront) -> Any:
    """Return the row of a checkout opened through the API."""
    import graphene
    from saleor.checkout.models import Checkout
    from saleor.core.db.connection import allow_writer

    [product] = shopper.products(1)
    _, pk = graphene.Node.from_global_id(shopper.start(product["variant"]))
    with allow_writer():
        return Checkout.objects.select_related("channel").get(pk=pk)
