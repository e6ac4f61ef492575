"""What one event costs to keep: in Redis while it waits, in Postgres when stored, in a consumer."""

from typing import Any

from benchmarks.bench import Bench
from benchmarks.report import Row
from benchmarks.stage import VIEWS

SIZES = (
    "SELECT coalesce(sum(pg_total_relation_size(relid)), 0) FROM pg_partition_tree(%s) WHERE isleaf"
)


def cost(bench: Bench) -> list[Row]:
    """Put events in, look, drain them, look again: bytes per event, and memory that grows."""
    stage, count = bench.stage, bench.count(1_000_000, 100_000)
    stage.fresh()
    client = stage.redis()
    empty = _used(client.info("memory"))
    stage.inside("fill", count=count)
    waiting = (_used(client.info("memory")) - empty) / count
    drained = stage.inside("drain")
    stored = int(stage.scalar(SIZES, VIEWS)) / count
    left = (_used(client.info("memory")) - empty) / count
    return [
        Row(
            "redis-bytes", "bytes in Redis per event that waits", waiting, detail={"events": count}
        ),
        Row(
            "redis-left",
            "bytes in Redis per event once consumed",
            left,
            detail={"keys": client.dbsize()},
        ),
        Row("stored-bytes", "bytes in Postgres per stored view, its index included", stored),
        Row(
            "consumer-memory",
            "bytes a consumer grows by per event drained",
            drained["rss_grown_bytes"] / count,
            detail={"rss_mb": round(drained["rss_bytes"] / 2**20, 1)},
        ),
        Row(
            "consumer-cpu",
            "microseconds of CPU a consumer needs per event",
            1e6 * drained["cpu_seconds"] / count,
        ),
    ]


def _used(info: Any) -> int:
    return int(info["used_memory"])
