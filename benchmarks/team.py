"""Workers that begin at the same moment: processes of ours that wait for a word."""

import json
import subprocess
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO, Any

from benchmarks import machine
from benchmarks.stage import PYTHON, NotReady


@dataclass(frozen=True, slots=True)
class Work:
    """What a team has done: from the word to the last one's end, and what each answered."""

    began: float
    seconds: float
    answers: list[dict[str, Any]]

    @property
    def done(self) -> int:
        """Return how many things were done by all of them."""
        return sum(int(answer["done"]) for answer in self.answers)


def work(verb: str, workers: int, environment: Mapping[str, str]) -> Work:
    """Let so many processes run a verb of `benchmarks.inside`; raises NotReady if one fails."""
    command = [*PYTHON, "benchmarks.inside", verb, "{}"]
    with ExitStack() as stack:
        team = []
        for _ in range(workers):
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=machine.ROOT,
                env=dict(environment),
                preexec_fn=machine.die_with_parent,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            team.append(process)
        for process in team:
            _until_ready(_open(process.stdout), verb)
        began, clock = time.time(), time.perf_counter()
        for process in team:
            _open(process.stdin).write("go\n")
            _open(process.stdin).flush()
        answers = [json.loads(_last(_open(process.stdout), verb)) for process in team]
        return Work(began, time.perf_counter() - clock, answers)


def _open(pipe: IO[str] | None) -> IO[str]:
    if pipe is None:
        raise NotReady("a worker has no pipe")
    return pipe


def _until_ready(output: IO[str], verb: str) -> None:
    for line in output:
        if line.strip() == "READY":
            return
    raise NotReady(f"{verb} ended before it began")


def _last(output: IO[str], verb: str) -> str:
    lines = output.read().strip().splitlines()
    if not lines:
        raise NotReady(f"{verb} failed")
    return lines[-1]
