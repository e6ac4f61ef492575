"""Counts by product: rollups and sketches that folding an event twice cannot change."""

from datetime import timedelta
from typing import Final

from django.db import models

from saleor_nudges.events.identity import uuid7
from saleor_nudges.models.base import ScopedManager


class Grain(models.TextChoices):
    """How long a bucket is."""

    MINUTE = "MINUTE", "One minute; kept for two hours."
    FIVE_MINUTES = "FIVE_MINUTES", "Five minutes; kept for three hours. Visitors only."
    HOUR = "HOUR", "One hour; visitors are kept for 31 days."


# A bucket older than this is neither read, nor made by a late event, and is deleted. How long the
# hours of counts are kept is a setting.
COUNTS_KEPT: Final = {Grain.MINUTE: timedelta(hours=2)}
# Windows up to two hours are read by five minutes. The longest window there is has 30 days.
VISITORS_KEPT: Final = {Grain.FIVE_MINUTES: timedelta(hours=3), Grain.HOUR: timedelta(days=31)}


def aged(grain: Grain, name: str) -> models.Index:
    """Return the index by which the buckets of one grain are found by age.

    One for each, so that no plan takes it for the way to a single row, whatever it believes of
    the table: all the rows of an hour lie behind it.
    """
    return models.Index(fields=["start"], name=name, condition=models.Q(grain=grain))


class ProductCount(models.Model):
    """How often one kind of event happened to a product within one bucket of time.

    A row is changed only in the transaction that stores the events it counts, so that it always
    equals a count over the events.
    """

    shop = models.ForeignKey(
        "saleor_nudges.Shop", on_delete=models.CASCADE, db_index=False, related_name="+"
    )
    channel = models.CharField(max_length=255)
    product_id = models.CharField(max_length=255)
    kind = models.CharField(max_length=32)
    grain = models.CharField(max_length=16, choices=Grain.choices)
    start = models.DateTimeField()
    count = models.PositiveBigIntegerField()
    # Pieces, where the kind has some: an order's line of three is one order and three pieces.
    quantity = models.PositiveBigIntegerField(default=0)
    pk = models.CompositePrimaryKey("shop_id", "channel", "product_id", "kind", "grain", "start")

    objects = ScopedManager["ProductCount"]()

    class Meta:
        indexes = (aged(Grain.MINUTE, "nudges_count_minute"), aged(Grain.HOUR, "nudges_count_hour"))


class VisitorSketch(models.Model):
    """Which visitors looked at a product within one bucket: their smallest hashes (`sketch`)."""

    shop = models.ForeignKey(
        "saleor_nudges.Shop", on_delete=models.CASCADE, db_index=False, related_name="+"
    )
    channel = models.CharField(max_length=255)
    product_id = models.CharField(max_length=255)
    grain = models.CharField(max_length=16, choices=Grain.choices)
    start = models.DateTimeField()
    hashes = models.BinaryField()
    pk = models.CompositePrimaryKey("shop_id", "channel", "product_id", "grain", "start")

    objects = ScopedManager["VisitorSketch"]()

    class Meta:
        indexes = (
            aged(Grain.FIVE_MINUTES, "nudges_sketch_five"),
            aged(Grain.HOUR, "nudges_sketch_hour"),
        )


class JobState(models.TextChoices):
    """How far a piece of long work is."""

    WAITING = "WAITING", "Nobody has begun."
    RUNNING = "RUNNING", "A worker holds it until its lease ends."
    DONE = "DONE", "Finished."
    FAILED = "FAILED", "Given up after its tries; see the error."


class RecountJob(models.Model):
    """One piece of a recount: one kind of event, in one channel, over one range of whole hours.

    A channel of "" is all of them: the events lie in the order of their time, so that each channel
    on its own would read the same range again.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    run = models.UUIDField()
    shop = models.ForeignKey(
        "saleor_nudges.Shop", on_delete=models.CASCADE, db_index=False, related_name="+"
    )
    channel = models.CharField(max_length=255)
    kind = models.CharField(max_length=32)
    start = models.DateTimeField()
    end = models.DateTimeField()
    state = models.CharField(max_length=8, choices=JobState.choices, default=JobState.WAITING)
    leased_until = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    events = models.PositiveBigIntegerField(default=0)
    # Rows that were not what the events say, and, unless it is a dry run, are now.
    differing = models.PositiveBigIntegerField(default=0)
    is_dry_run = models.BooleanField(default=False)
    error = models.CharField(max_length=255, blank=True)

    objects = ScopedManager["RecountJob"]()

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=["run", "shop", "channel", "kind", "start"], name="nudges_recount_job_once"
            ),
        )
        indexes = (models.Index(fields=["state", "leased_until"], name="nudges_recount_due"),)
