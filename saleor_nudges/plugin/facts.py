"""Saleor's objects as thin facts: ids, a channel and a time; nothing is read that is not loaded."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import graphene

from saleor_nudges import facts, people
from saleor_nudges.events import (
    CheckoutFact,
    CheckoutStarted,
    Contact,
    CustomerErased,
    Event,
    OrderFact,
    ProductChanged,
    ProductWithdrawn,
    StockChanged,
)
from saleor_nudges.models import Shop


def global_id(kind: str, pk: object) -> str:
    """Return Saleor's global id of a row."""
    return str(graphene.Node.to_global_id(kind, pk))


def of_checkout(kind: type[CheckoutFact], shop: Shop, checkout: Any) -> list[Event]:
    """A checkout may have changed."""
    checkout_id = global_id("Checkout", checkout.pk)
    # It was started once, whatever has changed since: the same fact as the webhook's.
    at = checkout.created_at if kind is CheckoutStarted else checkout.last_change
    return [facts.checkout_fact(kind, shop, checkout_id, checkout.channel.slug, at)]


def of_order(kind: type[OrderFact], shop: Shop, order: Any) -> list[Event]:
    """Something happened to an order that happens to it once."""
    slug = order.channel.slug
    return [facts.order_fact(kind, shop, global_id("Order", order.pk), slug, order.created_at)]


def of_changed_order(kind: type[OrderFact], shop: Shop, order: Any) -> list[Event]:  # noqa: ARG001
    """An order may have changed."""
    slug, order_id = order.channel.slug, global_id("Order", order.pk)
    return [facts.order_changed(shop, order_id, slug, order.created_at, order.updated_at)]


def of_customer(kind: type[CustomerErased], shop: Shop, customer: Any) -> list[Event]:
    """A customer is gone. Saleor gives the deleted row its id back for the hook."""
    user_id = global_id("User", customer.id)
    contact = Contact(email=customer.email, user_id=user_id)
    user = people.user_hash(user_id) or ""
    now = datetime.now(UTC)
    return [kind(shop=shop.pk, channel="", occurred_at=now, user=user, contact=contact)]


def of_product(kind: type[ProductChanged], shop: Shop, product: Any) -> list[Event]:
    """What a nudge shows of a product may have changed. Saleor's own time of it stands still when
    only a channel's listing has changed.
    """
    changed = datetime.now(UTC)
    return [
        kind(
            shop=shop.pk,
            channel="",
            occurred_at=changed,
            revision=facts.revision(changed),
            product_id=global_id("Product", product.pk),
        )
    ]


def of_deleted_product(
    kind: type[ProductWithdrawn], shop: Shop, product: Any, _variants: object = None
) -> list[Event]:
    """A product is gone."""
    product_id = global_id("Product", product.pk)
    now = datetime.now(UTC)
    return [kind(shop=shop.pk, channel="", occurred_at=now, product_id=product_id)]


def of_stock(kind: type[StockChanged], shop: Shop, stock: Any) -> list[Event]:
    """The stock of a variant changed in one warehouse."""
    return of_stocks(kind, shop, [stock])


def of_stocks(kind: type[StockChanged], shop: Shop, stocks: Iterable[Any]) -> list[Event]:
    """The stock of some variants changed. Saleor says so per warehouse; once is enough."""
    now = datetime.now(UTC)
    variants = dict.fromkeys(stock.product_variant_id for stock in stocks)
    return [
        kind(
            shop=shop.pk,
            channel="",
            occurred_at=now,
            revision=facts.revision(now),
            variant_id=global_id("ProductVariant", variant),
        )
        for variant in variants
    ]
