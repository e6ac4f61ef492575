"""Claiming and completing without a message: beside tasks of Celery that do nothing."""

import time
from collections.abc import Mapping
from statistics import median
from typing import Any, Final

from redis import Redis

from benchmarks import team
from benchmarks.bench import ROUNDS, Bench
from benchmarks.report import Row, alternate, paired
from benchmarks.rows.sending import WORKERS, entered, planted, settings
from benchmarks.stage import PYTHON, Stage, wait_until

NOOP: Final = "benchmarks.yardsticks.noop"
QUEUE: Final = "yardstick-noop"
BAR: Final = 15.0


def claim_complete(bench: Bench) -> list[Row]:
    """Claim and complete rows of the ledger, to tasks of Celery that do nothing."""
    stage, count = bench.stage, bench.count(40_000, 1_000)
    tasks = bench.count(20_000, 4_000)
    shop = planted(stage, count)
    a, b = alternate(
        lambda: _claimed(stage, shop, count, WORKERS), lambda: _tasks(stage, tasks), ROUNDS
    )
    pairs = paired(a, b)
    detail = {
        "rows": count,
        "tasks": tasks,
        "processes": WORKERS,
        "ours_per_second": round(median(pairs.ours)),
        "yardstick_per_second": round(median(pairs.theirs)),
    }
    met = pairs.ratio >= BAR
    what = "rows/s claimed and completed, to no-op tasks of Celery"
    return [Row("claim-complete", what, pairs.ratio, BAR, None, met, pairs.spread, detail=detail)]


def _claimed(stage: Stage, shop: Mapping[str, Any], count: int, workers: int) -> float:
    """Return rows per second; each is completed by one worker once, or it fails."""
    entered(stage, shop, count)
    done = team.work("claim_when_told", workers, stage.environment(**settings()))
    different = sum(one["different"] for one in done.answers)
    whole = "SELECT count(*) FROM saleor_nudges_send WHERE state = 'SENT' AND fence = 1"
    left = stage.scalar(whole)
    if not count == done.done == different == left:
        raise AssertionError(f"{count} were due, {done.done} done, {different}, {left} once")
    return count / done.seconds


def _tasks(stage: Stage, count: int) -> float:
    """Return tasks per second: from the first that is fetched until the queue is empty."""
    environment = stage.environment()
    broker = Redis.from_url(environment["CELERY_BROKER_URL"])
    filled = [*PYTHON, NOOP, str(count)]
    with stage.running("noop-fill", filled, environment) as filling:
        wait_until(lambda: filling.popen.poll() is not None)
    worker = [*PYTHON, "celery", "--quiet", f"--app={NOOP}", "worker", f"--concurrency={WORKERS}"]
    with stage.running("noop", [*worker, "--loglevel=error"], environment):
        wait_until(lambda: _waiting(broker) < count)
        began = time.perf_counter()
        wait_until(lambda: not _waiting(broker), seconds=300)
        return count / (time.perf_counter() - began)


def _waiting(broker: "Redis") -> int:
    length: Any = broker.llen(QUEUE)
    return int(length)
