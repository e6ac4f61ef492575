"""Group commit: whoever waits at the same moment is kept by one write, and told when it is safe."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from saleor_nudges import telemetry
from saleor_nudges.exceptions import Busy, NudgesError, StreamUnavailable
from saleor_nudges.stream import Entry, Stream
from saleor_nudges.stream.base import Pack, pack

# Writes on their way at once: while one waits for its answer, the next is being filled.
AT_ONCE: Final = 3
# What may wait in memory for its write; past it a request is told to come back.
MOST_BYTES: Final = 32 * 1024 * 1024
# One write never grows much beyond this, so that nobody waits behind a giant.
LARGEST_WRITE: Final = 1024 * 1024

Kept = asyncio.Future[None]


@dataclass(slots=True)
class Request:
    """What one request wants kept, and whom to tell."""

    packs: list[Pack]
    size: int
    kept: Kept


class GroupCommit:
    """Gathers the entries of all requests of one turn of the loop and appends them together."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self._waiting: list[Request] = []
        self._bytes = 0
        self._on_their_way = 0
        self._is_called = False
        self._tasks: set[asyncio.Future[None]] = set()

    def keep(self, entries: Sequence[Entry]) -> Kept:
        """Return a future that is done once the entries are durable; it may hold an error."""
        kept: Kept = asyncio.get_running_loop().create_future()
        packs = pack(entries)
        size = sum(len(one.entries) for one in packs)
        if self._bytes + size > MOST_BYTES:
            telemetry.REFUSED.labels(door="v1", code=Busy.code).inc()
            kept.set_exception(Busy())
            return kept
        self._bytes += size
        self._waiting.append(Request(packs, size, kept))
        self._call()
        return kept

    def _call(self) -> None:
        # At the end of this turn of the loop: by then every request that is in has been read.
        if not self._is_called and self._on_their_way < AT_ONCE:
            self._is_called = True
            asyncio.get_running_loop().call_soon(self._start)

    def _start(self) -> None:
        self._is_called = False
        while self._waiting and self._on_their_way < AT_ONCE:
            self._on_their_way += 1
            task = asyncio.ensure_future(self._write(self._take()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _take(self) -> list[Request]:
        size = count = 0
        while count < len(self._waiting) and size <= LARGEST_WRITE:
            size += self._waiting[count].size
            count += 1
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        return taken

    async def _write(self, requests: list[Request]) -> None:
        problem: NudgesError | None = None
        try:
            await self.stream.append_async(joined(one.packs for one in requests))
        except NudgesError as error:
            problem = error
        except Exception as error:
            telemetry.trouble(telemetry.Log.REQUEST_FAILED, door="v1")
            problem = StreamUnavailable(str(error))
        self._on_their_way -= 1
        self._bytes -= sum(one.size for one in requests)
        _tell(requests, problem)
        if self._waiting:
            self._start()


def _tell(requests: Iterable[Request], problem: NudgesError | None) -> None:
    for one in requests:
        if one.kept.done():
            continue  # whoever waited has gone
        if problem is None:
            one.kept.set_result(None)
        else:
            one.kept.set_exception(problem)


def joined(requests: Iterable[Iterable[Pack]]) -> list[Pack]:
    """Return one pack per shop and channel, in the order in which the entries came."""
    groups: dict[tuple[UUID, str], list[Pack]] = {}
    for packs in requests:
        for one in packs:
            groups.setdefault((one.shop, one.channel), []).append(one)
    return [
        Pack(shop, channel, b",".join(p.entries for p in parts), sum(p.count for p in parts))
        for (shop, channel), parts in groups.items()
    ]
