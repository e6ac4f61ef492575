"""Events to stream entries and back. Personal fields travel sealed."""

import re
from dataclasses import MISSING
from dataclasses import fields as fields_of
from functools import lru_cache
from typing import Any

import msgspec
from cryptography.fernet import InvalidToken

from saleor_nudges import crypto
from saleor_nudges.events import KINDS, Event
from saleor_nudges.exceptions import InvalidEvent
from saleor_nudges.stream.base import Entry

# What has a column of its own; the rest of an event is its data.
COLUMNS = frozenset({"id", "shop", "channel", "occurred_at", "person"})
ABSENT = re.compile(r"missing required field `(?P<name>[^`]*)`")
PATH = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")


def encode(event: Event) -> Entry:
    """Return the entry a stream keeps for this event."""
    fields = msgspec.to_builtins(event)
    secret = {name: fields.pop(name) for name in event.sealed & fields.keys()}
    return Entry(
        id=event.id,
        shop_id=event.shop,
        channel=event.channel,
        kind=event.kind,
        occurred_at=event.occurred_at,
        subject=event.subject,
        person=event.person,
        data=_data(fields, needed=_needed(event.kind)),
        sealed=crypto.seal(secret) if any(secret.values()) else None,
    )


def decode(entry: Entry) -> Event:
    """Return the event of an entry; raises InvalidEvent if this version cannot read it."""
    kind = KINDS.get(entry.kind)
    if kind is None:
        raise InvalidEvent(f"No event of ours is called {entry.kind!r}.", field="kind")
    fields = {
        **entry.data,
        "id": entry.id,
        "shop": entry.shop_id,
        "channel": entry.channel,
        "occurred_at": entry.occurred_at,
        "person": entry.person,
    }
    if entry.sealed:
        try:
            fields |= crypto.unseal(entry.sealed)
        except InvalidToken as error:
            raise InvalidEvent("None of today's keys opens it.", field="sealed") from error
    try:
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError as error:
        message, field = explained(error)
        raise InvalidEvent(message, field=field) from error


def stored_data(event: Event) -> dict[str, Any]:
    """Return what the event table keeps beside its columns: nothing personal, nothing secret."""
    fields = msgspec.to_builtins(event)
    return _data({name: fields[name] for name in fields.keys() - event.sealed})


def open_fields(entry: Entry) -> dict[str, Any]:
    """Return an entry as JSON without what is sealed."""
    fields: dict[str, Any] = msgspec.to_builtins(entry)
    del fields["sealed"]
    return fields


def explained(error: msgspec.ValidationError) -> tuple[str, str]:
    """Return what is wrong and in which field, from the words of msgspec."""
    text = str(error)
    if found := PATH.search(text):
        text = text[: found.start()]
    path = found["path"] if found else ""
    if missing := ABSENT.search(text):
        path = f"{path}.{missing['name']}".lstrip(".")
    return text, path


def _data(fields: dict[str, Any], needed: frozenset[str] = frozenset()) -> dict[str, Any]:
    return {
        name: value
        for name, value in fields.items()
        if name not in COLUMNS and (value not in ("", None) or name in needed)
    }


@lru_cache(maxsize=len(KINDS))
def _needed(kind: str) -> frozenset[str]:
    """Return the fields without a default: an empty one must come back as it went."""
    return frozenset(field.name for field in fields_of(KINDS[kind]) if field.default is MISSING)
