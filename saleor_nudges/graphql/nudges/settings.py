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
    NudgeDesktopPositionEnum,
    NudgeMobilePositionEnum,
    NudgeThemeEnum,
)
from saleor_nudges.host import Requester
from saleor_nudges.nudges import configs

# As long as the digest that is made with it.
SHORTEST_SECRET: Final = 32
LONGEST_URL: Final = 500


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
        input = NudgeSettingsInput(required=True, description="What to change.")

    class Meta:
        description = "Changes how nudges look in a channel. Requires MANAGE_SETTINGS."

    @classmethod
    def perform(cls, asker: Requester, **data: Any) -> Any:
        changes = given(data["input"])
        shop = asker.shop
        if (secret := changes.pop("storefront_secret", None)) is not None:
            shop.sealed_storefront_secret = _sealed_secret(secret)
        after = dict(changes)
        if (tracking := changes.pop("is_tracking_enabled", None)) is not None:
            shop.tracking_since = (shop.tracking_since or datetime.now(UTC)) if tracking else None
        for field in ("product_url", "checkout_url"):
            if field in changes:
                setattr(shop, field, _page(changes.pop(field), field))
        shop.save()
        settings = configs.change_settings(shop, data["channel"], changes)
        cls.wrote(asker, settings.channel, after)
        return cls(nudge_settings=settings, errors=[])


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
