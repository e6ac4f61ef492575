"""What a page asks, with every filter, beside an app that does one GET of Redis."""

import http.client
import json
import socket
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from benchmarks import payloads, wrk
from benchmarks.bench import Bench, compare
from benchmarks.report import Row
from benchmarks.stage import Stage
from benchmarks.yardsticks import redis_get

P99_BAR: Final = 1.5
LISTING_BAR: Final = 0.67
LISTED: Final = 50
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


def listing(bench: Bench) -> list[Row]:
    """Ask for fifty products of a listing page, and for one product's page."""
    stage = bench.stage
    stage.fresh()
    stage.inside("everywhere")
    _seeded(stage, orders=400, products=400)
    with stage.hot() as server:
        # Each page is built once, by whoever comes first, as above.
        _ask_all(server.port, _asks(stage))
        beside = _ask_all(server.port, _asks(stage, listed=LISTED))
        found = compare(
            bench,
            server,
            server,
            lambda: _asks(stage, listed=LISTED),
            their_requests=lambda: _asks(stage),
        )
    ratio, spread = found.rate.ratio, found.rate.spread
    what = f"requests/s of v1/nudges for a listing of {LISTED} products, to one product"
    detail = found.detail() | {"nudges_beside": sum(beside.nudges) / len(beside.nudges)}
    met = ratio >= LISTING_BAR
    return [Row("listing-50", what, ratio, LISTING_BAR, None, met, spread, detail=detail)]


def _seeded(stage: Stage, orders: int = 20, products: int = 1) -> None:
    stage.inside("fill", count=20_000)
    stage.inside("orders", count=orders, products=products)
    stage.inside("drain")
    stage.inside("drain_facts")


def _asks(stage: Stage, listed: int = 0) -> Sequence[bytes]:
    shop = stage.shop["public_id"]
    return payloads.asks(stage.visitors, path="/v1/nudges", shop=shop, listed=listed)


def _per_request(stage: Stage, port: int) -> dict[str, Any]:
    """Count what reaches Postgres and Redis while pages ask one by one, and while none do."""
    requests = _asks(stage)
    # Each page is built once, by whoever comes first; what follows is about pages that are warm.
    _ask_all(port, requests)
    wrk.run(port, requests, stage.folder, seconds=1)
    time.sleep(STATISTICS_LAG)
    before, began = _counts(stage), time.monotonic()
    asked = _ask_all(port, [requests[number % len(requests)] for number in range(ASKED)])
    asked_in = time.monotonic() - began
    time.sleep(STATISTICS_LAG)
    busy = _counts(stage)
    time.sleep(asked_in + STATISTICS_LAG)
    idle = _counts(stage)
    found = {
        name: round(max(0, (busy[name] - before[name]) - (idle[name] - busy[name])) / ASKED, 4)
        for name in before
    }
    return {**found, "answer_statuses": dict(Counter(asked.statuses)), "kinds": dict(asked.kinds)}


@dataclass(slots=True)
class Asked:
    """What came back: statuses, how many nudges each answer had, and of which kinds."""

    statuses: list[int] = field(default_factory=list)
    nudges: list[int] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)

    def take(self, status: int, body: bytes) -> None:
        """Take one answer in."""
        nudges = json.loads(body)["nudges"]
        self.statuses.append(status)
        self.nudges.append(len(nudges))
        self.kinds.update(nudge["type"] for nudge in nudges)


def _ask_all(port: int, requests: Sequence[bytes]) -> Asked:
    asked = Asked()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        for request in requests:
            connection.sendall(request)
            with http.client.HTTPResponse(connection) as answer:
                answer.begin()
                asked.take(answer.status, answer.read())
    return asked


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
