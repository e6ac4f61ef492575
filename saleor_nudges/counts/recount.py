"""Counting again from the stored events, hour by hour, beside whatever is being consumed.

A job is a range of whole hours. Its events are counted without holding anybody up; then each hour
is replaced in a short transaction of its own that holds the hour's lock alone. If an event of that
hour was stored meanwhile, the hour is counted once more, inside. Killed anywhere, a job begins anew
and comes to the same rows. Memory holds the rows of one hour.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from saleor_nudges.counts import rows, sketch
from saleor_nudges.counts.buckets import (
    BY_FIVE_MINUTES,
    BY_HOUR,
    BY_MINUTE,
    FIVE_MINUTES,
    HOUR,
    MINUTE,
    is_over,
    moment,
    oldest_counts,
    oldest_visitors,
)
from saleor_nudges.counts.tally import DRAFT, VIEWED, VISITED, VISITS
from saleor_nudges.events.identity import FUTURE_ALLOWED, smallest_at
from saleor_nudges.models import RecountJob, ShopEvent, ViewEvent

# A view's id is made by the shopper's clock and its time is ours: the door lets them be a day
# apart. The id of an order is made from its time, to the millisecond.
APART: Final = {
    ViewEvent: FUTURE_ALLOWED + timedelta(hours=1),
    ShopEvent: timedelta(seconds=1),
}
FETCHED_AT_ONCE: Final = 5000

VIEWS: Final = f"""
    SELECT floor(extract(epoch FROM occurred_at) / {HOUR})::bigint * {HOUR} AS hour,
        channel, {{product}} AS product, NULLIF(data->>'visitor', '')::uuid AS visitor,
        floor(extract(epoch FROM occurred_at) / {MINUTE})::bigint * {MINUTE} AS minute,
        1 AS quantity
    FROM "{ViewEvent._meta.db_table}"
    WHERE id >= %(first)s AND id < %(last)s AND shop_id = %(shop)s AND {{kind}}
    AND occurred_at >= %(start)s AND occurred_at < %(end)s
    AND (%(channel)s = '' OR channel = %(channel)s)
"""
VIEWS_OF_PRODUCTS: Final = VIEWS.format(product="subject", kind="kind = %(kind)s AND subject <> ''")
VISITS_OF_CHANNELS: Final = VIEWS.format(product="''", kind="kind = ANY(%(visits)s)")
ORDERS: Final = f"""
    SELECT floor(extract(epoch FROM occurred_at) / {HOUR})::bigint * {HOUR} AS hour,
        channel, line.value->>'product_id' AS product, NULL::uuid AS visitor,
        floor(extract(epoch FROM occurred_at) / {MINUTE})::bigint * {MINUTE} AS minute,
        sum((line.value->>'quantity')::bigint)::bigint AS quantity
    FROM "{ShopEvent._meta.db_table}" AS event,
        jsonb_array_elements(event.data->'cart'->'lines') AS line
    WHERE id >= %(first)s AND id < %(last)s AND shop_id = %(shop)s AND kind = %(kind)s
    AND occurred_at >= %(start)s AND occurred_at < %(end)s
    AND (%(channel)s = '' OR channel = %(channel)s)
    AND coalesce(data->>'status', '') <> '{DRAFT}' AND line.value->>'product_id' <> ''
    GROUP BY id, 1, 2, 3, 5
"""
# One row per product, minute and visitor: sorted by the server, on its disk if need be.
GROUPED: Final = """
    SELECT hour, channel, product, minute, visitor, count(*), sum(quantity)::bigint
    FROM ({events}) AS event GROUP BY hour, channel, product, minute, visitor
    ORDER BY hour, channel, product, minute
"""
# An event that is folded adds to its hour's counts, so a sum that stayed says: none came.
VERSIONS: Final = f"""
    SELECT extract(epoch FROM start)::bigint, count(*), sum(count)::bigint,
        sum(hashtextextended(channel || product_id || count || '/' || quantity, 0)::numeric)
    FROM "{rows.COUNTS}" WHERE grain = 'HOUR' AND start >= %(start)s AND start < %(end)s
    AND shop_id = %(shop)s AND kind = %(kind)s AND (%(channel)s = '' OR channel = %(channel)s)
    GROUP BY start
"""
KNOWN_COUNTS: Final = f"""
    SELECT channel, product_id, kind, grain, extract(epoch FROM start)::bigint, count, quantity
    FROM "{rows.COUNTS}" WHERE grain = '{{grain}}' AND start >= %(start)s AND start < %(end)s
    AND shop_id = %(shop)s AND kind = %(kind)s AND (%(channel)s = '' OR channel = %(channel)s)
"""
KNOWN_SKETCHES: Final = f"""
    SELECT channel, product_id, grain, extract(epoch FROM start)::bigint, hashes
    FROM "{rows.SKETCHES}" WHERE grain = '{{grain}}' AND start >= %(start)s AND start < %(end)s
    AND shop_id = %(shop)s AND (%(channel)s = '' OR channel = %(channel)s)
    AND (product_id = '') = (%(kind)s = '{VISITED}')
"""
DELETE: Final = """
    DELETE FROM "{table}" AS known USING unnest({arrays}) AS gone({columns})
    WHERE known.shop_id = %s AND {same} AND known.start = to_timestamp(gone.start)
"""

Version = tuple[Any, ...]
Grouped = tuple[int, str, str, int, UUID | None, int, int]


@dataclass(slots=True)
class Hour:
    """What the events say about one hour of one kind: the rows there should be."""

    counts: dict[rows.CountRow, list[int]] = field(default_factory=dict)
    sketches: dict[rows.SketchRow, bytes] = field(default_factory=dict)
    events: int = 0


@dataclass(frozen=True, slots=True)
class Piece:
    """What is counted again: the events of one kind of one shop that happened in [start, end)."""

    shop: UUID
    channel: str
    kind: str
    start: datetime
    end: datetime

    @classmethod
    def of(cls, job: RecountJob) -> "Piece":
        """Return the piece a job is about."""
        return cls(job.shop_id, job.channel, job.kind, job.start, job.end)

    @property
    def has_visitors(self) -> bool:
        """Tell whether its events are made by visitors, who are counted too."""
        return self.kind in (VIEWED, VISITED)

    @property
    def table(self) -> type[ViewEvent | ShopEvent]:
        """Return where its events are stored."""
        return ViewEvent if self.has_visitors else ShopEvent

    def hour(self, start: int) -> "Piece":
        """Return the part of it that is this one hour."""
        return Piece(self.shop, self.channel, self.kind, moment(start), moment(start + HOUR))

    def parameters(self) -> dict[str, Any]:
        """Return what the statements ask for: a range of ids, so that no partition is scanned."""
        apart = APART[self.table]
        return {
            "first": smallest_at(self.start - apart),
            "last": smallest_at(self.end + apart),
            "shop": self.shop,
            "kind": self.kind,
            "visits": [kind.kind for kind in VISITS],
            "channel": self.channel,
            "start": self.start,
            "end": self.end,
        }

    def statement(self) -> str:
        """Return the query that groups its events by hour."""
        events = {VIEWED: VIEWS_OF_PRODUCTS, VISITED: VISITS_OF_CHANNELS}.get(self.kind, ORDERS)
        return GROUPED.format(events=events)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What counting one hour again came to."""

    events: int
    differing: int


def recount(piece: Piece, *, dry_run: bool = False) -> Iterator[Outcome]:
    """Count a piece again, hour by hour; each hour's rows are committed when it is yielded."""
    versions = _versions(piece)
    counted = _counted(piece)
    with closing(counted):
        for start, hour in counted:
            with transaction.atomic():
                outcome = _replace(piece.hour(start), versions.get(start), hour, dry_run=dry_run)
            yield outcome


def _replace(piece: Piece, version: Version | None, hour: Hour, *, dry_run: bool) -> Outcome:
    start = int(piece.start.timestamp())
    rows.lock_hour(piece.shop, start)
    if _versions(piece).get(start) != version:
        hour = _once_more(piece)
    now = timezone.now()
    counts = _wrong_counts(piece, hour, now)
    sketches = _wrong_sketches(piece, hour, now) if piece.has_visitors else {}
    if not dry_run:
        _write_counts(piece.shop, counts)
        _write_sketches(piece.shop, sketches)
    return Outcome(hour.events, len(counts) + len(sketches))


def _once_more(piece: Piece) -> Hour:
    hashed, hour = sketch.hasher(piece.shop), Hour()
    with closing(_stream(piece, "nudges_recount_hour")) as grouped:
        for row_group in _by_product(grouped):
            _count(piece.kind, hour, row_group, hashed)
    return hour


def _versions(piece: Piece) -> dict[int, Version]:
    with connection.cursor() as cursor:
        cursor.execute(VERSIONS, piece.parameters())
        return {row[0]: tuple(row[1:]) for row in cursor.fetchall()}


def _counted(piece: Piece) -> Generator[tuple[int, Hour]]:
    """Give every hour of the piece with what its events say, those without events too."""
    hashed = sketch.hasher(piece.shop)
    start, end = int(piece.start.timestamp()), int(piece.end.timestamp())
    for found, grouped in groupby(_stream(piece, "nudges_recount"), key=lambda row: row[0]):
        for empty in range(start, found, HOUR):
            yield empty, Hour()
        hour = Hour()
        for row_group in _by_product(grouped):
            _count(piece.kind, hour, row_group, hashed)
        yield found, hour
        start = found + HOUR
    for empty in range(start, end, HOUR):
        yield empty, Hour()


def _by_product(grouped: Iterator[Grouped]) -> Iterator[list[Grouped]]:
    for _, found in groupby(grouped, key=lambda row: (row[1], row[2])):
        yield list(found)


def _count(kind: str, hour: Hour, grouped: list[Grouped], hashed: Any) -> None:
    """Add one product's hour: its minutes, its five minutes, and the whole."""
    start, channel, product = grouped[0][:3]
    total = hour.counts[channel, product, kind, BY_HOUR, start] = [0, 0]
    fives: dict[int, set[int]] = {}
    for _, _, _, minute, visitor, count, quantity in grouped:
        row = hour.counts.setdefault((channel, product, kind, BY_MINUTE, minute), [0, 0])
        pieces = 0 if kind in (VIEWED, VISITED) else quantity
        for counted in (row, total):
            counted[0] += count
            counted[1] += pieces
        hour.events += count
        if visitor is not None:
            fives.setdefault(minute - minute % FIVE_MINUTES, set()).add(hashed(visitor))
    for five, hashes in fives.items():
        hour.sketches[channel, product, BY_FIVE_MINUTES, five] = sketch.pack(hashes)
    if fives:
        whole = sketch.pack(value for hashes in fives.values() for value in hashes)
        hour.sketches[channel, product, BY_HOUR, start] = whole


def _stream(piece: Piece, name: str) -> Generator[Grouped]:
    """Give the grouped events; the server keeps the result, however long it is."""
    with connection.cursor() as cursor:
        with transaction.atomic():
            cursor.execute(
                f"DECLARE {name} NO SCROLL CURSOR WITH HOLD FOR {piece.statement()}",
                piece.parameters(),
            )
        try:
            while True:
                cursor.execute(f"FETCH {FETCHED_AT_ONCE} FROM {name}")
                found = cursor.fetchall()
                if not found:
                    return
                yield from found
        finally:
            _close(cursor, name)


def _close(cursor: Any, name: str) -> None:
    # After an error inside a transaction the server has closed it, and would not listen anyway.
    if connection.connection is not None and not connection.needs_rollback:
        cursor.execute(f"CLOSE {name}")


def _wrong_counts(piece: Piece, hour: Hour, now: datetime) -> dict[rows.CountRow, list[int] | None]:
    """Return the rows that are not what they should be; None for one that should not be."""
    kept = oldest_counts(now)
    right = {key: row for key, row in hour.counts.items() if key[4] >= kept[key[3]]}
    known = {
        tuple(key): [count, quantity]
        for *key, count, quantity in _known(KNOWN_COUNTS, piece, [BY_MINUTE, BY_HOUR])
        if key[4] >= kept[key[3]]
    }
    return _differing(known, right)


def _wrong_sketches(piece: Piece, hour: Hour, now: datetime) -> dict[rows.SketchRow, bytes | None]:
    kept = oldest_visitors(now)
    # The sketch of an hour that goes on is not made yet.
    grains = [BY_FIVE_MINUTES]
    if is_over(int(piece.start.timestamp()), now):
        grains.append(BY_HOUR)
    right = {
        key: row
        for key, row in hour.sketches.items()
        if key[2] in grains and key[3] >= kept[key[2]]
    }
    known = {
        tuple(key): bytes(hashes)
        for *key, hashes in _known(KNOWN_SKETCHES, piece, grains)
        if key[3] >= kept[key[2]]
    }
    return _differing(known, right)


def _differing[K, V](known: dict[K, V], right: dict[K, V]) -> dict[K, V | None]:
    found: dict[K, V | None] = {key: row for key, row in right.items() if known.get(key) != row}
    return found | dict.fromkeys(known.keys() - right.keys())


def _known(statement: str, piece: Piece, grains: list[str]) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    with connection.cursor() as cursor:
        for grain in grains:
            cursor.execute(statement.format(grain=grain), piece.parameters())
            found += cursor.fetchall()
    return found


def _write_counts(shop: UUID, wrong: dict[rows.CountRow, list[int] | None]) -> None:
    # What is wrong is deleted and made anew: an upsert would add to it.
    if not wrong:
        return
    columns = ["channel", "product_id", "kind", "grain", "start"]
    _delete(rows.COUNTS, shop, columns, sorted(wrong))
    right = {key: row for key, row in wrong.items() if row is not None}
    if right:
        rows.add_counts(shop, right)


def _write_sketches(shop: UUID, wrong: dict[rows.SketchRow, bytes | None]) -> None:
    gone = sorted(key for key, row in wrong.items() if row is None)
    if gone:
        _delete(rows.SKETCHES, shop, ["channel", "product_id", "grain", "start"], gone)
    right = {key: row for key, row in wrong.items() if row is not None}
    if right:
        rows.write_sketches(shop, right)


def _delete(table: str, shop: UUID, columns: list[str], keys: Sequence[tuple[Any, ...]]) -> None:
    *texts, starts = zip(*keys, strict=True)
    statement = DELETE.format(
        table=table,
        arrays=", ".join(["%s::text[]"] * len(texts) + ["%s::bigint[]"]),
        columns=", ".join(columns),
        same=" AND ".join(f"known.{name} = gone.{name}" for name in columns[:-1]),
    )
    with connection.cursor() as cursor:
        cursor.execute(
            statement, [*(rows.texts(column) for column in texts), rows.numbers(starts), shop]
        )
