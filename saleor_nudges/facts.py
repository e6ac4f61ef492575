"""What the host tells us, as events: one place, so that hook, webhook and sweep agree."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from saleor_nudges import crypto
from saleor_nudges.events import (
    CheckoutChanged,
    CheckoutFact,
    CheckoutStarted,
    Event,
    OrderCancelled,
    OrderChanged,
    OrderFact,
    OrderPlaced,
    OrderRefunded,
)
from saleor_nudges.host import Checkout, Order
from saleor_nudges.models import Shop

# Saleor's states of an order that are facts of their own, and which.
STATUSES: dict[str, type[OrderFact]] = {
    "CANCELED": OrderCancelled,
    "EXPIRED": OrderCancelled,
    "REFUNDED": OrderRefunded,
    "RETURNED": OrderRefunded,
}


def checkout_fact(
    kind: type[CheckoutFact], shop: Shop, checkout_id: str, channel: str, changed_at: datetime
) -> CheckoutFact:
    """Return a thin fact of a checkout: "look again". Its revision is the shop's own time of it."""
    return kind(
        shop=shop.pk,
        channel=channel,
        occurred_at=changed_at,
        revision=revision(changed_at),
        checkout=crypto.checkout_hash(checkout_id),
        checkout_id=checkout_id,
    )


def full_checkout(shop: Shop, checkout: Checkout) -> CheckoutFact:
    """Return the fact that a checkout looks like this now."""
    return CheckoutChanged(
        shop=shop.pk,
        channel=checkout.channel,
        occurred_at=checkout.changed_at,
        revision=revision(checkout.changed_at),
        checkout=crypto.checkout_hash(checkout.id),
        checkout_id=checkout.id,
        contact=checkout.contact,
        cart=checkout.cart,
        payment_started=checkout.payment_started,
        marketing_consent=checkout.marketing_consent,
        refuses_featuring=checkout.refuses_featuring,
    )


def facts_of_checkout(shop: Shop, checkout: Checkout) -> list[Event]:
    """Return every fact a checkout's present state proves: it was started, and looks like this."""
    changed = full_checkout(shop, checkout)
    started = replace(
        checkout_fact(CheckoutStarted, shop, checkout.id, checkout.channel, checkout.created_at),
        contact=checkout.contact,
        cart=checkout.cart,
        payment_started=checkout.payment_started,
        marketing_consent=checkout.marketing_consent,
        refuses_featuring=checkout.refuses_featuring,
    )
    return [started, changed]


def order_fact(
    kind: type[OrderFact], shop: Shop, order_id: str, channel: str, created_at: datetime
) -> OrderFact:
    """Return a thin fact of an order: "look again". It is placed, cancelled, refunded once."""
    return kind(shop=shop.pk, channel=channel, occurred_at=created_at, order_id=order_id)


def order_changed(
    shop: Shop, order_id: str, channel: str, created_at: datetime, changed_at: datetime
) -> OrderFact:
    """Return a thin fact of an order that may have changed, which it may do many times."""
    return OrderChanged(
        shop=shop.pk,
        channel=channel,
        occurred_at=created_at,
        revision=revision(changed_at),
        order_id=order_id,
    )


def full_order(kind: type[OrderFact], shop: Shop, order: Order) -> OrderFact:
    """Return a fact of an order with all that is known of it."""
    return kind(
        shop=shop.pk,
        channel=order.channel,
        occurred_at=order.created_at,
        revision=revision(order.updated_at) if kind is OrderChanged else "",
        order_id=order.id,
        status=order.status,
        checkout=crypto.checkout_hash(order.checkout_id) if order.checkout_id else "",
        contact=order.contact,
        cart=order.cart,
    )


def facts_of(shop: Shop, order: Order) -> list[Event]:
    """Return every fact an order's present state proves: placed, maybe changed, maybe undone."""
    kinds: list[type[OrderFact]] = [OrderPlaced]
    if order.updated_at > order.created_at:
        kinds.append(OrderChanged)
    if order.status in STATUSES:
        kinds.append(STATUSES[order.status])
    return [full_order(kind, shop, order) for kind in kinds]


def revision(moment: datetime) -> str:
    """Return a time as every road writes it: UTC, to the millisecond."""
    utc = moment.astimezone(UTC)
    return (utc - timedelta(microseconds=utc.microsecond % 1000)).isoformat()
