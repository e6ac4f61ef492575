"""Which pieces wait to be archived: cold partitions, cut into weeks and by shop."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from saleor_nudges import conf
from saleor_nudges.archive.formats import SCHEMA_VERSION, check_format
from saleor_nudges.events import Flow
from saleor_nudges.events.identity import moment_of, smallest_at
from saleor_nudges.models import ArchiveState, EventArchive, Shop, ShopEvent, ViewEvent
from saleor_nudges.models.archives import is_kept
from saleor_nudges.models.partitions import oldest_kept

FLOWS: Final = {
    ShopEvent._meta.db_table: Flow.COMMERCE,
    ViewEvent._meta.db_table: Flow.VIEWS,
}
WEEK: Final = timedelta(weeks=1)
BOUNDS: Final = re.compile(r"FROM \('([0-9a-f-]{36})'\) TO \('([0-9a-f-]{36})'\)")
CATALOGUE: Final = """
    SELECT child.relname, parent.relname, pg_get_expr(child.relpartbound, child.oid)
    FROM pg_inherits
    JOIN pg_class child ON child.oid = inhrelid
    JOIN pg_class parent ON parent.oid = inhparent
    WHERE parent.relname = ANY(%s) AND pg_table_is_visible(parent.oid)
    ORDER BY child.relname
"""
# The last column tells which rows they are: an exclusive or does not depend on their order.
COUNTED: Final = """
    SELECT shop_id, count(*), bit_xor(uuid_hash_extended(id, 0))
    FROM "{name}" WHERE id >= %s AND id < %s GROUP BY shop_id ORDER BY shop_id
"""


@dataclass(frozen=True, slots=True)
class ColdPartition:
    """A partition that takes no more events. `name` is its own table; [start, end) are times."""

    name: str
    table: str
    start: datetime
    end: datetime

    def weeks(self) -> list[tuple[datetime, datetime]]:
        """Return its weeks, from Monday to Monday, the first and the last cut at its edges."""
        found, begin = [], self.start
        while begin < self.end:
            monday = begin - timedelta(days=begin.weekday())
            midnight = monday.replace(hour=0, minute=0, second=0, microsecond=0)
            found.append((begin, min(midnight + WEEK, self.end)))
            begin = found[-1][1]
        return found


@dataclass(frozen=True, slots=True)
class Piece:
    """One week of one shop in one partition, and which rows it holds."""

    partition: ColdPartition
    shop: UUID
    start: datetime
    end: datetime
    rows: int
    fingerprint: int


def cold_before(now: datetime) -> datetime:
    """Return the start of the two whole calendar months before this one: older is cold."""
    months = now.astimezone(UTC).year * 12 + now.astimezone(UTC).month - 1 - 2
    return datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC)


def cold_partitions(now: datetime) -> list[ColdPartition]:
    """Return the partitions to be archived and dropped, oldest first.

    Left out is what could still take an event, and what was brought back not long ago.
    """
    limit = cold_before(now)
    return sorted(
        (
            piece
            for piece in _existing()
            if piece.end <= min(limit, oldest_kept(FLOWS[piece.table], now))
            and not is_kept(piece.table, piece.start, now)
        ),
        key=lambda piece: (piece.start, piece.table),
    )


def partition_of(manifest: EventArchive) -> ColdPartition:
    """Return the partition a piece was in, whether or not it still exists."""
    name = f"{manifest.table}_{manifest.partition_start:%Y%m%d}"
    return ColdPartition(name, manifest.table, manifest.partition_start, manifest.partition_end)


def count(partition: ColdPartition) -> list[Piece]:
    """Return what a partition holds, by week and shop. Reads all of it."""
    found = []
    with connection.cursor() as cursor:
        for start, end in partition.weeks():
            # Not a value: the name of a table that the catalogue gave us.
            cursor.execute(
                COUNTED.format(name=partition.name), [smallest_at(start), smallest_at(end)]
            )
            found += [Piece(partition, shop, start, end, *rest) for shop, *rest in cursor]
    return found


def plan(partition: ColdPartition) -> list[EventArchive]:
    """Return the manifests of a partition that still need work, made where there were none."""
    pieces = [piece for piece in count(partition) if not is_covered(piece)]
    _index(partition, pieces)
    shops = set(Shop.objects.values_list("pk", flat=True))
    return [_manifest(piece) for piece in pieces if piece.shop in shops]


def newest(piece: Piece) -> EventArchive | None:
    """Return the manifest of the latest generation of a piece."""
    found = EventArchive.objects.of(piece.shop)
    found = found.filter(table=piece.partition.table, start=piece.start)
    return found.order_by("-generation").first()


def is_covered(piece: Piece) -> bool:
    """Tell whether a verified object holds exactly these rows."""
    found = newest(piece)
    if found is None or found.state != ArchiveState.VERIFIED:
        return False
    return (found.rows, found.fingerprint) == (piece.rows, piece.fingerprint)


def start_over(manifest: EventArchive) -> None:
    """Forget what was written of a piece; its object is written anew."""
    manifest.state, manifest.parts, manifest.upload_id = ArchiveState.WRITING, [], ""
    manifest.save(update_fields=["state", "parts", "upload_id"])


def _manifest(piece: Piece) -> EventArchive:
    found = newest(piece)
    if found is None:
        return _make(piece, 1)
    if found.dropped_at is not None:
        # What was dropped is in that object alone: it is never written over.
        return _make(piece, found.generation + 1)
    found.fingerprint = piece.fingerprint
    found.save(update_fields=["fingerprint"])
    if found.state == ArchiveState.VERIFIED:
        start_over(found)
    return found


def _make(piece: Piece, generation: int) -> EventArchive:
    form = check_format(conf.get().ARCHIVE_FORMAT)
    made = EventArchive(
        shop_id=piece.shop,
        table=piece.partition.table,
        start=piece.start,
        end=piece.end,
        generation=generation,
        partition_start=piece.partition.start,
        partition_end=piece.partition.end,
        key=_key(piece, generation, form),
        format=form,
        schema_version=SCHEMA_VERSION,
        fingerprint=piece.fingerprint,
    )
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError:
        # Another worker planned the same piece in this very moment; theirs stands.
        return EventArchive.objects.of(piece.shop).get(
            table=piece.partition.table, start=piece.start, generation=generation
        )
    return made


def _key(piece: Piece, generation: int, form: str) -> str:
    # Named the way tools that read folders as columns expect it; the shop is no column inside.
    name = f"{piece.start:%Y-%m-%d}_{piece.end:%Y-%m-%d}"
    again = "" if generation == 1 else f".{generation}"
    folder = f"table={piece.partition.table}/shop_id={piece.shop}"
    return f"{conf.get().ARCHIVE_PREFIX}{folder}/{name}{again}.{form}"


def _index(partition: ColdPartition, pieces: list[Piece]) -> None:
    """Let a piece of one shop among many be read without reading the others; it goes with them."""
    if len({piece.shop for piece in pieces}) < 3:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 8))", [partition.name])
        cursor.execute(
            f'CREATE INDEX IF NOT EXISTS "{partition.name}_by_shop"'
            f' ON "{partition.name}" (shop_id, id)'
        )


def _existing() -> list[ColdPartition]:
    with connection.cursor() as cursor:
        cursor.execute(CATALOGUE, [list(FLOWS)])
        rows = cursor.fetchall()
    found = [(name, table, BOUNDS.search(bound)) for name, table, bound in rows]
    return [
        ColdPartition(name, table, moment_of(UUID(ids[1])), moment_of(UUID(ids[2])))
        for name, table, ids in found
        if ids
    ]
