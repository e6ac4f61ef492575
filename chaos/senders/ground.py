"""What a play stands on: empty tables, an empty sink, and workers that are replaced."""

import os
import random
import signal
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from django.db import connection, connections
from django.db.models.functions import Now
from redis import Redis

from benchmarks import machine
from chaos.senders import moments
from saleor_nudges.models import Send, SendState

LIVE: Final = (SendState.DUE, SendState.CLAIMED, SendState.SENDING)
# What has not come for so long does not come any more: a lease, and some.
QUIET_SECONDS: Final = 6.0
LOOK_SECONDS: Final = 0.05
PAUSE_SECONDS: Final = 0.002
END_SECONDS: Final = 30.0

Work = Callable[[], object]
Seed = Callable[[], None]


@dataclass(slots=True)
class Ground:
    """Where one play happens. `sow` puts a defect into each worker before it begins (R16)."""

    folder: Path
    scale: float = 1.0
    sow: Seed = lambda: None
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    @property
    def sink(self) -> Path:
        """Return the file in which messages arrive."""
        return Path(os.environ["CHAOS_SINK"])

    def count(self, full: int, least: int) -> int:
        """Return how often to do something at this scale, given how often at SCALE=1."""
        return max(round(full * self.scale), least)

    def clear(self) -> None:
        """Forget everybody, and what was sent."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT string_agg(relid::regclass::text, ', ') FROM pg_stat_user_tables"
                " WHERE relname LIKE 'saleor\\_nudges\\_%'"
            )
            cursor.execute(f"TRUNCATE {cursor.fetchone()[0]} CASCADE")
        forget_in_redis()
        self.sink.write_text("")
        moments.plan({})

    @contextmanager
    def crew(self, *works: Work, moments_of: moments.Plan | None = None) -> Iterator["Crew"]:
        """Have each of these done over and over by a process of its own, while the block lasts."""
        moments.plan(moments_of or {})
        (self.folder / "rounds").write_bytes(b"")
        crew = Crew(self, works)
        try:
            crew.tend()
            yield crew
        finally:
            crew.end()
            moments.plan({})

    def turn(self, *works: Work) -> None:
        """Have each of these done twice by a process of its own, and let them finish."""
        with self.crew(*works) as crew:
            crew.rounds_more(2)


def forget_in_redis() -> None:
    """Forget the record of the ledger, which no time that is let pass can move."""
    Redis.from_url(os.environ["REDIS_URL"]).flushdb()


@dataclass(slots=True)
class Crew:
    """Workers that are replaced as soon as they die."""

    ground: Ground
    works: Sequence[Work]
    pids: dict[int, int] = field(default_factory=dict)
    died: int = 0

    def tend(self) -> None:
        """Start those that are not there."""
        for place, work in enumerate(self.works):
            pid = self.pids.get(place)
            if pid is not None:
                if os.waitpid(pid, os.WNOHANG)[0] == 0:
                    continue
                self.died += 1
            self.pids[place] = self._started(place, work)

    def until(
        self,
        is_over: Callable[[], bool],
        moving: Callable[[], object],
        quiet: float = 0.0,
    ) -> bool:
        """Tend them until it is over; False when nothing has moved for too long."""
        seen, changed = moving(), time.monotonic()
        while not is_over():
            self.tend()
            time.sleep(LOOK_SECONDS)
            if (now := moving()) != seen:
                seen, changed = now, time.monotonic()
            elif time.monotonic() > changed + QUIET_SECONDS + quiet:
                return False
        return True

    def until_done(self) -> bool:
        """Tend them until nothing in the ledger waits any more, or nothing moves."""
        return self.until(lambda: not left(), progress)

    def until_all_tried(self) -> bool:
        """The same where everything is due, and what was put off need not wait."""

        def is_over() -> bool:
            hurry()
            return not left()

        return self.until(is_over, progress)

    def rounds_more(self, count: int) -> bool:
        """Wait until each has done its work so often again; False when one takes too long."""
        wanted = {place: done + count for place, done in self._rounds().items()}
        return self.until(
            lambda: all(self._rounds()[place] >= done for place, done in wanted.items()),
            self._rounds,
        )

    def _rounds(self) -> dict[int, int]:
        done = Counter((self.ground.folder / "rounds").read_bytes())
        return {place: done[place] for place in range(len(self.works))}

    def stopped(self) -> list[int]:
        """Return those that sleep (SIGSTOP)."""
        return [pid for pid in self.pids.values() if _state(pid) in ("T", "t")]

    def wake(self, pid: int) -> None:
        """Let one go on (SIGCONT)."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    def end(self) -> None:
        """Let each finish what it does, and end."""
        for pid in self.pids.values():
            self.wake(pid)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        for pid in self.pids.values():
            _wait_for(pid)
        self.pids.clear()
        _wait_until_alone()

    def _started(self, place: int, work: Work) -> int:
        # Nobody may share a connection with a child.
        connections.close_all()
        if pid := os.fork():
            return pid
        code = 1
        try:
            machine.die_with_parent()
            random.seed()
            with (self.ground.folder / "workers.log").open("a") as log:
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
            self.ground.sow()
            self._work(place, work)
            code = 0
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(code)

    def _work(self, place: int, work: Work) -> None:
        over = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: over.set())
        rounds = os.open(self.ground.folder / "rounds", os.O_WRONLY | os.O_APPEND)
        while not over.is_set():
            work()
            os.write(rounds, bytes([place]))
            time.sleep(PAUSE_SECONDS)


def hurry() -> None:
    """Try again at once what was put off for seconds: the wait is not the subject."""
    rows = Send.objects.across_shops().filter(state=SendState.DUE, due_at__gt=Now())
    rows.update(due_at=Now())


def left() -> int:
    """Return how many messages still wait."""
    return Send.objects.across_shops().filter(state__in=LIVE).count()


def progress() -> Mapping[str, int]:
    """Return how many messages are in which state: while that changes, something moves."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT state, count(*) FROM saleor_nudges_send GROUP BY state")
        return dict(cursor.fetchall())


def _wait_until_alone() -> None:
    """Wait until Postgres has noticed that the killed are gone: they may hold locks."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND backend_type = 'client backend'"
            )
            if not cursor.fetchone()[0]:
                return
        time.sleep(0.02)


def _wait_for(pid: int) -> None:
    """Wait until a worker has ended; one that does not is made to."""
    deadline = time.monotonic() + END_SECONDS
    with suppress(ChildProcessError):
        while os.waitpid(pid, os.WNOHANG)[0] == 0:
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""
