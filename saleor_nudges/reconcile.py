"""Catching up with the host: what an outage kept from us is read from the shop itself."""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db.models.functions import Now
from django.utils import timezone

from saleor_nudges import telemetry
from saleor_nudges.capture import capture
from saleor_nudges.events import Flow
from saleor_nudges.exceptions import HostUnavailable, InvalidEvent
from saleor_nudges.facts import facts_of
from saleor_nudges.host import Order, get_host, host_class
from saleor_nudges.models import Cursor, Shop
from saleor_nudges.models.partitions import oldest_kept

ORDERS = "orders"
# An order's timestamp precedes its commit, so the last minutes are always read again.
OVERLAP = timedelta(minutes=10)
# A shop that activates us has purchases already: nudges are true within minutes.
FIRST_LOOK_BACK = timedelta(days=30)
PAGE = 100


def reconcile_all() -> int:
    """Reconcile every active shop; one that does not answer holds up no other."""
    total = 0
    with host_class().writing():
        for shop in Shop.objects.filter(is_active=True):
            try:
                total += reconcile_orders(shop)
            except HostUnavailable:
                telemetry.log(telemetry.Log.HOST_UNAVAILABLE, logging.WARNING, shop=shop.key)
    return total


def reconcile_orders(shop: Shop) -> int:
    """Capture the orders changed since the cursor and move it; return how many were read.

    The same order read twice is one event. Resumes where it stopped: the cursor moves page by page.
    """
    cursor = _cursor(shop)
    started = timezone.now()
    since, after, count = cursor.position - OVERLAP, "", 0
    host = get_host(shop)
    while True:
        page = host.orders_changed(since, PAGE, after)
        for order in page.orders:
            if order.created_at >= oldest_kept(Flow.COMMERCE, started):
                _capture(shop, order)
        count += len(page.orders)
        if page.orders:
            _move(cursor, max(order.updated_at for order in page.orders))
        if not page.next:
            break
        after = page.next
    _move(cursor, started, took=timezone.now() - started)
    telemetry.log(telemetry.Log.ORDERS_RECONCILED, logging.DEBUG, count=count)
    return count


def _capture(shop: Shop, order: Order) -> None:
    try:
        capture(*facts_of(shop, order))
    except InvalidEvent as error:
        telemetry.REFUSED.labels(door="reconcile", code=error.code).inc()


def _cursor(shop: Shop) -> Cursor:
    cursor, _ = Cursor.objects.of(shop).get_or_create(
        shop=shop, kind=ORDERS, defaults={"position": timezone.now() - FIRST_LOOK_BACK}
    )
    return cursor


def _move(cursor: Cursor, position: datetime, *, took: timedelta | None = None) -> None:
    cursor.position = max(cursor.position, position)
    changes: dict[str, Any] = {"position": cursor.position}
    if took is not None:
        # Caught up as of the start: what was ordered while we read is not known yet.
        changes["caught_up_at"] = Now() - took
    Cursor.objects.of(cursor.shop_id).filter(pk=cursor.pk).update(**changes)
