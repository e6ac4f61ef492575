"""Why a page said what it said: the computations behind its numbers, and what they are made of."""

from datetime import UTC, datetime
from typing import Any

import graphene
from django.db.models import QuerySet

from saleor_nudges.exceptions import NotFound
from saleor_nudges.graphql.context import allowed
from saleor_nudges.graphql.errors import answered
from saleor_nudges.graphql.nudges.enums import NudgeScopeEnum, NudgeTypeEnum
from saleor_nudges.graphql.paging import page, paged
from saleor_nudges.graphql.standard import DateTime
from saleor_nudges.models import Evidence, Nudge, NudgeType, Shop
from saleor_nudges.nudges.configs import check_channel
from saleor_nudges.nudges.kinds.base import Scope


class NudgeEvidence(graphene.ObjectType):
    """The proof behind a number or a purchase that was shown."""

    id = graphene.ID(required=True, description="Our own name of it.")
    type = graphene.Field(NudgeTypeEnum, required=True, description="Of which kind of nudge.")
    scope = graphene.Field(NudgeScopeEnum, required=True, description="What was counted over.")
    product_id = graphene.ID(description="Global id of the product, where it is of one.")
    metric = graphene.String(required=True, description="What was counted.")
    window_seconds = graphene.Int(description="Over which time, in seconds.")
    value = graphene.Int(
        required=True,
        description="How many. A visitor who may be among them was told one less.",
    )
    threshold = graphene.Int(description="Smallest number that was said then.")
    maximum = graphene.Int(description="Largest number that was said then.")
    computed_at = DateTime(required=True, description="When it was counted.")
    rule_version = graphene.String(required=True, description="By which version of the rule.")
    source_event_id = graphene.ID(
        description="The event it is made of, for something that happened once."
    )

    class Meta:
        description = "Represents the proof behind a number or a purchase that was shown."

    @staticmethod
    def resolve_scope(root: Evidence, _info: Any) -> str:
        return str(Scope.PRODUCT if root.product_id else Scope.CHANNEL)

    @staticmethod
    def resolve_product_id(root: Evidence, _info: Any) -> str | None:
        return root.product_id or None

    @staticmethod
    def resolve_source_event_id(root: Evidence, _info: Any) -> Any:
        return root.source_event


class NudgeEvidenceConnection(graphene.relay.Connection):
    """Computations, newest first."""

    class Meta:
        node = NudgeEvidence


class EvidenceQueries(graphene.ObjectType):
    """What can be asked about proofs."""

    nudge_evidence = graphene.Field(
        NudgeEvidenceConnection,
        required=True,
        args=paged(
            channel=graphene.String(required=True, description="Slug of the channel."),
            nudge_id=graphene.String(description="Public name of the nudge, as a page knows it."),
            product_id=graphene.ID(
                description="Global id of the product; left out, it is of the whole channel."
            ),
            type=graphene.Argument(NudgeTypeEnum, description="Which kind of nudge."),
            at=DateTime(description="What stood at that moment comes first; now when not said."),
        ),
        description="Why a page said what it said, newest first. Requires MANAGE_ORDERS.",
    )

    @staticmethod
    @answered
    def resolve_nudge_evidence(
        _root: Any, info: Any, channel: str, at: datetime | None = None, **data: Any
    ) -> Any:
        shop = allowed(info, "MANAGE_ORDERS").shop
        check_channel(channel)
        rows = _asked(shop, channel, data).filter(computed_at__lte=_aware(at))
        return page(
            NudgeEvidenceConnection,
            rows,
            first=data.get("first"),
            after=data.get("after"),
            by="computed_at",
        )


def _asked(shop: Shop, channel: str, data: dict[str, Any]) -> "QuerySet[Evidence]":
    rows = Evidence.objects.of(shop).filter(channel=channel)
    if not data.get("nudge_id"):
        found = rows.filter(product_id=data.get("product_id") or "")
        return found.filter(type=NudgeType(data["type"])) if data.get("type") else found
    named = Nudge.objects.of(shop).filter(channel=channel, public_id=data["nudge_id"])
    nudge = named.first()
    if nudge is None:
        raise NotFound("There is no nudge of this name, or no longer.")
    found = rows.filter(type=nudge.type, product_id=nudge.product_id)
    # A number is counted again and again, a deed is done once.
    return found.filter(source_event=nudge.source_event) if nudge.source_event else found


def _aware(at: datetime | None) -> datetime:
    if at is None:
        return datetime.now(UTC)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
