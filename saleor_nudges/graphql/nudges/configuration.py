"""A kind of nudge in a channel, as GraphQL tells it: the seller's choices, and ours beside them."""

from collections.abc import Mapping
from typing import Any

import graphene

from saleor_nudges.graphql.nudges.enums import (
    NudgeCategoryEnum,
    NudgeImageEnum,
    NudgeLinkEnum,
    NudgeOrderStatusEnum,
    NudgePageEnum,
    NudgeStockRuleEnum,
    NudgeTypeEnum,
)
from saleor_nudges.models import NudgeConfig, NudgeType
from saleor_nudges.nudges import KINDS
from saleor_nudges.nudges.checking import LISTS
from saleor_nudges.nudges.texts import known_to

PRIORITY = "Smaller comes first where several could be shown; 0 is the kind's own, 100 is last."
MAXIMUM = "Largest number that is said; for LOW_STOCK by COUNT, how many pieces are few."
COVER_DAYS = "For LOW_STOCK by DAYS_OF_COVER: few is what sells within so many days, 1 to 90."
STATUSES = "Which orders count, for ORDER and ORDER_SUMMARY; empty means every purchase."


class NudgeText(graphene.ObjectType):
    """Words in one language."""

    language_code = graphene.String(required=True, description="Language such as de or pt-br.")
    text = graphene.String(required=True, description="Liquid template of the words.")

    class Meta:
        description = "Represents words of a nudge in one language."


class NudgeProducts(graphene.ObjectType):
    """Products, named one by one or by what they belong to."""

    products = graphene.List(
        graphene.NonNull(graphene.ID), required=True, description="Global ids of products."
    )
    categories = graphene.List(
        graphene.NonNull(graphene.ID), required=True, description="Global ids of categories."
    )
    collections = graphene.List(
        graphene.NonNull(graphene.ID), required=True, description="Global ids of collections."
    )

    class Meta:
        description = "Represents products, by themselves, their categories and collections."


def _texts(description: str) -> graphene.List:
    return graphene.List(graphene.NonNull(NudgeText), required=True, description=description)


class NudgeConfiguration(graphene.ObjectType):
    """One kind of nudge in one channel, as the seller shaped it."""

    channel = graphene.String(required=True, description="Slug of the channel.")
    type = graphene.Field(NudgeTypeEnum, required=True, description="Which kind it is.")
    category = graphene.Field(NudgeCategoryEnum, required=True, description="Its category.")
    is_enabled = graphene.Boolean(required=True, description="Whether it is shown at all.")
    is_anonymous = graphene.Boolean(required=True, description="Whether no first name is said.")
    has_header_tag = graphene.Boolean(
        required=True, description="Whether its heading stands above the sentence."
    )
    has_time = graphene.Boolean(
        required=True, description="Whether it says how long ago it happened."
    )
    priority = graphene.Int(required=True, description=PRIORITY)
    window_seconds = graphene.Int(required=True, description="How far it looks back, in seconds.")
    minimum = graphene.Int(required=True, description="Smallest number that is said.")
    maximum = graphene.Int(description=MAXIMUM)
    stock_rule = graphene.Field(
        NudgeStockRuleEnum, required=True, description="For LOW_STOCK: when stock is low."
    )
    cover_days = graphene.Int(required=True, description=COVER_DAYS)
    pages = graphene.List(
        graphene.NonNull(NudgePageEnum), required=True, description="Where it may appear."
    )
    texts = _texts("The seller's own sentences; where there is none ours is said.")
    headings = _texts("The seller's own headings; where there is none ours is said.")
    default_texts = _texts("Our sentences.")
    default_headings = _texts("Our headings.")
    variables = graphene.List(
        graphene.NonNull(graphene.String),
        required=True,
        description="What a text of this kind may name, such as count and window.en.",
    )
    window_choices = graphene.List(
        graphene.NonNull(graphene.Int),
        required=True,
        description="The only windows there are, in seconds; empty means any from a minute on.",
    )
    highlight_color = graphene.String(
        required=True, description="Colour such as #1a2b3c; empty means the channel's."
    )
    included = graphene.Field(
        NudgeProducts, required=True, description="Only these are spoken of; empty means all."
    )
    excluded = graphene.Field(NudgeProducts, required=True, description="These never are.")
    order_statuses = graphene.List(
        graphene.NonNull(NudgeOrderStatusEnum), required=True, description=STATUSES
    )
    image = graphene.Field(NudgeImageEnum, required=True, description="Which picture it shows.")
    image_url = graphene.String(required=True, description="Address of the picture for CUSTOM.")
    link = graphene.Field(NudgeLinkEnum, required=True, description="Where it leads.")
    link_url = graphene.String(required=True, description="Address of the page for CUSTOM.")

    class Meta:
        description = "Represents the configuration of one kind of nudge in a channel."

    @staticmethod
    def resolve_category(root: NudgeConfig, _info: Any) -> str:
        return KINDS[NudgeType(root.type)].category

    @staticmethod
    def resolve_texts(root: NudgeConfig, _info: Any) -> list[dict[str, str]]:
        return _as_list(root.texts)

    @staticmethod
    def resolve_headings(root: NudgeConfig, _info: Any) -> list[dict[str, str]]:
        return _as_list(root.headings)

    @staticmethod
    def resolve_default_texts(root: NudgeConfig, _info: Any) -> list[dict[str, str]]:
        return _as_list(KINDS[NudgeType(root.type)].texts)

    @staticmethod
    def resolve_default_headings(root: NudgeConfig, _info: Any) -> list[dict[str, str]]:
        return _as_list(KINDS[NudgeType(root.type)].headings)

    @staticmethod
    def resolve_variables(root: NudgeConfig, _info: Any) -> list[str]:
        return _variables(root)

    @staticmethod
    def resolve_window_choices(root: NudgeConfig, _info: Any) -> list[int]:
        return [int(window.total_seconds()) for window in KINDS[NudgeType(root.type)].windows]

    @staticmethod
    def resolve_included(root: NudgeConfig, _info: Any) -> dict[str, list[str]]:
        return {name: root.included.get(name) or [] for name in LISTS}

    @staticmethod
    def resolve_excluded(root: NudgeConfig, _info: Any) -> dict[str, list[str]]:
        return {name: root.excluded.get(name) or [] for name in LISTS}


def _variables(config: NudgeConfig) -> list[str]:
    """Return what a text of this kind may name; `window.en` is a name of its own."""
    kind = KINDS[NudgeType(config.type)]
    facts = known_to(kind, config.window_seconds, min(kind.scopes), "en")
    names: list[str] = []
    for name, value in facts.items():
        inner = value if isinstance(value, dict) else None
        names += [f"{name}.{key}" for key in inner] if inner else [name]
    return names


def _as_list(texts: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"language_code": code, "text": text} for code, text in sorted(texts.items())]
