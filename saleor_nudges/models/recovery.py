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
    # A keyed name of the code that was in, "" for none; None where the shop does not tell.
    voucher = models.CharField(max_length=64, blank=True, null=True)  # noqa: DJ001
    started_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    # The last sign of life: its last change, or an address typed since.
    seen_at = models.DateTimeField()
    is_payment_started = models.BooleanField(default=False)
    country = models.CharField(max_length=2, blank=True)
    device = models.CharField(max_length=16, blank=True)
    browser = models.CharField(max_length=32, blank=True)
    referrer = models.CharField(max_length=255, blank=True)
    # The furthest step that was done, what stands in the way, and what was looked for in vain.
    stage = models.CharField(max_length=16, blank=True)
    is_stage_certain = models.BooleanField(default=False)
    blockers = models.JSONField(default=list)
    ruled_out = models.JSONField(default=list)
    # Counts the times its shopper entered a campaign anew.
    cycle = models.PositiveIntegerField(default=1)
    # Whose messages this cycle gets, once a first one was due.
    campaign = models.ForeignKey(
        "saleor_nudges.Campaign", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    # When it is looked at again, and why not sooner or not at all.
    next_due_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=64, blank=True)
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
    # When its shopper may be thanked for it, by the campaign that brought them back.
    thanks_due_at = models.DateTimeField(null=True)

    objects = ScopedManager["SeenOrder"]()

    class Meta(ChannelRow.Meta):
        constraints = (
            models.UniqueConstraint(fields=["shop", "order_id"], name="nudges_order_once"),
        )
        indexes = (
            models.Index(fields=["shop", "person", "placed_at"], name="nudges_order_person"),
            models.Index(fields=["shop", "checkout"], name="nudges_order_checkout"),
            models.Index(
                fields=["shop", "thanks_due_at"],
                name="nudges_order_thanks",
                condition=models.Q(thanks_due_at__isnull=False),
            ),
        )


def usual_exits() -> list[str]:
    """Return what ends a sequence where the seller has not chosen."""
    return ["TRIGGER_ENDED", "REPLIED"]


class CampaignState(models.TextChoices):
    """Whether a campaign writes."""

    DRAFT = "DRAFT", "Never switched on."
    ACTIVE = "ACTIVE", "Writes to people."
    PAUSED = "PAUSED", "Switched off for now."


class CampaignMode(models.TextChoices):
    """Who starts a campaign's messages."""

    AUTOMATED = "AUTOMATED", "Each checkout that is left behind and fits."
    MANUAL = "MANUAL", "The seller, checkout by checkout."


class Campaign(ChannelRow):
    """What is sent to people who left a checkout in one channel. A draft until activated.

    `trigger`, `exits` and what its steps hold as JSON is read by `recovery.campaigns.steps.parse`.
    """

    name = models.CharField(max_length=255)
    # The one that every channel comes with.
    is_shipped = models.BooleanField(default=False)
    mode = models.CharField(
        max_length=16, choices=CampaignMode.choices, default=CampaignMode.AUTOMATED
    )
    state = models.CharField(
        max_length=16, choices=CampaignState.choices, default=CampaignState.DRAFT
    )
    trigger = models.JSONField(default=dict)
    exits = models.JSONField(default=usual_exits)
    cool_down_seconds = models.PositiveIntegerField(default=7 * 24 * 3600)
    # The smaller goes first.
    priority = models.PositiveSmallIntegerField(default=50)
    # A checkout last changed before this is counted and never messaged.
    active_since = models.DateTimeField(null=True)

    objects = ScopedManager["Campaign"]()

    class Meta(ChannelRow.Meta):
        constraints = (
            models.UniqueConstraint(
                fields=["shop", "channel"],
                name="nudges_campaign_shipped_once",
                condition=models.Q(is_shipped=True),
            ),
        )


def by_email() -> list[str]:
    """Return the message channel of a step whose seller has not chosen."""
    return [MessageChannel.EMAIL]


class StepKind(models.TextChoices):
    """What a step's message is for, and what its delay counts from."""

    REMINDER = "REMINDER", "Counts from the shopper's last sign of life."
    THANK_YOU = "THANK_YOU", "Counts from the order that ended the reminders."


class CampaignStep(ShopRow):
    """One message of a campaign."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveIntegerField()
    # Taken out of its campaign; the ledger still names it.
    is_retired = models.BooleanField(default=False)
    kind = models.CharField(max_length=16, choices=StepKind.choices, default=StepKind.REMINDER)
    delay_seconds = models.PositiveIntegerField()
    message_channels = models.JSONField(default=by_email)
    condition = models.JSONField(default=dict)
    send_window = models.JSONField(default=list)
    # What it gives away, as `recovery.campaigns.vouchers.parse` reads it; None for nothing.
    voucher = models.JSONField(null=True)
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
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="+")
    step = models.ForeignKey(CampaignStep, on_delete=models.PROTECT, related_name="+")
    step_number = models.PositiveIntegerField()
    # Of a thank-you: what for.
    order = models.ForeignKey(
        SeenOrder, on_delete=models.CASCADE, null=True, db_index=False, related_name="+"
    )
    person = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, related_name="+")
    message_channel = models.CharField(max_length=16, choices=MessageChannel.choices)
    state = models.CharField(max_length=16, choices=SendState.choices, default=SendState.DUE)
    reason = models.CharField(max_length=64, blank=True)
    # The seller asked for it: nobody waits for silence.
    is_manual = models.BooleanField(default=False)
    due_at = models.DateTimeField()
    # When it could first have gone; what keeps it back only because of us does not move it.
    ready_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    # What could still be bought of the checkout; None where that was not asked.
    lines = models.JSONField(null=True)
    # Counts the claims: a worker that slept past its lease finds another number and stops.
    fence = models.PositiveIntegerField(default=0)
    # Counts what broke on our side before anything left.
    failures = models.PositiveSmallIntegerField(default=0)
    marked_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    returned_at = models.DateTimeField(null=True)
    # Of the newest link back to the checkout: its token's hash, never the token.
    link_hash = models.CharField(max_length=64, null=True)  # noqa: DJ001 - unknown is no value
    link_expires_at = models.DateTimeField(null=True)

    objects = ScopedManager["Send"]()

    class Meta(ChannelRow.Meta):
        constraints = (
            models.UniqueConstraint(
                fields=["checkout", "cycle", "campaign", "step_number"], name="nudges_send_once"
            ),
            # Whichever campaign it comes from: no step of a cycle ever leaves twice.
            models.UniqueConstraint(
                fields=["checkout", "cycle", "step_number"],
                name="nudges_sent_at_most_once",
                condition=models.Q(state__in=["SENDING", "SENT", "IN_DOUBT"]),
            ),
        )
        indexes = (
            models.Index(
                fields=["due_at"],
                name="nudges_send_due",
                condition=models.Q(state__in=["DUE", "CLAIMED", "SENDING"]),
            ),
            models.Index(fields=["shop", "person", "-id"], name="nudges_send_person"),
            models.Index(
                fields=["shop", "-marked_at"],
                name="nudges_send_marked",
                condition=models.Q(marked_at__isnull=False),
            ),
            models.Index(
                fields=["link_hash"],
                name="nudges_send_link",
                condition=models.Q(link_hash__isnull=False),
            ),
        )


class FreshCheckout(ChannelRow):
    """A checkout that was opened for a shopper who came back by the link of a message."""

    send = models.ForeignKey(Send, on_delete=models.CASCADE, related_name="+")
    checkout = models.ForeignKey(TrackedCheckout, on_delete=models.CASCADE, related_name="+")
    # What was to be in it, and its last change by the shop's clock when it was opened.
    lines_hash = models.CharField(max_length=64)
    changed_at = models.DateTimeField(null=True)

    objects = ScopedManager["FreshCheckout"]()


class Attempt(ChannelRow):
    """Why a message did not go when it was looked at: one row per reason, however often."""

    checkout = models.ForeignKey(TrackedCheckout, on_delete=models.CASCADE, related_name="+")
    cycle = models.PositiveIntegerField()
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, null=True, related_name="+")
    step_number = models.PositiveIntegerField(default=0)
    reason = models.CharField(max_length=64)
    at = models.DateTimeField()
    last_at = models.DateTimeField()
    times = models.PositiveIntegerField(default=1)
    # What `recovery.reasons.say` needs besides.
    until = models.DateTimeField(null=True)
    zone = models.CharField(max_length=64, blank=True)
    message_channel = models.CharField(max_length=16, blank=True)

    objects = ScopedManager["Attempt"]()

    class Meta(ChannelRow.Meta):
        constraints = (
            models.UniqueConstraint(
                fields=["checkout", "cycle", "step_number", "reason"], name="nudges_attempt_once"
            ),
        )


class MatchedBy(models.TextChoices):
    """What ties an order to a message that came before it."""

    CHECKOUT = "CHECKOUT", "It is of the very checkout the message was about."
    LINK = "LINK", "It is of a checkout that the message's link opened."
    PERSON = "PERSON", "The same person placed it, from another checkout."


class RecoveredOrder(ChannelRow):
    """An order and one message that came before it: a candidate, with what it rests on.

    Every message within the widest window has a row; which one earned the order is decided when
    it is asked for. An order that is void earns nothing, and keeps its rows.
    """

    order = models.ForeignKey(SeenOrder, on_delete=models.CASCADE, related_name="+")
    send = models.ForeignKey(Send, on_delete=models.CASCADE, related_name="+")
    matched_by = models.CharField(max_length=16, choices=MatchedBy.choices)
    amount = models.DecimalField(max_digits=20, decimal_places=4, default=0)
    currency = models.CharField(max_length=3, blank=True)
    # From the message to the order.
    seconds = models.PositiveIntegerField()
    # Its shopper had come back by the message's link.
    is_clicked = models.BooleanField(default=False)
    # It was placed after the message was due: without one it would count as won by itself.
    counts_in_holdout = models.BooleanField(default=False)

    objects = ScopedManager["RecoveredOrder"]()

    class Meta(ChannelRow.Meta):
        constraints = (
            models.UniqueConstraint(fields=["order", "send"], name="nudges_recovered_once"),
        )
