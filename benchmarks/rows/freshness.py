"""From accepted to visible: a product nobody has looked at is viewed, and its page asked again.

The load beside it is open-loop. A probe's time begins with the 202 of its view and ends with the
first answer of v1/nudges that speaks of its product.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from benchmarks import machine, openloop, payloads
from benchmarks.bench import Bench
from benchmarks.prober import PROBE_SECONDS, is_visible
from benchmarks.report import Row, percentile
from benchmarks.stage import PYTHON, Process, Stage, wait_until

CELERY: Final = (*PYTHON, "celery", "--quiet", "--app=saleor_nudges.service.celery")


def usual(bench: Bench) -> list[Row]:
    """At a peak of the mission's shop, with a process that consumes."""
    return [_measured(bench, "freshness-174", 174, 1.0)]


def rush(bench: Bench) -> list[Row]:
    """At a hundred times its mean."""
    return [_measured(bench, "freshness-1740", 1740, 2.0)]


def celery_only(bench: Bench) -> list[Row]:
    """With no process that consumes: a worker, woken by beat each second."""
    return [_measured(bench, "freshness-celery", 174, 3.0, with_celery=True)]


def _measured(
    bench: Bench, name: str, rate: float, bar: float, *, with_celery: bool = False
) -> Row:
    stage = bench.stage
    stage.fresh()
    readers = celery(stage) if with_celery else stage.consumer()
    with stage.hot(core=None) as web, readers:
        wait_until(lambda: is_visible(stage, web.port), seconds=60)
        outcome, waits = loaded(stage, web, rate, bench.seconds(30, least=12))
    p99 = percentile(waits, 0.99)
    detail = {
        "probes": len(waits),
        "p50_seconds": round(percentile(waits, 0.5), 3),
        "max_seconds": round(max(waits, default=0.0), 3),
        "accepted_per_second": round(outcome.count(202) / outcome.seconds, 1),
        "load": outcome.summary()["latencies"],
    }
    what = f"p99 seconds from accepted to visible at {rate}/s"
    if with_celery:
        what += ", Celery alone"
    whole = outcome.count(202) == outcome.sent
    met = p99 <= bar and whole if waits else False
    return Row(name, what, p99, bar, None, met, sense="<=", detail=detail)


def loaded(
    stage: Stage, web: Process, rate: float, seconds: float
) -> tuple[openloop.Outcome, list[float]]:
    """Load the server and probe it meanwhile; return both outcomes (seconds until visible)."""
    run = payloads.Run()
    templates = payloads.posts(stage.visitors, run, path=stage.events_path)
    command = [sys.executable, "-m", "benchmarks.prober", str(web.port), str(seconds)]
    probes = subprocess.Popen(
        [*command, json.dumps(stage.shop["visitors"][0]), stage.shop["public_id"]],
        stdout=subprocess.PIPE,
        cwd=machine.ROOT,
        preexec_fn=machine.die_with_parent,
    )
    outcome = openloop.load(openloop.Spec(web.port, rate, seconds, templates, 32), stage.folder)
    told, _ = probes.communicate(timeout=PROBE_SECONDS * 2)
    return outcome, json.loads(told or b"[]")


@contextmanager
def celery(stage: Stage, concurrency: int = 1, **more: str) -> Iterator[None]:
    """Run a worker and beat, as the App's guide says."""
    environment = stage.environment(**more)
    beat = (*CELERY, "beat", "--max-interval=1", f"--schedule={stage.folder / 'beat'}")
    worker = (
        *CELERY,
        "worker",
        f"--concurrency={concurrency}",
        "--without-gossip",
        "--without-mingle",
    )
    with ExitStack() as stack:
        stack.enter_context(stage.running("worker", worker, environment))
        stack.enter_context(stage.running("beat", (*beat, "--pidfile="), environment))
        yield
