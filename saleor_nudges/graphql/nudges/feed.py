"""What one visitor may see on one page."""

from datetime import UTC, datetime
from typing import Any

import graphene

from saleor_nudges.asgi import requests
from saleor_nudges.asgi.requests import Caller
from saleor_nudges.asgi.views import caller_of
from saleor_nudges.graphql.context import requester
from saleor_nudges.graphql.errors import answered
from saleor_nudges.graphql.nudges.enums import (
    NudgeCategoryEnum,
    NudgeDeviceEnum,
    NudgePageEnum,
    NudgeTypeEnum,
)
from saleor_nudges.graphql.standard import DateTime
from saleor_nudges.host import Requester
from saleor_nudges.nudges.choose import choose


class NudgeEvidenceSummary(graphene.ObjectType):
    """The proof behind a nudge, as a storefront may know it."""

    metric = graphene.String(required=True, description="What was counted.")
    value = graphene.Int(required=True, description="How many.")
    window_seconds = graphene.Int(description="Over which time, in seconds.")
    computed_at = DateTime(required=True, description="When it was counted.")

    class Meta:
        description = "Represents the proof behind a nudge."


class NudgeItem(graphene.ObjectType):
    """One nudge as a storefront shows it."""

    id = graphene.String(required=True, description="Public name of the nudge.")
    type = graphene.Field(NudgeTypeEnum, required=True, description="Which kind it is.")
    category = graphene.Field(NudgeCategoryEnum, required=True, description="Its category.")
    title = graphene.String(required=True, description="Name of the product.")
    text = graphene.String(required=True, description="The sentence, in the visitor's language.")
    product_id = graphene.ID(required=True, description="Global id of the product.")
    image = graphene.String(description="Address of an image.")
    href = graphene.String(description="Address of the product's page.")
    occurred_at = DateTime(description="When it happened, for something that happened once.")
    evidence = graphene.Field(
        NudgeEvidenceSummary, required=True, description="The proof behind it."
    )

    class Meta:
        description = "Represents a true nudge for one visitor."


class NudgeFeed(graphene.ObjectType):
    """The answer to one page."""

    nudges = graphene.List(
        graphene.NonNull(NudgeItem), required=True, description="What this visitor may see now."
    )
    poll_after = graphene.Int(description="Ask again after so many seconds; null means never.")

    class Meta:
        description = "Represents the nudges of one page."


class FeedQueries(graphene.ObjectType):
    """What a page asks."""

    # Nullable: asked together with the shop's own fields, an error of ours must not take those.
    nudges = graphene.Field(
        NudgeFeed,
        channel=graphene.String(required=True, description="Slug of the channel."),
        page=NudgePageEnum(description="Which kind of page asks."),
        device=NudgeDeviceEnum(description="Which kind of device asks."),
        product_id=graphene.ID(description="Global id of the product the page is about."),
        first=graphene.Int(description="At most so many nudges."),
        exclude=graphene.List(
            graphene.NonNull(graphene.String), description="Nudges already shown."
        ),
        language_code=graphene.String(description="Language such as de or pt-br."),
        token=graphene.String(description="Token of nudgeSessionCreate, to leave out one's own."),
        checkout=graphene.String(description="Hex SHA-256 of the visitor's checkout id."),
        description="True nudges for one visitor on one page.",
    )

    @staticmethod
    @answered
    def resolve_nudges(_root: Any, info: Any, **data: Any) -> Any:
        return feed(requester(info), caller_of(info.context), **data)


def feed(asker: Requester, caller: Caller, **data: Any) -> NudgeFeed:
    """Return the feed of one page: the same choosing as `GET v1/nudges`, in GraphQL's words."""
    query = {
        "channel": data["channel"],
        "page": data.get("page") or "OTHER",
        "product": data.get("product_id") or "",
        "count": str(3 if data.get("first") is None else data["first"]),
        "exclude": ",".join(data.get("exclude") or ()),
        "languageCode": data.get("language_code") or "",
        "token": data.get("token") or "",
        "checkout": data.get("checkout") or "",
    }
    now = datetime.now(UTC)
    requests.admit("nudges", asker.shop, caller)
    found = choose(asker.shop, requests.read_ask(asker.shop, query), now).as_json()
    items = [_item(nudge) for nudge in found["nudges"]]
    return NudgeFeed(nudges=items, poll_after=found["pollAfter"])


def _item(nudge: dict[str, Any]) -> NudgeItem:
    evidence = nudge["evidence"]
    happened = nudge["occurredAt"]
    return NudgeItem(
        id=nudge["id"],
        type=nudge["type"],
        category=nudge["category"],
        title=nudge["title"],
        text=nudge["text"],
        product_id=nudge["product"]["id"],
        image=nudge["image"],
        href=nudge["href"],
        occurred_at=datetime.fromisoformat(happened) if happened else None,
        evidence=NudgeEvidenceSummary(
            metric=evidence["metric"],
            value=evidence["value"],
            window_seconds=evidence["windowSeconds"],
            computed_at=datetime.fromisoformat(evidence["computedAt"]),
        ),
    )
