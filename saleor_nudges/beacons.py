"""What storefronts send: JSON items to entries, one by one, so that a bad one costs no other."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Annotated, Any, Final, NamedTuple
from uuid import UUID

import msgspec

from saleor_nudges import contacts, telemetry
from saleor_nudges.events import (
    AddedToCart,
    CheckoutContactKnown,
    ExitIntent,
    Flow,
    NudgeClicked,
    NudgeClosed,
    NudgeInteraction,
    NudgeViewed,
    PageViewed,
    ProductViewed,
    View,
)
from saleor_nudges.events.identity import EPOCH, FUTURE_ALLOWED
from saleor_nudges.exceptions import InvalidEvent, InvalidInput
from saleor_nudges.models.partitions import oldest_kept
from saleor_nudges.stream import Entry
from saleor_nudges.stream.codec import explained

MOST_EVENTS: Final = 100
CONTACT: Final = CheckoutContactKnown.kind
# What a sender says of themselves, in every event of the batch.
SAID: Final = ("checkout", "user", "device", "browser", "referrer")
CHECKOUT_HASH: Final = re.compile(r"[0-9a-f]{64}")
# The time in an id and the time it names belong together; a day is enough for any time zone.
APART_ALLOWED: Final = 24 * 3600 * 1000  # milliseconds
# Version and variant of a UUIDv7 (RFC 9562).
UUID7_BITS: Final = 0xF << 76 | 0b11 << 62
UUID7_MARK: Final = 0x7 << 76 | 0b10 << 62
KINDS: Final[dict[str, type[View]]] = {
    kind.kind: kind
    for kind in (
        ProductViewed,
        PageViewed,
        AddedToCart,
        NudgeViewed,
        NudgeClicked,
        NudgeClosed,
        ExitIntent,
    )
}
# Which field each kind is about, and which it may bring beside it.
SUBJECTS: Final = {
    name: "product" if issubclass(kind, ProductViewed | AddedToCart)
    else "nudge" if issubclass(kind, NudgeInteraction) else ""
    for name, kind in KINDS.items()
}  # fmt: skip

Text = Annotated[str, msgspec.Meta(max_length=255)]


class Item(msgspec.Struct):
    """One event as a storefront sends it; `at` is aware, in any zone."""

    id: UUID
    kind: Text
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    channel: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    product: Text = ""
    variant: Text = ""
    page: Annotated[str, msgspec.Meta(max_length=16)] = ""
    nudge: Annotated[str, msgspec.Meta(max_length=8)] = ""
    # Whatever else it says: looked at only where a kind has something to say there.
    data: Any = None


class Beacon(msgspec.Struct):
    """One request: who sends, and what they saw. An item that is none is its own error."""

    token: Any = None
    checkout: Any = ""
    user: Any = ""
    referrer: Any = ""
    events: Any = None


class _GoodBeacon(msgspec.Struct):
    """The same where every item is well formed, which is nearly always."""

    events: list[Item]
    token: Any = None
    checkout: Any = ""
    user: Any = ""
    referrer: Any = ""


class Sender(NamedTuple):
    """Who sends a batch: a visitor, and what is known of their checkout and account (hashes).

    Who has a checkout also says on what they look at it, and which site led them to the shop.
    """

    visitor: UUID
    checkout: str = ""
    user: str = ""
    device: str = ""
    browser: str = ""
    referrer: str = ""


class Taken(NamedTuple):
    """What became of a batch, item by item."""

    entries: Sequence[Entry]
    rejected: Sequence[dict[str, Any]]
    # Addresses that were typed, by the place of their item; they wait elsewhere, sealed.
    contacts: Mapping[int, CheckoutContactKnown] = MappingProxyType({})
    visitor: UUID | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as the storefront reads it."""
        return {"accepted": self._accepted(), "rejected": list(self.rejected)}

    def as_bytes(self) -> bytes:
        """Return the same as JSON."""
        if self.rejected:
            return msgspec.json.encode(self.as_json())
        return b'{"accepted":%d,"rejected":[]}' % self._accepted()

    def _accepted(self) -> int:
        return len(self.entries) + len(self.contacts)


_good = msgspec.json.Decoder(_GoodBeacon)


def parse(body: bytes) -> Beacon | _GoodBeacon:
    """Return what a body says; raises InvalidInput if it is no JSON object."""
    # Postgres keeps every character but NUL, and JSON can write it only so.
    if b"\\u0000" not in body:
        try:
            return _good.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass
    return _parse_slowly(body)


def _parse_slowly(body: bytes) -> Beacon:
    try:
        data = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise InvalidInput("The body is not JSON.", field="body") from error
    if not isinstance(data, dict):
        raise InvalidInput("The body must be a JSON object.", field="body")
    return Beacon(**{name: data[name] for name in Beacon.__struct_fields__ if name in data})


def read(shop: UUID, sender: Sender, items: Any, now: datetime) -> Taken:
    """Return the entries of what is valid; raises InvalidEvent if the items are no list at all."""
    if not isinstance(items, list):
        raise InvalidEvent("`events` must be a list.", field="events")
    if len(items) > MOST_EVENTS:
        raise InvalidEvent(f"At most {MOST_EVENTS} events a request.", field="events")
    entries: list[Entry] = []
    rejected: list[dict[str, Any]] = []
    typed: dict[int, CheckoutContactKnown] = {}
    bounds = _bounds(int(now.timestamp()) // 60)
    said = _said(sender)
    for index, item in enumerate(items):
        try:
            found = item if type(item) is Item else _item(item)
            if found.kind == CONTACT:
                typed[index] = _contact(shop, sender, found, now, bounds)
            else:
                entries.append(_entry(shop, said, found, now, bounds))
        except InvalidEvent as error:
            rejected.append(rejection(index, error))
    return Taken(entries, rejected, typed, sender.visitor)


def rejection(index: int, error: InvalidEvent) -> dict[str, Any]:
    """Return what a storefront is told of an item that is not kept; never what it said."""
    telemetry.REFUSED.labels(door="beacon", code=error.code).inc()
    where = f"{error.field}: " if error.field else ""
    return {"index": index, "code": error.code, "message": f"{where}{error}"}


def is_checkout_hash(value: str) -> bool:
    """Tell whether this is a SHA-256 in hex, as a checkout is named in public."""
    return bool(CHECKOUT_HASH.fullmatch(value))


def _item(raw: Any) -> Item:
    try:
        item = msgspec.convert(raw, Item)
    except msgspec.ValidationError as error:
        message, field = explained(error)
        raise InvalidEvent(message, field=field) from error
    except UnicodeEncodeError as error:
        raise InvalidEvent("Half a character cannot be kept.") from error
    for name in ("kind", "channel", "product", "variant", "page", "nudge"):
        _check_storable(name, getattr(item, name))
    return item


def _check_storable(field: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidEvent("Half a character cannot be kept.", field=field) from error
    if "\0" in text:
        raise InvalidEvent("No NUL characters, please.", field=field)


def _entry(
    shop: UUID, said: dict[str, Any], item: Item, now: datetime, bounds: tuple[int, int]
) -> Entry:
    about = SUBJECTS.get(item.kind)
    if about is None:
        raise InvalidEvent("A storefront cannot send this kind.", field="kind")
    _check_time(item, bounds)
    data = said.copy()
    # A page that does not say what it is, is what the event is about.
    subject = data["page"] = item.page.upper() or ("PRODUCT" if item.product else "OTHER")
    if about:
        subject = data[about] = item.product if about == "product" else item.nudge
        if not subject:
            raise InvalidEvent(f"Which {about}?", field=about)
    if item.variant and item.kind == AddedToCart.kind:
        data["variant"] = item.variant
    # A clock that runs ahead must not make a visitor of tomorrow.
    at = item.at if item.at < now else now  # noqa: FURB136 - min() costs more, a hundred times
    if at.tzinfo is not UTC:
        # Zones reach to a day on either side, and Postgres reads no more than 16 hours of them.
        at = at.astimezone(UTC)
    return Entry(item.id, shop, item.channel, item.kind, at, subject, None, data)


def _contact(
    shop: UUID, sender: Sender, item: Item, now: datetime, bounds: tuple[int, int]
) -> CheckoutContactKnown:
    _check_time(item, bounds)
    at = min(item.at, now).astimezone(UTC)
    return contacts.read(shop, item.channel, sender.checkout, at, item.data, str(item.id), now)


def _check_time(item: Item, bounds: tuple[int, int]) -> None:
    # Each line is run for every event there is, so the id is read as the number it is.
    number = item.id.int
    if number & UUID7_BITS != UUID7_MARK:
        raise InvalidEvent("The id must be a UUIDv7.", field="id")
    in_id = number >> 80
    try:
        named = item.at.timestamp() * 1000
    except (OverflowError, ValueError) as error:
        raise InvalidEvent("The time lies outside the calendar.", field="at") from error
    oldest, newest = bounds
    if in_id > newest or named > newest:
        raise InvalidEvent("The event lies more than 24 hours in the future.", field="id")
    if in_id < oldest or named < oldest:
        raise InvalidEvent("The event is older than what is kept.", field="id")
    if not -APART_ALLOWED <= in_id - named <= APART_ALLOWED:
        raise InvalidEvent("The id and `at` name different days.", field="at")


def _said(sender: Sender) -> dict[str, Any]:
    said: dict[str, Any] = {"visitor": sender.visitor}
    for name in SAID:
        if value := getattr(sender, name):
            said[name] = value
    return said


@lru_cache(maxsize=4)
def _bounds(minute: int) -> tuple[int, int]:
    """Return the milliseconds between which an event of that minute since 1970 must lie."""
    moment = datetime.fromtimestamp(minute * 60, UTC)
    return (
        (oldest_kept(Flow.VIEWS, moment) - EPOCH) // timedelta(milliseconds=1),
        (moment + FUTURE_ALLOWED - EPOCH) // timedelta(milliseconds=1),
    )
