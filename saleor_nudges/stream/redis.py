"""The stream on Redis Streams, a few per shop; for storefront views."""

import os
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final, NamedTuple
from uuid import UUID
from zlib import crc32

from django.db import transaction
from redis.exceptions import ResponseError

from saleor_nudges import conf
from saleor_nudges.events import Flow
from saleor_nudges.exceptions import StreamUnavailable
from saleor_nudges.stream import redis_clients
from saleor_nudges.stream.base import (
    PACK_BYTES,
    PACK_ENTRIES,
    Batch,
    Broken,
    Pack,
    Stream,
    unpack_into,
)

GROUP: Final = "nudges"
# Into so many streams the channels of one shop are spread; a Redis Cluster spreads the streams.
BUCKETS: Final = 16
# The names of all streams, so that a reader finds those of shops it has never heard of.
REGISTER: Final = "nudges:{all}:streams"
# A batch takes milliseconds; what somebody has held for so long belongs to a dead worker.
ABANDONED_MILLISECONDS: Final = 4_000
NAMES_SECONDS: Final = 0.25
REGISTER_SECONDS: Final = 60.0
TIDY_SECONDS: Final = 60.0
# An empty stream goes when nobody has appended for so long: ten times what a writer remembers.
IDLE_SECONDS: Final = 600
# Most frames asked for, and most streams looked at, in one call.
FRAMES: Final = 64
NAMES_AT_ONCE: Final = 64
POLL_SECONDS: Final = 0.02
# Shorter than a connection waits for an answer, and than a new stream may stay unheard of.
WAIT_SECONDS: Final = 0.5

# How many frames, how many of them were looked at, their entries, the oldest's time; and the time.
SURVEY: Final = """
    local found = {}
    for _, name in ipairs(KEYS) do
        local frames = redis.call('XLEN', name)
        local seen = redis.call('XRANGE', name, '-', '+', 'COUNT', 16)
        local oldest = seen[1] and seen[1][1] or '0-0'
        if frames > 16 then
            local most = math.min(16, frames - 16)
            local newest = redis.call('XREVRANGE', name, '+', '-', 'COUNT', most)
            for _, frame in ipairs(newest) do seen[#seen + 1] = frame end
        end
        local entries = 0
        for _, frame in ipairs(seen) do
            for n = 1, #frame[2], 2 do
                if frame[2][n] == 'count' then entries = entries + tonumber(frame[2][n + 1]) end
            end
        end
        found[#found + 1] = {frames, #seen, entries, oldest}
    end
    local now = redis.call('TIME')
    return {found, now[1], now[2]}
"""
BYTES: Final = """
    local sum = 0
    for _, name in ipairs(KEYS) do
        sum = sum + (redis.call('MEMORY', 'USAGE', name) or 0)
    end
    return sum
"""
# In one piece, so that nothing appended in between is lost with it.
DROP_IDLE: Final = """
    if redis.call('XLEN', KEYS[1]) > 0 then return 0 end
    local time = redis.call('TIME')
    local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
    local info = redis.call('XINFO', 'STREAM', KEYS[1])
    for n = 1, #info, 2 do
        if info[n] == 'last-generated-id' then
            local moment = tonumber(string.match(info[n + 1], '^%d+')) / 1000
            if now - moment < tonumber(ARGV[1]) then return 0 end
        end
    end
    return redis.call('DEL', KEYS[1])
"""


class Frame(NamedTuple):
    """What was appended to one stream in one piece."""

    stream: str
    key: bytes
    fields: dict[bytes, bytes]


class RedisStream(Stream):
    """Frames of entries acknowledged by Redis, read through a consumer group, deleted when counted.

    `abandoned_after` is in milliseconds.
    """

    def __init__(self, flow: Flow, *, abandoned_after: int = ABANDONED_MILLISECONDS) -> None:
        super().__init__(flow)
        self.settings = conf.get()
        self.abandoned_after = abandoned_after
        self._registered: dict[str, float] = {}
        self._known: tuple[float, list[str]] = (0.0, [])
        self._claim_at = self._tidy_at = 0.0
        self._tidy_at = time.monotonic() + TIDY_SECONDS
        # The most entries a frame held when we last looked: how many may be asked for at once.
        self._largest = PACK_ENTRIES

    @property
    def client(self) -> Any:
        """Return the connection that may wait; of this process, made when first needed."""
        return redis_clients.client(self.settings.REDIS_URL, is_cluster=self.settings.REDIS_CLUSTER)

    # Appending.

    def append_packs(self, packs: Sequence[Pack]) -> None:
        frames = _frames(self.flow, packs)
        try:
            pipe = self.client.pipeline(transaction=False)
            for name, fields in frames:
                pipe.xadd(name, fields, nomkstream=True)
            if missing := self._missing(frames, pipe.execute()):
                pipe = self.client.pipeline(transaction=False)
                self._create(pipe, missing)
                pipe.execute()
        except redis_clients.TROUBLE as error:
            raise StreamUnavailable from error

    async def append_async(self, packs: Sequence[Pack]) -> None:
        """Keep what is packed with one command for each stream named, sent together."""
        frames = _frames(self.flow, packs)
        try:
            keys = await self._execute([_add(*frame, "NOMKSTREAM") for frame in frames])
            if missing := self._missing(frames, keys):
                # First the streams, then their names, as in `_create`.
                lost = [_add(name, fields) for name, fields in missing if fields is not None]
                if lost:
                    await self._execute(lost)
                await self._execute([("SADD", REGISTER, *self._noted(missing))])
        except (*redis_clients.TROUBLE, TimeoutError, OSError) as error:
            raise StreamUnavailable from error

    async def _execute(self, commands: Sequence[Sequence[Any]]) -> list[Any]:
        url, is_cluster = self.settings.REDIS_URL, self.settings.REDIS_CLUSTER
        return await redis_clients.execute(url, commands, is_cluster=is_cluster)

    def _missing(
        self, frames: "list[tuple[str, Any]]", keys: Sequence[Any]
    ) -> list[tuple[str, Any | None]]:
        """Return the frames whose stream is not there, and the names to be registered again."""
        missing = [frame for frame, key in zip(frames, keys, strict=True) if key is None]
        limit = time.monotonic() - REGISTER_SECONDS
        stale = [(name, None) for name, _ in frames if self._registered.get(name, 0.0) < limit]
        return [*missing, *stale]

    def _create(self, pipe: Any, missing: Sequence[tuple[str, Any | None]]) -> None:
        # First the stream, then its name: whoever forgets an idle name looks in this order too.
        for name, fields in missing:
            if fields is not None:
                pipe.xadd(name, fields)
        pipe.sadd(REGISTER, *self._noted(missing))

    def _noted(self, missing: Sequence[tuple[str, Any | None]]) -> list[str]:
        names = sorted({name for name, _ in missing})
        self._registered |= dict.fromkeys(names, time.monotonic())
        return names

    # Reading.

    @contextmanager
    def batch(self, size: int, wait: float = 0.0) -> Iterator[Batch]:
        try:
            frames, deaths = self._take(size, wait)
        except redis_clients.TROUBLE as error:
            raise StreamUnavailable from error
        try:
            with transaction.atomic():
                yield _batch(frames, deaths)
        except BaseException:
            self._give_back(frames)
            raise
        # Dying before this line hands the entries out again; the event table knows them by id.
        self._let_go(frames)

    def pending(self) -> int:
        surveyed, _ = self._survey()
        return sum(
            round(entries * frames / looked_at)
            for frames, looked_at, entries, _ in surveyed
            if frames
        )

    def lag(self) -> float:
        surveyed, now = self._survey()
        oldest = [_seconds(key) for frames, _, _, key in surveyed if frames]
        return max(0.0, now - min(oldest)) if oldest else 0.0

    def is_full(self) -> bool:
        try:
            sizes = [int(size) for size in self._ask(BYTES, self._all_names())]
        except redis_clients.TROUBLE as error:
            raise StreamUnavailable from error
        return sum(sizes) >= self.settings.REDIS_MOST_BYTES

    def _names(self) -> list[str]:
        until, names = self._known
        if time.monotonic() >= until:
            names = [name for name in self._all_names() if name.endswith(f":{self.flow}")]
            self._known = (time.monotonic() + NAMES_SECONDS, names)
        return names

    def _all_names(self) -> list[str]:
        return sorted(member.decode() for member in self.client.smembers(REGISTER))

    def _take(self, size: int, wait: float) -> tuple[list[Frame], int]:
        now = time.monotonic()
        if now >= self._tidy_at:
            self._tidy_at = now + TIDY_SECONDS
            self.tidy()
        if now >= self._claim_at:
            frames, deaths = self._claim(size)
            if frames:
                return frames, deaths
            self._claim_at = now + self.abandoned_after / 4000
        return self._fresh(self._names(), size) or self._wait(wait), 0

    def _fresh(self, names: Sequence[str], size: int) -> list[Frame]:
        """Read what nobody has read, in turns: no more at once than is expected to fit."""
        held: list[Frame] = []
        turn = deque(self._not_empty(names))
        # Nobody is always the first.
        turn.rotate(-int(time.monotonic() * 1000) % max(1, len(turn)))
        left = size
        while turn and left > 0:
            # The next frames may be larger than the last: carefully at first, then more at once.
            fits = min(max(1, left // self._largest), 2 * len(held) + 1, FRAMES)
            asked = [turn.popleft() for _ in range(min(len(turn), fits))]
            found = self._read(asked, fits // len(asked))
            sizes = [_count(frame) for frame in found]
            held += found
            left -= sum(sizes)
            self._largest = max([*sizes, 1]) if found else self._largest
            full = {frame.stream for frame in found}
            turn.extend(name for name in asked if name in full)
        return held

    def _not_empty(self, names: Sequence[str]) -> list[str]:
        pipe = self.client.pipeline(transaction=False)
        for name in names:
            pipe.xlen(name)
        return [name for name, length in zip(names, pipe.execute(), strict=True) if length]

    def _read(self, names: Sequence[str], count: int, block: int | None = None) -> list[Frame]:
        if self.settings.REDIS_CLUSTER and len(names) > 1:
            return [frame for name in names for frame in self._read([name], count)]
        try:
            answer = self.client.xreadgroup(
                GROUP, _consumer(), dict.fromkeys(names, ">"), count=count, block=block
            )
        except ResponseError as error:
            # No group yet, a Redis that forgot everything, or a stream that went meanwhile.
            if "NOGROUP" not in str(error) and "UNBLOCKED" not in str(error):
                raise
            self._make_groups(names)
            return []
        return _frames_of(answer)

    def _wait(self, seconds: float) -> list[Frame]:
        """Wait for the first frame of any stream."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            names = self._names()
            if not names or self.settings.REDIS_CLUSTER:
                # Streams of several slots cannot be waited for in one call.
                time.sleep(min(left, POLL_SECONDS))
                found = self._read(names, 1) if names else []
            else:
                found = self._read(names, 1, block=max(1, int(min(left, WAIT_SECONDS) * 1000)))
            if found:
                return found
        return []

    def _make_groups(self, names: Sequence[str]) -> None:
        for name in names:
            try:
                self.client.xgroup_create(name, GROUP, id="0")
            except ResponseError as error:
                if "BUSYGROUP" in str(error):
                    continue
                # The stream is gone; whoever appends makes it again, and registers it.
                self._forget(name)

    # What dead workers held.

    def _claim(self, size: int) -> tuple[list[Frame], int]:
        """Take over what others have held for too long; those over which nobody died first."""
        waiting = [(name, item) for name in self._names() for item in self._abandoned(name)]
        for_deaths = min((item["times_delivered"] for _, item in waiting), default=0)
        frames: list[Frame] = []
        for name, item in waiting:
            if item["times_delivered"] == for_deaths and sum(map(_count, frames)) < size:
                claimed = self.client.xclaim(
                    name, GROUP, _consumer(), self.abandoned_after, [item["message_id"]]
                )
                frames += [Frame(name, key, fields) for key, fields in claimed if fields]
        return frames, for_deaths

    def _abandoned(self, name: str) -> list[dict[str, Any]]:
        try:
            found: list[dict[str, Any]] = self.client.xpending_range(
                name, GROUP, "-", "+", FRAMES, idle=self.abandoned_after
            )
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            self._make_groups([name])
            return []
        return found

    def _give_back(self, frames: Sequence[Frame]) -> None:
        """Let the next reader have them at once, and not think that somebody died."""
        with suppress(*redis_clients.TROUBLE):
            for name, keys in _by_stream(frames).items():
                self.client.xclaim(
                    name,
                    GROUP,
                    _consumer(),
                    0,
                    keys,
                    idle=self.abandoned_after + 1,
                    retrycount=0,
                    justid=True,
                )
            self._claim_at = 0.0

    def _let_go(self, frames: Sequence[Frame]) -> None:
        if not frames:
            return
        try:
            pipe = self.client.pipeline(transaction=False)
            for name, keys in _by_stream(frames).items():
                pipe.xack(name, GROUP, *keys)
                pipe.xdel(name, *keys)
            pipe.execute()
        except redis_clients.TROUBLE as error:
            raise StreamUnavailable from error

    # Looking at it.

    def tidy(self, idle: int = IDLE_SECONDS) -> int:
        """Remove streams that are empty and have been for `idle` seconds; return how many."""
        dropped = 0
        for name in self._names():
            with suppress(ResponseError):
                if self.client.eval(DROP_IDLE, 1, name, idle):
                    self._forget(name)
                    dropped += 1
        return dropped

    def _forget(self, name: str) -> None:
        self.client.srem(REGISTER, name)
        # Somebody may have made it again in this very moment.
        if self.client.exists(name):
            self.client.sadd(REGISTER, name)
        self._known = (0.0, [])

    def _survey(self) -> tuple[list[Any], float]:
        surveyed: list[Any] = []
        now = 0.0
        try:
            names = [name for name in self._all_names() if name.endswith(f":{self.flow}")]
            for found, seconds, microseconds in self._ask(SURVEY, names):
                surveyed += found
                now = int(seconds) + int(microseconds) / 1_000_000
        except redis_clients.TROUBLE as error:
            raise StreamUnavailable from error
        return surveyed, now

    def _ask(self, script: str, names: Sequence[str]) -> Iterator[Any]:
        # The keys of one call must lie on one node.
        step = 1 if self.settings.REDIS_CLUSTER else NAMES_AT_ONCE
        for start in range(0, len(names), step):
            some = names[start : start + step]
            yield self.client.eval(script, len(some), *some)


def _frames(flow: Flow, packs: Sequence[Pack]) -> list[tuple[str, Any]]:
    """Join packs of one stream, as long as a frame is no larger than a pack may be."""
    frames: list[tuple[str, list[Pack]]] = []
    last: dict[str, int] = {}
    for pack in packs:
        name = _name(flow, pack)
        if (place := last.get(name)) is not None and _fits(frames[place][1], pack):
            frames[place][1].append(pack)
            continue
        last[name] = len(frames)
        frames.append((name, [pack]))
    return [
        (
            name,
            {
                "entries": b",".join(pack.entries for pack in joined),
                "count": sum(pack.count for pack in joined),
            },
        )
        for name, joined in frames
    ]


def _fits(joined: Sequence[Pack], pack: Pack) -> bool:
    return (
        sum(other.count for other in joined) + pack.count <= PACK_ENTRIES
        and sum(len(other.entries) for other in joined) + len(pack.entries) <= PACK_BYTES
    )


def _name(flow: Flow, pack: Pack) -> str:
    # A storefront may name any channel it likes; it must not make a stream of each.
    bucket = crc32(pack.channel.encode()) % BUCKETS
    return f"nudges:{{{pack.shop.hex}/{bucket}}}:{flow}"


def _add(name: str, fields: dict[str, Any], *options: str) -> tuple[Any, ...]:
    return ("XADD", name, *options, "*", *(part for field in fields.items() for part in field))


def _batch(frames: Sequence[Frame], deaths: int) -> Batch:
    batch = Batch()
    batch.deaths = deaths
    for frame in frames:
        shop = _shop_of(frame.stream)
        entries = frame.fields.get(b"entries")
        if entries is None:
            raw = repr(frame.fields).encode()
            batch.broken.append(Broken(raw, "It is no frame of ours.", shop))
        else:
            unpack_into(batch, entries, shop)
    return batch


def _frames_of(answer: Any) -> list[Frame]:
    return [
        Frame(name.decode(), key, fields)
        for name, frames in answer or ()
        for key, fields in frames
        if fields
    ]


def _by_stream(frames: Sequence[Frame]) -> dict[str, list[bytes]]:
    keys: dict[str, list[bytes]] = {}
    for frame in frames:
        keys.setdefault(frame.stream, []).append(frame.key)
    return keys


def _count(frame: Frame) -> int:
    count = frame.fields.get(b"count", b"1")
    return int(count) if count.isdigit() else 1


def _shop_of(name: str) -> UUID | None:
    with suppress(ValueError):
        return UUID(name.partition("{")[2].partition("/")[0])
    return None


def _seconds(key: bytes) -> float:
    return int(key.partition(b"-")[0]) / 1000


def _consumer() -> str:
    return f"{socket.gethostname()}-{os.getpid()}-{threading.get_native_id()}"
