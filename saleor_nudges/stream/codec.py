"""Events to stream entries and back. Personal fields travel sealed."""

from functools import lru_cache
from typing import Any

from cryptography.fernet import InvalidToken
from pydantic import TypeAdapter, ValidationError

from saleor_nudges import crypto
from saleor_nudges.events import KINDS, Event
from saleor_nudges.exceptions import InvalidEvent
from saleor_nudges.stream.base import Entry


@lru_cache(maxsize=len(KINDS))
def adapter(kind: str) -> TypeAdapter[Any]:
    """Return the validator of one kind of event."""
    return TypeAdapter(KINDS[kind])


def encode(event: Event) -> Entry:
    """Return the entry a stream keeps for this event."""
    payload = adapter(event.kind).dump_python(event, mode="json")
    secret = {name: payload.pop(name) for name in event.sealed & payload.keys()}
    return Entry(
        event_id=event.id,
        shop=event.shop,
        channel=event.channel,
        kind=event.kind,
        payload=payload,
        sealed=crypto.seal(secret) if any(secret.values()) else None,
    )


def decode(entry: Entry) -> Event:
    """Return the event of an entry; raises InvalidEvent if this version cannot read it."""
    if entry.kind not in KINDS:
        raise InvalidEvent(f"No event of ours is called {entry.kind!r}.", field="kind")
    try:
        secret = crypto.unseal(entry.sealed) if entry.sealed else {}
    except InvalidToken as error:
        raise InvalidEvent("None of today's keys opens it.", field="sealed") from error
    try:
        event: Event = adapter(entry.kind).validate_python(entry.payload | secret)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise InvalidEvent(first["msg"], field=".".join(map(str, first["loc"]))) from error
    return event


def stored_data(event: Event) -> dict[str, Any]:
    """Return what the event table keeps beside its columns: nothing personal, nothing secret."""
    columns = {"id", "shop", "channel", "occurred_at", "person"}
    data: dict[str, Any] = adapter(event.kind).dump_python(
        event, mode="json", exclude=set(columns | event.sealed)
    )
    return {key: value for key, value in data.items() if value not in ("", None)}
