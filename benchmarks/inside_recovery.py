"""What the rows of recovery need done inside our own code: verbs of `benchmarks.inside`."""

import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, Final

LONG_AGO: Final = timedelta(hours=1)
AT_MOST: Final = 500.0


def plant(count: int, candidates: int) -> dict[str, Any]:
    """Switch recovery on and make a population; return what names its campaign."""
    from django.db import connection

    from benchmarks import engine, shop
    from benchmarks.population import Population
    from saleor_nudges import crypto
    from saleor_nudges.models import Shop

    ours = Shop.objects.get()
    step = engine.switch_on(ours)
    at, key = datetime.now(UTC) - LONG_AGO, crypto.new_person_key()
    lines = [asdict(line) | {"unit_price": str(line.unit_price)} for line in shop.CART.lines]
    numbers = range(1, candidates + 1)
    population = Population(
        shop=str(ours.pk),
        campaign=str(step.campaign_id),
        step=str(step.pk),
        at=at,
        count=count,
        sealed_ids=[crypto.seal(shop.checkout_id(number, at)) for number in numbers],
        sealed_key=key,
        sealed_contact=crypto.seal_for(key, asdict(shop.CONTACT)),
        lines=json.dumps(lines),
        channel=shop.CHANNEL,
    )
    with connection.cursor() as cursor:
        population.plant(cursor.execute)
    return {"campaign": population.campaign, "step": population.step, "delay": step.delay_seconds}


def look(with_plans: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002 - a verb's argument
    """Look at everything that is due; return seconds, memory and what was asked of Postgres."""
    from benchmarks import engine, plans

    before = resource.getrusage(resource.RUSAGE_SELF)
    began, cpu = time.perf_counter(), time.process_time()
    with plans.watched() as asked:
        entered = engine.look()
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
    return {
        "entered": entered,
        "seconds": seconds,
        "cpu_seconds": time.process_time() - cpu,
        "rss_bytes": after.ru_maxrss * 1024,
        "rss_grown_bytes": (after.ru_maxrss - before.ru_maxrss) * 1024,
        "statements": asked.times,
        "slowest_statement_seconds": asked.slowest,
        "read_whole": list(asked.read_whole().items()) if with_plans else [],
    }


# Workers: each says that it is ready, and begins when it is told to.


def look_when_told() -> dict[str, Any]:
    """Look at what is due, beside others."""
    from benchmarks import engine

    _wait_for_the_word()
    return {"done": engine.look()}


def claim_when_told() -> dict[str, Any]:
    """Claim and complete until nothing is left, beside others; no message is sent."""
    from benchmarks import engine

    _wait_for_the_word()
    done, names = 0, set()
    while claimed := engine.claim():
        engine.complete(claimed)
        done += len(claimed)
        names |= {one.pk for one in claimed}
    return {"done": done, "different": len(names)}


def send_when_told() -> dict[str, Any]:
    """Send what is due, beside others, until nothing is left."""
    from benchmarks import engine

    _wait_for_the_word()
    cpu, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    done = 0
    while sent := engine.deliver(AT_MOST):
        done += sent
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    used = time.process_time() - cpu
    return {"done": done, "cpu_seconds": used, "rss_grown_bytes": grown * 1024}


def _wait_for_the_word() -> None:
    from django.db import connection

    from benchmarks import engine

    # What a process does once at its start is no part of the measurement.
    engine.deliver(0.0)
    connection.ensure_connection()
    print("READY", flush=True)
    sys.stdin.readline()


VERBS: Final[dict[str, Callable[..., dict[str, Any]]]] = {
    verb.__name__: verb for verb in (plant, look, look_when_told, claim_when_told, send_when_told)
}
