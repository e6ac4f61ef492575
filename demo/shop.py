"""What a shopper does. Each change tells saleor-nudges after its commit, as an adapter would."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial

from django.db import transaction

from demo.catalogue import Product
from demo.models import DemoCheckout, DemoOrder, DemoStock, line_json, line_of, new_id
from saleor_nudges import facts
from saleor_nudges.capture import capture
from saleor_nudges.events import (
    CheckoutChanged,
    CheckoutFact,
    CheckoutStarted,
    Contact,
    Line,
    OrderPlaced,
    StockChanged,
)
from saleor_nudges.exceptions import NotFound
from saleor_nudges.models import Shop

# The one shop of the demo.
SHOP_KEY = "demo"
MOST_OF_ONE = 9
# Before a shelf is empty, so many come from the potter, the orchard and the garden.
DELIVERY = 24


def the_shop() -> Shop:
    """Return the demo's row among the shops."""
    return Shop.objects.get(key=SHOP_KEY)


def checkout_of(key: str) -> DemoCheckout | None:
    """Return the open checkout with this id, if it is one."""
    return DemoCheckout.objects.filter(pk=key).first()


def open_checkout(lines: Iterable[Line], language: str = "en") -> DemoCheckout:
    """Open a checkout nobody is known in yet."""
    now = datetime.now(UTC)
    with transaction.atomic():
        checkout = DemoCheckout.objects.create(
            id=new_id("Checkout"),
            lines=[line_json(line) for line in lines],
            language=language,
            created_at=now,
            changed_at=now,
        )
        _tell(checkout, CheckoutStarted)
    return checkout


def put_in(key: str, product: Product) -> DemoCheckout:
    """Put one more of a product into the cart; a cart that is gone begins anew."""
    with transaction.atomic():
        checkout = _held(key)
        if checkout is None:
            return open_checkout([line_of(product)])
        there = [line for line in checkout.lines if line["variant_id"] == product.variant_id]
        for line in there:
            line["quantity"] = min(line["quantity"] + 1, MOST_OF_ONE)
        if not there:
            checkout.lines.append(line_json(line_of(product)))
        _save(checkout)
    return checkout


def take_out(key: str, variant_id: str) -> None:
    """Take a product out of the cart."""
    with transaction.atomic():
        checkout = _held(key)
        if checkout is not None:
            checkout.lines = [line for line in checkout.lines if line["variant_id"] != variant_id]
            _save(checkout)


def introduce(key: str, contact: Contact) -> None:
    """Write down who the shopper is; raises NotFound when the checkout is gone."""
    with transaction.atomic():
        checkout = _held(key)
        if checkout is None:
            raise NotFound("This checkout is gone.")
        checkout.contact = asdict(contact)
        _save(checkout)


def buy(key: str) -> DemoOrder:
    """Turn a checkout into an order; raises NotFound when it is empty, gone or nobody's."""
    now = datetime.now(UTC)
    with transaction.atomic():
        checkout = _held(key)
        if checkout is None or not checkout.lines or not checkout.person().email:
            raise NotFound("There is nothing to buy in this checkout.")
        order = DemoOrder.objects.create(
            id=new_id("Order"),
            lines=checkout.lines,
            contact=checkout.contact,
            checkout_id=key,
            created_at=now,
            changed_at=now,
        )
        _take_off_the_shelf(order, now)
        checkout.delete()
        fact = facts.order_fact(OrderPlaced, the_shop(), order.pk, order.channel, now)
        transaction.on_commit(partial(capture, fact))
    return order


def _take_off_the_shelf(order: DemoOrder, now: datetime) -> None:
    wanted = {line.product_id: line for line in order.cart().lines}
    # In one order, so that two who buy at once never wait for each other.
    for row in DemoStock.objects.filter(pk__in=wanted).select_for_update().order_by("pk"):
        line = wanted[row.pk]
        left = row.left - line.quantity
        row.left = left if left > 0 else left + DELIVERY
        row.save()
        fact = StockChanged(
            shop=the_shop().pk,
            channel="",
            occurred_at=now,
            revision=facts.revision(now),
            variant_id=line.variant_id,
        )
        transaction.on_commit(partial(capture, fact))


def _held(key: str) -> DemoCheckout | None:
    return DemoCheckout.objects.filter(pk=key).select_for_update().first()


def _save(checkout: DemoCheckout) -> None:
    checkout.changed_at = datetime.now(UTC)
    checkout.save()
    _tell(checkout, CheckoutChanged)


def _tell(checkout: DemoCheckout, kind: type[CheckoutFact]) -> None:
    fact = facts.checkout_fact(kind, the_shop(), checkout.pk, checkout.channel, checkout.changed_at)
    transaction.on_commit(partial(capture, fact))
