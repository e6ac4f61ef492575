"""Everything is killed at once, as by a power cut; what reached no disk's log is gone."""

import signal
import time
from typing import Final

from benchmarks.stage import Process
from chaos.facts import facts_coming_in
from chaos.faults import Consumers, kill, workers_of
from chaos.poster import posting
from chaos.rows.web import WHAT
from chaos.verdict import Result, result, settled
from chaos.world import World, progress

# So long writes are on their way before the cut.
HELD_SECONDS: Final = 0.05


def cut(world: World) -> list[Result]:
    """Kill -9 workers, consumer, Redis and Postgres together, writes on their way; start all."""
    count = world.count(50, 4)
    # Under the usual `everysec` Redis answers while it flushes, before it writes (docs/faults.md).
    logged = world.valkey.told(world.stage.redis(), "appendfsync", "always")
    with logged, world.open() as (web, readers):
        with posting(world.stage, web.port) as record, facts_coming_in(world.stage) as facts:
            for _ in range(count):
                progress(record, 60)
                _cut(world, web, readers)
            progress(record, 60)
        verdict, seconds = settled(world.stage, record)
        lost_facts = facts.lost(world.stage)
    return [
        result(
            *("power-cut", WHAT, f"{count} x everything killed at once", record, verdict),
            *facts.bars(lost_facts),
            drained_seconds=round(seconds, 1),
            consumers_restarted=readers.ended,
        )
    ]


def _cut(world: World, web: Process, readers: Consumers) -> None:
    with world.valkey.held_up():
        time.sleep(HELD_SECONDS)
        # The workers first: none of them may see Redis go and keep its writes elsewhere.
        for pid in [*workers_of(web), *(reader.pid for reader in readers.processes)]:
            kill(pid)
        world.valkey.end()
        world.postgres.end(signal.SIGQUIT)
    world.postgres.start()
    world.valkey.start()
