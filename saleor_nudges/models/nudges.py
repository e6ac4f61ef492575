"""What sellers configured, what can be shown, and the proof behind it."""

from secrets import token_urlsafe

from django.db import models

from saleor_nudges.models.base import ChannelRow, ScopedManager


def public_id() -> str:
    """Return the eight characters by which a page names a nudge."""
    return token_urlsafe(6)


class NudgeType(models.TextChoices):
    """The kinds of nudge there are."""

    ORDER = "ORDER", "Somebody bought this."
    PRODUCT_VIEW = "PRODUCT_VIEW", "People looked at this."


class NudgeConfig(ChannelRow):
    """One kind of nudge in one channel, as the seller shaped it. Off until switched on."""

    type = models.CharField(max_length=32, choices=NudgeType.choices)
    is_enabled = models.BooleanField(default=False)
    is_anonymous = models.BooleanField(default=True)
    window_seconds = models.PositiveIntegerField()
    minimum = models.PositiveIntegerField(default=1)
    pages = models.JSONField(default=list)
    texts = models.JSONField(default=dict)

    objects = ScopedManager["NudgeConfig"]()

    class Meta(ChannelRow.Meta):
        constraints = (
            models.UniqueConstraint(
                fields=["shop", "channel", "type"], name="nudges_config_per_channel"
            ),
        )


class NudgeSettings(ChannelRow):
    """How nudges look and how often they come, in one channel. Times are in seconds."""

    desktop_position = models.CharField(max_length=16, default="BOTTOM_LEFT")
    mobile_position = models.CharField(max_length=16, default="BOTTOM")
    theme = models.CharField(max_length=8, default="AUTO")
    highlight_color = models.CharField(max_length=7, blank=True)
    initial_delay = models.PositiveIntegerField(default=4)
    gap = models.PositiveIntegerField(default=12)
    duration = models.PositiveIntegerField(default=8)
    max_per_page = models.PositiveIntegerField(default=3)
    max_per_session = models.PositiveIntegerField(default=10)

    objects = ScopedManager["NudgeSettings"]()

    class Meta(ChannelRow.Meta):
        constraints = (
            models.UniqueConstraint(fields=["shop", "channel"], name="nudges_settings_per_channel"),
        )


class Evidence(ChannelRow):
    """The proof behind a number or a purchase shown. Kept per computation, not per view."""

    type = models.CharField(max_length=32, choices=NudgeType.choices)
    product_id = models.CharField(max_length=255)
    metric = models.CharField(max_length=64)
    window_seconds = models.PositiveIntegerField(null=True)
    value = models.PositiveIntegerField()
    threshold = models.PositiveIntegerField(null=True)
    computed_at = models.DateTimeField()
    rule_version = models.CharField(max_length=16)
    source_event = models.UUIDField(null=True)

    objects = ScopedManager["Evidence"]()

    class Meta(ChannelRow.Meta):
        indexes = (
            models.Index(
                fields=["shop", "channel", "product_id", "computed_at"],
                name="nudges_evidence_lookup",
            ),
        )


class Nudge(ChannelRow):
    """Something that can be shown: a purchase that happened, or a number that was measured."""

    public_id = models.CharField(max_length=8, default=public_id)
    type = models.CharField(max_length=32, choices=NudgeType.choices)
    product_id = models.CharField(max_length=255)
    product = models.JSONField(default=dict)
    occurred_at = models.DateTimeField()
    evidence = models.ForeignKey(Evidence, on_delete=models.PROTECT, related_name="+")
    value = models.PositiveIntegerField(null=True)
    valid_until = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    # Of whose activity this is made: enough to leave it out for them, readable while they exist.
    source_event = models.UUIDField(null=True)
    source_subject = models.CharField(max_length=255, blank=True)
    checkout = models.CharField(max_length=64, blank=True)
    user = models.CharField(max_length=64, blank=True)
    person = models.ForeignKey(
        "saleor_nudges.Person", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    sealed_who = models.BinaryField(null=True)

    objects = ScopedManager["Nudge"]()

    class Meta(ChannelRow.Meta):
        constraints = (
            models.UniqueConstraint(fields=["shop", "public_id"], name="nudges_public_id"),
            models.UniqueConstraint(
                fields=["shop", "channel", "type", "product_id", "source_event"],
                name="nudges_once_per_fact",
            ),
            models.UniqueConstraint(
                fields=["shop", "channel", "type", "product_id"],
                name="nudges_once_per_measure",
                condition=models.Q(source_event__isnull=True),
            ),
        )
        indexes = (
            models.Index(
                fields=["shop", "channel", "product_id", "-occurred_at"],
                name="nudges_of_product",
            ),
            models.Index(
                fields=["shop", "channel", "-occurred_at"],
                name="nudges_of_channel",
            ),
            models.Index(fields=["shop", "source_subject"], name="nudges_of_source"),
        )
