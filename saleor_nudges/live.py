"""Who looks at a product right now: exact, never more than there are, gone ten seconds later.

Redis: the visitors of a product are members of a sorted set with the milliseconds of their last
beat; whatever is written may be written twice, in any order. A member takes some 30 bytes where
there are few and 110 in a crowd, and every set is gone a few seconds after its last beat, so all
sets together take what the visitors of this moment take, however many products there are. A crowd
of more than MOST_MEMBERS at one product (11 MB) is said to be MOST_MEMBERS.

Without Redis each process knows only the visitors it has heard of itself: a lower bound.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import batched
from typing import Any, Final, NamedTuple
from uuid import UUID

from saleor_nudges.stream.redis_clients import quoted

# Seconds after which a visitor who sends no more beats is gone. Pages beat every five at most; what
# was counted is told for a second at most, so nobody is told of ten seconds after the last beat.
HERE_FOR: Final = 9.0
TOLD_FOR: Final = 1.0
EXPIRES: Final = 15
MOST_MEMBERS: Final = 100_000
# Beats that wait to be sent, and visitors remembered where there is no Redis: some 30 MB of each.
MOST_BEATS: Final = 100_000

# In one go: so many products, and so many visitors of one (arguments of a command in Lua are few).
PLACES_TOGETHER: Final = 50
BEATS_OF_PLACE: Final = 1000
# Arguments: the oldest that counts, most members, seconds to live; then for each key how many
# members, and each one's time and name. A beat that comes late must not make its visitor older.
BEAT: Final = """
local at = 4
for _, key in ipairs(KEYS) do
  local last = at + 2 * tonumber(ARGV[at])
  redis.call('ZADD', key, 'GT', unpack(ARGV, at + 1, last))
  redis.call('ZREMRANGEBYSCORE', key, '-inf', ARGV[1])
  redis.call('ZREMRANGEBYRANK', key, 0, -ARGV[2] - 1)
  redis.call('EXPIRE', key, ARGV[3])
  at = last + 1
end
"""

Command = tuple[Any, ...]


class Place(NamedTuple):
    """Where somebody is: a product in a channel of a shop."""

    shop: UUID
    channel: str
    product: str

    def key(self) -> str:
        """Return the key of its members, in the slot of everything else of its channel."""
        return f"nudges:{{{self.shop.hex}/{quoted(self.channel)}}}:live:{quoted(self.product)}"


# The last beat of each visitor, in seconds since 1970.
Beats = Mapping[Place, Mapping[UUID, float]]
Piece = tuple[Place, Sequence[tuple[UUID, float]]]


def beat_commands(beats: Beats, now: float) -> Iterator[Command]:
    """Yield what keeps these visitors where they are; the replies are of no use."""
    bounds = (_milliseconds(now - HERE_FOR), MOST_MEMBERS, EXPIRES)
    for together in _together(beats):
        keys = [place.key() for place, _ in together]
        said: list[Any] = []
        for _, visitors in together:
            said.append(len(visitors))
            for visitor, at in visitors:
                said += (_milliseconds(at), visitor.bytes)
        yield ("EVAL", BEAT, len(keys), *keys, *bounds, *said)


def _together(beats: Beats) -> Iterator[Sequence[Piece]]:
    """Yield pieces of one channel each, small enough that Redis does nothing else for a moment."""
    channels: dict[tuple[UUID, str], list[Piece]] = {}
    for place, visitors in beats.items():
        pieces = channels.setdefault(place[:2], [])
        pieces += [(place, some) for some in batched(visitors.items(), BEATS_OF_PLACE)]
    for pieces in channels.values():
        yield from batched(pieces, PLACES_TOGETHER)


def count_command(place: Place, now: float) -> Command:
    """Return the one command whose reply is how many are there."""
    return ("ZCOUNT", place.key(), f"({_milliseconds(now - HERE_FOR)}", "+inf")


@dataclass(slots=True)
class Waiting:
    """Beats that have not been sent yet, each visitor's newest at each place."""

    beats: dict[Place, dict[UUID, float]] = field(default_factory=dict)
    count: int = 0

    def add(self, place: Place, visitor: UUID, now: float) -> None:
        """Remember a beat; past MOST_BEATS it is lost, and a number is smaller than it could be."""
        visitors = self.beats.get(place, {})
        if visitor not in visitors:
            if self.count >= MOST_BEATS:
                return
            self.count += 1
            self.beats[place] = visitors
        visitors[visitor] = now

    def take(self) -> Beats:
        """Return what waits, and forget it."""
        taken, self.beats, self.count = self.beats, {}, 0
        return taken


@dataclass(slots=True)
class Here:
    """The visitors one process has heard of itself, all places together, the oldest beat first."""

    last: OrderedDict[tuple[Place, UUID], float] = field(default_factory=OrderedDict)
    counts: dict[Place, int] = field(default_factory=dict)

    def beat(self, place: Place, visitor: UUID, now: float) -> None:
        """Remember a visitor."""
        key = (place, visitor)
        if key not in self.last:
            self.counts[place] = self.counts.get(place, 0) + 1
        self.last[key] = now
        self.last.move_to_end(key)
        self._forget(now)

    def count(self, place: Place, now: float) -> int:
        """Return how many of them were heard of lately."""
        self._forget(now)
        return self.counts.get(place, 0)

    def _forget(self, now: float) -> None:
        while self.last:
            key = next(iter(self.last))
            if len(self.last) <= MOST_BEATS and self.last[key] > now - HERE_FOR:
                return
            del self.last[key]
            self.counts[key[0]] -= 1
            if not self.counts[key[0]]:
                del self.counts[key[0]]


HERE: Final = Here()


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
