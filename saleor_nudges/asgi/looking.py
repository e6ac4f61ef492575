"""One trip to Redis: boards, how many look at their products, and the beats of those who do.

`Looking` makes one for everybody who waits in an event loop, `look_now` one for a thread of Django.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from saleor_nudges import conf, telemetry
from saleor_nudges.live import HERE, Beats, Command, Place, Waiting, beat_commands, count_command
from saleor_nudges.nudges import shelf
from saleor_nudges.stream import redis_clients

LOOKS_AT_ONCE: Final = 64
# Beats go with a look, but no more often: many pages of one visitor's second are one beat.
BEATS_APART: Final = 0.5
# A beat that no look has taken along by then goes alone.
BEATS_WAIT: Final = 1.0


class Look(NamedTuple):
    """What is wanted: the boards of these products of one channel ("" alone: the channel's own).

    `counted` are those of them whose visitors are wanted, too.
    """

    shop: UUID
    channel: str
    products: tuple[str, ...]
    counted: tuple[str, ...] = ()

    def places(self) -> list[Place]:
        """Return where visitors are counted."""
        return [Place(self.shop, self.channel, product) for product in self.counted]

    def commands(self, now: float) -> list[Command]:
        """Return what Redis is asked."""
        keys = shelf.keys_of(self.shop, self.channel, self.products)
        return [("MGET", *keys), *(count_command(place, now) for place in self.places())]


class Seen(NamedTuple):
    """What there was: boards, and how many visitors look at each product that was counted.

    There may be more of it than was asked for: what others have asked for in the same moment.
    """

    found: shelf.Found
    visitors: dict[str, int]


def look_now(look: Look, beats: Beats) -> Seen:
    """Send beats and return what lies in Redis, nothing where it is away; never raises for that."""
    settings, now = conf.get(), time.time()
    if not settings.REDIS_URL:
        for place, visitors in beats.items():
            for visitor, at in visitors.items():
                HERE.beat(place, visitor, at)
        return _alone(look)
    sent = [*beat_commands(beats, now)]
    try:
        client: Any = redis_clients.client(settings.REDIS_URL, is_cluster=settings.REDIS_CLUSTER)
        pipe = client.pipeline(transaction=False)
        for command in (*sent, *look.commands(now)):
            pipe.execute_command(*command)
        return _read([look], pipe.execute()[len(sent) :])[0]
    except redis_clients.TROUBLE:
        telemetry.log(telemetry.Log.SHELF_AWAY)
        return Seen(shelf.nothing_found(*look[:3]), {})


Wanted = tuple[Look, asyncio.Future[Seen]]


class Looking:
    """Looks of one event loop, and the beats that go with them."""

    def __init__(self, url: str, *, is_cluster: bool) -> None:
        self.url, self.is_cluster = url, is_cluster
        self._wanted: list[Wanted] = []
        self._beats = Waiting()
        self._beats_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._trips: asyncio.Future[None] | None = None

    async def look(self, look: Look) -> Seen:
        """Return what lies in Redis, nothing where it is away; never raises for that."""
        if not self.url:
            return _alone(look)
        seen: asyncio.Future[Seen] = asyncio.get_running_loop().create_future()
        self._wanted.append((look, seen))
        self._start()
        return await seen

    def beat(self, place: Place, visitor: UUID, now: float) -> None:
        """Take a visitor's beat, to be sent within BEATS_WAIT seconds."""
        self._beats.add(place, visitor, now)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(BEATS_WAIT, self._flush)

    async def close(self) -> None:
        """Send what waits, and nothing after it."""
        if self._timer is not None:
            self._timer.cancel()
        if self._trips is not None:
            await self._trips

    def _flush(self) -> None:
        self._timer = None
        self._start()

    def _start(self) -> None:
        if self._trips is None:
            self._trips = asyncio.ensure_future(self._run())

    async def _run(self) -> None:
        try:
            await self._run_until_done()
        finally:
            # Whatever went wrong, the next who asks begins anew.
            self._trips = None

    async def _run_until_done(self) -> None:
        # Whoever asks while a question is on its way is asked for by the next, all in one go.
        while True:
            wanted, self._wanted = self._wanted[:LOOKS_AT_ONCE], self._wanted[LOOKS_AT_ONCE:]
            now = time.time()
            beats = [*beat_commands(self._due(is_alone=not wanted), now)]
            if not wanted and not beats:
                return
            await self._trip(wanted, beats, now)

    def _due(self, *, is_alone: bool) -> Beats:
        moment = time.monotonic()
        is_soon = is_alone or moment - self._beats_at < BEATS_APART
        if not self._beats.count or (is_soon and self._timer is not None):
            return {}
        self._beats_at = moment
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return self._beats.take()

    async def _trip(self, wanted: Sequence[Wanted], beats: list[Command], now: float) -> None:
        looks = together([look for look, _ in wanted])
        commands = beats + [command for look in looks.values() for command in look.commands(now)]
        try:
            replies = await redis_clients.execute(self.url, commands, is_cluster=self.is_cluster)
        except (*redis_clients.TROUBLE, TimeoutError, OSError):
            telemetry.log(telemetry.Log.SHELF_AWAY)
            answers = [Seen(shelf.nothing_found(*look[:3]), {}) for look in looks.values()]
        else:
            answers = _read([*looks.values()], replies[len(beats) :])
        seen = dict(zip(looks, answers, strict=True))
        for look, future in wanted:
            if not future.done():
                future.set_result(seen[look[:2]])


def together(looks: Sequence[Look]) -> dict[tuple[UUID, str], Look]:
    """Return one look for each channel: its own board, which is large, is read once for all."""
    products: dict[tuple[UUID, str], dict[str, None]] = {}
    counted: dict[tuple[UUID, str], dict[str, None]] = {}
    for look in looks:
        products.setdefault(look[:2], {}).update(dict.fromkeys(look.products))
        counted.setdefault(look[:2], {}).update(dict.fromkeys(look.counted))
    return {
        where: Look(*where, tuple(named), tuple(counted[where]))
        for where, named in products.items()
    }


def _read(looks: Sequence[Look], replies: Sequence[Any]) -> list[Seen]:
    answers, rest = [], iter(replies)
    for look in looks:
        found = shelf.Found(look.shop, look.channel, look.products, next(rest))
        answers.append(Seen(found, {product: next(rest) for product in look.counted}))
    return answers


def _alone(look: Look) -> Seen:
    now = time.time()
    visitors = {place.product: HERE.count(place, now) for place in look.places()}
    return Seen(shelf.nothing_found(*look[:3]), visitors)
