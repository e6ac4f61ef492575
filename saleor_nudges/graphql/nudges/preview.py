"""A configuration tried before it is saved: what it would say, and which words would be refused."""

from datetime import UTC, datetime, timedelta
from typing import Any

import graphene

from saleor_nudges.access import PREVIEW_SECONDS
from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.graphql.context import allowed
from saleor_nudges.graphql.errors import NudgeError, answered, error_of
from saleor_nudges.graphql.mutation import SellerMutation, errors_field
from saleor_nudges.graphql.nudges.config import NudgeConfigInput, changes_of
from saleor_nudges.graphql.nudges.enums import (
    NudgeCategoryEnum,
    NudgeClaimRulesEnum,
    NudgeTypeEnum,
)
from saleor_nudges.graphql.nudges.feed import NudgeEvidenceSummary
from saleor_nudges.graphql.standard import DateTime
from saleor_nudges.host import Requester
from saleor_nudges.models import NudgeType, Shop
from saleor_nudges.nudges import configs, drafts
from saleor_nudges.nudges.linter import Finding
from saleor_nudges.nudges.preview import Preview, preview


class NudgePreviewItem(graphene.ObjectType):
    """A nudge as a page would show it."""

    type = graphene.Field(NudgeTypeEnum, required=True, description="Which kind it is.")
    category = graphene.Field(NudgeCategoryEnum, required=True, description="Its category.")
    title = graphene.String(required=True, description="Name of the product.")
    tag = graphene.String(description="The heading above the sentence, if there is one.")
    text = graphene.String(required=True, description="The sentence.")
    product_id = graphene.ID(description="Global id of the product, if it is of one.")
    image = graphene.String(description="Address of an image.")
    href = graphene.String(description="Address of the page it leads to.")
    highlight = graphene.String(description="Colour such as #1a2b3c.")
    occurred_at = DateTime(description="When it happened, for something that happened once.")
    shows_time = graphene.Boolean(
        required=True, description="Whether it says how long ago it happened."
    )
    evidence = graphene.Field(
        NudgeEvidenceSummary, description="The proof behind it; none behind a sample."
    )

    class Meta:
        description = "Represents a nudge as a page would show it."


class NudgeRuleSource(graphene.ObjectType):
    """By whose rule words are refused."""

    rules = graphene.Field(NudgeClaimRulesEnum, required=True, description="The set of rules.")
    source = graphene.String(required=True, description="The law, code or guidance.")

    class Meta:
        description = "Represents the law, code or guidance that a rule is from."


class NudgeFinding(graphene.ObjectType):
    """Words that would be refused."""

    field = graphene.String(required=True, description="Where they stand: texts or headings.")
    language_code = graphene.String(required=True, description="In which language.")
    words = graphene.String(required=True, description="The words.")
    rule = graphene.String(required=True, description="Name of the rule, as docs/words.md has it.")
    reason = graphene.String(required=True, description="Why the data cannot carry them.")
    sources = graphene.List(
        graphene.NonNull(NudgeRuleSource), required=True, description="By whose rule."
    )

    class Meta:
        description = "Represents words that the data cannot carry."

    @staticmethod
    def resolve_language_code(root: Finding, _info: Any) -> str:
        return root.language

    @staticmethod
    def resolve_sources(root: Finding, _info: Any) -> list[dict[str, str]]:
        return [{"rules": pack, "source": source} for pack, source in root.sources.items()]


class NudgePreview(graphene.ObjectType):
    """What a configuration would say."""

    nudge = graphene.Field(
        NudgePreviewItem, description="What would be shown; null where it could not be saved."
    )
    is_sample = graphene.Boolean(
        required=True,
        description="Whether the facts are made up, because the shop has no nudge of this kind.",
    )
    findings = graphene.List(
        graphene.NonNull(NudgeFinding), required=True, description="Words that would be refused."
    )
    errors = errors_field()

    class Meta:
        description = "Represents what an unsaved configuration would say."


class PreviewQueries(graphene.ObjectType):
    """What can be tried."""

    nudge_preview = graphene.Field(
        NudgePreview,
        required=True,
        args={
            "channel": graphene.String(required=True, description="Slug of the channel."),
            "type": graphene.Argument(
                NudgeTypeEnum, required=True, description="Which kind of nudge."
            ),
            "input": graphene.Argument(
                NudgeConfigInput, description="Changes to try; nothing of them is stored."
            ),
            "language_code": graphene.String(description="Language such as de or pt-br."),
        },
        description="What a configuration would say before it is saved. Requires MANAGE_SETTINGS.",
    )

    @staticmethod
    @answered
    def resolve_nudge_preview(_root: Any, info: Any, **data: Any) -> NudgePreview:
        shop = allowed(info, "MANAGE_SETTINGS").shop
        return _answer(_tried(shop, **data))


class NudgePreviewLinkCreate(SellerMutation):
    """Make a link to a draft."""

    link = graphene.String(description="Address of the page; whoever has it sees the draft.")
    expires_at = DateTime(description="When it stops working.")
    errors = errors_field()
    permission = "MANAGE_SETTINGS"

    class Arguments:
        channel = graphene.String(required=True, description="Slug of the channel.")
        type = NudgeTypeEnum(required=True, description="Which kind of nudge.")
        input = NudgeConfigInput(description="Changes to try; nothing of them is stored.")
        url = graphene.String(
            required=True, description="Address of a page of the storefront, with the widget on it."
        )
        language_code = graphene.String(description="Language such as de or pt-br.")

    class Meta:
        description = (
            "Makes a link to a page of the storefront that shows a draft instead of what is true,"
            " and counts nothing. Requires MANAGE_SETTINGS."
        )

    @classmethod
    def perform(cls, asker: Requester, **data: Any) -> Any:
        now = datetime.now(UTC)
        link = drafts.link(
            asker.shop,
            data["channel"],
            NudgeType(data["type"]),
            changes_of(data.get("input") or {}),
            page=data["url"],
            language=data.get("language_code") or asker.shop.default_language,
            now=now,
        )
        # What may be secret in an address stands behind the question mark.
        page = data["url"].partition("?")[0]
        cls.wrote(asker, f"{data['channel']}/{data['type']}", {"url": page})
        expires_at = now + timedelta(seconds=PREVIEW_SECONDS)
        return cls(link=link, expires_at=expires_at, errors=[])


def _tried(shop: Shop, channel: str, language_code: str | None = None, **data: Any) -> Preview:
    try:
        changes = changes_of(data.get("input") or {})
        draft = configs.draft_of(shop, channel, NudgeType(data["type"]), changes)
    except InvalidInput as error:
        return Preview(error=error)
    return preview(shop, draft, language_code or shop.default_language, datetime.now(UTC))


def _answer(tried: Preview) -> NudgePreview:
    errors: list[NudgeError] = [error_of(tried.error)] if tried.error else []
    return NudgePreview(
        nudge=_item(tried.body, is_sample=tried.is_sample) if tried.body else None,
        is_sample=tried.is_sample,
        findings=tried.findings,
        errors=errors,
    )


def _item(body: dict[str, Any], *, is_sample: bool) -> NudgePreviewItem:
    happened, proof = body["occurredAt"], body["evidence"]
    product = body["product"] if not is_sample else None
    evidence = NudgeEvidenceSummary(
        metric=proof["metric"],
        value=proof["value"],
        window_seconds=proof["windowSeconds"],
        computed_at=datetime.fromisoformat(proof["computedAt"]),
    )
    return NudgePreviewItem(
        type=body["type"],
        category=body["category"],
        title=body["title"],
        tag=body["tag"],
        text=body["text"],
        product_id=product["id"] if product else None,
        image=body["image"],
        href=body["href"],
        highlight=body["highlight"],
        occurred_at=datetime.fromisoformat(happened) if happened else None,
        shows_time=body["showTime"],
        evidence=None if is_sample else evidence,
    )
