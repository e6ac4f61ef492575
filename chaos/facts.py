"""A shop whose orders keep coming in, and the ids its process was told are safe."""

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Final
from uuid import UUID

from benchmarks import machine
from benchmarks.stage import PYTHON, Stage, wait_until
from chaos.verdict import Bar, stored_facts

PAUSE: Final = 0.02
PATIENCE: Final = 30.0


@dataclass(slots=True)
class Facts:
    """Ids of facts whose capture() returned."""

    acknowledged: set[UUID] = field(default_factory=set)

    def bars(self, lost: set[UUID]) -> tuple[Bar, Bar]:
        """Return what must hold of them, given those that were lost."""
        return (
            Bar("facts", len(self.acknowledged), 1, at_least=True),
            Bar("facts lost", len(lost)),
        )

    def lost(self, stage: Stage) -> set[UUID]:
        """Wait until all of them are stored; return those that are not after half a minute."""
        deadline = time.monotonic() + PATIENCE
        while missing := self.acknowledged - set(stored_facts(stage)):
            if time.monotonic() > deadline:
                break
            time.sleep(0.25)
        return missing


@contextmanager
def facts_coming_in(stage: Stage) -> Iterator[Facts]:
    """Capture facts in a process of their own while the block runs, from the first one on."""
    facts = Facts()
    arguments = json.dumps({"count": 10**9, "pause": PAUSE})
    process = subprocess.Popen(
        [*PYTHON, "benchmarks.inside", "orders", arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=stage.environment(),
        cwd=machine.ROOT,
        preexec_fn=machine.die_with_parent,
        text=True,
    )
    reader = threading.Thread(target=_read, args=(process.stdout, facts), daemon=True)
    reader.start()
    try:
        wait_until(lambda: bool(facts.acknowledged))
        yield facts
    finally:
        process.kill()
        process.wait()
        reader.join(10)


def _read(lines: IO[str] | None, facts: Facts) -> None:
    for line in lines or ():
        word, _, told = line.partition(" ")
        # A line cut off by the kill says nothing.
        if word == "ACK" and len(told) == len("\n") + 32:
            facts.acknowledged.add(UUID(told.strip()))
