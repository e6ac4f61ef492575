"""What a measurement is given: the stage, the scale, and how long a turn may take."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks import machine, wrk
from benchmarks.report import Pairs, alternate, paired
from benchmarks.stage import Process, Stage, stage

ROUNDS: Final = 3
FOLDER: Final = machine.BUILD / "bench-run"


class CannotRun(RuntimeError):
    """A measurement is not possible here; the message says why."""


@dataclass(slots=True)
class Bench:
    """One run of the benchmarks. The stage is set when the first row asks for it."""

    scale: float
    stack: ExitStack
    folder: Path = FOLDER
    _stage: Stage | None = field(default=None)

    @property
    def stage(self) -> Stage:
        """Return the stage, with no event in it from the row before."""
        if self._stage is None:
            self._stage = self.stack.enter_context(stage(self.folder))
        return self._stage

    def seconds(self, full: float, least: float = 2) -> int:
        """Return how long a turn takes at this scale, given its length at SCALE=1."""
        return max(round(full * self.scale), round(least))

    def count(self, full: int, least: int) -> int:
        """Return how many things to do at this scale, given how many at SCALE=1."""
        return max(round(full * self.scale), least)


@dataclass(frozen=True, slots=True)
class Turn:
    """One run of one server, and how many requests it served per second of its own CPU."""

    load: wrk.Load
    per_cpu_second: float


@dataclass(frozen=True, slots=True)
class Compared:
    """Requests per second of ours and of a yardstick, and their 99th percentiles in seconds."""

    rate: Pairs
    p99: Pairs
    # Requests per second of the web process's own CPU: hardly moved by what others run.
    per_cpu: Pairs
    ours: Sequence[wrk.Load]
    theirs: Sequence[wrk.Load]

    def detail(self) -> dict[str, float]:
        """Return the medians as the file of results holds them."""
        return {
            "ours_per_second": round(median(one.rate for one in self.ours)),
            "yardstick_per_second": round(median(one.rate for one in self.theirs)),
            "ours_p50_ms": _ms(one.p50 for one in self.ours),
            "yardstick_p50_ms": _ms(one.p50 for one in self.theirs),
            "ours_p99_ms": _ms(one.p99 for one in self.ours),
            "yardstick_p99_ms": _ms(one.p99 for one in self.theirs),
            "per_cpu_second_ratio": round(self.per_cpu.ratio, 3),
            "per_cpu_second_spread": round(self.per_cpu.spread, 2),
            "p99_ratio": round(self.p99.ratio, 2),
            "p99_spread": round(self.p99.spread, 2),
        }


def _ms(seconds: Iterable[float]) -> float:
    return round(median(seconds) * 1000, 3)


def compare(
    bench: Bench,
    ours: Process,
    theirs: Process,
    requests: Callable[[], Sequence[bytes]],
    *,
    seconds: float = 8,
    their_requests: Callable[[], Sequence[bytes]] | None = None,
) -> Compared:
    """Load ours and the yardstick in turns; each turn sends ids nobody has seen."""
    if not machine.wrk():
        raise CannotRun("wrk is not here, and not root to install it")
    length = bench.seconds(seconds)

    def turn(process: Process, made: Callable[[], Sequence[bytes]]) -> Turn:
        before = process.cpu_seconds()
        load = wrk.run(process.port, made(), bench.stage.folder, seconds=length)
        used = process.cpu_seconds() - before
        bench.stage.empty()
        return Turn(load, load.requests / max(used, 0.01))

    wrk.run(ours.port, requests(), bench.stage.folder, seconds=1)  # caches and code get warm
    wrk.run(theirs.port, (their_requests or requests)(), bench.stage.folder, seconds=1)
    bench.stage.empty()
    a, b = alternate(
        lambda: turn(ours, requests), lambda: turn(theirs, their_requests or requests), ROUNDS
    )
    return Compared(
        _pairs(a, b, lambda turn: turn.load.rate),
        _pairs(a, b, lambda turn: turn.load.p99),
        _pairs(a, b, lambda turn: turn.per_cpu_second),
        [turn.load for two in a for turn in two],
        [turn.load for two in b for turn in two],
    )


def _pairs(
    ours: Iterable[tuple[Turn, Turn]],
    theirs: Iterable[tuple[Turn, Turn]],
    figure: Callable[[Turn], float],
) -> Pairs:
    def figures(rounds: Iterable[tuple[Turn, Turn]]) -> list[tuple[float, float]]:
        return [(figure(first), figure(second)) for first, second in rounds]

    return paired(figures(ours), figures(theirs))
