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
class Compared:
    """Requests per second of ours and of a yardstick, and their 99th percentiles in seconds."""

    rate: Pairs
    p99: Pairs
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

    def turn(process: Process, made: Callable[[], Sequence[bytes]]) -> wrk.Load:
        load = wrk.run(process.port, made(), bench.stage.folder, seconds=length)
        bench.stage.empty()
        return load

    wrk.run(ours.port, requests(), bench.stage.folder, seconds=1)  # caches and code get warm
    wrk.run(theirs.port, (their_requests or requests)(), bench.stage.folder, seconds=1)
    bench.stage.empty()
    a, b = alternate(
        lambda: turn(ours, requests), lambda: turn(theirs, their_requests or requests), ROUNDS
    )
    return Compared(
        paired([(x.rate, y.rate) for x, y in a], [(x.rate, y.rate) for x, y in b]),
        paired([(x.p99, y.p99) for x, y in a], [(x.p99, y.p99) for x, y in b]),
        [load for two in a for load in two],
        [load for two in b for load in two],
    )
