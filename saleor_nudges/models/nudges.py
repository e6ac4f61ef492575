"""What sellers configured, what can be shown, and the proof behind it."""

from secrets import token_urlsafe

from django.db import models

from saleor_nudges.models.base import ChannelRow, ScopedManager


def public_id() -> str:
    """Return the eight characters by which a page names a nudge."""
    return token_urlsafe(6)


class NudgeType(models.TextChoices):
    """The kinds of nudge there are."""

    ADD_TO_CART = "ADD_TO_CART", "Somebody put this into a cart."
    ORDER = "ORDER", "Somebody bought this."
    PRODUCT_REVIEW = "PRODUCT_REVIEW", "Somebody reviewed this."
    PRODUCT_VIEW = "PRODUCT_VIEW", "People looked at this."
    LIVE_VISITORS = "LIVE_VISITORS", "People look at this right now."
    RECENT_VISITORS = "RECENT_VISITORS", "People visited the shop."
    CART_SUMMARY = "CART_SUMMARY", "People put this into their carts."
    ORDER_SUMMARY = "ORDER_SUMMARY", "People bought this."
    LOW_STOCK = "LOW_STOCK", "Few are left."


class NudgeImage(models.TextChoices):
    """Which picture a nudge shows."""

    PRODUCT = "PRODUCT", "The product's."
    CUSTOM = "CUSTOM", "One the seller names."
    NONE = "NONE", "None."


class NudgeLink(models.TextChoices):
    """Where a nudge leads."""

    PRODUCT = "PRODUCT", "To the product's page."
    CUSTOM = "CUSTOM", "To a page the seller names."
    NONE = "NONE", "Nowhere."


class StockRule(models.TextChoices):
    """When a product's stock is low."""

    COUNT = "COUNT", "When no more than `maximum` are left."
    DAYS_OF_COVER = "DAYS_OF_COVER", "When it will be sold within `cover_days`."


class NudgeConsentMode(models.TextChoices):
    """What a storefront's page must have heard from its visitor before anything is sent."""

    OPT_IN = "OPT_IN", "Nothing happens before the page says that the visitor agreed."
    OPT_OUT = "OPT_OUT", "Until the visitor refuses; a browser that asks not to be tracked has."


class NudgeConfig(ChannelRow):
    """One kind of nudge in one channel, as the seller shaped it. Off until switched on.

    `included` and `excluded` hold global ids by "products", "categories" and "collections";
    an empty `included` means every product. Texts are Liquid templates by language.
    """

    type = models.CharField(max_length=32, choices=NudgeType.choices)
    is_enabled = models.BooleanField(default=False)
    is_anonymous = models.BooleanField(default=True)
    has_header_tag = models.BooleanField(default=True)
    has_time = models.BooleanField(default=True)
    # Smaller comes first where several could be shown.
    priority = models.PositiveSmallIntegerField(default=0)
    window_seconds = models.PositiveIntegerField()
    minimum = models.PositiveIntegerField(default=1)
    maximum = models.PositiveIntegerField(null=True)
    stock_rule = models.CharField(max_length=16, choices=StockRule.choices, default=StockRule.COUNT)
    cover_days = models.PositiveSmallIntegerField(default=3)
    pages = models.JSONField(default=list)
    texts = models.JSONField(default=dict)
    headings = models.JSONField(default=dict)
    highlight_color = models.CharField(max_length=7, blank=True)
    included = models.JSONField(default=dict)
    excluded = models.JSONField(default=dict)
    order_statuses = models.JSONField(default=list)
    image = models.CharField(max_length=8, choices=NudgeImage.choices, default=NudgeImage.PRODUCT)
    image_url = models.CharField(max_length=500, blank=True)
    link = models.CharField(max_length=8, choices=NudgeLink.choices, default=NudgeLink.PRODUCT)
    link_url = models.CharField(max_length=500, blank=True)

    objects = ScopedManager["NudgeConfig"]()

    class Meta(ChannelRow.Meta):
        constraints = (
            models.UniqueConstraint(
                fields=["shop", "channel", "type"], name="nudges_config_per_channel"
            ),
        )


def all_devices() -> list[str]:
    """Return every device a nudge may be shown on."""
    return ["DESKTOP", "ANDROID", "IOS", "OTHER"]


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
    devices = models.JSONField(default=all_devices)
    is_quiet_in_checkout = models.BooleanField(default=True)
    consent_mode = models.CharField(
        max_length=8, choices=NudgeConsentMode.choices, default=NudgeConsentMode.OPT_OUT
    )
    # An address typed into the checkout's form may be told before it is sent there; by consent.
    captures_contact = models.BooleanField(default=False)
    # A place is named only if so many buyers of the window share it.
    buyers_per_place = models.PositiveSmallIntegerField(default=5)

    objects = ScopedManager["NudgeSettings"]()

    class Meta(ChannelRow.Meta):
        constraints = (
            models.UniqueConstraint(fields=["shop", "channel"], name="nudges_settings_per_channel"),
        )


class Evidence(ChannelRow):
    """The proof behind a number or a purchase shown. Kept per computation, not per view.

    A `product_id` of "" means that the number is of the whole channel.
    """

    type = models.CharField(max_length=32, choices=NudgeType.choices)
    product_id = models.CharField(max_length=255)
    metric = models.CharField(max_length=64)
    window_seconds = models.PositiveIntegerField(null=True)
    value = models.PositiveIntegerField()
    threshold = models.PositiveIntegerField(null=True)
    maximum = models.PositiveIntegerField(null=True)
    computed_at = models.DateTimeField()
    rule_version = models.CharField(max_length=32)
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
    """Something that can be shown: what somebody did, or a number that was measured.

    A `product_id` of "" means that it is of the whole channel. `details` is what only its kind
    knows, nothing personal. The three keys are keyed hashes of where its maker is.
    """

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
    details = models.JSONField(default=dict)
    city_key = models.CharField(max_length=16, blank=True)
    region_key = models.CharField(max_length=16, blank=True)
    country_key = models.CharField(max_length=16, blank=True)

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
                fields=["shop", "channel", "product_id", "type", "-occurred_at"],
                name="nudges_kind_of_product",
            ),
            models.Index(
                fields=["shop", "channel", "type", "-occurred_at"],
                name="nudges_kind_of_channel",
            ),
            models.Index(fields=["shop", "source_subject"], name="nudges_of_source"),
            # Whether enough buyers are in one place: the newest entries of one key.
            *(
                models.Index(
                    fields=["shop", "channel", f"{level}_key", "-occurred_at"],
                    condition=models.Q(type=NudgeType.ORDER) & ~models.Q(**{f"{level}_key": ""}),
                    name=f"nudges_buyers_of_{level}",
                )
                for level in ("city", "region", "country")
            ),
        )
