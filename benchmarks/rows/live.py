"""Who looks at a product now: beside an exact oracle, and what a large shop takes of Redis."""

from typing import Final

from benchmarks.bench import Bench
from benchmarks.report import Row

UNDER: Final = 0.98
DAY: Final = 86_400
GIB: Final = 2**30


def exact(bench: Bench) -> list[Row]:
    """Ask at random how many look at products; compare each answer with an exact oracle."""
    bench.stage.fresh()
    found = bench.stage.inside("exact", queries=bench.count(1_000_000, 50_000))
    least = found.pop("least")
    met = found["most_over"] == 0 and least >= UNDER
    what = "least part of the truth told of who is here now, and never more than it"
    return [Row("live-exact", what, least, UNDER, None, met, detail=found)]


def day(bench: Bench) -> list[Row]:
    """Play a large shop's day, or its busiest minutes; the most that Redis held is what counts."""
    bench.stage.fresh()
    seconds = DAY if bench.scale >= 1 else bench.count(3000, 300)
    found = bench.stage.inside("busiest", seconds=seconds)
    ratio = found["most_bytes"] / GIB
    what = "most GiB of Redis for who is here now; 100,000 products, 10 M events a day"
    return [Row("redis-day", what, ratio, 1.0, None, ratio <= 1.0, sense="<=", detail=found)]
