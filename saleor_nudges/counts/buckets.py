"""Buckets of time, as whole seconds since 1970: what is counted together, and for how long."""

from datetime import UTC, datetime
from hashlib import blake2b
from typing import Final
from uuid import UUID

from saleor_nudges.models import Grain
from saleor_nudges.models.counts import COUNTS_KEPT, VISITORS_KEPT

MINUTE: Final = 60
FIVE_MINUTES: Final = 300
HOUR: Final = 3600

# Plain text: a member of an enumeration is hashed by Python code, which dicts of keys feel.
BY_MINUTE: Final[str] = Grain.MINUTE.value
BY_FIVE_MINUTES: Final[str] = Grain.FIVE_MINUTES.value
BY_HOUR: Final[str] = Grain.HOUR.value

# Folds share the lock of the hours they add to; a recount holds it alone while it replaces one.
# So few locks per shop that a batch of many hours cannot fill the server's table of locks.
LOCKS: Final = 64


def seconds(moment: datetime) -> int:
    """Return the whole seconds since 1970 of an aware time."""
    return int(moment.timestamp())


def moment(start: int) -> datetime:
    """Return the time at which a bucket starts."""
    return datetime.fromtimestamp(start, UTC)


def is_over(hour: int, now: datetime) -> bool:
    """Tell whether the hour that starts there has ended."""
    return hour + HOUR <= seconds(now)


def oldest_counts(now: datetime) -> dict[str, int]:
    """Return, by grain, where the oldest bucket of counts that is kept may start."""
    kept = {grain.value: seconds(now - age) for grain, age in COUNTS_KEPT.items()}
    return kept | {BY_HOUR: 0}


def oldest_visitors(now: datetime) -> dict[str, int]:
    """Return, by grain, where the oldest sketch that is kept may start."""
    return {grain.value: seconds(now - age) for grain, age in VISITORS_KEPT.items()}


def lock_of(shop: UUID, hour: int) -> int:
    """Return the key of the advisory lock on one hour of a shop: 64 bits with a sign."""
    slot = hour // HOUR % LOCKS
    digest = blake2b(shop.bytes + bytes([slot]), digest_size=8, person=b"nudges counts")
    return int.from_bytes(digest.digest(), signed=True)
