"""What was moved out of the database, where it lies, and whether age alone may drop a partition."""

from datetime import datetime, timedelta

from django.db import models

from saleor_nudges import conf
from saleor_nudges.models.base import ScopedManager, ShopRow


class ArchiveState(models.TextChoices):
    """How far one piece of the archive is."""

    WRITING = "WRITING", "Parts are being uploaded; it can be resumed."
    WRITTEN = "WRITTEN", "The object is complete, and not yet read back."
    VERIFIED = "VERIFIED", "Read back and equal to what was sent."


class EventArchive(ShopRow):
    """The manifest of one object: one week of one table of one shop. [start, end) are times.

    Rows that come after their partition was dropped get an object of the next generation.
    """

    table = models.CharField(max_length=64)
    start = models.DateTimeField()
    end = models.DateTimeField()
    generation = models.PositiveSmallIntegerField(default=1)
    # Which partition held it, so that a restore can make it again.
    partition_start = models.DateTimeField()
    partition_end = models.DateTimeField()
    key = models.CharField(max_length=1024)
    format = models.CharField(max_length=16)
    schema_version = models.PositiveSmallIntegerField()
    state = models.CharField(
        max_length=16, choices=ArchiveState.choices, default=ArchiveState.WRITING
    )
    first_id = models.UUIDField(null=True)
    last_id = models.UUIDField(null=True)
    rows = models.PositiveBigIntegerField(default=0)
    bytes = models.PositiveBigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    etag = models.CharField(max_length=255, blank=True)
    # Which ids there were when it was planned: the exclusive or of their hashes.
    fingerprint = models.BigIntegerField(null=True)
    upload_id = models.CharField(max_length=1024, blank=True)
    # Each part's number, tag, rows, lines, bytes, sha256, first and last id.
    parts = models.JSONField(default=list)
    verified_at = models.DateTimeField(null=True)
    dropped_at = models.DateTimeField(null=True)
    # How far a restore has come: its range, and how many parts are done. Empty when none runs.
    restoring = models.JSONField(default=dict)
    restored_at = models.DateTimeField(null=True)

    objects = ScopedManager["EventArchive"]()

    class Meta(ShopRow.Meta):
        constraints = (
            models.UniqueConstraint(
                fields=["shop", "table", "start", "generation"], name="nudges_archive_piece_once"
            ),
        )


def is_on() -> bool:
    """Tell whether there is a bucket: then partitions leave by the archive, never by age alone."""
    return bool(conf.get().ARCHIVE_BUCKET)


def may_drop(table: str, start: datetime, now: datetime) -> bool:
    """Tell whether age alone may drop the partition of `table` that begins at `start`.

    Not while there is a bucket, because the archive drops it once every piece is verified; and
    not while what was brought back is to be kept.
    """
    return not is_on() and not is_kept(table, start, now)


def is_kept(table: str, start: datetime, now: datetime) -> bool:
    """Tell whether that partition holds rows that were brought back and are to stay for now."""
    limit = now - timedelta(days=conf.get().RESTORED_KEPT_DAYS)
    pieces = EventArchive.objects.across_shops().filter(table=table, partition_start=start)
    return pieces.filter(restored_at__gte=limit).exists()
