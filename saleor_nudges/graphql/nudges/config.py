"""Each kind of nudge in each channel, as the seller shaped it."""

from typing import Any

import graphene

from saleor_nudges.graphql.context import allowed
from saleor_nudges.graphql.errors import answered
from saleor_nudges.graphql.mutation import SellerMutation, errors_field, given
from saleor_nudges.graphql.nudges.enums import NudgeCategoryEnum, NudgePageEnum, NudgeTypeEnum
from saleor_nudges.host import Requester
from saleor_nudges.models import NudgeConfig, NudgeType
from saleor_nudges.nudges import KINDS, configs


class NudgeConfiguration(graphene.ObjectType):
    """One kind of nudge in one channel, as the seller shaped it."""

    channel = graphene.String(required=True, description="Slug of the channel.")
    type = graphene.Field(NudgeTypeEnum, required=True, description="Which kind it is.")
    category = graphene.Field(NudgeCategoryEnum, required=True, description="Its category.")
    is_enabled = graphene.Boolean(required=True, description="Whether it is shown at all.")
    is_anonymous = graphene.Boolean(required=True, description="Whether no first name is said.")
    window_seconds = graphene.Int(required=True, description="How far it looks back, in seconds.")
    minimum = graphene.Int(required=True, description="Smallest number that is said.")
    pages = graphene.List(
        graphene.NonNull(NudgePageEnum), required=True, description="Where it may appear."
    )

    class Meta:
        description = "Represents the configuration of one kind of nudge in a channel."

    @staticmethod
    def resolve_category(root: NudgeConfig, _info: Any) -> str:
        return KINDS[NudgeType(root.type)].category


class NudgeTextInput(graphene.InputObjectType):
    """The sentence of a nudge in one language."""

    language_code = graphene.String(required=True, description="Language such as de or pt-br.")
    text = graphene.String(required=True, description="Liquid template of the sentence.")

    class Meta:
        description = "Fields of a nudge's sentence in one language."


class NudgeConfigInput(graphene.InputObjectType):
    """What can be changed of one kind of nudge."""

    is_enabled = graphene.Boolean(description="Whether it is shown at all.")
    is_anonymous = graphene.Boolean(description="Whether no first name is said.")
    window_seconds = graphene.Int(description="How far it looks back, in seconds.")
    minimum = graphene.Int(description="Smallest number that is said.")
    pages = graphene.List(graphene.NonNull(NudgePageEnum), description="Where it may appear.")
    texts = graphene.List(
        graphene.NonNull(NudgeTextInput), description="The seller's own sentences."
    )

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
        input = NudgeConfigInput(required=True, description="What to change.")

    class Meta:
        description = "Changes one kind of nudge in a channel. Requires MANAGE_SETTINGS."

    @classmethod
    def perform(cls, asker: Requester, **data: Any) -> Any:
        changes = given(data["input"])
        if "texts" in changes:
            changes["texts"] = {
                text["language_code"].lower(): text["text"] for text in changes["texts"]
            }
        config = configs.change_config(
            asker.shop, data["channel"], NudgeType(data["type"]), changes
        )
        cls.wrote(asker, f"{config.channel}/{config.type}", changes)
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
