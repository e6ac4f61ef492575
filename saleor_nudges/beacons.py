"""What storefronts send: JSON items to events, one by one, so that a bad one costs no other."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from saleor_nudges import telemetry
from saleor_nudges.capture import capture, check
from saleor_nudges.events import (
    AddedToCart,
    Event,
    NudgeClicked,
    NudgeClosed,
    NudgeInteraction,
    NudgeViewed,
    PageViewed,
    ProductViewed,
    View,
)
from saleor_nudges.events.identity import is_uuid7
from saleor_nudges.exceptions import InvalidEvent
from saleor_nudges.models import Shop

MOST_EVENTS: Final = 100
CHECKOUT_HASH: Final = re.compile(r"[0-9a-f]{64}")
KINDS: Final[dict[str, type[View]]] = {
    kind.kind: kind
    for kind in (ProductViewed, PageViewed, AddedToCart, NudgeViewed, NudgeClicked, NudgeClosed)
}


def _storable(value: str) -> str:
    if "\0" in value:
        raise ValueError("no NUL characters")
    return value


# Postgres keeps every character but this one; lone surrogates pydantic refuses by itself.
Text = Annotated[str, AfterValidator(_storable)]


class Item(BaseModel):
    """One event as a storefront sends it."""

    model_config = ConfigDict(extra="ignore", str_max_length=255)

    id: UUID
    kind: Text
    at: AwareDatetime
    channel: Text = Field(min_length=1)
    product: Text = ""
    variant: Text = ""
    page: Text = Field(default="", max_length=16)
    nudge: Text = Field(default="", max_length=8)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends a batch: a visitor, and what is known of their checkout and account (hashes)."""

    visitor: UUID
    checkout: str = ""
    user: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a batch, item by item."""

    accepted: int
    rejected: tuple[dict[str, Any], ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as the storefront reads it."""
        return {"accepted": self.accepted, "rejected": list(self.rejected)}


def take(shop: Shop, sender: Sender, items: Any, now: datetime) -> Answer:
    """Capture what is valid among the items; raises InvalidEvent if they are no list at all."""
    if not isinstance(items, list):
        raise InvalidEvent("`events` must be a list.", field="events")
    if len(items) > MOST_EVENTS:
        raise InvalidEvent(f"At most {MOST_EVENTS} events a request.", field="events")
    events: list[Event] = []
    rejected: list[dict[str, Any]] = []
    for index, item in enumerate(items):
        try:
            event = read(shop, sender, item, now)
        except InvalidEvent as error:
            telemetry.REFUSED.labels(door="beacon", code=error.code).inc()
            where = f"{error.field}: " if error.field else ""
            rejected.append({"index": index, "code": error.code, "message": f"{where}{error}"})
        else:
            events.append(event)
    if events:
        capture(*events, now=now)
    return Answer(len(events), tuple(rejected))


def read(shop: Shop, sender: Sender, item: Any, now: datetime) -> Event:
    """Return the event of one item; raises InvalidEvent and names the field."""
    try:
        found = Item.model_validate(item)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise InvalidEvent(first["msg"], field=".".join(map(str, first["loc"]))) from error
    kind = KINDS.get(found.kind)
    if kind is None:
        raise InvalidEvent("A storefront cannot send this kind.", field="kind")
    if not is_uuid7(found.id):
        raise InvalidEvent("The id must be a UUIDv7.", field="id")
    event = kind(
        shop=shop.pk,
        channel=found.channel,
        # A clock that runs ahead must not make a visitor of tomorrow.
        occurred_at=min(found.at, now),
        id=found.id,
        visitor=sender.visitor,
        checkout=sender.checkout,
        user=sender.user,
        page=found.page,
        **_subject(kind, found),
    )
    check(event, now)
    return event


def is_checkout_hash(value: str) -> bool:
    """Tell whether this is a SHA-256 in hex, as a checkout is named in public."""
    return bool(CHECKOUT_HASH.fullmatch(value))


def _subject(kind: type[View], item: Item) -> dict[str, Any]:
    if issubclass(kind, ProductViewed | AddedToCart):
        if not item.product:
            raise InvalidEvent("Which product?", field="product")
        extra = {"variant": item.variant} if kind is AddedToCart else {}
        return {"product": item.product, **extra}
    if issubclass(kind, NudgeInteraction):
        if not item.nudge:
            raise InvalidEvent("Which nudge?", field="nudge")
        return {"nudge": item.nudge}
    return {}
