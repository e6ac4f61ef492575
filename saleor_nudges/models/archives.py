"""What was moved out of the database, and where it lies."""

from django.db import models

from saleor_nudges.models.base import ScopedManager, ShopRow


class ArchiveState(models.TextChoices):
    """How far one piece of the archive is."""

    WRITING = "WRITING", "Parts are being uploaded; it can be resumed."
    WRITTEN = "WRITTEN", "The object is complete, and not yet read back."
    VERIFIED = "VERIFIED", "Read back and equal to what was sent."


class EventArchive(ShopRow):
    """The manifest of one object: one week of one table of one shop. [start, end) are times."""

    table = models.CharField(max_length=64)
    start = models.DateTimeField()
    end = models.DateTimeField()
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
    # Of an upload that is not finished: its id, and each part's number, tag, rows, bytes, last id.
    upload_id = models.CharField(max_length=255, blank=True)
    parts = models.JSONField(default=list)
    verified_at = models.DateTimeField(null=True)
    dropped_at = models.DateTimeField(null=True)
    restored_at = models.DateTimeField(null=True)

    objects = ScopedManager["EventArchive"]()

    class Meta(ShopRow.Meta):
        constraints = (
            models.UniqueConstraint(
                fields=["shop", "table", "start"], name="nudges_archive_piece_once"
            ),
        )
