"""A hundred channels, one of them with 95 % of the traffic: do the others notice?"""

import random
from statistics import median
from typing import Final

from benchmarks import openloop, payloads
from benchmarks.bench import ROUNDS, Bench
from benchmarks.report import Row, alternate, paired, percentile
from benchmarks.stage import Stage

CHANNELS: Final = tuple(f"channel-{number:03d}" for number in range(100))
HOT_SHARE: Final = 0.95
RATE: Final = 2000
BAR: Final = 1.25


def noisy_neighbour(bench: Bench) -> list[Row]:
    """The same rate, spread evenly and unevenly; p99 of the quiet channels in both."""
    stage, seconds = bench.stage, bench.seconds(10, least=3)
    stage.fresh()
    with stage.hot() as web, stage.consumer():
        _turn(stage, web.port, 2, uneven=True)
        uneven, even = alternate(
            lambda: _turn(stage, web.port, seconds, uneven=True),
            lambda: _turn(stage, web.port, seconds, uneven=False),
            ROUNDS,
        )
    pairs = paired(uneven, even)
    even_to_even = max(max(a / b, b / a) for a, b in even)
    detail = {
        "even_p99_ms": round(median(pairs.theirs) * 1000, 2),
        "uneven_p99_ms": round(median(pairs.ours) * 1000, 2),
        "even_to_even": round(even_to_even, 2),
        "rate": RATE,
    }
    met = pairs.ratio <= BAR
    what = "p99 of 99 channels beside one with 95 %, to an even spread"
    return [Row("noisy-neighbour", what, pairs.ratio, BAR, None, met, pairs.spread, "<=", detail)]


def _turn(stage: Stage, port: int, seconds: float, *, uneven: bool) -> float:
    chance = random.Random(7)
    run = payloads.Run()
    templates, tags = [], []
    for number in range(1000):
        is_hot = number % 100 < 100 * HOT_SHARE
        channel = CHANNELS[0] if is_hot and uneven else chance.choice(CHANNELS[1:])
        # The same requests are looked at in both: those that are never the hot one's.
        tags.append("neighbour" if is_hot else "watched")
        template = payloads.posts(
            stage.visitors, run, path=stage.events_path, count=1, channels=(channel,), seed=number
        )
        templates += template
    spec = openloop.Spec(port, RATE, seconds, templates, 64, tags)
    outcome = openloop.load(spec, stage.folder)
    if outcome.count(202) != outcome.sent:
        raise AssertionError(f"not every answer was a 202: {outcome.summary()}")
    return percentile(outcome.latencies["watched"][202], 0.99)
