"""What a page asks, with every filter, beside an app that does one GET of Redis."""

import http.client
import socket
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from benchmarks import payloads, wrk
from benchmarks.bench import Bench, compare
from benchmarks.report import Row
from benchmarks.stage import Stage
from benchmarks.yardsticks import redis_get

P99_BAR: Final = 1.5
ASKED: Final = 2000
# Commands by which we ourselves look.
NOT_ASKED: Final = frozenset({"info", "client", "hello", "ping", "config"})
# Postgres' processes hand in their counts this often at the latest.
STATISTICS_LAG: Final = 1.5


def nudges(bench: Bench) -> list[Row]:
    """Seed a shop with views and orders, then ask for its products' nudges."""
    stage = bench.stage
    stage.fresh()
    _seeded(stage)
    stage.redis().set(redis_get.KEY, b"x" * redis_get.SIZE)
    with stage.hot() as ours, stage.yardstick("redis_get") as theirs:
        counted = _per_request(stage, ours.port)
        found = compare(bench, ours, theirs, lambda: _asks(stage))
    met = (
        found.rate.ratio >= 0.80
        and found.p99.ratio <= P99_BAR
        and counted["sql_per_request"] < 0.01
        and counted["redis_per_request"] <= 1
    )
    what = "requests/s of v1/nudges, to bare ASGI with one Redis GET"
    detail = found.detail() | counted
    return [
        Row(
            "nudges-read", what, found.rate.ratio, 0.80, None, met, found.rate.spread, detail=detail
        )
    ]


def _seeded(stage: Stage) -> None:
    stage.inside("fill", count=20_000)
    stage.inside("orders", count=20)
    stage.inside("drain")
    stage.inside("drain_facts")


def _asks(stage: Stage) -> Sequence[bytes]:
    return payloads.asks(stage.visitors, path="/v1/nudges", shop=stage.shop["public_id"])


def _per_request(stage: Stage, port: int) -> dict[str, Any]:
    """Count what reaches Postgres and Redis while pages ask one by one, and while none do."""
    requests = _asks(stage)
    # Each page is built once, by whoever comes first; what follows is about pages that are warm.
    _ask_all(port, requests)
    wrk.run(port, requests, stage.folder, seconds=1)
    time.sleep(STATISTICS_LAG)
    before, began = _counts(stage), time.monotonic()
    statuses = _ask_all(port, [requests[number % len(requests)] for number in range(ASKED)])
    asked_in = time.monotonic() - began
    time.sleep(STATISTICS_LAG)
    busy = _counts(stage)
    time.sleep(asked_in + STATISTICS_LAG)
    idle = _counts(stage)
    found = {
        name: round(max(0, (busy[name] - before[name]) - (idle[name] - busy[name])) / ASKED, 4)
        for name in before
    }
    return {**found, "answer_statuses": dict(Counter(statuses))}


def _ask_all(port: int, requests: Sequence[bytes]) -> list[int]:
    statuses = []
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        for request in requests:
            connection.sendall(request)
            with http.client.HTTPResponse(connection) as answer:
                answer.begin()
                answer.read()
                statuses.append(answer.status)
    return statuses


def _counts(stage: Stage) -> dict[str, int]:
    """Return how many transactions, reads of a socket by Redis, and commands there were so far."""
    with stage.connect("postgres") as connection:
        query = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = 'nudges'"
        found = connection.execute(query).fetchone()
    client = stage.redis()
    stats: Any = client.info("everything")
    commands = sum(
        entry["calls"]
        for name, entry in stats.items()
        if name.startswith("cmdstat_") and name[8:].partition("|")[0] not in NOT_ASKED
    )
    return {
        "sql_per_request": int(found[0]) if found else 0,
        "redis_per_request": int(stats["total_reads_processed"]),
        "redis_commands_per_request": commands,
    }
