"""What happened: two append-only tables of one shape, and the events that still wait."""

from django.db import models

from saleor_nudges.models.base import ScopedManager


class StoredEvent(models.Model):
    """One event. Partitioned by id, whose first bits are its time; see `retention`."""

    id = models.UUIDField(primary_key=True)
    shop = models.ForeignKey(
        "saleor_nudges.Shop",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    channel = models.CharField(max_length=255)
    kind = models.CharField(max_length=32)
    occurred_at = models.DateTimeField()
    subject = models.CharField(max_length=255)
    person = models.UUIDField(null=True)
    data = models.JSONField()

    class Meta:
        abstract = True


class ShopEvent(StoredEvent):
    """A commerce fact: checkout, order, stock, consent."""

    objects = ScopedManager["ShopEvent"]()

    class Meta:
        db_table = "saleor_nudges_events"
        ordering = ("id",)


class ViewEvent(StoredEvent):
    """What a storefront saw."""

    objects = ScopedManager["ViewEvent"]()

    class Meta:
        db_table = "saleor_nudges_views"
        ordering = ("id",)


class WaitingEvent(models.Model):
    """An event in the Postgres stream. Personal fields are sealed; the row goes when consumed."""

    position = models.BigAutoField(primary_key=True)
    event_id = models.UUIDField()
    flow = models.CharField(max_length=16)
    shop = models.ForeignKey(
        "saleor_nudges.Shop",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    kind = models.CharField(max_length=32)
    payload = models.JSONField()
    sealed = models.BinaryField(null=True)
    appended_at = models.DateTimeField(auto_now_add=True)
    # Put back for later, because the shop it must ask did not answer.
    not_before = models.DateTimeField(null=True)

    objects = ScopedManager["WaitingEvent"]()

    class Meta:
        ordering = ("position",)
        # A flow is read in its own order, however much of the other one waits before it.
        indexes = (models.Index(fields=["flow", "position"], name="nudges_waiting_in_order"),)
        constraints = (
            models.UniqueConstraint(fields=["flow", "event_id"], name="nudges_waiting_event_once"),
        )


class DeadLetter(models.Model):
    """An event that cannot be read or folded: put aside with its reason; it holds nothing up."""

    event_id = models.UUIDField()
    flow = models.CharField(max_length=16)
    shop = models.ForeignKey(
        "saleor_nudges.Shop",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    kind = models.CharField(max_length=255)
    payload = models.JSONField()
    sealed = models.BinaryField(null=True)
    reason = models.CharField(max_length=255)
    # How often it was tried; it is tried again at `retry_at`, and never if that is empty.
    tries = models.PositiveSmallIntegerField(default=1)
    retry_at = models.DateTimeField(null=True)
    put_aside_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager["DeadLetter"]()

    class Meta:
        ordering = ("pk",)
        indexes = (models.Index(fields=["flow", "retry_at"], name="nudges_dead_letter_due"),)
        constraints = (
            models.UniqueConstraint(fields=["flow", "event_id"], name="nudges_dead_letter_once"),
        )


class HeldBatch(models.Model):
    """The waiting events a worker holds right now, by their positions. The row goes with the batch;
    one that stays, while its events can be locked, tells that the worker died over one of them.
    """

    flow = models.CharField(max_length=16)
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    # How many workers have died over these events.
    deaths = models.PositiveSmallIntegerField(default=0)
    # Empty: somebody died over them, and they wait to be tried in pieces.
    held_since = models.DateTimeField(null=True)

    class Meta:
        ordering = ("pk",)
        indexes = (models.Index(fields=["flow", "held_since"], name="nudges_held_batch"),)


class VisitorCheckout(models.Model):
    """Which checkout belongs to which visitor, as their page told us: to leave out their own."""

    shop = models.ForeignKey(
        "saleor_nudges.Shop", on_delete=models.CASCADE, db_index=False, related_name="+"
    )
    visitor = models.UUIDField()
    checkout = models.CharField(max_length=64)
    seen_at = models.DateTimeField()
    pk = models.CompositePrimaryKey("shop_id", "visitor", "checkout")

    objects = ScopedManager["VisitorCheckout"]()

    class Meta:
        indexes = (models.Index(fields=["seen_at"], name="nudges_visitor_checkout_age"),)
