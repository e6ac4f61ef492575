"""Brings a range of time back, row for row, into partitions made again where they were dropped.

An object's checksum is compared before its first row is taken. Each segment is one commit, so an
interrupted restore goes on behind it; a row that is there already stays as it is.
"""

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models.functions import Now

from saleor_nudges import telemetry
from saleor_nudges.archive.bucket import Bucket, chunks, get_bucket
from saleor_nudges.archive.formats import format_of
from saleor_nudges.archive.pieces import partition_of
from saleor_nudges.archive.sealing import Opener
from saleor_nudges.events.identity import smallest_at
from saleor_nudges.exceptions import ArchiveDamaged
from saleor_nudges.models import ArchiveState, EventArchive

OPENED_AT_ONCE: Final = 10_000
ASIDE: Final = """
    CREATE TEMPORARY TABLE nudges_restored (
        id uuid, channel text, kind text, occurred_at timestamptz, subject text, person uuid,
        data jsonb, sealed text
    ) ON COMMIT DROP
"""
OPENED: Final = """
    UPDATE nudges_restored SET
        person = opened.person,
        subject = COALESCE(NULLIF(opened.subject, ''), nudges_restored.subject),
        data = nudges_restored.data || opened.data
    FROM jsonb_to_recordset(%s::jsonb) AS opened(id uuid, person uuid, subject text, data jsonb)
    WHERE nudges_restored.id = opened.id
"""
TAKEN: Final = """
    INSERT INTO "{table}" (id, shop_id, channel, kind, occurred_at, subject, person, data)
    SELECT id, %s, channel, kind, occurred_at, subject, person, data FROM nudges_restored
    WHERE id >= %s AND id < %s ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back of one object."""

    key: str
    rows: int


def restore(
    start: datetime,
    end: datetime,
    *,
    shop: UUID | None = None,
    table: str = "",
    say: Callable[[str], object] = lambda _: None,
) -> list[Restored]:
    """Bring back the rows of [start, end), of one shop or table or of all.

    Raises ArchiveDamaged before anything is taken from an object that is not what was written.
    """
    bucket = get_bucket()
    found = EventArchive.objects.across_shops().filter(
        state=ArchiveState.VERIFIED, start__lt=end, end__gt=start
    )
    if shop:
        found = found.filter(shop=shop)
    if table:
        found = found.filter(table=table)
    wanted = list(found.order_by("start", "table", "shop", "generation"))
    done = []
    for number, manifest in enumerate(wanted, 1):
        rows = _restore_piece(manifest, start, end, bucket)
        say(f"{number}/{len(wanted)} {manifest.key}: {rows} rows")
        done.append(Restored(manifest.key, rows))
    return done


def _restore_piece(manifest: EventArchive, start: datetime, end: datetime, bucket: Bucket) -> int:
    span = {"from": start.isoformat(), "to": end.isoformat()}
    before = manifest.restoring
    done = int(before["segments"]) if before.items() >= span.items() else 0
    with tempfile.TemporaryFile() as file:
        _fetch(manifest, bucket, file)
        # From now on neither the archive nor retention drops the partition.
        _keep(manifest, span | {"segments": done})
        _make_partition(manifest)
        segments, rows = format_of(manifest.format).segments(file, manifest.parts, done), 0
        for number, segment in enumerate(segments, done + 1):
            with transaction.atomic():
                rows += _take(manifest, segment, start, end)
                _keep(manifest, span | {"segments": number})
    _keep(manifest, {})
    telemetry.log(telemetry.Log.ARCHIVE_RESTORED, key=manifest.key, rows=rows)
    return rows


def _fetch(manifest: EventArchive, bucket: Bucket, file: IO[bytes]) -> None:
    """Bring an object onto this machine's disk and compare its checksum."""
    body = bucket.read(manifest.key)
    if body is None:
        raise ArchiveDamaged(f"{manifest.key} is not in the bucket.")
    digest = hashlib.sha256()
    with closing(body):
        for chunk in chunks(body, manifest.bytes + 1):
            digest.update(chunk)
            file.write(chunk)
    if digest.hexdigest() != manifest.sha256:
        raise ArchiveDamaged(f"{manifest.key} is not what was written.")
    file.seek(0)


def _keep(manifest: EventArchive, restoring: Mapping[str, object]) -> None:
    EventArchive.objects.of(manifest.shop_id).filter(pk=manifest.pk).update(
        restored_at=Now(), restoring=restoring
    )


def _make_partition(manifest: EventArchive) -> None:
    place = partition_of(manifest)
    with connection.cursor() as cursor:
        cursor.execute(
            f'CREATE TABLE IF NOT EXISTS "{place.name}" PARTITION OF "{place.table}" '
            f"FOR VALUES FROM ('{smallest_at(place.start)}') TO ('{smallest_at(place.end)}')"
        )


def _take(manifest: EventArchive, segment: Iterable[bytes], start: datetime, end: datetime) -> int:
    """Take a segment's rows in [start, end) that are not there; return how many they were."""
    with connection.cursor() as cursor:
        cursor.execute(ASIDE)
        with cursor.copy("COPY nudges_restored FROM STDIN (FORMAT csv, HEADER)") as copy:
            for chunk in segment:
                copy.write(chunk)
        opener = Opener(manifest.shop_id)
        for sealed in _sealed():
            opened = [{"id": row, **secret} for row, secret in opener.open(sealed).items()]
            # No person is nothing, where the text of it was empty.
            records = [one | {"person": one["person"] or None} for one in opened]
            cursor.execute(OPENED, [json.dumps(records)])
        bounds = [smallest_at(start), smallest_at(end)]
        cursor.execute(TAKEN.format(table=manifest.table), [manifest.shop_id, *bounds])
        return int(cursor.rowcount)


def _sealed() -> Iterator[dict[str, str]]:
    with connection.chunked_cursor() as cursor:
        cursor.execute("SELECT id::text, sealed FROM nudges_restored WHERE sealed IS NOT NULL")
        while rows := cursor.fetchmany(OPENED_AT_ONCE):
            yield dict(rows)
