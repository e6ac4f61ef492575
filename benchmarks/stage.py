"""Where a row is played: Postgres with fsync, Valkey with its log, one shop, and our processes.

All of it lies below one folder and ends with the `with` block, Ctrl-C included.
"""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psycopg
from redis import Redis

from benchmarks import machine
from benchmarks.payloads import Visitor
from devtools import servers

WEB_CORE: Final = 0
START_SECONDS: Final = 60.0
PYTHON: Final = (sys.executable, "-m")
STREAMS: Final = {
    "redis": "saleor_nudges.stream.redis.RedisStream",
    "postgres": "saleor_nudges.stream.postgres.PostgresStream",
}
HOT: Final = "saleor_nudges.asgi:application"
# Every limit is asked, and none is met: that is what the overload measures.
UNLIMITED: Final = {
    "NUDGES_LIMIT_VISITOR": "10000000",
    "NUDGES_LIMIT_ADDRESS": "10000000",
    "NUDGES_LIMIT_SESSIONS": "10000000",
    "NUDGES_LIMIT_SHOP": "10000000",
    "NUDGES_TRUSTED_PROXIES": "0",
}


def shop_limit(per_second: int) -> dict[str, str]:
    """Return the settings under which a shop may post so many requests a second."""
    return {"NUDGES_LIMIT_SHOP": str(per_second)}


# What stays when a row's events are forgotten: the shop and what its seller has set.
KEPT_TABLES: Final = ("shop", "nudgeconfig", "nudgesettings", "cursor", "appinstallation")
VIEWS: Final = "saleor_nudges_views"


class NotReady(RuntimeError):
    """A process of ours did not come up; the message has the end of its log."""


@dataclass(slots=True)
class Process:
    """A running process of the stage."""

    name: str
    popen: "subprocess.Popen[bytes]"
    log: Path
    port: int = 0

    @property
    def pid(self) -> int:
        """Return its process id."""
        return self.popen.pid

    def stop(self) -> None:
        """Ask it to end, then make it."""
        for wanted in (signal.SIGTERM, signal.SIGKILL):
            if self.popen.poll() is None:
                _signal_family(self.pid, wanted)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.popen.wait(10)

    def kill(self) -> None:
        """Kill -9 it and all that stems from it."""
        _signal_family(self.pid, signal.SIGKILL)
        self.popen.wait(10)

    def cpu_seconds(self) -> float:
        """Return the CPU time it and what stems from it have used."""
        return sum(machine.cpu_seconds(member) for member in machine.family(self.pid))

    def tail(self) -> str:
        """Return the last lines of its log."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-15:])


def _signal_family(pid: int, wanted: signal.Signals) -> None:
    # From the eldest down, so that nobody is replaced meanwhile.
    for member in machine.family(pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(member, wanted)


@dataclass(slots=True)
class Stage:
    """Servers that run, and a shop in them."""

    folder: Path
    database_url: str
    redis_url: str
    shop: dict[str, Any] = field(default_factory=dict)

    # Asking.

    @property
    def visitors(self) -> list[Visitor]:
        """Return a thousand visitors; every third has a checkout."""
        return [Visitor(**fields) for fields in self.shop["visitors"]]

    @property
    def events_path(self) -> str:
        """Return where to post events, the shop named."""
        return f"/v1/events?shop={self.shop['public_id']}"

    def redis(self) -> "Redis":
        """Return a client of our Valkey."""
        return Redis.from_url(self.redis_url)

    def connect(self, database: str = "") -> psycopg.Connection[Any]:
        """Return a connection of our own, which commits each statement."""
        url = self.database_url
        if database:
            url = url.replace(f"/{servers.DATABASE}?", f"/{database}?")
        return psycopg.connect(url, autocommit=True)

    def scalar(self, query: str, *parameters: Any) -> Any:
        """Return the one value a query answers."""
        with self.connect() as connection:
            found = connection.execute(query, parameters).fetchone()
        return found[0] if found else None

    def stored(self) -> int:
        """Return how many views are stored."""
        return int(self.scalar("SELECT count(*) FROM saleor_nudges_views"))

    def streamed(self) -> int:
        """Return how many entries lie in the Redis streams."""
        client = self.redis()
        lengths: list[Any] = [client.xlen(name) for name in client.scan_iter(_type="stream")]
        return sum(lengths)

    # Changing.

    def empty(self) -> None:
        """Forget all events, wherever they are, without forgetting the streams' groups."""
        client = self.redis()
        for name in client.scan_iter(_type="stream", count=1000):
            client.xtrim(name, maxlen=0, approximate=False)
        query = (
            "SELECT string_agg(relid::regclass::text, ', ') FROM pg_stat_user_tables"
            " WHERE relname LIKE 'saleor\\_nudges\\_%%' AND NOT (relname = ANY(%s))"
        )
        kept = [f"saleor_nudges_{name}" for name in KEPT_TABLES]
        tables = self.scalar(query, kept)
        with self.connect() as connection:
            connection.execute(f"TRUNCATE {tables} CASCADE")

    def fresh(self) -> None:
        """Forget all events and all of Redis: no process of ours may be running."""
        self.redis().flushall()
        self.empty()

    def inside(self, verb: str, **arguments: Any) -> dict[str, Any]:
        """Run a verb of `benchmarks.inside`, where Django is set up; return its answer."""
        environment = self.environment(**arguments.pop("environment", {}))
        command = [*PYTHON, "benchmarks.inside", verb, json.dumps(arguments)]
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, env=environment, cwd=machine.ROOT
        )
        if done.returncode:
            raise NotReady(f"{verb} failed:\n{done.stderr.strip()[-1500:]}")
        answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        return answer

    # Processes.

    def environment(self, stream: str = "redis", **more: str) -> dict[str, str]:
        """Return what our processes are told."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if name != "DJANGO_SETTINGS_MODULE" and not name.startswith("NUDGES_")
        }
        return {
            **kept,
            "SECRET_KEY": "not a secret: this is a measurement",
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "CELERY_BROKER_URL": f"{self.redis_url.removesuffix('/0')}/1",
            "NUDGES_REDIS_URL": self.redis_url,
            "NUDGES_VIEWS_STREAM": STREAMS[stream],
            "NUDGES_PUBLIC_URL": "http://127.0.0.1/",
            "ALLOWED_HOSTS": "*",
            "LOG_LEVEL": "WARNING",
            **UNLIMITED,
            **more,
        }

    @contextlib.contextmanager
    def running(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        core: int | None = None,
        port: int = 0,
        ready: Callable[[Process], bool] | None = None,
    ) -> Iterator[Process]:
        """Run a command while the block lasts; wait until it is ready."""
        process = self.start(name, command, environment, core=core, port=port)
        try:
            if ready is not None:
                wait_until(lambda: ready(process), process)
            yield process
        finally:
            process.stop()

    def start(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        core: int | None = None,
        port: int = 0,
    ) -> Process:
        """Start a command into a log of its own."""
        log = self.folder / f"{name}.log"
        pinned = () if core is None else machine.pinned(core)
        with log.open("ab") as output:
            popen = subprocess.Popen(
                [*pinned, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=machine.ROOT,
                env=dict(environment),
                start_new_session=True,
                preexec_fn=machine.die_with_parent,
            )
        return Process(name, popen, log, port)

    @contextlib.contextmanager
    def web(
        self,
        application: str,
        *,
        stream: str = "redis",
        core: int | None = WEB_CORE,
        workers: int = 1,
        port: int = 0,
        **more: str,
    ) -> Iterator[Process]:
        """Serve an ASGI application by uvicorn, as README.md says, on a core of its own."""
        port = port or servers.free_port()
        name = f"web-{application.partition(':')[0].rpartition('.')[2]}-{port}"
        environment = self.environment(stream, **more)
        command = web_command(application, port, workers)
        with self.running(
            name, command, environment, core=core, port=port, ready=answers
        ) as process:
            yield process

    def hot(self, **options: Any) -> contextlib.AbstractContextManager[Process]:
        """Serve the hot requests."""
        return self.web(HOT, **options)

    def yardstick(self, name: str) -> contextlib.AbstractContextManager[Process]:
        """Serve one of the yardsticks."""
        return self.web(f"benchmarks.yardsticks.{name}:application")

    @contextlib.contextmanager
    def consumer(self, stream: str = "redis", name: str = "consume") -> Iterator[Process]:
        """Run `saleor-nudges consume`."""
        with self.running(name, CONSUME, self.environment(stream)) as process:
            yield process


CONSUME: Final = (*PYTHON, "saleor_nudges.service", "consume")


def web_command(application: str, port: int, workers: int = 1) -> list[str]:
    """Return the command that serves an application."""
    command = [*PYTHON, "uvicorn", application, "--host=127.0.0.1", f"--port={port}"]
    command += ["--loop=uvloop", "--http=httptools", "--ws=none", "--lifespan=auto"]
    command += ["--no-access-log", "--log-level=warning"]
    return command + ([f"--workers={workers}"] if workers > 1 else [])


def answers(process: Process) -> bool:
    """Tell whether something speaks HTTP on the process's port."""
    connection = http.client.HTTPConnection("127.0.0.1", process.port, timeout=2)
    try:
        connection.request("GET", "/v1/device")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def wait_until(
    condition: Callable[[], bool], process: Process | None = None, seconds: float = START_SECONDS
) -> None:
    """Wait for a condition; raises NotReady if it does not come, or the process ends first."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        if process is not None and process.popen.poll() is not None:
            break
        time.sleep(0.05)
    told = f"{process.name} is not ready:\n{process.tail()}" if process else "it did not happen"
    raise NotReady(told)


@contextlib.contextmanager
def stage(folder: Path, *, aof: bool = True, visitors: int = 1000) -> Iterator[Stage]:
    """Start the servers on an empty folder, make the tables and the shop."""
    for name in ("DATABASE_URL", "REDIS_URL"):  # always servers of our own
        os.environ.pop(name, None)
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        database = servers.postgres(folder / "postgres", fresh=True, durable=True)
        database_url = stack.enter_context(database)
        redis_url = stack.enter_context(servers.valkey(folder / "valkey", aof=aof))
        found = Stage(folder, database_url, redis_url)
        found.redis().flushall()
        found.shop = found.inside("seed", visitors=visitors)
        yield found
