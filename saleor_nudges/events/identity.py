"""Event ids: UUIDv7, random for what a browser saw, derived for what a shop knows."""

import hashlib
import os
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

FUTURE_ALLOWED = timedelta(hours=24)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The 48 bits of an id reach further than a datetime does.
LAST_MOMENT = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def uuid7(moment: datetime | None = None) -> UUID:
    """Return a new UUIDv7 (RFC 9562): 48 bits of milliseconds, 74 random bits."""
    milliseconds = _milliseconds(moment) if moment else time.time_ns() // 1_000_000
    return _layout(milliseconds, int.from_bytes(os.urandom(10)))


def fact_id(shop: UUID, kind: str, subject: str, revision: str, occurred_at: datetime) -> UUID:
    """Return the one id of a fact, however it reaches us: by hook, webhook or sweep."""
    text = "\0".join((shop.hex, kind, subject, revision))
    digest = hashlib.sha256(text.encode()).digest()
    return _layout(_milliseconds(occurred_at), int.from_bytes(digest[:10]))


def moment_of(event_id: UUID) -> datetime:
    """Return the time a UUIDv7 carries, to the millisecond; never later than a datetime can be."""
    try:
        return EPOCH + timedelta(milliseconds=event_id.int >> 80)
    except OverflowError:
        return LAST_MOMENT


def smallest_at(moment: datetime) -> UUID:
    """Return the smallest id of that millisecond: a bound for partitions and ranges."""
    return UUID(int=_milliseconds(moment) << 80)


def is_uuid7(value: UUID) -> bool:
    """Tell whether a UUID has version 7 and the standard variant."""
    return value.version == 7


def _milliseconds(moment: datetime) -> int:
    # In whole numbers: a float would put .123 and .123456 into different milliseconds.
    return (moment - EPOCH) // timedelta(milliseconds=1)


def _layout(milliseconds: int, noise: int) -> UUID:
    rand_a, rand_b = noise >> 68 & 0xFFF, noise & ((1 << 62) - 1)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | rand_a << 64 | 0b10 << 62 | rand_b)
