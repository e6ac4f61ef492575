"""Open-loop load: requests leave on schedule, whether or not the last one was answered.

Latency counts from the time a request was due, so a server that stalls cannot hide it. Run as a
process of its own (`python -m benchmarks.openloop spec.json`) it prints what came of it as JSON.
"""

import asyncio
import json
import re
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks import machine
from benchmarks.payloads import PLACE
from benchmarks.report import percentile

TICK: Final = 0.001
# So many requests may wait on one connection; more wait here, and their latency counts.
PIPELINE: Final = 4
LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
PATIENCE: Final = 5.0


@dataclass(frozen=True, slots=True)
class Spec:
    """What to send: `rate` requests a second for `seconds`, cycling through the templates."""

    port: int
    rate: float
    seconds: float
    templates: Sequence[bytes]
    connections: int = 64
    # Names per template; latencies are kept by name and status.
    tags: Sequence[str] = ("",)
    first: int = 1


@dataclass(slots=True)
class Outcome:
    """What came of it. `latencies[tag][status]` in seconds; counters of requests by status."""

    sent: int = 0
    latencies: dict[str, dict[int, list[float]]] = field(default_factory=dict)
    answered: dict[int, list[int]] = field(default_factory=dict)
    broken: int = 0
    unanswered: int = 0
    seconds: float = 0.0

    def note(self, tag: str, status: int, counter: int, latency: float) -> None:
        """Keep one answer."""
        self.latencies.setdefault(tag, {}).setdefault(status, []).append(latency)
        self.answered.setdefault(status, []).append(counter)

    def count(self, status: int) -> int:
        """Return how many were answered so."""
        return len(self.answered.get(status, ()))

    def summary(self) -> dict[str, Any]:
        """Return counts and percentiles, without the single answers."""
        figures = {
            tag: {
                str(status): {
                    "count": len(values),
                    "p50": percentile(values, 0.5),
                    "p99": percentile(values, 0.99),
                    "max": max(values),
                }
                for status, values in sorted(by_status.items())
            }
            for tag, by_status in sorted(self.latencies.items())
        }
        return {
            "sent": self.sent,
            "broken": self.broken,
            "unanswered": self.unanswered,
            "seconds": self.seconds,
            "latencies": figures,
        }


class Connection(asyncio.Protocol):
    """One keep-alive connection: writes what it is given, matches answers in order."""

    def __init__(self, note: Callable[[tuple[float, int, str], int], None]) -> None:
        self.waiting: deque[tuple[float, int, str]] = deque()
        self.transport: asyncio.Transport | None = None
        self._note = note
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        self.transport = transport  # type: ignore[assignment]

    def connection_lost(self, _error: Exception | None) -> None:
        """Nothing more will be answered here."""
        self.transport = None

    def data_received(self, data: bytes) -> None:
        """Take in as many answers as are complete."""
        data = self._data + data
        while (end := data.find(b"\r\n\r\n")) >= 0:
            length = LENGTH.search(data, 0, end + 2)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(data) < whole:
                break
            if self.waiting:
                self._note(self.waiting.popleft(), int(data[9:12]))
            data = data[whole:]
        self._data = data


class Generator:
    """Sends a Spec's requests on time over many connections, opening lost ones again."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.outcome = Outcome()
        self.connections: list[Connection] = []
        self._sizes = len(spec.templates)

    async def run(self) -> Outcome:
        """Send everything; wait a little for the last answers."""
        await asyncio.gather(*(self._open() for _ in range(self.spec.connections)))
        began = time.perf_counter()
        total, sent = int(self.spec.rate * self.spec.seconds), 0
        while sent < total:
            now = time.perf_counter()
            due = min(total, int((now - began) * self.spec.rate) + 1)
            sent = self._send(sent, due, began)
            await asyncio.sleep(TICK)
            if len(self.connections) < self.spec.connections:
                await self._open()
        await self._settle()
        self.outcome.sent = sent
        self.outcome.seconds = time.perf_counter() - began
        for connection in self.connections:
            if connection.transport:
                connection.transport.close()
        await asyncio.sleep(0)
        return self.outcome

    def _send(self, sent: int, due: int, began: float) -> int:
        """Write what is due, as long as a connection is free; return how many left so far."""
        self._forget_broken()
        for connection in sorted(self.connections, key=lambda one: len(one.waiting)):
            room = PIPELINE - len(connection.waiting)
            count = min(room, due - sent, max(1, (due - sent) // self.spec.connections))
            if count <= 0 or connection.transport is None:
                continue
            connection.transport.write(
                b"".join(self._next(connection, sent + n, began) for n in range(count))
            )
            sent += count
            if sent >= due:
                break
        return sent

    def _next(self, connection: Connection, number: int, began: float) -> bytes:
        counter = self.spec.first + number
        tag = self.spec.tags[number % len(self.spec.tags)]
        connection.waiting.append((began + number / self.spec.rate, counter, tag))
        return self.spec.templates[number % self._sizes].replace(PLACE, b"%012x" % counter)

    def _note(self, request: tuple[float, int, str], status: int) -> None:
        due, counter, tag = request
        self.outcome.note(tag, status, counter, time.perf_counter() - due)

    def _forget_broken(self) -> None:
        broken = [one for one in self.connections if one.transport is None]
        for connection in broken:
            self.outcome.broken += len(connection.waiting)
            self.connections.remove(connection)

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_connection(
                lambda: Connection(self._note), "127.0.0.1", self.spec.port
            )
        except OSError:
            await asyncio.sleep(TICK)
        else:
            self.connections.append(connection)

    async def _settle(self) -> None:
        deadline = time.perf_counter() + PATIENCE
        while any(one.waiting for one in self.connections) and time.perf_counter() < deadline:
            self._forget_broken()
            await asyncio.sleep(TICK)
        self.outcome.unanswered = sum(len(one.waiting) for one in self.connections)


def load(spec: Spec, folder: Path, *, core: int = 1) -> Outcome:
    """Run a spec in a process of its own, on its own core; return all of what came of it."""
    file, answer = folder / "openloop.json", folder / "openloop.out.json"
    fields = {name: getattr(spec, name) for name in Spec.__slots__}
    fields["templates"] = [template.decode("latin-1") for template in spec.templates]
    file.write_text(json.dumps(fields))
    command = [sys.executable, "-m", "benchmarks.openloop", str(file), str(answer)]
    subprocess.run([*machine.pinned(core), *command], check=True, cwd=machine.ROOT)
    return read(json.loads(answer.read_text()))


def read(data: dict[str, Any]) -> Outcome:
    """Return the outcome of its JSON, whose keys are all text."""
    latencies = {
        tag: {int(status): values for status, values in by_status.items()}
        for tag, by_status in data.pop("latencies").items()
    }
    answered = {int(status): numbers for status, numbers in data.pop("answered").items()}
    return Outcome(latencies=latencies, answered=answered, **data)


def run(spec: Spec) -> Outcome:
    """Run a spec here, to its end."""
    import uvloop

    return uvloop.run(Generator(spec).run())


def main(source: str, target: str) -> None:
    """Read a spec, run it, write the outcome."""
    fields = json.loads(Path(source).read_text())
    fields["templates"] = [text.encode("latin-1") for text in fields["templates"]]
    outcome = run(Spec(**fields))
    names = Outcome.__slots__
    Path(target).write_text(json.dumps({name: getattr(outcome, name) for name in names}))


if __name__ == "__main__":
    main(*sys.argv[1:])
