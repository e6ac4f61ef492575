"""From the stream into the tables: beside a bulk insert of the same rows, and a whole day."""

import time
from statistics import median
from typing import Any, Final

import psycopg

from benchmarks import openloop, payloads
from benchmarks.bench import ROUNDS, Bench
from benchmarks.prober import is_visible
from benchmarks.report import Pairs, Row, alternate, paired
from benchmarks.stage import Stage, wait_until
from benchmarks.yardsticks import insert

A_DAY: Final = 1_500_000
BATCH: Final = 20
DAY_SECONDS: Final = 60.0


def one_rollup(bench: Bench) -> list[Row]:
    """Deduplicate, store, one rollup: what every event costs."""
    pairs, detail = _drained(bench, "one")
    what = "events/s drained with one rollup, to a bulk insert"
    met = pairs.ratio >= 0.50
    return [Row("drain", what, pairs.ratio, 0.50, 0.55, met, pairs.spread, detail=detail)]


def every_fold(bench: Bench) -> list[Row]:
    """The same with every fold on."""
    pairs, detail = _drained(bench, "every")
    what = "events/s drained with every fold, to a bulk insert"
    met = pairs.ratio >= 0.30
    return [
        Row("drain-every-fold", what, pairs.ratio, 0.30, None, met, pairs.spread, detail=detail)
    ]


def _drained(bench: Bench, folds: str) -> tuple[Pairs, dict[str, Any]]:
    stage, count = bench.stage, bench.count(200_000, 20_000)
    stage.fresh()
    runs: list[dict[str, Any]] = []

    def ours() -> float:
        stage.fresh()
        stage.inside("fill", count=count, seed=len(runs))
        runs.append(stage.inside("drain", folds=folds))
        if stage.stored() != count or runs[-1]["events"] != count:
            raise AssertionError(f"{count} events went in, {stage.stored()} are stored")
        return count / float(runs[-1]["seconds"])

    def theirs() -> float:
        with psycopg.connect(stage.database_url) as connection:
            batches = insert.parameters(insert.rows_of(connection))
            return count / insert.insert(connection, batches)

    a, b = alternate(ours, theirs, ROUNDS)
    return paired(a, b), _detail(a, b, runs, count)


def _detail(
    ours: list[tuple[float, float]],
    theirs: list[tuple[float, float]],
    runs: list[dict[str, Any]],
    count: int,
) -> dict[str, Any]:
    return {
        "events": count,
        "ours_per_second": round(median(rate for two in ours for rate in two)),
        "yardstick_per_second": round(median(rate for two in theirs for rate in two)),
        "cpu_us_per_event": round(1e6 * median(run["cpu_seconds"] for run in runs) / count, 1),
        "rss_grown_mb": round(max(run["rss_grown_bytes"] for run in runs) / 2**20, 1),
        "folds": runs[0]["folds"],
    }


# A day ------------------------------------------------------------------------------------------


def day(bench: Bench) -> list[Row]:
    """Post a day's events in batches while two consumers run; until all is stored and visible."""
    stage = bench.stage
    requests = bench.count(A_DAY, 60_000) // BATCH
    stage.fresh()
    # Two cores, two consumers: any number of them may run.
    with stage.hot(core=None) as web, stage.consumer(), stage.consumer():
        posted, seconds = _play_a_day(stage, web.port, requests)
    for_all = seconds * A_DAY / (requests * BATCH)
    stored = stage.stored()
    # The last event is the one by which we saw that all is visible.
    detail = {
        "events": requests * BATCH,
        "posted_in_seconds": round(posted, 2),
        "visible_after_seconds": round(seconds, 2),
        "stored": stored,
    }
    met = for_all <= DAY_SECONDS and stored == requests * BATCH + 1
    what = "seconds for 1.5 M events: posted, stored, counted, visible"
    row = Row("day", what, for_all, DAY_SECONDS, 45, met, sense="<=", detail=detail)
    return [row]


def _play_a_day(stage: Stage, port: int, requests: int) -> tuple[float, float]:
    run = payloads.Run()
    templates = payloads.posts(stage.visitors, run, path=stage.events_path, size=BATCH)
    began = time.monotonic()
    # As fast as it is taken: due at once, four waiting on each connection.
    spec = openloop.Spec(port, 1e9, requests / 1e9, templates, connections=16)
    outcome = openloop.load(spec, stage.folder)
    posted = time.monotonic() - began
    if outcome.count(202) != requests:
        raise AssertionError(f"not every request was a 202: {outcome.summary()}")
    wait_until(lambda: stage.stored() >= requests * BATCH, seconds=600)
    wait_until(lambda: is_visible(stage, port), seconds=60)
    return posted, time.monotonic() - began
