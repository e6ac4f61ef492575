"""People, what they allowed, and what was stopped."""

from django.db import models

from saleor_nudges.models.base import ScopedManager, ShopRow


class MessageChannel(models.TextChoices):
    """How a message leaves. Only email exists yet."""

    EMAIL = "EMAIL", "Email"


class Person(ShopRow):
    """One person. Hashes find the row, contact is sealed with a key that only this row holds."""

    # Null, not empty: unknown is not the same for two people, and uniqueness must not see it.
    email_hash = models.CharField(max_length=64, null=True)  # noqa: DJ001
    phone_hash = models.CharField(max_length=64, null=True)  # noqa: DJ001
    user_hash = models.CharField(max_length=64, null=True)  # noqa: DJ001
    sealed_key = models.BinaryField(null=True)
    sealed_contact = models.BinaryField(null=True)
    erased_at = models.DateTimeField(null=True)
    # Since then neither their name nor where they are is said of what they bought.
    refuses_featuring_at = models.DateTimeField(null=True)

    objects = ScopedManager["Person"]()

    class Meta(ShopRow.Meta):
        constraints = (
            models.UniqueConstraint(fields=["shop", "email_hash"], name="nudges_person_email"),
        )
        indexes = (
            models.Index(fields=["shop", "user_hash"], name="nudges_person_user"),
            models.Index(fields=["shop", "phone_hash"], name="nudges_person_phone"),
            models.Index(
                fields=["shop", "erased_at"],
                name="nudges_person_erased",
                condition=models.Q(erased_at__isnull=False),
            ),
        )


class Consent(ShopRow):
    """One answer of one person for one message channel; the newest counts."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    message_channel = models.CharField(max_length=16, choices=MessageChannel.choices)
    is_given = models.BooleanField()
    at = models.DateTimeField()
    source = models.CharField(max_length=64)

    objects = ScopedManager["Consent"]()

    class Meta(ShopRow.Meta):
        indexes = (
            models.Index(
                fields=["shop", "person", "message_channel", "-at"], name="nudges_consent_newest"
            ),
        )


class Suppression(ShopRow):
    """An address that must not be written to, by hash only: it outlives the person's row."""

    message_channel = models.CharField(max_length=16, choices=MessageChannel.choices)
    address_hash = models.CharField(max_length=64)
    reason = models.CharField(max_length=32)

    objects = ScopedManager["Suppression"]()

    class Meta(ShopRow.Meta):
        constraints = (
            models.UniqueConstraint(
                fields=["shop", "message_channel", "address_hash"], name="nudges_suppressed_once"
            ),
        )
