"""Group commit: whoever waits at the same moment is kept by one write, and told when it is safe."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final

from saleor_nudges import telemetry
from saleor_nudges.exceptions import Busy, NudgesError, StreamUnavailable
from saleor_nudges.stream import Entry, Stream
from saleor_nudges.stream.base import pack

# Writes on their way at once: while one waits for its answer, the next is being filled.
AT_ONCE: Final = 1
# So many events may wait in memory for their write (some 30 MB); then one is told to come back.
MOST_EVENTS: Final = 50_000
# One write never grows much beyond this, so that nobody waits behind a giant.
LARGEST_WRITE: Final = 2_000

Kept = asyncio.Future[None]
Request = tuple[Sequence[Entry], Kept]


class GroupCommit:
    """Gathers the entries of all requests of one turn of the loop and appends them together."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self._waiting: list[Request] = []
        self._events = 0
        self._on_their_way = 0
        self._is_called = False
        self._tasks: set[asyncio.Future[None]] = set()

    def keep(self, entries: Sequence[Entry]) -> Kept:
        """Return a future that is done once the entries are durable; it may hold an error."""
        kept: Kept = asyncio.get_running_loop().create_future()
        if self._events + len(entries) > MOST_EVENTS:
            telemetry.REFUSED.labels(door="v1", code=Busy.code).inc()
            kept.set_exception(Busy())
            return kept
        self._events += len(entries)
        self._waiting.append((entries, kept))
        self._call()
        return kept

    async def close(self) -> None:
        """Wait for what is on its way, and for what waits behind it."""
        while self._waiting or self._tasks:
            self._start()
            await asyncio.wait(self._tasks)

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
        events = count = 0
        while count < len(self._waiting) and events < LARGEST_WRITE:
            events += len(self._waiting[count][0])
            count += 1
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        return taken

    async def _write(self, requests: list[Request]) -> None:
        problem: NudgesError | None = None
        try:
            entries = [entry for together, _ in requests for entry in together]
            await self.stream.append_async(pack(entries))
        except NudgesError as error:
            problem = error
        except Exception as error:
            telemetry.trouble(telemetry.Log.REQUEST_FAILED, door="v1")
            problem = StreamUnavailable(str(error))
        self._on_their_way -= 1
        self._events -= sum(len(entries) for entries, _ in requests)
        _tell(requests, problem)
        if self._waiting:
            self._start()


def _tell(requests: Iterable[Request], problem: NudgesError | None) -> None:
    for _, kept in requests:
        if kept.done():
            continue  # whoever waited has gone
        if problem is None:
            kept.set_result(None)
        else:
            kept.set_exception(problem)
