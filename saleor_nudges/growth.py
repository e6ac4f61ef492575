"""How big the store is, how fast it grows, and how big it will be in 90 days."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection

from saleor_nudges import retention
from saleor_nudges.events import Flow
from saleor_nudges.events.identity import moment_of
from saleor_nudges.models import archives
from saleor_nudges.models.partitions import Partition, months_before, pieces_of

AHEAD: Final = timedelta(days=90)
# What came lately says how much will come; less than a day says nothing.
LATELY: Final = timedelta(days=30)
ENOUGH: Final = timedelta(days=1)
DAY: Final = timedelta(days=1)
# With an archive the two whole months before this one are kept.
KEPT_WITH_ARCHIVE: Final = 2
ALL: Final = r"saleor\_nudges\_%"
SIZES: Final = """
    SELECT relname, pg_total_relation_size(oid) FROM pg_class
    WHERE relkind = 'r' AND relname LIKE %s
    AND relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = %s::regclass)
"""


@dataclass(frozen=True, slots=True)
class Growth:
    """Of one table of events: bytes now, bytes a day (None: too young to say), bytes in 90 days."""

    table: str
    now: int
    a_day: int | None
    later: int | None


@dataclass(frozen=True, slots=True)
class Filled:
    """One partition with events: its bytes, and the times of its first and last id."""

    bytes: int
    first: datetime
    last: datetime


def growth(flow: Flow, now: datetime) -> Growth:
    """Return how one table of events grows, from its partitions of the last weeks."""
    table, sizes = retention.TABLES[flow], _sizes()
    pieces = pieces_of(table)
    filled = [found for piece in pieces if (found := _filled(piece, sizes.get(piece.name, 0)))]
    total = sum(sizes.get(piece.name, 0) for piece in pieces)
    recent = [piece for piece in filled if piece.last > now - LATELY]
    covered = sum((piece.last - piece.first for piece in recent), timedelta())
    if covered < ENOUGH:
        return Growth(table, total, None, None)
    a_day = sum(piece.bytes for piece in recent) / (covered / DAY)
    oldest = max(filled[0].first, _kept_from(flow, now + AHEAD))
    return Growth(table, total, int(a_day), int(a_day * ((now + AHEAD - oldest) / DAY)))


def everything() -> int:
    """Return the bytes of all our tables, with their indexes."""
    return sum(_sizes().values())


def _kept_from(flow: Flow, now: datetime) -> datetime:
    return (
        months_before(now, KEPT_WITH_ARCHIVE)
        if archives.is_on()
        else retention.keep_from(flow, now)
    )


def _sizes() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(SIZES, [ALL, retention.TABLES[Flow.VIEWS]])
        return dict(cursor.fetchall())


def _filled(piece: Partition, size: int) -> Filled | None:
    ids: list[UUID] = []
    with connection.cursor() as cursor:
        for order in ("ASC", "DESC"):
            cursor.execute(f'SELECT id FROM "{piece.name}" ORDER BY id {order} LIMIT 1')
            ids += [row[0] for row in cursor.fetchall()]
    return Filled(size, moment_of(ids[0]), moment_of(ids[1])) if ids else None
