"""Each kind of nudge in each channel, as the seller shaped it."""

from collections.abc import Mapping, Sequence
from typing import Any

import graphene

from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.graphql.context import allowed
from saleor_nudges.graphql.errors import answered
from saleor_nudges.graphql.mutation import SellerMutation, errors_field, given
from saleor_nudges.graphql.nudges.configuration import (
    COVER_DAYS,
    MAXIMUM,
    PRIORITY,
    STATUSES,
    NudgeConfiguration,
)
from saleor_nudges.graphql.nudges.enums import (
    NudgeImageEnum,
    NudgeLinkEnum,
    NudgeOrderStatusEnum,
    NudgePageEnum,
    NudgeStockRuleEnum,
    NudgeTypeEnum,
)
from saleor_nudges.host import Requester
from saleor_nudges.models import NudgeConfig, NudgeType
from saleor_nudges.nudges import configs


class NudgeTextInput(graphene.InputObjectType):
    """Words of a nudge in one language."""

    language_code = graphene.String(required=True, description="Language such as de or pt-br.")
    text = graphene.String(
        required=True, description="Liquid template of the words; empty means ours."
    )

    class Meta:
        description = "Fields of a nudge's words in one language."


class NudgeProductsInput(graphene.InputObjectType):
    """Products, named one by one or by what they belong to."""

    products = graphene.List(
        graphene.NonNull(graphene.ID), description="Global ids of products, at most 500."
    )
    categories = graphene.List(
        graphene.NonNull(graphene.ID), description="Global ids of categories, at most 500."
    )
    collections = graphene.List(
        graphene.NonNull(graphene.ID), description="Global ids of collections, at most 500."
    )

    class Meta:
        description = "Fields that name products, by themselves, categories and collections."


class NudgeConfigInput(graphene.InputObjectType):
    """What can be changed of one kind of nudge. A list or object takes the place of the old one."""

    is_enabled = graphene.Boolean(description="Whether it is shown at all.")
    is_anonymous = graphene.Boolean(description="Whether no first name is said.")
    has_header_tag = graphene.Boolean(description="Whether its heading stands above the sentence.")
    has_time = graphene.Boolean(description="Whether it says how long ago it happened.")
    priority = graphene.Int(description=PRIORITY)
    window_seconds = graphene.Int(description="How far it looks back, in seconds.")
    minimum = graphene.Int(description="Smallest number that is said.")
    maximum = graphene.Int(description=f"{MAXIMUM[:-1]}; 0 means no limit.")
    stock_rule = NudgeStockRuleEnum(description="For LOW_STOCK: when stock is low.")
    cover_days = graphene.Int(description=COVER_DAYS)
    pages = graphene.List(graphene.NonNull(NudgePageEnum), description="Where it may appear.")
    texts = graphene.List(
        graphene.NonNull(NudgeTextInput), description="The seller's own sentences, all of them."
    )
    headings = graphene.List(
        graphene.NonNull(NudgeTextInput), description="The seller's own headings, all of them."
    )
    highlight_color = graphene.String(
        description="Colour such as #1a2b3c; empty means the channel's."
    )
    included = NudgeProductsInput(description="Only these are spoken of; empty means all.")
    excluded = NudgeProductsInput(description="These never are.")
    order_statuses = graphene.List(graphene.NonNull(NudgeOrderStatusEnum), description=STATUSES)
    image = NudgeImageEnum(description="Which picture it shows.")
    image_url = graphene.String(description="Address of the picture for CUSTOM; https.")
    link = NudgeLinkEnum(description="Where it leads.")
    link_url = graphene.String(description="Address of the page for CUSTOM; https.")

    class Meta:
        description = "Fields of a kind of nudge that can be changed."


class NudgeConfigUpdate(SellerMutation):
    """Change one kind of nudge."""

    nudge_config = graphene.Field(NudgeConfiguration, description="The kind of nudge as it is now.")
    errors = errors_field()
    permission = "MANAGE_SETTINGS"

    class Arguments:
        channel = graphene.String(required=True, description="Slug of the channel.")
        type = NudgeTypeEnum(required=True, description="Which kind of nudge.")
        input = NudgeConfigInput(description="What to change.")
        restore_defaults = graphene.Boolean(
            description="First sets every field but isEnabled to what ships."
        )

    class Meta:
        description = "Changes one kind of nudge in a channel. Requires MANAGE_SETTINGS."

    @classmethod
    def perform(cls, asker: Requester, **data: Any) -> Any:
        change = configs.edit_config(
            asker.shop,
            data["channel"],
            NudgeType(data["type"]),
            changes_of(data.get("input") or {}),
            is_restored=bool(data.get("restore_defaults")),
        )
        config = change.row
        cls.wrote(asker, f"{config.channel}/{config.type}", change.after, change.before)
        return cls(nudge_config=config, errors=[])


class ConfigQueries(graphene.ObjectType):
    """What can be asked about the kinds of nudges."""

    nudge_configs = graphene.List(
        graphene.NonNull(NudgeConfiguration),
        required=True,
        channel=graphene.String(required=True, description="Slug of the channel."),
        description="Every kind of nudge in a channel. Requires MANAGE_SETTINGS.",
    )
    nudge_config = graphene.Field(
        NudgeConfiguration,
        required=True,
        # `type` is the name of a parameter of Field itself, so this one goes through `args`.
        args={
            "channel": graphene.String(required=True, description="Slug of the channel."),
            "type": graphene.Argument(
                NudgeTypeEnum, required=True, description="Which kind of nudge."
            ),
        },
        description="One kind of nudge in a channel. Requires MANAGE_SETTINGS.",
    )

    @staticmethod
    @answered
    def resolve_nudge_configs(_root: Any, info: Any, channel: str) -> list[NudgeConfig]:
        asker = allowed(info, "MANAGE_SETTINGS")
        return list(configs.configs(asker.shop, channel).values())

    @staticmethod
    @answered
    def resolve_nudge_config(_root: Any, info: Any, channel: str, **data: Any) -> NudgeConfig:
        asker = allowed(info, "MANAGE_SETTINGS")
        return configs.configs(asker.shop, channel)[NudgeType(data["type"])]


def changes_of(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an input changes, as fields of a configuration; raises InvalidInput."""
    changes = given(dict(data))
    for field in {"texts", "headings"} & changes.keys():
        changes[field] = _by_language(field, changes[field])
    for field in {"included", "excluded"} & changes.keys():
        lists = given(dict(changes[field]))
        changes[field] = {name: list(ids) for name, ids in lists.items() if ids}
    if changes.get("maximum") == 0:
        changes["maximum"] = None
    return changes


def _by_language(field: str, texts: Sequence[Mapping[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        language = text["language_code"].lower()
        if language in found:
            raise InvalidInput(f"{language} is given twice.", field=field)
        found[language] = text["text"]
    return found
