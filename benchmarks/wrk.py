"""Closed-loop load by wrk: so many connections, each asking again as soon as it is answered."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import machine, payloads

SCRIPT: Final = Path(__file__).parent / "load" / "requests.lua"
CONNECTIONS: Final = 32
WRK_CORE: Final = 1


class InvalidRun(RuntimeError):
    """A run whose answers were not all 2xx measures nothing."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a run came to; latencies in seconds."""

    requests: int
    seconds: float
    p50: float
    p99: float
    max: float
    refused: int
    broken: int

    @property
    def rate(self) -> float:
        """Return the requests per second."""
        return self.requests / self.seconds


def run(
    port: int,
    templates: Sequence[bytes],
    folder: Path,
    *,
    seconds: int,
    connections: int = CONNECTIONS,
) -> Load:
    """Load a server on this port; raises InvalidRun unless every answer was a 2xx."""
    file = payloads.as_lua(templates, folder / "requests.lua")
    command = [
        *machine.pinned(WRK_CORE),
        *(machine.wrk(), "--threads=1", f"--connections={connections}", f"--duration={seconds}s"),
        *("--latency", "--timeout=10s", f"--script={SCRIPT}", f"http://127.0.0.1:{port}/"),
        *("--", str(file)),
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    load = read(done.stdout)
    if load is None:
        raise InvalidRun(f"wrk said: {(done.stdout + done.stderr).strip()[-300:]}")
    if load.refused or load.broken:
        raise InvalidRun(f"{load.refused} answers were no 2xx, {load.broken} connections broke")
    return load


def read(output: str) -> Load | None:
    """Return what load/requests.lua printed; None if it did not."""
    for line in output.splitlines():
        if line.startswith("RESULT "):
            return Load(**json.loads(line.removeprefix("RESULT ")))
    return None
