"""Half an hour at a hundred times the mean: memory, keys and file handles stay flat."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from benchmarks import machine, openloop, payloads
from benchmarks.bench import Bench
from benchmarks.report import Row, slope
from benchmarks.stage import Process, Stage, wait_until

RATE: Final = 1740
FULL_SECONDS: Final = 1800
BAR_MB: Final = 1.0
TEN_MINUTES: Final = 600.0
# Caches fill and code is read at first; what grows for good still grows afterwards.
WARM_UP: Final = 0.25
LONG_ENOUGH: Final = 600


@dataclass(slots=True)
class Samples:
    """What was seen over time: (seconds, value) per name."""

    points: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def add(self, seconds: float, values: Mapping[str, float]) -> None:
        """Keep one look."""
        for name, value in values.items():
            self.points.setdefault(name, []).append((seconds, value))

    def settled(self, name: str) -> list[tuple[float, float]]:
        """Return one name's points without the warm-up."""
        points = self.points.get(name, [])
        return points[int(len(points) * WARM_UP) :]

    def growth(self, name: str) -> float:
        """Return by how much a value grows in ten minutes."""
        return slope(self.settled(name)) * TEN_MINUTES


def soak(bench: Bench) -> list[Row]:
    """Load, consume and look; the steepest process decides."""
    stage, seconds = bench.stage, bench.seconds(FULL_SECONDS, least=20)
    stage.fresh()
    with stage.hot(core=None) as web, stage.consumer() as consumer:
        samples, outcome = _sampled(stage, {"web": web, "consume": consumer}, seconds)
        wait_until(lambda: stage.stored() >= outcome.count(202), seconds=60)
    steepest = max(samples.growth(f"{name} MB") for name in ("web", "consume"))
    long_enough = seconds >= LONG_ENOUGH
    met = steepest <= BAR_MB and outcome.count(202) == outcome.sent
    row = Row(
        "soak",
        f"MB a process grows by in 10 minutes at {RATE}/s",
        steepest,
        BAR_MB,
        met=met if long_enough else None,
        sense="<=",
        detail=_detail(samples, outcome, seconds),
        why="" if long_enough else f"{seconds} s are too few to judge a slope: SCALE=1",
    )
    return [row]


def _sampled(
    stage: Stage, processes: Mapping[str, Process], seconds: float
) -> tuple[Samples, openloop.Outcome]:
    samples, over = Samples(), threading.Event()
    began, every = time.monotonic(), max(0.5, seconds / 300)

    def look() -> None:
        while not over.wait(every):
            samples.add(time.monotonic() - began, _seen(stage, processes))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        templates = payloads.posts(stage.visitors, payloads.Run(), path=stage.events_path)
        spec = openloop.Spec(processes["web"].port, RATE, seconds, templates, connections=32)
        outcome = openloop.load(spec, stage.folder)
    finally:
        over.set()
        watcher.join()
    return samples, outcome


def _seen(stage: Stage, processes: Mapping[str, Process]) -> dict[str, float]:
    client = stage.redis()
    info: Any = client.info("memory")
    values = {"redis MB": info["used_memory"] / 2**20, "redis keys": float(client.dbsize())}  # type: ignore[arg-type]
    client.close()
    for name, process in processes.items():
        values[f"{name} MB"] = machine.resident(process.pid) / 2**20
        values[f"{name} files"] = float(machine.open_files(process.pid))
    return values


def _detail(samples: Samples, outcome: openloop.Outcome, seconds: float) -> dict[str, Any]:
    found = {
        name: {
            "first": round(samples.settled(name)[0][1], 2),
            "last": round(samples.settled(name)[-1][1], 2),
            "per_10_min": round(samples.growth(name), 2),
        }
        for name in samples.points
        if samples.settled(name)
    }
    return {"seconds": seconds, "accepted": outcome.count(202), "sent": outcome.sent, **found}
