"""What a fault is given: the stage, the scale, a door that is open, and somebody who consumes."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks import machine
from benchmarks.prober import is_visible
from benchmarks.stage import CONSUME, Process, Stage, stage, wait_until
from chaos.faults import Consumers, Server, consuming
from chaos.poster import Record

FOLDER: Final = machine.BUILD / "chaos-run"
WORKERS: Final = 2
# Between two faults so many requests must have come through, or so many seconds have passed.
PROGRESS: Final = 20
LONGEST_WAIT: Final = 30.0
BATCH: Final = 300
LONGEST_LOOK: Final = 1.0
STORING: Final = (
    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid() AND state <> 'idle' AND query LIKE '%INTO \"saleor_nudges_views%'"
)


class CannotRun(RuntimeError):
    """A fault cannot be played here; the message says why."""


@dataclass(slots=True)
class World:
    """One run of the faults. The stage is set when the first row asks for it."""

    scale: float
    stack: ExitStack
    folder: Path = FOLDER
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    _stage: Stage | None = None
    _servers: dict[str, Server] = field(default_factory=dict)

    @property
    def stage(self) -> Stage:
        """Return the stage."""
        if self._stage is None:
            for log in self.folder.glob("*.log"):
                log.unlink()
            self._stage = self.stack.enter_context(stage(self.folder, visitors=20))
        return self._stage

    @property
    def valkey(self) -> Server:
        """Return its Redis, to be ended and started."""
        return self._server("valkey", Server.valkey)

    @property
    def postgres(self) -> Server:
        """Return its Postgres, to be ended and started."""
        return self._server("postgres", Server.postgres)

    def _server(self, name: str, find: Callable[[Stage], Server]) -> Server:
        if name not in self._servers:
            self._servers[name] = find(self.stage)
            # Before the stage itself ends, which knows only of the first of its servers.
            self.stack.callback(self._servers[name].stop)
        return self._servers[name]

    def count(self, full: int, least: int) -> int:
        """Return how often to do something at this scale, given how often at SCALE=1."""
        return max(round(full * self.scale), least)

    @contextmanager
    def open(
        self, *, consumers: int = 1, command: Sequence[str] = CONSUME, **told: str
    ) -> Iterator[tuple[Process, Consumers]]:
        """Serve the hot requests by two workers and consume, once all of it is seen to work."""
        self.stage.fresh()
        with (
            self.stage.hot(core=None, workers=WORKERS) as web,
            consuming(self.stage, consumers, command, **told) as readers,
        ):
            wait_until(lambda: is_visible(self.stage, web.port), web, seconds=90)
            self.stage.empty()
            yield web, readers


def progress(record: Record, events: int = PROGRESS) -> bool:
    """Wait until more was acknowledged; tell whether it was."""
    wanted, deadline = len(record.acknowledged) + events, time.monotonic() + LONGEST_WAIT
    while len(record.acknowledged) < wanted:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def large_batch(world: World, record: Record, readers: Consumers) -> None:
    """Let events pile up and return when a consumer is storing them: in the middle of a batch."""
    with world.stage.connect() as connection:
        with readers.held_up():
            progress(record, BATCH)
        deadline = time.monotonic() + LONGEST_LOOK
        while time.monotonic() < deadline and not connection.execute(STORING).fetchone():
            pass
