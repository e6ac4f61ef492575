"""Messaging: who sends, on what ground, and who agreed."""

import re
from datetime import UTC, datetime
from typing import Any

import graphene

from saleor_nudges import conf, consent, crypto
from saleor_nudges.capture import capture
from saleor_nudges.events import (
    ConsentFact,
    ConsentGiven,
    ConsentWithdrawn,
    Contact,
    FeaturingAllowed,
    FeaturingFact,
    FeaturingRefused,
)
from saleor_nudges.exceptions import InvalidInput, PermissionDenied
from saleor_nudges.graphql.addresses import (
    MessagingAddresses,
    MessagingAddressesInput,
    messaging_addresses,
)
from saleor_nudges.graphql.context import allowed
from saleor_nudges.graphql.errors import answered
from saleor_nudges.graphql.mutation import SellerMutation, errors_field, given
from saleor_nudges.graphql.standard import JSON
from saleor_nudges.host import Requester
from saleor_nudges.models import LegalBasis, MessageChannel, Shop
from saleor_nudges.recovery import addresses
from saleor_nudges.recovery.campaigns import manners

MessageChannelEnum = graphene.Enum(
    "MessageChannelEnum", [(name.name, name.value) for name in MessageChannel]
)
MessagingLegalBasisEnum = graphene.Enum(
    "MessagingLegalBasisEnum", [(basis.name, basis.value) for basis in LegalBasis]
)
SENDER = re.compile(r"[^@\s<>()\[\],;:\\\"]+@[\w-]+(\.[\w-]+)+")
LONGEST_NAME, LONGEST_ADDRESS = 255, 254
STORED = [
    "legal_basis",
    "sender_name",
    "sender_email",
    "sending_since",
    "sending_installation",
    "channel_addresses",
    "message_caps",
    "message_hours",
    "timezone",
]
ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class MessagingSettings(graphene.ObjectType):
    """Who sends, and on what ground."""

    is_sending_enabled = graphene.Boolean(
        required=True, description="Whether messages leave at all."
    )
    legal_basis = graphene.Field(
        MessagingLegalBasisEnum, required=True, description="On what ground people are written to."
    )
    sender_name = graphene.String(required=True, description="Name of the sender.")
    sender_email = graphene.String(required=True, description="Address of the sender.")
    channel_addresses = graphene.List(
        graphene.NonNull(MessagingAddresses),
        required=True,
        description="Where links begin and lead, of the channels in which that differs.",
    )

    message_caps = JSON(
        required=True, description="How often one person is written to at most; see the docs."
    )
    message_hours = JSON(
        required=True, description="At which hours, where they differ from what ships."
    )
    timezone = graphene.String(
        required=True, description="The shop's clock, for people of whom nothing is known."
    )

    class Meta:
        description = "Represents who sends messages, and on what ground."

    @staticmethod
    @answered
    def resolve_is_sending_enabled(root: Shop, _info: Any) -> bool:
        return consent.may_send_now(root)

    @staticmethod
    @answered
    def resolve_channel_addresses(root: Shop, _info: Any) -> list[MessagingAddresses]:
        return messaging_addresses(root)


class MessagingSettingsInput(graphene.InputObjectType):
    """What can be changed of who sends."""

    is_sending_enabled = graphene.Boolean(description="Whether messages leave at all.")
    legal_basis = MessagingLegalBasisEnum(description="On what ground people are written to.")
    sender_name = graphene.String(description="Name of the sender.")
    sender_email = graphene.String(description="Address of the sender.")
    channel_addresses = graphene.List(
        graphene.NonNull(MessagingAddressesInput),
        description="Where links begin and lead, channel by channel; others stay as they are.",
    )

    message_caps = JSON(
        description="A list such as [{limit: 2, seconds: 86400}]; see docs/campaigns.md."
    )
    message_hours = JSON(
        description='Windows by message channel, such as {SMS: [{opens: "09:00", …}]}.'
    )
    timezone = graphene.String(description="The shop's clock, such as Europe/Lisbon.")

    class Meta:
        description = "Fields of the messaging settings that can be changed."


class MessagingSettingsUpdate(SellerMutation):
    """Change who sends, or switch sending on and off."""

    messaging_settings = graphene.Field(MessagingSettings, description="The settings as they are.")
    errors = errors_field()
    permission = "MANAGE_SETTINGS"

    class Arguments:
        input = MessagingSettingsInput(required=True, description="What to change.")

    class Meta:
        description = "Changes who sends and on what ground. Requires MANAGE_SETTINGS."

    @classmethod
    def perform(cls, asker: Requester, **data: Any) -> Any:
        changes = given(data["input"])
        # Held, because what differs by channel is one field: two sellers change two channels.
        shop = Shop.objects.select_for_update().get(pk=asker.shop.pk)
        before = _told(shop)
        for field in ("legal_basis", "sender_name", "sender_email"):
            if field in changes:
                setattr(shop, field, changes[field])
        if shop.sender_email and not _can_send(shop.sender_email):
            raise InvalidInput("This is not an email address.", field="senderEmail")
        if len(shop.sender_name) > LONGEST_NAME or not shop.sender_name.isprintable():
            raise InvalidInput(
                f"A name is one line of at most {LONGEST_NAME} characters.", field="senderName"
            )
        addresses.change(shop, changes.get("channel_addresses", ()))
        _set_manners(shop, changes)
        if "is_sending_enabled" in changes:
            _switch(shop, on=changes["is_sending_enabled"])
        if shop.sending_since and shop.legal_basis == LegalBasis.NONE:
            raise InvalidInput("Choose a legal basis first.", field="legalBasis")
        shop.save(update_fields=STORED)
        after = _told(shop)
        changed = [key for key in changes if key in after]
        # An address is personal data; that it changed is enough.
        cls.wrote(
            asker,
            "",
            {key: after[key] for key in changed},
            {key: before[key] for key in changed},
        )
        return cls(messaging_settings=shop, errors=[])


def _set_manners(shop: Shop, changes: dict[str, Any]) -> None:
    """Set how often and when people are written to; raises InvalidInput."""
    if "message_caps" in changes:
        manners.read_caps(changes["message_caps"])
        shop.message_caps = changes["message_caps"]
    if "message_hours" in changes:
        manners.read_hours(changes["message_hours"])
        shop.message_hours = changes["message_hours"]
    if "timezone" in changes:
        shop.timezone = manners.check_zone(changes["timezone"])


def _told(shop: Shop) -> dict[str, Any]:
    """Return what the audit log may hold of these settings."""
    return {
        "is_sending_enabled": shop.sending_since is not None,
        "legal_basis": str(shop.legal_basis),
        "sender_name": shop.sender_name,
        "channel_addresses": shop.channel_addresses,
        "message_caps": shop.message_caps,
        "message_hours": shop.message_hours,
        "timezone": shop.timezone,
    }


def _can_send(address: str) -> bool:
    # It stands in a header of every message, so nothing that would break one.
    is_plain = address.isascii() and address.isprintable()
    return bool(is_plain and len(address) <= LONGEST_ADDRESS and SENDER.fullmatch(address))


def _switch(shop: Shop, *, on: bool) -> None:
    if not on:
        shop.sending_since = None
        return
    if not shop.sender_email:
        raise InvalidInput("Say who sends first.", field="senderEmail")
    if not conf.get().PUBLIC_URL:
        raise InvalidInput("The setting PUBLIC_URL is missing.", field="isSendingEnabled")
    bound = shop.sending_installation == consent.installation()
    # Moving to another host starts anew: what was left before is never written about.
    shop.sending_since = shop.sending_since if shop.sending_since and bound else datetime.now(UTC)
    shop.sending_installation = consent.installation()


class MessagingConsentUpdate(SellerMutation):
    """Say that a person agreed, or no longer does."""

    errors = errors_field()
    permission = "MANAGE_CHECKOUTS"

    class Arguments:
        channel = graphene.String(required=True, description="Slug of the channel.")
        email = graphene.String(required=True, description="Address of the person.")
        message_channel = MessageChannelEnum(
            description="How they may be written to; needed with isGiven."
        )
        is_given = graphene.Boolean(description="Whether they agree to be written to.")
        featuring = graphene.Boolean(
            description="Whether their first name and place may be said of what they bought."
        )
        source = graphene.String(required=True, description="Where they said so.")

    class Meta:
        description = "Keeps a person's consent, for the shop's server. Requires MANAGE_CHECKOUTS."

    @classmethod
    def perform(cls, asker: Requester, **data: Any) -> Any:
        if not asker.is_app:
            raise PermissionDenied("Only an app may say so for a person.")
        data["email"] = data["email"].strip()
        if not ADDRESS.fullmatch(data["email"]):
            raise InvalidInput("This is not an email address.", field="email")
        answers = [*_consent(data), *_featuring(data)]
        if not answers:
            raise InvalidInput("Say what they agreed to, or refused.", field="isGiven")
        now = datetime.now(UTC)
        capture(*(_answer(asker.shop, data, now, kind, fields) for kind, fields in answers))
        said = {"isGiven": data.get("is_given"), "featuring": data.get("featuring")}
        said = {name: value for name, value in said.items() if value is not None}
        cls.wrote(asker, "", {**said, "source": data["source"][:64]})
        return cls(errors=[])


Answer = tuple[type[ConsentFact | FeaturingFact], dict[str, Any]]


def _consent(data: dict[str, Any]) -> list[Answer]:
    if data.get("is_given") is None:
        return []
    if not data.get("message_channel"):
        raise InvalidInput("How may they be written to?", field="messageChannel")
    kind = ConsentGiven if data["is_given"] else ConsentWithdrawn
    return [(kind, {"message_channel": data["message_channel"]})]


def _featuring(data: dict[str, Any]) -> list[Answer]:
    if data.get("featuring") is None:
        return []
    return [(FeaturingAllowed if data["featuring"] else FeaturingRefused, {})]


def _answer(
    shop: Shop,
    data: dict[str, Any],
    now: datetime,
    kind: type[ConsentFact | FeaturingFact],
    fields: dict[str, Any],
) -> ConsentFact | FeaturingFact:
    return kind(
        shop=shop.pk,
        channel=data["channel"],
        occurred_at=now,
        # Two people may answer at the same moment; neither is named in the open.
        revision=crypto.keyed_hash("consent", f"{now.isoformat()} {data['email']}"),
        source=data["source"][:64],
        contact=Contact(email=data["email"]),
        **fields,
    )


class MessagingQueries(graphene.ObjectType):
    """What can be asked about messaging."""

    messaging_settings = graphene.Field(
        MessagingSettings,
        required=True,
        description="Who sends, and on what ground. Requires MANAGE_SETTINGS.",
    )

    @staticmethod
    @answered
    def resolve_messaging_settings(_root: Any, info: Any) -> Shop:
        return allowed(info, "MANAGE_SETTINGS").shop


class MessagingMutations(graphene.ObjectType):
    """What can be changed about messaging."""

    messaging_settings_update = MessagingSettingsUpdate.Field(
        description="Changes who sends and on what ground. Requires MANAGE_SETTINGS."
    )
    messaging_consent_update = MessagingConsentUpdate.Field(
        description="Keeps a person's consent, for the shop's server. Requires MANAGE_CHECKOUTS."
    )
