"""A partition goes when every piece of it was read back from the bucket, and not before."""

from datetime import UTC, datetime
from typing import Final

from django.db import OperationalError, connection, transaction
from django.db.models.functions import Now
from psycopg.errors import LockNotAvailable

from saleor_nudges import telemetry
from saleor_nudges.archive.bucket import Bucket, get_bucket
from saleor_nudges.archive.pieces import (
    ColdPartition,
    Piece,
    cold_partitions,
    count,
    is_covered,
    newest,
    start_over,
)
from saleor_nudges.models import ArchiveState, EventArchive, Shop
from saleor_nudges.models.archives import is_kept

TRIES: Final = 5
# Shorter than Postgres waits before it looks for a deadlock, so that we are always the ones who
# step back; and everybody who comes after us waits no longer than this.
LOCK_TIMEOUT: Final = "500ms"


def drop_archived(partition: ColdPartition, now: datetime | None = None) -> bool:
    """Drop a cold partition if all of it is archived; return whether it is gone.

    Rows are counted under a lock, so that one which came late is never dropped with the rest.
    """
    if partition not in cold_partitions(now or datetime.now(UTC)):
        return False
    if not _all_there(partition, get_bucket()):
        return False
    for _ in range(TRIES):
        try:
            with transaction.atomic():
                return _drop(partition)
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise
    telemetry.log(telemetry.Log.ARCHIVE_DROP_HELD, partition=partition.name, reason="in use")
    return False


def _drop(partition: ColdPartition) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout TO '{LOCK_TIMEOUT}'")
        # Readers go on while we count; only who would add a row here waits.
        cursor.execute(f'LOCK TABLE ONLY "{partition.name}" IN SHARE MODE')
        if is_kept(partition.table, partition.start, datetime.now(UTC)):
            return False
        pieces = _of_known_shops(count(partition))
        if not all(is_covered(piece) for piece in pieces):
            telemetry.log(
                telemetry.Log.ARCHIVE_DROP_HELD, partition=partition.name, reason="not archived"
            )
            return False
        for piece in pieces:
            _mark(piece)
        cursor.execute(f'DROP TABLE "{partition.name}"')
    telemetry.log(telemetry.Log.ARCHIVE_DROPPED, partition=partition.name, pieces=len(pieces))
    return True


def _mark(piece: Piece) -> None:
    found = newest(piece)
    if found is not None:
        EventArchive.objects.of(piece.shop).filter(pk=found.pk).update(dropped_at=Now())


def _of_known_shops(pieces: list[Piece]) -> list[Piece]:
    # Of a shop that was deleted nobody may bring anything back.
    shops = set(Shop.objects.values_list("pk", flat=True))
    return [piece for piece in pieces if piece.shop in shops]


def _all_there(partition: ColdPartition, bucket: Bucket) -> bool:
    """Ask once more for every object that is about to be the only copy."""
    manifests = EventArchive.objects.across_shops().filter(
        table=partition.table, partition_start=partition.start, state=ArchiveState.VERIFIED
    )
    for manifest in manifests:
        if bucket.size_and_tag(manifest.key) != (manifest.bytes, manifest.etag):
            telemetry.log(
                telemetry.Log.ARCHIVE_DROP_HELD, partition=partition.name, reason="object changed"
            )
            if manifest.dropped_at is None:
                start_over(manifest)
            return False
    return True
