"""How counts change: once per batch, in the transaction that stores the batch's events."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from saleor_nudges.counts import rows
from saleor_nudges.counts.buckets import BY_HOUR, HOUR, moment, seconds
from saleor_nudges.counts.sketch import hasher, union
from saleor_nudges.counts.tally import Tally
from saleor_nudges.events import Event
from saleor_nudges.models import Shop

OVER: Final = f"""
    SELECT DISTINCT shop_id, floor(extract(epoch FROM start) / {HOUR})::bigint * {HOUR}
    FROM "{rows.SKETCHES}" WHERE grain = 'FIVE_MINUTES' AND start < %s ORDER BY 2, 1
"""
WHOLE: Final = f"""
    SELECT channel, product_id, string_agg(hashes, ''::bytea) FROM "{rows.SKETCHES}"
    WHERE grain = 'FIVE_MINUTES' AND shop_id = %s AND start >= %s AND start < %s
    GROUP BY channel, product_id
"""


def fold(shop: Shop, events: Sequence[Event]) -> None:
    """Count new events of one shop, inside the transaction that stores them.

    The row of a product's hour, which every batch that counts there changes first, stays locked
    until the end: whoever holds it is alone with that hour's sketches, those not yet made included.
    """
    tally = Tally()
    tally.add_all(events, hasher(shop.pk))
    if not tally.counts:
        return
    now = timezone.now()
    rows.share_hours(shop.pk, tally.hours())
    rows.add_counts(shop.pk, rows.count_rows(tally, now))
    if tally.visitors:
        rows.merge(shop.pk, rows.sketch_rows(tally, now))


def close_hours(now: datetime) -> int:
    """Make the sketches of the hours that are over from their five minutes; return how many hours.

    What is there already is not counted twice, so it may be done again, and is for as long as the
    five minutes are kept: a batch that was slow to commit is found by the next run.
    """
    found = _hours_over(now)
    for shop, hour in found:
        with transaction.atomic():
            rows.lock_hour(shop, hour)
            rows.merge(shop, _whole(shop, hour))
    return len(found)


def _hours_over(now: datetime) -> list[tuple[UUID, int]]:
    this_hour = moment(seconds(now) // HOUR * HOUR)
    with connection.cursor() as cursor:
        cursor.execute(OVER, [this_hour])
        rows: list[tuple[UUID, int]] = cursor.fetchall()
        return rows


def _whole(shop: UUID, hour: int) -> dict[rows.SketchRow, set[int]]:
    with connection.cursor() as cursor:
        cursor.execute(WHOLE, [shop, moment(hour), moment(hour + HOUR)])
        return {
            (channel, product, BY_HOUR, hour): set(union([bytes(hashes)]))
            for channel, product, hashes in cursor.fetchall()
        }
