"""The shops we serve, and how we are connected to them."""

import re
from secrets import token_urlsafe
from typing import Final

from django.db import models

from saleor_nudges.models.base import Row, ScopedManager, ShopRow

PUBLIC_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,16}")


def public_id() -> str:
    """Return eight characters by which a shop may be named in public."""
    return token_urlsafe(6)


def is_public_id(text: str) -> bool:
    """Tell whether a shop could be named so; a database cannot even be asked for some texts."""
    return bool(PUBLIC_ID.fullmatch(text))


class LegalBasis(models.TextChoices):
    """On what ground the seller writes to people. Nothing is sent before one is chosen."""

    NONE = "NONE", "Not chosen: nothing is sent."
    CONSENT = "CONSENT", "Only to people who agreed."
    SOFT_OPT_IN = "SOFT_OPT_IN", "To everyone who left an address and did not say no."


def all_claim_rules() -> list[str]:
    """Return every set of rules there is: whoever sells anywhere is safe with all of them."""
    return ["UK", "EU", "US"]


def usual_caps() -> list[dict[str, int]]:
    """Return how often a person is written to at most where the seller has not chosen."""
    return [{"limit": 2, "seconds": 24 * 3600}, {"limit": 5, "seconds": 7 * 24 * 3600}]


class Shop(Row):
    """A shop: the site we are a plugin of, or a Saleor that installed us as an App."""

    key = models.CharField(max_length=500, unique=True)
    public_id = models.CharField(max_length=16, unique=True, default=public_id)
    name = models.CharField(max_length=255, blank=True)
    is_active = models.BooleanField(default=True)
    default_language = models.CharField(max_length=35, default="en")

    # What the seller switched on, and since when; both start off.
    tracking_since = models.DateTimeField(null=True)
    sending_since = models.DateTimeField(null=True)
    legal_basis = models.CharField(
        max_length=16, choices=LegalBasis.choices, default=LegalBasis.NONE
    )
    # Sending is bound to one installation: a copy of this database elsewhere stays silent.
    sending_installation = models.CharField(max_length=64, blank=True)

    # How often, and at which hours by the recipient's clock, people are written to:
    # `recovery.campaigns.manners` reads both. `timezone` is the shop's, for whoever may live
    # anywhere.
    message_caps = models.JSONField(default=usual_caps)
    message_hours = models.JSONField(default=dict)
    timezone = models.CharField(max_length=64, default="UTC")

    sender_name = models.CharField(max_length=255, blank=True)
    sender_email = models.CharField(max_length=254, blank=True)
    checkout_url = models.CharField(max_length=500, blank=True)
    product_url = models.CharField(max_length=500, blank=True)
    # By channel, where it differs: `link_base_url` and `checkout_url`; `recovery.addresses` reads.
    channel_addresses = models.JSONField(default=dict)
    sealed_storefront_secret = models.BinaryField(null=True)
    # By which an outside service signs the reviews it brings; none: no reviews are taken.
    sealed_reviews_secret = models.BinaryField(null=True)
    # Whose rules of honest advertising the seller's words are held against: UK, EU, US.
    claim_rules = models.JSONField(default=all_claim_rules)


class AppInstallation(ShopRow):
    """How a Saleor that installed us as an App is reached, and by which keys it signs."""

    api_url = models.CharField(max_length=500)
    app_id = models.CharField(max_length=64)
    sealed_token = models.BinaryField()
    saleor_version = models.CharField(max_length=32, blank=True)
    key_set = models.JSONField(default=dict)
    key_set_fetched_at = models.DateTimeField()

    objects = ScopedManager["AppInstallation"]()

    class Meta(ShopRow.Meta):
        constraints = (
            models.UniqueConstraint(fields=["shop"], name="nudges_app_installation_shop"),
        )


class AuditEntry(ShopRow):
    """Who changed what, when. Written by every mutation, changed by none."""

    actor = models.CharField(max_length=255)
    action = models.CharField(max_length=64)
    target = models.CharField(max_length=255, blank=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    objects = ScopedManager["AuditEntry"]()

    class Meta(ShopRow.Meta):
        indexes = (models.Index(fields=["shop", "-id"], name="nudges_audit_newest"),)


class Cursor(ShopRow):
    """How far a sweep of the host has come. A stale `caught_up_at` stops all sending."""

    kind = models.CharField(max_length=32)
    position = models.DateTimeField()
    caught_up_at = models.DateTimeField(null=True)

    objects = ScopedManager["Cursor"]()

    class Meta(ShopRow.Meta):
        constraints = (
            models.UniqueConstraint(fields=["shop", "kind"], name="nudges_cursor_shop_kind"),
        )
