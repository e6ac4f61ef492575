"""Catching up with the host: what an outage kept from us is read from the shop itself.

A cursor per shop and kind remembers how far we have come, in the shop's own time. Only what the
shop says moves it: a clock of ours that runs ahead would pass orders by.
"""

import logging
import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import DurationField, ExpressionWrapper, Max, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from saleor_nudges import conf, facts, telemetry
from saleor_nudges.capture import capture
from saleor_nudges.events import Event, Flow
from saleor_nudges.exceptions import HostUnavailable, InvalidEvent
from saleor_nudges.host import Host, Page, get_host, host_class
from saleor_nudges.models import Cursor, Shop, ShopEvent
from saleor_nudges.models.partitions import oldest_kept

ORDERS: Final = "orders"
CHECKOUTS: Final = "checkouts"
# A timestamp precedes its commit, so the last minutes are always read again.
OVERLAP: Final = timedelta(minutes=10)
# The first look begins at our own clock, so it begins further back than two clocks differ.
A_DAY: Final = timedelta(days=1)
PAGE: Final = 100
# The next round begins after a minute; within one, a shop with much to read gives way to others.
ROUND_SECONDS: Final = 50.0
TURN_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Kind:
    """One thing that is read from a shop: how, by which time of its own, and what it proves."""

    read: Callable[[Host, datetime, int, str], Page[Any]]
    changed_at: Callable[[Any], datetime]
    facts: Callable[[Shop, Any], Sequence[Event]]
    first_days: Callable[[], int]


KINDS: Final[dict[str, Kind]] = {
    ORDERS: Kind(
        read=lambda host, since, size, after: host.orders_changed(since, size, after),
        changed_at=lambda order: order.updated_at,
        facts=facts.facts_of,
        first_days=lambda: conf.get().FIRST_ORDERS_DAYS,
    ),
    CHECKOUTS: Kind(
        read=lambda host, since, size, after: host.checkouts_changed(since, size, after),
        changed_at=lambda checkout: checkout.changed_at,
        facts=facts.facts_of_checkout,
        first_days=lambda: 1,
    ),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What one turn came to: how many were read, and whether there is more."""

    count: int
    is_done: bool = True


def reconcile_all(seconds: float = ROUND_SECONDS) -> int:
    """Reconcile every active shop, in turns; return how many orders and checkouts were read.

    A shop that does not answer holds up no other, nor does one that has much to read.
    """
    deadline = time.monotonic() + seconds
    total, left_alone = 0, set[UUID]()
    with host_class().writing():
        turns = deque((kind, shop) for kind in KINDS for shop in _by_health())
        while turns and time.monotonic() < deadline:
            kind, shop = turns.popleft()
            if shop.pk in left_alone:
                continue
            until = min(deadline - time.monotonic(), TURN_SECONDS)
            if (reading := _one_turn(shop, kind, until)) is None:
                left_alone.add(shop.pk)
                continue
            total += reading.count
            if not reading.is_done:
                turns.append((kind, shop))
    return total


def reconcile_orders(shop: Shop) -> int:
    """Capture the orders changed since the cursor, all of them; return how many were read."""
    return reconcile(shop, ORDERS).count


def reconcile_checkouts(shop: Shop) -> int:
    """Capture the checkouts changed since the cursor, likewise."""
    return reconcile(shop, CHECKOUTS).count


def reconcile(shop: Shop, kind: str, seconds: float = math.inf) -> Reading:
    """Capture what changed in a shop since the cursor, and move it page by page.

    What is read twice, or came by hook or webhook too, is one event. A reading that ends early, by
    a kill or by `seconds`, is taken up where it stopped. Raises HostUnavailable.
    """
    cursor, began = _cursor(shop, kind)
    since = max(cursor.position - OVERLAP, oldest_kept(Flow.COMMERCE, timezone.now()))
    limit, count = time.monotonic() + seconds, 0
    for page in _pages(shop, kind, since):
        count += len(page.items)
        telemetry.RECONCILED.labels(kind=kind).inc(len(page.items))
        if not _is_history(cursor, kind):
            _capture(shop, [fact for item in page.items for fact in KINDS[kind].facts(shop, item)])
        newest = max(map(KINDS[kind].changed_at, page.items), default=cursor.position)
        if not _move(cursor, min(newest, began)):
            # Another worker reads this shop and has come further.
            return Reading(count)
        # The next turn reads the overlap again: each goes further than that, however long it takes.
        if page.next and time.monotonic() >= limit and cursor.position >= since + 2 * OVERLAP:
            _say(telemetry.Log.RECONCILING, logging.INFO, shop, cursor, count)
            return Reading(count, is_done=False)
    if _is_history(cursor, kind):
        # Nor is the end of it taken in with the next overlap.
        _move(cursor, cursor.position + OVERLAP + timedelta.resolution)
    # As of the start: what changed while we read is not known yet.
    Cursor.objects.of(shop).filter(pk=cursor.pk).update(caught_up_at=began)
    _say(telemetry.Log.RECONCILED, logging.DEBUG, shop, cursor, count)
    return Reading(count)


def caught_up(kind: str = ORDERS, within: timedelta | None = None) -> QuerySet[Cursor]:
    """Return the cursors of the shops that were caught up lately, to be asked as a condition."""
    limit = within or timedelta(seconds=conf.get().STALE_ORDERS_SECONDS)
    return Cursor.objects.across_shops().filter(kind=kind, caught_up_at__gt=Now() - limit)


def is_caught_up(shop: Shop, kind: str = ORDERS) -> bool:
    """Tell whether what happened in a shop is known up to now; until it is, nothing is sent."""
    return caught_up(kind).filter(shop=shop).exists()


def seconds_behind() -> dict[str, float]:
    """Return for each kind how long ago the active shop that is furthest behind was caught up.

    A shop that never was counts from the day it came to us.
    """
    return {kind: _behind(kind).total_seconds() for kind in KINDS}


def _behind(kind: str) -> timedelta:
    known = Cursor.objects.across_shops().filter(kind=kind, shop=OuterRef("pk"))
    last = Coalesce(Subquery(known.values("caught_up_at")[:1]), "created_at")
    behind = ExpressionWrapper(Now() - last, output_field=DurationField())
    found = Shop.objects.filter(is_active=True).aggregate(longest=Max(behind))
    return found["longest"] or timedelta(0)


def _by_health() -> list[Shop]:
    """Return the active shops, those first that answered lately; else in a new order each time."""
    well = set(caught_up(ORDERS).values_list("shop_id", flat=True))
    shops = Shop.objects.filter(is_active=True).order_by("?")
    return sorted(shops, key=lambda shop: shop.pk not in well)


def _one_turn(shop: Shop, kind: str, seconds: float) -> Reading | None:
    """Read for a while; None when this shop is better left alone until the next round."""
    try:
        return reconcile(shop, kind, seconds)
    except HostUnavailable as error:
        line = telemetry.Log.HOST_UNAVAILABLE
        telemetry.log(line, logging.WARNING, shop=shop.key, kind=kind, reason=str(error))
    except Exception:
        # Whatever is wrong with one shop, the others are read.
        telemetry.trouble(telemetry.Log.RECONCILE_FAILED, shop=shop.key, kind=kind)
    return None


def _pages(shop: Shop, kind: str, since: datetime) -> Iterator[Page[Any]]:
    host, after = get_host(shop), ""
    while True:
        page = KINDS[kind].read(host, since, PAGE, after)
        yield page
        if not page.next:
            return
        after = page.next


def _capture(shop: Shop, found: Sequence[Event]) -> None:
    """Take in what is young enough to be kept and not known yet."""
    oldest = oldest_kept(Flow.COMMERCE, timezone.now())
    young = [fact for fact in found if fact.occurred_at >= oldest]
    ids = ShopEvent.objects.of(shop).filter(pk__in=[fact.id for fact in young])
    known = set(ids.values_list("pk", flat=True))
    unknown = [fact for fact in young if fact.id not in known]
    try:
        capture(*unknown)
    except InvalidEvent:
        _capture_one_by_one(unknown)


def _capture_one_by_one(found: Sequence[Event]) -> None:
    for fact in found:
        try:
            capture(fact)
        except InvalidEvent as error:
            telemetry.REFUSED.labels(door="reconcile", code=error.code).inc()


def _is_history(cursor: Cursor, kind: str) -> bool:
    """Tell whether this is the first look of a shop whose past nobody wants."""
    return cursor.caught_up_at is None and not KINDS[kind].first_days()


def _cursor(shop: Shop, kind: str) -> tuple[Cursor, datetime]:
    """Return the cursor, and what the database's clock says."""
    look_back = max(A_DAY, timedelta(days=KINDS[kind].first_days()))
    Cursor.objects.of(shop).get_or_create(
        shop=shop, kind=kind, defaults={"position": timezone.now() - look_back}
    )
    cursor = Cursor.objects.of(shop).annotate(began=Now()).get(kind=kind)
    began: datetime = cursor.began
    return cursor, began


def _move(cursor: Cursor, position: datetime) -> bool:
    """Move the cursor, never back; False when somebody else has moved it meanwhile.

    A time that lies in the future never gets here: everything before it would be passed by.
    """
    before, cursor.position = cursor.position, max(cursor.position, position)
    mine = Cursor.objects.of(cursor.shop_id).filter(pk=cursor.pk, position=before)
    return bool(mine.update(position=cursor.position))


def _say(line: telemetry.Log, level: int, shop: Shop, cursor: Cursor, count: int) -> None:
    position = cursor.position.isoformat(timespec="seconds")
    telemetry.log(line, level, shop=shop.key, kind=cursor.kind, count=count, position=position)
