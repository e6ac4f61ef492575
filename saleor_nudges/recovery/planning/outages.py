"""When no message of a shop could go: noticed by the sweep that comes back after it."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef

from saleor_nudges.models import Cursor, Shop
from saleor_nudges.recovery.rules.smear import Outage

# A sweep comes every few seconds; one that is so late was not just slow.
GAP: Final = timedelta(minutes=5)
# So seldom is it written down that one came.
BEAT: Final = timedelta(seconds=30)
SWEEP, OUTAGE, ALIVE = "sweep", "outage", "alive"


def beat(now: datetime) -> None:
    """Say of every shop that a worker has swept, whether anything could be sent there or not."""
    rows = Cursor.objects.across_shops().filter(kind=ALIVE)
    known = rows.filter(shop=OuterRef("pk"))
    fresh = Shop.objects.filter(~Exists(known), is_active=True).values_list("pk", flat=True)
    Cursor.objects.bulk_create(
        [Cursor(shop_id=shop, kind=ALIVE, position=now) for shop in fresh], ignore_conflicts=True
    )
    rows.filter(position__lt=now - BEAT).update(position=now)


def note(shops: Collection[UUID], now: datetime) -> dict[UUID, Outage]:
    """Say that these shops' messages can go now; return the outages whose messages still go.

    Shops that cannot send, or whose orders are not known, are left out: for them it is an outage.
    """
    last = dict(_rows(SWEEP, shops))
    fresh = [shop for shop in shops if shop not in last]
    Cursor.objects.bulk_create(
        [Cursor(shop_id=shop, kind=SWEEP, position=now) for shop in fresh], ignore_conflicts=True
    )
    for shop, position in last.items():
        if now - position > GAP:
            _end(shop, position, now)
    beats = Cursor.objects.across_shops().filter(kind=SWEEP, shop__in=shops)
    beats.filter(position__lt=now - BEAT).update(position=now)
    return lasting(shops, now)


def _end(shop: UUID, began_at: datetime, now: datetime) -> None:
    """Keep an outage; of several sweeps that find it only one does."""
    with transaction.atomic():
        mine = Cursor.objects.of(shop).filter(kind=SWEEP, position=began_at)
        if mine.update(position=now):
            Cursor.objects.of(shop).update_or_create(
                shop_id=shop, kind=OUTAGE, defaults={"position": began_at, "caught_up_at": now}
            )


def lasting(shops: Collection[UUID], now: datetime) -> dict[UUID, Outage]:
    """Return the outages whose messages still go."""
    rows = Cursor.objects.across_shops().filter(kind=OUTAGE, shop__in=shops)
    found = {}
    for row in rows.filter(caught_up_at__isnull=False):
        outage = Outage(row.position, row.caught_up_at or row.position)
        if now <= outage.ended_at + outage.span + GAP:
            found[row.shop_id] = outage
    return found


def _rows(kind: str, shops: Collection[UUID]) -> list[tuple[UUID, datetime]]:
    rows = Cursor.objects.across_shops().filter(kind=kind, shop__in=shops)
    return list(rows.values_list("shop_id", "position"))
