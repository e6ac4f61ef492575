"""What one visitor may see on one page."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import graphene

from saleor_nudges.asgi import requests
from saleor_nudges.asgi.requests import Caller
from saleor_nudges.asgi.views import caller_of
from saleor_nudges.exceptions import NudgesError
from saleor_nudges.graphql.context import requester
from saleor_nudges.graphql.errors import Refused, answered
from saleor_nudges.graphql.nudges.enums import (
    NudgeCategoryEnum,
    NudgeDeviceEnum,
    NudgePageEnum,
    NudgeTypeEnum,
)
from saleor_nudges.graphql.standard import DateTime
from saleor_nudges.host import Requester
from saleor_nudges.models import Shop
from saleor_nudges.nudges.boards import boards_of
from saleor_nudges.nudges.cards import Boards
from saleor_nudges.nudges.choose import Ask, Feed, choose_among

# These are called here what they are called there.
SAME_WORDS: Final = ("device", "category", "country", "token", "checkout", "user")


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
    title = graphene.String(
        required=True, description="Name of the product; empty for a nudge of the whole shop."
    )
    text = graphene.String(required=True, description="The sentence, in the visitor's language.")
    tag = graphene.String(description="Words above the sentence, unless the seller wants none.")
    product_id = graphene.ID(
        description="Global id of the product; null for a nudge of the whole shop."
    )
    image = graphene.String(description="Address of an image.")
    href = graphene.String(description="Address of the page it leads to.")
    highlight = graphene.String(description="Colour such as #1a2b3c, if it has one of its own.")
    occurred_at = DateTime(description="When it happened, for something that happened once.")
    show_time = graphene.Boolean(
        required=True, description="Whether it is to be said how long ago that is."
    )
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
    withdrawn = graphene.List(
        graphene.NonNull(graphene.String),
        required=True,
        description="Which of `shown` stand no longer, so that the page takes them away.",
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
        category=graphene.ID(description="Global id of the category the page is about."),
        country=graphene.String(description="Where the visitor is: two letters of ISO 3166."),
        first=graphene.Int(description="At most so many nudges, up to 20."),
        exclude=graphene.List(
            graphene.NonNull(graphene.String),
            description="Nudges already shown, the newest last; up to 200.",
        ),
        shown=graphene.List(
            graphene.NonNull(graphene.String),
            description="Nudges this page has got for what it is about and shows now; up to 20.",
        ),
        language_code=graphene.String(description="Language such as de or pt-br."),
        token=graphene.String(description="Token of nudgeSessionCreate, to leave out one's own."),
        checkout=graphene.String(description="Hex SHA-256 of the visitor's checkout id."),
        user=graphene.String(description="Signed id of the visitor's account, as in v1/nudges."),
        description="True nudges for one visitor on one page.",
    )

    @staticmethod
    @answered
    def resolve_nudges(_root: Any, info: Any, **data: Any) -> Any:
        return feed(requester(info), caller_of(info.context), **data)


def feed(asker: Requester, caller: Caller, **data: Any) -> NudgeFeed:
    """Return the feed of one page: the same choosing as `GET v1/nudges`, in GraphQL's words."""
    requests.admit("nudges", asker.shop, caller)
    ask = requests.read_ask(asker.shop, _query(data), caller)
    return _feed(requests.feed_of(asker.shop, ask, datetime.now(UTC), caller))


def feeds(
    asker: Requester, caller: Caller, asked: Sequence[Mapping[str, Any]]
) -> list[NudgeFeed | Refused]:
    """Return the feeds of the pages of several products, in as many look-ups as for one.

    Who is here right now is not told: that is for pages that ask again every few seconds.
    """
    requests.admit("nudges", asker.shop, caller)
    asks = [_read(asker.shop, data, caller) for data in asked]
    products: dict[str, list[str]] = defaultdict(list)
    for ask in asks:
        if isinstance(ask, Ask):
            products[ask.channel].append(ask.product)
    now = datetime.now(UTC)
    boards = {
        channel: boards_of(asker.shop, channel, tuple(names), now)
        for channel, names in products.items()
    }
    return [
        _feed(choose_among(_of_one(boards[ask.channel], ask.product), asker.shop, ask, now))
        if isinstance(ask, Ask)
        else ask
        for ask in asks
    ]


def _of_one(boards: Boards, product: str) -> Boards:
    board = boards.products.get(product)
    return Boards(boards.channel, {product: board} if board else {})


def _read(shop: Shop, data: Mapping[str, Any], caller: Caller) -> Ask | Refused:
    # One question that cannot be answered takes no other product's nudges away.
    try:
        return requests.read_ask(shop, _query(data), caller)
    except NudgesError as error:
        return Refused(str(error))


def _query(data: Mapping[str, Any]) -> dict[str, str]:
    """Return a question in the words of `GET v1/nudges`."""
    lists = {name: ",".join(data.get(name) or ()) for name in ("exclude", "shown")}
    return {
        "channel": data["channel"],
        "page": data.get("page") or "OTHER",
        "product": data.get("product_id") or "",
        "count": str(3 if data.get("first") is None else data["first"]),
        "languageCode": data.get("language_code") or "",
        **{name: data.get(name) or "" for name in SAME_WORDS},
        **lists,
    }


def _feed(found: Feed) -> NudgeFeed:
    answer = found.as_json()
    items = [_item(nudge) for nudge in answer["nudges"]]
    return NudgeFeed(
        nudges=items, withdrawn=list(found.withdrawn or ()), poll_after=answer["pollAfter"]
    )


def _item(nudge: dict[str, Any]) -> NudgeItem:
    evidence = nudge["evidence"]
    happened = nudge["occurredAt"]
    return NudgeItem(
        id=nudge["id"],
        type=nudge["type"],
        category=nudge["category"],
        title=nudge["title"],
        text=nudge["text"],
        tag=nudge["tag"],
        product_id=nudge["product"]["id"] if nudge["product"] else None,
        image=nudge["image"],
        href=nudge["href"],
        highlight=nudge["highlight"],
        show_time=nudge["showTime"],
        occurred_at=datetime.fromisoformat(happened) if happened else None,
        evidence=NudgeEvidenceSummary(
            metric=evidence["metric"],
            value=evidence["value"],
            window_seconds=evidence["windowSeconds"],
            computed_at=datetime.fromisoformat(evidence["computedAt"]),
        ),
    )
