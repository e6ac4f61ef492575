"""How nudges look in a channel, and where the shop's pages are."""

from datetime import UTC, datetime
from typing import Any, Final

import graphene

from saleor_nudges import crypto
from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.graphql.context import allowed
from saleor_nudges.graphql.errors import answered
from saleor_nudges.graphql.mutation import SellerMutation, errors_field, given
from saleor_nudges.graphql.nudges.enums import (
    NudgeClaimRulesEnum,
    NudgeConsentModeEnum,
    NudgeDesktopPositionEnum,
    NudgeDeviceEnum,
    NudgeMobilePositionEnum,
    NudgeThemeEnum,
)
from saleor_nudges.host import Requester
from saleor_nudges.models import Shop
from saleor_nudges.nudges import configs

# As long as the digest that is made with it.
SHORTEST_SECRET: Final = 32
LONGEST_URL: Final = 500
OF_SHOP: Final = ("claim_rules", "product_url", "checkout_url")
CAPTURES = (
    "Whether an email address typed into the checkout's form is taken before the form is sent;"
    " only from visitors who agreed. It is no consent to be written to."
)
BUYERS = "A place is named only where so many buyers are; from 2 to 100."
CLAIM_RULES = "Whose rules of honest advertising the seller's words are held against, in this shop."


class NudgeSettingsType(graphene.ObjectType):
    """How nudges look in one channel."""

    channel = graphene.String(required=True, description="Slug of the channel.")
    is_tracking_enabled = graphene.Boolean(
        required=True, description="Whether visitors are counted and nudges shown in this shop."
    )
    desktop_position = graphene.Field(
        NudgeDesktopPositionEnum, required=True, description="Where, on a desktop."
    )
    mobile_position = graphene.Field(
        NudgeMobilePositionEnum, required=True, description="Where, on a phone."
    )
    theme = graphene.Field(NudgeThemeEnum, required=True, description="Light, dark, or the page's.")
    highlight_color = graphene.String(
        required=True, description="Colour such as #1a2b3c, or empty."
    )
    initial_delay = graphene.Int(required=True, description="Seconds before the first nudge.")
    gap = graphene.Int(required=True, description="Seconds between two nudges.")
    duration = graphene.Int(required=True, description="Seconds a nudge stays.")
    max_per_page = graphene.Int(required=True, description="Most nudges on one page.")
    max_per_session = graphene.Int(required=True, description="Most nudges in one visit.")
    devices = graphene.List(
        graphene.NonNull(NudgeDeviceEnum), required=True, description="On which devices."
    )
    is_quiet_in_checkout = graphene.Boolean(
        required=True, description="Whether cart and checkout show none."
    )
    consent_mode = graphene.Field(
        NudgeConsentModeEnum, required=True, description="Whether visitors are asked first."
    )
    captures_contact = graphene.Boolean(required=True, description=CAPTURES)
    buyers_per_place = graphene.Int(required=True, description=BUYERS)
    claim_rules = graphene.List(
        graphene.NonNull(NudgeClaimRulesEnum), required=True, description=CLAIM_RULES
    )
    has_storefront_secret = graphene.Boolean(
        required=True, description="Whether the storefront's secret is set; it is never told."
    )
    product_url = graphene.String(
        required=True, description="Address of a product's page, with {slug} and {channel}."
    )
    checkout_url = graphene.String(
        required=True, description="Address of the checkout's page, with {checkout}."
    )

    class Meta:
        name = "NudgeSettings"
        description = "Represents how nudges look in a channel, and where the shop's pages are."

    @staticmethod
    @answered
    def resolve_is_tracking_enabled(root: Any, _info: Any) -> bool:
        return root.shop.tracking_since is not None

    @staticmethod
    @answered
    def resolve_product_url(root: Any, _info: Any) -> str:
        return str(root.shop.product_url)

    @staticmethod
    @answered
    def resolve_checkout_url(root: Any, _info: Any) -> str:
        return str(root.shop.checkout_url)

    @staticmethod
    @answered
    def resolve_claim_rules(root: Any, _info: Any) -> list[str]:
        return list(root.shop.claim_rules)

    @staticmethod
    @answered
    def resolve_has_storefront_secret(root: Any, _info: Any) -> bool:
        return root.shop.sealed_storefront_secret is not None


class NudgeSettingsInput(graphene.InputObjectType):
    """What can be changed of how nudges look."""

    is_tracking_enabled = graphene.Boolean(
        description="Whether visitors are counted and nudges shown in this shop."
    )
    desktop_position = NudgeDesktopPositionEnum(description="Where, on a desktop.")
    mobile_position = NudgeMobilePositionEnum(description="Where, on a phone.")
    theme = NudgeThemeEnum(description="Light, dark, or the page's.")
    highlight_color = graphene.String(description="Colour such as #1a2b3c, or empty.")
    initial_delay = graphene.Int(description="Seconds before the first nudge.")
    gap = graphene.Int(description="Seconds between two nudges.")
    duration = graphene.Int(description="Seconds a nudge stays.")
    max_per_page = graphene.Int(description="Most nudges on one page.")
    max_per_session = graphene.Int(description="Most nudges in one visit.")
    devices = graphene.List(graphene.NonNull(NudgeDeviceEnum), description="On which devices.")
    is_quiet_in_checkout = graphene.Boolean(description="Whether cart and checkout show none.")
    consent_mode = NudgeConsentModeEnum(description="Whether visitors are asked first.")
    captures_contact = graphene.Boolean(description=CAPTURES)
    buyers_per_place = graphene.Int(description=BUYERS)
    claim_rules = graphene.List(graphene.NonNull(NudgeClaimRulesEnum), description=CLAIM_RULES)
    product_url = graphene.String(
        description="Address of a product's page, with {slug} and {channel}."
    )
    checkout_url = graphene.String(description="Address of the checkout's page, with {checkout}.")
    storefront_secret = graphene.String(
        description="Secret of at least 32 characters by which the storefront signs its users."
    )

    class Meta:
        description = "Fields of the nudges' appearance that can be changed."


class NudgeSettingsUpdate(SellerMutation):
    """Change how nudges look."""

    nudge_settings = graphene.Field(NudgeSettingsType, description="The settings as they are now.")
    errors = errors_field()
    permission = "MANAGE_SETTINGS"

    class Arguments:
        channel = graphene.String(required=True, description="Slug of the channel.")
        input = NudgeSettingsInput(description="What to change.")
        restore_defaults = graphene.Boolean(
            description="First sets what holds for this channel alone to what ships."
        )

    class Meta:
        description = "Changes how nudges look in a channel. Requires MANAGE_SETTINGS."

    @classmethod
    def perform(cls, asker: Requester, **data: Any) -> Any:
        changes = given(dict(data.get("input") or {}))
        of_shop = configs.edit_shop(asker.shop, _of_shop(asker.shop, changes))
        change = configs.edit_settings(
            asker.shop,
            data["channel"],
            changes,
            is_restored=bool(data.get("restore_defaults")),
        )
        settings = change.row
        settings.shop = asker.shop
        before, after = _told(of_shop.before), _told(of_shop.after)
        cls.wrote(asker, settings.channel, after | change.after, before | change.before)
        return cls(nudge_settings=settings, errors=[])


def _of_shop(shop: Shop, changes: dict[str, Any]) -> dict[str, Any]:
    """Take out of the changes what holds for all channels; raises InvalidInput."""
    found: dict[str, Any] = {field: changes.pop(field) for field in OF_SHOP if field in changes}
    for field in found.keys() & {"product_url", "checkout_url"}:
        found[field] = _page(found[field], field)
    if (secret := changes.pop("storefront_secret", None)) is not None:
        found["sealed_storefront_secret"] = _sealed_secret(secret)
    if (tracking := changes.pop("is_tracking_enabled", None)) is not None:
        found["tracking_since"] = (shop.tracking_since or datetime.now(UTC)) if tracking else None
    return found


def _told(fields: dict[str, Any]) -> dict[str, Any]:
    """Return what the audit log may hold: of a secret, that there is one."""
    told = dict(fields)
    if "tracking_since" in told:
        told["is_tracking_enabled"] = told.pop("tracking_since") is not None
    if "sealed_storefront_secret" in told:
        told["has_storefront_secret"] = told.pop("sealed_storefront_secret") is not None
    return told


def _sealed_secret(secret: str) -> bytes:
    if len(secret) < SHORTEST_SECRET:
        raise InvalidInput(
            f"A secret has at least {SHORTEST_SECRET} characters.", field="storefrontSecret"
        )
    return crypto.seal(secret)


def _page(url: str, field: str) -> str:
    if len(url) > LONGEST_URL:
        raise InvalidInput(f"An address has at most {LONGEST_URL} characters.", field=field)
    if url and not url.startswith(("https://", "http://")):
        raise InvalidInput("An address begins with https://.", field=field)
    if field == "checkout_url" and url and "{checkout}" not in url:
        raise InvalidInput("The address must hold {checkout}.", field=field)
    return url


class SettingsQueries(graphene.ObjectType):
    """What can be asked about how nudges look."""

    nudge_settings = graphene.Field(
        NudgeSettingsType,
        required=True,
        channel=graphene.String(required=True, description="Slug of the channel."),
        description="How nudges look in a channel. Requires MANAGE_SETTINGS.",
    )

    @staticmethod
    @answered
    def resolve_nudge_settings(_root: Any, info: Any, channel: str) -> Any:
        return configs.settings_of(allowed(info, "MANAGE_SETTINGS").shop, channel)
