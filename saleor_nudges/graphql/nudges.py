"""Nudges: what storefronts read and report, what sellers configure."""

from datetime import UTC, datetime
from typing import Any

import graphene

from saleor_nudges import crypto
from saleor_nudges.asgi import requests
from saleor_nudges.asgi.requests import Caller
from saleor_nudges.asgi.views import caller_of
from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.graphql.context import allowed, requester
from saleor_nudges.graphql.errors import answered
from saleor_nudges.graphql.mutation import SellerMutation, ShopperMutation, errors_field, given
from saleor_nudges.graphql.standard import DateTime
from saleor_nudges.host import Requester
from saleor_nudges.models import NudgeConfig, NudgeType
from saleor_nudges.nudges import KINDS, configs
from saleor_nudges.nudges.base import PAGES
from saleor_nudges.nudges.choose import choose

# As long as the digest that is made with it.
SHORTEST_SECRET = 32

NudgeTypeEnum = graphene.Enum("NudgeTypeEnum", [(kind.name, kind.value) for kind in NudgeType])
NudgeCategoryEnum = graphene.Enum(
    "NudgeCategoryEnum",
    [(name, name) for name in ("RECENT_PURCHASE", "POPULARITY", "RECENT_SUMMARY", "FRICTION")],
)
NudgePageEnum = graphene.Enum("NudgePageEnum", [(page, page) for page in PAGES])
NudgeDeviceEnum = graphene.Enum(
    "NudgeDeviceEnum", [(name, name) for name in ("DESKTOP", "ANDROID", "IOS", "OTHER")]
)
NudgeDesktopPositionEnum = graphene.Enum(
    "NudgeDesktopPositionEnum", [(name, name) for name in ("BOTTOM_LEFT", "BOTTOM_RIGHT")]
)
NudgeMobilePositionEnum = graphene.Enum(
    "NudgeMobilePositionEnum", [(name, name) for name in ("TOP", "BOTTOM")]
)
NudgeThemeEnum = graphene.Enum(
    "NudgeThemeEnum", [(name, name) for name in ("LIGHT", "DARK", "AUTO")]
)


LONGEST_URL = 500


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


class NudgeSessionCreate(ShopperMutation):
    """Give a visitor a token."""

    token = graphene.String(description="Token of an anonymous visitor.")
    errors = errors_field()

    class Arguments:
        token = graphene.String(description="The visitor's token so far, to renew it.")

    class Meta:
        description = "Gives an anonymous visitor a token, or renews one."

    @classmethod
    def perform(cls, asker: Requester, caller: Caller, **data: Any) -> Any:
        body = requests.dumped({"token": data.get("token") or ""})
        now = datetime.now(UTC)
        if not configs.is_on(asker.shop, now):
            raise InvalidInput("Nobody is watched here.")
        answer = requests.session(asker.shop, body, now, caller)
        return cls(token=answer.body["token"], errors=[])


class NudgeEventInput(graphene.InputObjectType):
    """One thing a storefront saw."""

    id = graphene.String(required=True, description="UUIDv7 made by the storefront.")
    kind = graphene.String(required=True, description="What happened, such as product_viewed.")
    at = graphene.String(required=True, description="When it happened, in ISO 8601 with a zone.")
    channel = graphene.String(required=True, description="Slug of the channel.")
    product = graphene.ID(description="Global id of the product.")
    variant = graphene.ID(description="Global id of the variant.")
    page = graphene.String(description="Which kind of page.")
    nudge = graphene.String(description="Public name of the nudge.")

    class Meta:
        description = "Fields of an event a storefront reports."


class NudgeEventRejection(graphene.ObjectType):
    """An event that was not kept."""

    index = graphene.Int(required=True, description="Which of the events, counted from 0.")
    code = graphene.String(required=True, description="Why, as a code.")
    message = graphene.String(required=True, description="Why, in words.")

    class Meta:
        description = "Represents an event that was not kept."


class NudgeEventsTrack(ShopperMutation):
    """Report what a storefront saw."""

    accepted = graphene.Int(description="How many events are durable.")
    rejected = graphene.List(
        graphene.NonNull(NudgeEventRejection), description="Which were not kept, and why."
    )
    errors = errors_field()

    class Arguments:
        token = graphene.String(required=True, description="Token of nudgeSessionCreate.")
        events = graphene.List(
            graphene.NonNull(NudgeEventInput), required=True, description="At most 100 events."
        )
        checkout = graphene.String(description="Hex SHA-256 of the visitor's checkout id.")

    class Meta:
        description = "Reports what a storefront saw. One bad event costs no other."

    @classmethod
    def perform(cls, asker: Requester, caller: Caller, **data: Any) -> Any:
        body = {
            "token": data["token"],
            "checkout": data.get("checkout") or "",
            "events": [given(dict(event)) for event in data["events"]],
        }
        now = datetime.now(UTC)
        answer = requests.events(asker.shop, requests.dumped(body), now, caller).body
        return cls(accepted=answer["accepted"], rejected=answer["rejected"], errors=[])


class NudgeQueries(graphene.ObjectType):
    """What can be asked about nudges."""

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
    nudge_settings = graphene.Field(
        NudgeSettingsType,
        required=True,
        channel=graphene.String(required=True, description="Slug of the channel."),
        description="How nudges look in a channel. Requires MANAGE_SETTINGS.",
    )

    @staticmethod
    @answered
    def resolve_nudges(_root: Any, info: Any, **data: Any) -> Any:
        return feed(requester(info), caller_of(info.context), **data)

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

    @staticmethod
    @answered
    def resolve_nudge_settings(_root: Any, info: Any, channel: str) -> Any:
        return configs.settings_of(allowed(info, "MANAGE_SETTINGS").shop, channel)


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


class NudgeMutations(graphene.ObjectType):
    """What can be changed about nudges."""

    nudge_config_update = NudgeConfigUpdate.Field(
        description="Changes one kind of nudge in a channel. Requires MANAGE_SETTINGS."
    )
    nudge_settings_update = NudgeSettingsUpdate.Field(
        description="Changes how nudges look in a channel. Requires MANAGE_SETTINGS."
    )
    nudge_session_create = NudgeSessionCreate.Field(
        description="Gives an anonymous visitor a token, or renews one."
    )
    nudge_events_track = NudgeEventsTrack.Field(
        description="Reports what a storefront saw. One bad event costs no other."
    )
