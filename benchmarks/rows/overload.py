"""Three times more than the shop's limit: the limit is served, the rest refused at once."""

from typing import Final

from benchmarks import openloop, payloads
from benchmarks.bench import Bench
from benchmarks.report import Row, percentile
from benchmarks.stage import Stage, shop_limit

GOODPUT_BAR: Final = 0.9
REFUSAL_SECONDS: Final = 0.010
CONNECTIONS: Final = 128
PEAK_REQUESTS: Final = 30_000
REFUSED: Final = (429, 503)


def overload(bench: Bench) -> list[Row]:
    """Limit the shop to a third of our peak, send the whole peak on schedule, count."""
    stage = bench.stage
    stage.fresh()
    limit = int(_peak(stage) / 3)
    seconds = bench.seconds(60, least=8)
    stage.fresh()
    run = payloads.Run()
    templates = payloads.posts(stage.visitors, run, path=stage.events_path)
    with stage.hot(**shop_limit(limit)) as web:
        spec = openloop.Spec(web.port, limit * 3, seconds, templates, CONNECTIONS)
        outcome = openloop.load(spec, stage.folder)
    lost = _lost(stage, outcome)
    refusals = [
        latency
        for by_status in outcome.latencies.values()
        for status in REFUSED
        for latency in by_status.get(status, ())
    ]
    return [_row(outcome, limit, lost, percentile(refusals, 0.99), len(refusals))]


def _peak(stage: Stage) -> float:
    """Return what is accepted a second of requests that are all due at once, by the same sender."""
    with stage.hot() as web:
        rates = []
        for _ in range(3):
            templates = payloads.posts(stage.visitors, payloads.Run(), path=stage.events_path)
            spec = openloop.Spec(web.port, 1e9, PEAK_REQUESTS / 1e9, templates, CONNECTIONS)
            outcome = openloop.load(spec, stage.folder)
            rates.append(outcome.count(202) / outcome.seconds)
            stage.empty()
    return sorted(rates)[1]


def _lost(stage: Stage, outcome: openloop.Outcome) -> int:
    """Consume everything; return how many acknowledged events are not stored exactly once."""
    stage.inside("drain")
    return outcome.count(202) - min(stage.stored(), outcome.count(202))


def _row(
    outcome: openloop.Outcome, limit: int, lost: int, refusal_p99: float, refusals: int
) -> Row:
    goodput = outcome.count(202) / outcome.seconds / limit
    met = goodput >= GOODPUT_BAR and refusal_p99 <= REFUSAL_SECONDS and not lost and refusals > 0
    detail = {
        "limit_per_second": limit,
        "offered_per_second": round(outcome.sent / outcome.seconds),
        "refusals": refusals,
        "refusal_p99_ms": round(refusal_p99 * 1000, 2),
        "acknowledged": outcome.count(202),
        "acknowledged_lost": lost,
        "broken": outcome.broken + outcome.unanswered,
    }
    what = "accepted/s at 3x the shop's limit, to the limit"
    return Row("overload", what, goodput, GOODPUT_BAR, None, met, detail=detail)
