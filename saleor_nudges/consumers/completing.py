"""What thin facts left out: asked of the shop, in one question for all of them."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from saleor_nudges import crypto
from saleor_nudges.events import CheckoutFact, Event, OrderFact
from saleor_nudges.exceptions import HostUnavailable
from saleor_nudges.host import Checkout, Host, Order, get_host
from saleor_nudges.models import Shop

# A shop that did not answer is asked again by this process after so long.
AWAY_SECONDS: Final = 10.0

_away_until: dict[UUID, float] = {}


def is_thin(event: Event) -> bool:
    """Tell whether an event only says "look at this again"."""
    return isinstance(event, CheckoutFact | OrderFact) and event.cart is None


def complete(shop: Shop, events: Sequence[Event]) -> tuple[list[Event], list[Event]]:
    """Return the events as the shop completes them, and those it did not answer for."""
    if not any(map(is_thin, events)):
        return list(events), []
    if time.monotonic() >= _away_until.get(shop.pk, 0.0):
        try:
            return complete_from(get_host(shop), events), []
        except HostUnavailable:
            # The next batch must not wait for the same silence.
            _away_until[shop.pk] = time.monotonic() + AWAY_SECONDS
    whole = [event for event in events if not is_thin(event)]
    return whole, [event for event in events if is_thin(event)]


def complete_from(host: Host, events: Iterable[Event]) -> list[Event]:
    """Ask the host, in one go, for what thin events left out: "look at this again"."""
    events = list(events)
    checkouts = host.checkouts(
        [e.checkout_id for e in events if isinstance(e, CheckoutFact) and e.cart is None]
    )
    orders = host.orders(
        [e.order_id for e in events if isinstance(e, OrderFact) and e.cart is None]
    )
    return [_completed(event, checkouts, orders) for event in events]


def _completed(event: Event, checkouts: dict[str, Checkout], orders: dict[str, Order]) -> Event:
    if isinstance(event, CheckoutFact) and (checkout := checkouts.get(event.checkout_id)):
        return replace(
            event,
            contact=checkout.contact,
            cart=checkout.cart,
            payment_started=event.payment_started or checkout.payment_started,
            marketing_consent=checkout.marketing_consent,
            refuses_featuring=checkout.refuses_featuring,
        )
    if isinstance(event, OrderFact) and (order := orders.get(event.order_id)):
        return replace(
            event,
            contact=order.contact,
            cart=order.cart,
            status=order.status,
            checkout=crypto.checkout_hash(order.checkout_id) if order.checkout_id else "",
        )
    return event
