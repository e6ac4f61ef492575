"""Checkouts left behind, the campaigns that bring them back, and the ledger of what was sent."""

from django.db import models

from saleor_nudges.models.base import ChannelRow, ScopedManager, ShopRow
from saleor_nudges.models.messaging import MessageChannel, Person


class CheckoutState(models.TextChoices):
    """Where a tracked checkout stands."""

    OPEN = "OPEN", "May still become an order."
    EMPTIED = "EMPTIED", "Its last line was taken out."
    ORDERED = "ORDERED", "Its shopper bought."
    RECOVERED = "RECOVERED", "Its shopper bought after we wrote."
    GONE = "GONE", "The shop no longer has it."


class TrackedCheckout(ChannelRow):
    """A checkout with lines, as a message needs it. Its id is a secret and sealed."""

    checkout = models.CharField(max_length=64)
    sealed_checkout_id = models.BinaryField()
    person = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, related_name="+")
    # Somebody typed their address and the shop has not confirmed it: nothing is proven by it.
    is_contact_typed = models.BooleanField(default=False)
    state = models.CharField(
        max_length=16, choices=CheckoutState.choices, default=CheckoutState.OPEN
    )
    lines = models.JSONField(default=list)
    total = models.DecimalField(max_digits=20, decimal_places=4, default=0)
    currency = models.CharField(max_length=3, blank=True)
    language = models.CharField(max_length=35, blank=True)
    started_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    is_payment_started = models.BooleanField(default=False)
    cycle = models.PositiveIntegerField(default=1)
    next_due_at = models.DateTimeField(null=True)
    # The checkout this one was made from when its shopper came back by our link.
    parent = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="+")

    objects = ScopedManager["TrackedCheckout"]()

    class Meta(ChannelRow.Meta):
        constraints = (
            models.UniqueConstraint(fields=["shop", "checkout"], name="nudges_checkout_once"),
        )
        indexes = (
            models.Index(
                fields=["next_due_at"],
                name="nudges_checkout_due",
                condition=models.Q(state="OPEN", next_due_at__isnull=False),
            ),
            models.Index(fields=["shop", "person"], name="nudges_checkout_person"),
        )


class SeenOrder(ChannelRow):
    """An order we know of: whoever placed it is not written to about what they left before."""

    order_id = models.CharField(max_length=255)
    checkout = models.CharField(max_length=64, blank=True)
    person = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, related_name="+")
    placed_at = models.DateTimeField()
    # Cancelled or refunded: no purchase to tell others of, but still a purchase to its shopper.
    is_void = models.BooleanField(default=False)

    objects = ScopedManager["SeenOrder"]()

    class Meta(ChannelRow.Meta):
        constraints = (
            models.UniqueConstraint(fields=["shop", "order_id"], name="nudges_order_once"),
        )
        indexes = (
            models.Index(fields=["shop", "person", "placed_at"], name="nudges_order_person"),
            models.Index(fields=["shop", "checkout"], name="nudges_order_checkout"),
        )


class CampaignState(models.TextChoices):
    """Whether a campaign writes."""

    DRAFT = "DRAFT", "Never switched on."
    ACTIVE = "ACTIVE", "Writes to people."
    PAUSED = "PAUSED", "Switched off for now."


class Campaign(ChannelRow):
    """What is sent to people who left a checkout in one channel. A draft until activated."""

    name = models.CharField(max_length=255)
    state = models.CharField(
        max_length=16, choices=CampaignState.choices, default=CampaignState.DRAFT
    )
    # A checkout last changed before this is counted and never messaged.
    active_since = models.DateTimeField(null=True)

    objects = ScopedManager["Campaign"]()

    class Meta(ChannelRow.Meta):
        constraints = (
            models.UniqueConstraint(fields=["shop", "channel"], name="nudges_campaign_per_channel"),
        )


class CampaignStep(ShopRow):
    """One message of a campaign, counted from the shopper's last sign of life."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveIntegerField()
    delay_seconds = models.PositiveIntegerField()
    message_channel = models.CharField(
        max_length=16, choices=MessageChannel.choices, default=MessageChannel.EMAIL
    )
    subject = models.CharField(max_length=255, blank=True)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)

    objects = ScopedManager["CampaignStep"]()

    class Meta(ShopRow.Meta):
        ordering = ("number",)
        constraints = (
            models.UniqueConstraint(fields=["campaign", "number"], name="nudges_step_number_once"),
        )


class SendState(models.TextChoices):
    """What became of one message. Only DUE and CLAIMED are ever tried (again)."""

    DUE = "DUE", "Waits for its time."
    CLAIMED = "CLAIMED", "A worker asks whether it may go."
    SENDING = "SENDING", "Handed to the provider; never handed over again."
    SENT = "SENT", "The provider took it."
    IN_DOUBT = "IN_DOUBT", "May or may not have left; never repeated."
    REFUSED = "REFUSED", "The provider said no."
    CANCELLED = "CANCELLED", "Not sent, and why."


class Send(ChannelRow):
    """The ledger: at most one message per (checkout, cycle, step), whatever is killed when."""

    checkout = models.ForeignKey(TrackedCheckout, on_delete=models.CASCADE, related_name="+")
    cycle = models.PositiveIntegerField()
    step = models.ForeignKey(CampaignStep, on_delete=models.PROTECT, related_name="+")
    step_number = models.PositiveIntegerField()
    person = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, related_name="+")
    message_channel = models.CharField(max_length=16, choices=MessageChannel.choices)
    state = models.CharField(max_length=16, choices=SendState.choices, default=SendState.DUE)
    reason = models.CharField(max_length=64, blank=True)
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    # Counts the claims: a worker that slept past its lease finds another number and stops.
    fence = models.PositiveIntegerField(default=0)
    marked_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    returned_at = models.DateTimeField(null=True)

    objects = ScopedManager["Send"]()

    class Meta(ChannelRow.Meta):
        constraints = (
            models.UniqueConstraint(
                fields=["checkout", "cycle", "step_number"], name="nudges_sent_at_most_once"
            ),
        )
        indexes = (
            models.Index(
                fields=["due_at"],
                name="nudges_send_due",
                condition=models.Q(state__in=["DUE", "CLAIMED", "SENDING"]),
            ),
            models.Index(fields=["shop", "person", "-id"], name="nudges_send_person"),
        )
