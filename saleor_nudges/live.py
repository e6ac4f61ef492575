"""Who looks at a product right now: exact below a thousand, then never more than there are.

Redis: below a thousand each visitor is a member of a sorted set with the time of their last beat.
From then on beats go to HyperLogLogs of five seconds, two of which count: some 30 KB, however many
there are. Between 500 and 1,000 to both, so that neither begins empty. Everything written may be
written twice. Both say at most the truth, so the larger of the two is told.

Without Redis each process knows only the visitors it has heard of itself: a lower bound.
"""

import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from redis import Redis
from redis.exceptions import RedisError

from saleor_nudges import conf

# Seconds after which a visitor who sends no more beats is gone. Pages beat every five at most.
HERE_FOR: Final = 10.0
SLOT: Final = 5
EXPIRES: Final = 15
EXACT_BELOW: Final = 1000
WARM_FROM: Final = 500
# A crowd that comes within one second must not make a set without end.
MOST_MEMBERS: Final = 2000
# Redis' HyperLogLog: 2 ** 14 registers, a standard error of 1.04 / 2 ** 7; six of them below.
SURE: Final = 1 - 6 * 1.04 / 128
MOST_PRODUCTS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody is: a product in a channel of a shop."""

    shop: UUID
    channel: str
    product: str

    def key(self) -> str:
        """Return the key of its members; those of its slots begin with it."""
        return f"nudges:{{{self.shop.hex}/{self.channel}}}:live:{self.product}"


@dataclass(slots=True)
class Live:
    """Counts visitors. One per process: it remembers which products were full a moment ago.

    The commands and the reading of their replies are apart, so that whoever has a pipeline of its
    own, asynchronous or not, puts them into it: `put_beats`, `put_counts`, then `read_counts`.
    """

    known: OrderedDict[Place, int] = field(default_factory=OrderedDict)
    members: OrderedDict[Place, OrderedDict[UUID, float]] = field(default_factory=OrderedDict)

    def put_beats(self, pipe: Any, beats: Iterable[tuple[Place, UUID]], now: float) -> None:
        """Queue the commands that keep these visitors where they are; replies are of no use."""
        for place, visitor in beats:
            key, known = place.key(), self.known.get(place, 0)
            if known < EXACT_BELOW:
                pipe.zadd(key, {visitor.bytes: now})
                pipe.zremrangebyscore(key, "-inf", now - HERE_FOR)
                pipe.zremrangebyrank(key, 0, -MOST_MEMBERS - 1)
                pipe.expire(key, EXPIRES)
            if known >= WARM_FROM:
                slot = _slots(place, now)[0]
                pipe.pfadd(slot, visitor.bytes)
                pipe.expire(slot, EXPIRES)

    def put_counts(self, pipe: Any, places: Iterable[Place], now: float) -> None:
        """Queue the two commands per place whose replies `read_counts` understands."""
        for place in places:
            pipe.zcount(place.key(), f"({now - HERE_FOR}", "+inf")
            pipe.pfcount(*_slots(place, now))

    def read_counts(self, places: Sequence[Place], replies: Sequence[int]) -> dict[Place, int]:
        """Return the visitors of each place from the replies to `put_counts`."""
        pairs = zip(places, replies[::2], replies[1::2], strict=True)
        found = {place: count_of(exact, rough) for place, exact, rough in pairs}
        for place, count in found.items():
            self.known[place] = count
            self.known.move_to_end(place)
        while len(self.known) > MOST_PRODUCTS:
            self.known.popitem(last=False)
        return found

    def beat_here(self, place: Place, visitor: UUID, now: float) -> None:
        """Remember a visitor in this process, where there is no Redis."""
        members = self.members.setdefault(place, OrderedDict())
        members[visitor] = now
        members.move_to_end(visitor)
        self.members.move_to_end(place)
        if len(members) > MOST_MEMBERS:
            members.popitem(last=False)
        if len(self.members) > MOST_PRODUCTS:
            self.members.popitem(last=False)

    def count_here(self, place: Place, now: float) -> int:
        """Return how many visitors this process has heard of lately."""
        members = self.members.get(place)
        while members and next(iter(members.values())) <= now - HERE_FOR:
            members.popitem(last=False)
        if not members:
            self.members.pop(place, None)
            return 0
        return len(members)


LIVE: Final = Live()


def heartbeat(shop: UUID, channel: str, product: str, visitor: UUID) -> None:
    """Say that a visitor looks at a product now. A Redis that is away costs the count, no more."""
    place, now, client = Place(shop, channel, product), time.time(), _client()
    if client is None:
        LIVE.beat_here(place, visitor, now)
        return
    pipe = client.pipeline(transaction=False)
    LIVE.put_beats(pipe, [(place, visitor)], now)
    _replies(pipe)


def count(shop: UUID, channel: str, product: str) -> int:
    """Return how many visitors look at a product now; 0 where Redis is away."""
    place, now, client = Place(shop, channel, product), time.time(), _client()
    if client is None:
        return LIVE.count_here(place, now)
    pipe = client.pipeline(transaction=False)
    LIVE.put_counts(pipe, [place], now)
    replies = _replies(pipe)
    return LIVE.read_counts([place], replies)[place] if replies else 0


def count_of(exact: int, rough: int) -> int:
    """Return what the set and the HyperLogLogs together are sure of."""
    return max(exact, int(rough * SURE))


def _slots(place: Place, now: float) -> list[str]:
    """Return the keys of this five seconds and those before."""
    slot = int(now) // SLOT
    return [f"{place.key()}:{number}" for number in (slot, slot - 1)]


def _replies(pipe: Any) -> list[int]:
    try:
        replies: list[int] = pipe.execute()
    except RedisError:
        return []
    return replies


def _client() -> "Redis | None":
    url = conf.get().REDIS_URL
    return _connected(url) if url else None


@lru_cache(maxsize=4)
def _connected(url: str) -> "Redis":
    return Redis.from_url(url, socket_timeout=0.5, socket_connect_timeout=0.5)
