"""How things are broken: servers killed and started again, workers killed, consumers replaced."""

import contextlib
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Self

import psycopg
from redis.exceptions import RedisError

from benchmarks import machine
from benchmarks.stage import CONSUME, Process, Stage, wait_until

RESTART_PAUSE: Final = 0.2
VALKEY_SETTINGS: Final = (
    *("bind", "port", "dir", "save", "appendonly", "appendfsync", "maxmemory-policy"),
)


class Server:
    """A server of the stage that can be ended in any way and started again as it was."""

    def __init__(
        self, pid: int, log: Path, is_up: Callable[[], bool], command: Sequence[str]
    ) -> None:
        self.pid, self.log, self.is_up, self.command = pid, log, is_up, list(command)
        self.user = Path(f"/proc/{pid}").stat().st_uid
        self.popen: subprocess.Popen[bytes] | None = None

    @classmethod
    def valkey(cls, stage: Stage) -> Self:
        """Return the stage's Valkey."""

        def is_up() -> bool:
            try:
                return bool(stage.redis().ping())
            except RedisError:
                return False

        client: Any = stage.redis()
        info, settings = client.info("server"), client.config_get(*VALKEY_SETTINGS)
        # Its own words are not to be had: it writes another title over them.
        command = [info["executable"]]
        for name, value in settings.items():
            command += [f"--{name}", value]
        return cls(info["process_id"], stage.folder / "valkey" / "valkey.log", is_up, command)

    @classmethod
    def postgres(cls, stage: Stage) -> Self:
        """Return the stage's Postgres."""

        def is_up() -> bool:
            try:
                stage.connect().close()
            except psycopg.OperationalError:
                return False
            return True

        folder = stage.folder / "postgres"
        pid = int((folder / "pgdata" / "postmaster.pid").read_text().split("\n", 1)[0])
        words = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
        return cls(pid, folder / "postgres.log", is_up, [word.decode() for word in words])

    @contextlib.contextmanager
    def told(self, redis: Any, name: str, value: str) -> Iterator[None]:
        """Give Valkey another setting while the block runs, over its restarts."""
        place = self.command.index(f"--{name}") + 1
        usual = self.command[place]
        try:
            redis.config_set(name, value)
            self.command[place] = value
            yield
        finally:
            self.command[place] = usual
            redis.config_set(name, usual)

    def end(self, by: signal.Signals = signal.SIGKILL) -> None:
        """End it and wait until it is gone."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, by)
        wait_until(lambda: not _lives(self.pid), seconds=30)

    @contextlib.contextmanager
    def held_up(self) -> Iterator[None]:
        """Stop it (SIGSTOP) while the block runs: what is under way stays under way."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGCONT)

    def start(self) -> None:
        """Start it with the same words, as the same user, on the same data; wait until it is up."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with self.log.open("ab") as output:
                self.popen = subprocess.Popen(
                    self.command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd="/",
                    user=self.user if os.geteuid() == 0 else None,
                    start_new_session=True,
                    preexec_fn=machine.die_with_parent,
                )
            self.pid = self.popen.pid
            with contextlib.suppress(Exception):
                wait_until(lambda: self.is_up() or not _lives(self.pid), seconds=30)
            if self.is_up():
                return
            time.sleep(0.3)
        raise RuntimeError(f"{self.command[0]} does not start again")

    def stop(self) -> None:
        """Stop what this object has started, politely."""
        if self.popen and self.popen.poll() is None:
            self.popen.send_signal(signal.SIGINT)
            try:
                self.popen.wait(20)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()


def _lives(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


class Consumers:
    """Processes that consume, started again when they end, as a supervisor would."""

    def __init__(
        self, stage: Stage, count: int, command: Sequence[str] = CONSUME, **told: str
    ) -> None:
        self.stage, self.command = stage, command
        self.environment = stage.environment(**told)
        self.processes = [self._start(number) for number in range(count)]
        self.ended = 0
        self.over = threading.Event()
        self.watcher = threading.Thread(target=self._watch, daemon=True)

    def _start(self, number: int) -> Process:
        return self.stage.start(f"consume-{number}", self.command, self.environment)

    def _watch(self) -> None:
        while not self.over.wait(RESTART_PAUSE):
            for number, process in enumerate(self.processes):
                if process.popen.poll() is not None:
                    self.ended += 1
                    self.processes[number] = self._start(number)

    @contextlib.contextmanager
    def held_up(self) -> Iterator[None]:
        """Stop them (SIGSTOP) while the block runs, so that something waits; then let them go."""
        self._signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)

    def _signal(self, wanted: signal.Signals) -> None:
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, wanted)

    def kill_one(self, chance: random.Random) -> None:
        """Kill -9 one of them."""
        kill(chance.choice(self.processes).pid)


@contextlib.contextmanager
def consuming(
    stage: Stage, count: int = 1, command: Sequence[str] = CONSUME, **told: str
) -> Iterator[Consumers]:
    """Consume while the block runs; `told` is added to the environment."""
    consumers = Consumers(stage, count, command, **told)
    consumers.watcher.start()
    try:
        yield consumers
    finally:
        consumers.over.set()
        consumers.watcher.join(10)
        for process in consumers.processes:
            process.stop()


def workers_of(web: Process) -> list[int]:
    """Return the process ids of the workers of a web server."""
    found = []
    for pid in machine.family(web.pid):
        with contextlib.suppress(OSError):
            if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    return found


def kill_worker(web: Process, chance: random.Random) -> bool:
    """Kill -9 one worker; tell whether there was one."""
    workers = workers_of(web)
    return bool(workers) and kill(chance.choice(workers))


def kill(pid: int) -> bool:
    """Kill -9 a process; tell whether there was one."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False
