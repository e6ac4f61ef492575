"""What is kept how long: partitions made ahead and dropped at their age, rows deleted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection

from saleor_nudges import conf, telemetry
from saleor_nudges.events import Flow, NudgeClicked, NudgeClosed, NudgeViewed
from saleor_nudges.events.identity import smallest_at
from saleor_nudges.models import (
    CartedProduct,
    DeadLetter,
    Evidence,
    Grain,
    Nudge,
    NudgeType,
    OrderedProduct,
    ProductCount,
    RecountJob,
    ShopEvent,
    ShopProduct,
    ViewEvent,
    VisitorCheckout,
    VisitorSketch,
    archives,
)
from saleor_nudges.models.activity import ACTIVITY_KEPT
from saleor_nudges.models.counts import COUNTS_KEPT, VISITORS_KEPT
from saleor_nudges.models.partitions import (
    Partition,
    missing_partitions,
    months_before,
    oldest_kept,
    pieces_of,
)

TABLES: Final = {Flow.COMMERCE: ShopEvent._meta.db_table, Flow.VIEWS: ViewEvent._meta.db_table}
# No longer statement than this many rows make: nobody waits long behind one, nor the vacuum.
AT_ONCE: Final = 5000
# The longest window in which a purchase may be told of is 30 days; a day for who is at its edge.
NUDGES_KEPT: Final = timedelta(days=31)
# A review may be told of for a year.
REVIEWS_TOLD: Final = timedelta(days=366)
RECOUNTS_KEPT: Final = timedelta(days=30)
INTERACTIONS: Final = [kind.kind for kind in (NudgeViewed, NudgeClicked, NudgeClosed)]
# Written into the catalogue, so that each partition is gone through once.
WITHOUT_INTERACTIONS: Final = "interactions deleted"

DELETE: Final = """
    DELETE FROM "{table}" WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM "{table}" AS old WHERE {where}
        ORDER BY {order} LIMIT {limit} FOR UPDATE SKIP LOCKED))
"""


@dataclass(frozen=True, slots=True)
class Aged:
    """Rows of one table that are past their age; `order` is what an index of theirs begins with."""

    table: str
    where: str
    parameters: Sequence[object]
    order: str = "id"


def make_partitions(now: datetime) -> int:
    """Create what is missing; return how many partitions were made."""
    missing = missing_partitions(now)
    with connection.cursor() as cursor:
        for piece in missing:
            cursor.execute(
                f'CREATE TABLE IF NOT EXISTS "{piece.name}" PARTITION OF "{piece.table}" '
                f"FOR VALUES FROM ('{smallest_at(piece.start)}') TO ('{smallest_at(piece.end)}')"
            )
    telemetry.log(telemetry.Log.PARTITIONS_MADE, count=len(missing))
    return len(missing)


def drop_old_partitions(now: datetime) -> int:
    """Drop the partitions that are past their age; return how many.

    Where there is an archive nothing is dropped here: it drops what it has and has read back.
    """
    old = [
        piece
        for flow, table in TABLES.items()
        for piece in pieces_of(table)
        if piece.end <= keep_from(flow, now) and archives.may_drop(table, piece.start, now)
    ]
    with connection.cursor() as cursor:
        for piece in old:
            cursor.execute(f'DROP TABLE IF EXISTS "{piece.name}"')
    return len(old)


def keep_from(flow: Flow, now: datetime) -> datetime:
    """Return the time before which nothing is kept where there is no archive."""
    if flow is Flow.VIEWS:
        return oldest_kept(flow, now)
    # New facts are refused long before, and what may still be stored must have a place.
    return min(months_before(now, conf.get().FACTS_KEPT_MONTHS), oldest_kept(flow, now))


def delete_aged(now: datetime) -> int:
    """Delete the rows that are past their age, batch by batch; return how many went."""
    return sum(_delete(aged) for aged in _aged(now))


def delete_aged_counts(now: datetime) -> int:
    """Delete the buckets past their age; return how many went. Hours must have been closed before:
    what is deleted here is in them.
    """
    return sum(_delete(aged) for aged in _aged_counts(now))


def delete_interactions(now: datetime) -> int:
    """Delete what visitors did with nudges from the partitions that are kept longer; return how
    many rows went. Where views are not kept longer, they go with their partition.
    """
    limit = now - timedelta(days=conf.get().INTERACTIONS_KEPT_DAYS)
    done, gone = _without_interactions(), 0
    for piece in pieces_of(TABLES[Flow.VIEWS]):
        if piece.name in done or piece.end > min(limit, oldest_kept(Flow.VIEWS, now)):
            continue
        gone += _delete_interactions(piece)
        with connection.cursor() as cursor:
            cursor.execute(f"COMMENT ON TABLE \"{piece.name}\" IS '{WITHOUT_INTERACTIONS}'")
    return gone


def _aged_counts(now: datetime) -> list[Aged]:
    counts, sketches = ProductCount._meta.db_table, VisitorSketch._meta.db_table
    fine = [(counts, grain, kept) for grain, kept in COUNTS_KEPT.items()]
    fine += [(sketches, grain, kept) for grain, kept in VISITORS_KEPT.items()]
    old = [(table, grain, now - kept) for table, grain, kept in fine]
    old.append((counts, Grain.HOUR, months_before(now, conf.get().COUNTS_KEPT_MONTHS)))
    return [
        Aged(table, f"grain = '{grain}' AND start < %s", [limit], order="start")
        for table, grain, limit in old
    ]


def _aged(now: datetime) -> list[Aged]:
    settings = conf.get()
    nudges, evidence = Nudge._meta.db_table, Evidence._meta.db_table
    dead = now - timedelta(days=settings.DEAD_LETTERS_KEPT_DAYS)
    carts = now - timedelta(days=settings.VISITOR_TOKEN_DAYS)
    proofs = months_before(now, settings.EVIDENCE_KEPT_MONTHS)
    shown, recounts = now - NUDGES_KEPT, now - RECOUNTS_KEPT
    done = now - ACTIVITY_KEPT
    told_of = (
        f'EXISTS (SELECT FROM "{nudges}" AS told WHERE told.shop_id = old.shop_id'
        " AND told.channel = old.channel AND told.product_id = old.product_id)"
    )
    return [
        # An id begins with the time of its making; a measured nudge is made once and told anew.
        Aged(
            nudges,
            "id < %s AND occurred_at < %s AND (type <> %s OR occurred_at < %s)",
            [smallest_at(shown), shown, NudgeType.PRODUCT_REVIEW, now - REVIEWS_TOLD],
        ),
        Aged(
            evidence,
            f'id < %s AND NOT EXISTS (SELECT FROM "{nudges}" WHERE evidence_id = old.id)',
            [smallest_at(proofs)],
        ),
        Aged(CartedProduct._meta.db_table, "id < %s AND first_at < %s", [smallest_at(done), done]),
        Aged(
            OrderedProduct._meta.db_table,
            "id < %s AND ordered_at < %s",
            [smallest_at(done), done],
        ),
        Aged(DeadLetter._meta.db_table, "retry_at IS NULL AND put_aside_at < %s", [dead]),
        Aged(RecountJob._meta.db_table, "id < %s", [smallest_at(recounts)]),
        # A product nobody has seen for so long has no nudges either, unless of an old review.
        Aged(ShopProduct._meta.db_table, f"seen_at < %s AND NOT {told_of}", [shown]),
        # Whose cart was whose is of use for as long as a visitor's token may be that old.
        Aged(VisitorCheckout._meta.db_table, "seen_at < %s", [carts], order="seen_at"),
    ]


def _delete(aged: Aged) -> int:
    statement = DELETE.format(table=aged.table, where=aged.where, order=aged.order, limit=AT_ONCE)
    total = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(statement, list[Any](aged.parameters))
            count = int(cursor.rowcount)
            total += count
            if count < AT_ONCE:
                return total


def _delete_interactions(piece: Partition) -> int:
    gone, start, step = 0, piece.start, timedelta(hours=1)
    with connection.cursor() as cursor:
        while start < piece.end:
            bounds: list[Any] = [smallest_at(start), smallest_at(start + step), INTERACTIONS]
            cursor.execute(
                f'DELETE FROM "{piece.name}" WHERE id >= %s AND id < %s AND kind = ANY(%s)', bounds
            )
            gone += cursor.rowcount
            start += step
    return gone


def _without_interactions() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class JOIN pg_description"
            " ON objoid = pg_class.oid AND objsubid = 0 AND classoid = 'pg_class'::regclass"
            " WHERE description = %s",
            [WITHOUT_INTERACTIONS],
        )
        return {name for (name,) in cursor.fetchall()}
