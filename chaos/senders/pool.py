"""A Celery worker with children, one of which is killed now and then."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from redis import Redis

from benchmarks import machine
from chaos.senders.sinks import Sink

CHILDREN: Final = 3
START_SECONDS: Final = 60.0
# Between two looks whether so much has arrived that it is time for the next kill.
LOOK_SECONDS: Final = 0.005
# A kill comes at any moment of what one message takes, not just when its line has been written.
JITTER_SECONDS: Final = 0.05


@dataclass(slots=True)
class Pool:
    """A running worker. Its parent stays, whatever becomes of the children."""

    process: "subprocess.Popen[bytes]"
    queue: str
    chance: random.Random
    broker: Redis = field(repr=False)
    kills: int = 0

    def waiting(self) -> int:
        """Return how many tasks nobody has taken."""
        found: int = self.broker.llen(self.queue)  # type: ignore[assignment]
        return found

    def children(self) -> list[int]:
        """Return the children that live."""
        return [pid for pid in machine.family(self.process.pid) if pid != self.process.pid]

    def kill_one(self) -> None:
        """Kill -9 one child."""
        if children := self.children():
            with suppress(ProcessLookupError):
                os.kill(self.chance.choice(children), signal.SIGKILL)
                self.kills += 1

    def kill_while(
        self,
        is_on: Callable[[], bool],
        sink: Sink,
        every: int,
        most: int,
        feed: Callable[[], object],
    ) -> None:
        """Kill a child for about each so many bytes that arrive, as long as it goes on."""
        next_at = sink.size() + every
        while is_on():
            feed()
            if self.kills < most and sink.size() >= next_at:
                time.sleep(self.chance.random() * JITTER_SECONDS)
                self.kill_one()
                next_at = sink.size() + round(every * 2 * self.chance.random())
            time.sleep(LOOK_SECONDS)


@contextmanager
def pool(
    app: str, queue: str, log: Path, environment: Mapping[str, str], chance: random.Random
) -> Iterator[Pool]:
    """Run a worker of one queue while the block lasts."""
    broker = Redis.from_url(os.environ["CELERY_BROKER_URL"])
    command = [sys.executable, "-m", "celery", f"--app={app}", "worker", f"--queues={queue}"]
    command += [f"--concurrency={CHILDREN}", "--without-gossip", "--without-mingle"]
    command += ["--without-heartbeat", "--loglevel=ERROR"]
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=machine.ROOT,
            env={**os.environ, **environment},
            start_new_session=True,
            preexec_fn=machine.die_with_parent,
        )
    found = Pool(process, queue, chance, broker)
    try:
        _wait_for(found, log)
        yield found
    finally:
        for pid in [process.pid, *found.children()]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()


def _wait_for(found: Pool, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while len(found.children()) < CHILDREN:
        if time.monotonic() > deadline or found.process.poll() is not None:
            raise RuntimeError(f"the worker does not start:\n{log.read_text()[-1500:]}")
        time.sleep(0.1)
