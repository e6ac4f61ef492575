"""Plays visitors who come, stay and go against the sets of who is here; run by `inside`."""

import math
import random
from bisect import bisect
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, Final
from uuid import UUID

from benchmarks.payloads import CHANNEL
from saleor_nudges.live import EXPIRES, HERE_FOR, Command, Place, beat_commands, count_command

SHOP: Final = UUID(int=1)
NOON: Final = 1_800_000_000.0

# live-exact: a step is a moment in which some beat at one product, and some look at others.
LOOKS: Final = 50
PLACES: Final = 300
PEOPLE: Final = 60_000
STEP: Final = 0.05

# redis-day.
PRODUCTS: Final = 100_000
EVENTS: Final = 10_000_000
DAY: Final = 86_400
# Of all hours the busiest has this many times the traffic of the mean one.
BUSIEST: Final = 2.5
BEAT: Final = 5
# Half of the visitors stay on a product's page for longer than this, in seconds.
STAY: Final = 30.0
# One product's sale: a part of all views, while it lasts.
SALE: Final = 0.05
LOOK_EVERY: Final = 10


class Oracle:
    """The visitors of one product, by their last beat, the oldest first; milliseconds."""

    def __init__(self) -> None:
        self.last: OrderedDict[int, int] = OrderedDict()

    def beat(self, visitors: Iterable[int], now: int) -> None:
        """Take beats."""
        for visitor in visitors:
            self.last[visitor] = now
            self.last.move_to_end(visitor)

    def count(self, now: int) -> int:
        """Return who was heard of within HERE_FOR."""
        oldest = now - int(HERE_FOR * 1000)
        while self.last and next(iter(self.last.values())) <= oldest:
            self.last.popitem(last=False)
        return len(self.last)


def exact(client: Any, queries: int) -> dict[str, Any]:
    """Ask at random how many look at products; compare each answer with an exact oracle."""
    chance = random.Random(4)
    oracles, now = [Oracle() for _ in range(PLACES)], NOON
    over, least, largest, asked = 0, 1.0, 0, 0
    for _ in range(queries // LOOKS):
        now += chance.expovariate(1 / STEP)
        commands, beats = _beats(chance, oracles, now)
        looked_at = [_place(chance) for _ in range(LOOKS)]
        commands += [count_command(_named(place), now) for place in looked_at]
        told = _run(client, commands)[beats:]
        for place, found in zip(looked_at, told, strict=True):
            truth = oracles[place].count(int(now * 1000))
            over, largest = max(over, found - truth), max(largest, truth)
            least = min(least, found / truth) if truth else least
            asked += 1
    return {"least": least, "queries": asked, "most_over": over, "largest_crowd": largest}


def _beats(
    chance: random.Random, oracles: Sequence[Oracle], now: float
) -> tuple[list[Command], int]:
    place = _place(chance)
    many = min(int(chance.paretovariate(0.6)), PEOPLE // 4)
    visitors = [chance.randrange(PEOPLE) for _ in range(many)]
    oracles[place].beat(visitors, int(now * 1000))
    beats = {_named(place): {UUID(int=visitor): now for visitor in visitors}}
    commands = [*beat_commands(beats, now)]
    return commands, len(commands)


def _place(chance: random.Random) -> int:
    return min(PLACES - 1, int(chance.paretovariate(0.7)) - 1)


def _named(place: int) -> Place:
    return Place(SHOP, CHANNEL, f"UHJvZHVjdDo{place:06d}")


def _run(client: Any, commands: Iterable[Command]) -> list[Any]:
    pipe = client.pipeline(transaction=False)
    for command in commands:
        pipe.execute_command(*command)
    replies: list[Any] = pipe.execute()
    return replies


def day(client: Any, seconds: int) -> dict[str, Any]:
    """Play the busiest seconds of a large shop's day; return the most that Redis held."""
    empty = int(client.info("memory")["used_memory"])
    traffic = Traffic(random.Random(5), first=(DAY - seconds) // 2)
    most, visitors = 0, 0
    for second, beats in enumerate(traffic.beats(seconds)):
        now = NOON + second
        _run(client, beat_commands(_by_place(beats, now), now))
        traffic.expire(client, beats, second)
        if second % LOOK_EVERY == 0:
            held = int(client.info("memory")["used_memory"]) - empty
            if held > most:
                most, visitors = held, sum(_run(client, traffic.sizes()))
    return {
        "most_bytes": most,
        "bytes_per_product": round(most / PRODUCTS, 2),
        "bytes_per_event": round(most / EVENTS, 4),
        "bytes_per_visitor": round(most / max(visitors, 1), 1),
        "visitors_then": visitors,
        "events": traffic.events,
        "beats": traffic.sent,
        "seconds_played": seconds,
    }


def _by_place(beats: Iterable[tuple[int, int]], now: float) -> dict[Place, dict[UUID, float]]:
    found: dict[Place, dict[UUID, float]] = defaultdict(dict)
    for product, visitor in beats:
        found[_named(product)][UUID(int=visitor)] = now
    return found


class Traffic:
    """The beats of a day, second by second: few products have most, and noon is the busiest."""

    def __init__(self, chance: random.Random, first: int) -> None:
        self.chance, self.first = chance, first
        self.weights = [*accumulate(1 / rank for rank in range(1, PRODUCTS + 1))]
        self.events = self.sent = 0
        self._waiting: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self._until: dict[int, int] = {}
        self._ends: dict[int, list[int]] = defaultdict(list)

    def beats(self, seconds: int) -> Iterator[list[tuple[int, int]]]:
        """Yield who beats at which product."""
        for second in range(seconds):
            for _ in range(self._arrivals(second)):
                self._arrive(second)
            beats = self._waiting.pop(second, [])
            self.sent += len(beats)
            yield beats

    def expire(self, client: Any, beats: Iterable[tuple[int, int]], second: int) -> None:
        """Do what Redis would have done by now: the day is played faster than its clock."""
        for product in {product for product, _ in beats}:
            self._until[product] = second + EXPIRES
            self._ends[second + EXPIRES].append(product)
        over = [one for one in self._ends.pop(second, []) if self._until.get(one) == second]
        if over:
            client.delete(*(_named(product).key() for product in over))
            for product in over:
                del self._until[product]

    def sizes(self) -> list[Command]:
        """Return the commands that tell how many visitors Redis holds."""
        return [("ZCARD", _named(product).key()) for product in self._until]

    def _arrivals(self, second: int) -> int:
        share = (self.first + second) / DAY
        rate = EVENTS / DAY * (1 - (BUSIEST - 1) * math.cos(2 * math.pi * share))
        return int(max(rate, 0) + self.chance.random())

    def _arrive(self, second: int) -> None:
        is_sale = self.chance.random() < SALE
        product = 0 if is_sale else bisect(self.weights, self.chance.random() * self.weights[-1])
        self.events += 1
        visitor, stay = self.events, self.chance.lognormvariate(math.log(STAY), 1.0)
        for beat in range(1 + int(min(stay, 1800) / BEAT)):
            self._waiting[second + beat * BEAT].append((product, visitor))
