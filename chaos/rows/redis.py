"""Redis dies, forgets, comes back empty: facts are safe, views as safe as was said."""

import shutil
import time
from collections.abc import Callable
from typing import Final
from uuid import UUID

from chaos.facts import facts_coming_in
from chaos.faults import Server
from chaos.poster import posting
from chaos.verdict import Result, result, settled, stored_views
from chaos.world import World, progress

WHAT: Final = "no acknowledged event lost, none doubled; commerce facts too"
WHAT_BUDGET: Final = "facts none lost; views no more than waited in Redis; none doubled"
AWAY_SECONDS: Final = 1.5
# So long an answer of Redis may take from our worker to the shopper's pen.
GRACE: Final = 0.5

# Breaks it, mends it, and returns when what it had been told was gone.
Fault = Callable[[Server], float]


def killed(world: World) -> list[Result]:
    """Kill -9 it under load, its log on disk: what was acknowledged is in the log."""
    count = world.count(50, 5)

    injected = f"{count} x kill -9 of Redis with its log"
    return [_played(world, "redis-killed", injected, count, _restarted)]


def flushed(world: World) -> list[Result]:
    """FLUSHALL under load: what waited is gone, and nothing else."""
    count = world.count(10, 3)
    injected = f"{count} x FLUSHALL"

    def fault(_server: Server) -> float:
        world.stage.redis().flushall()
        return time.monotonic()

    return [_played(world, "redis-flushed", injected, count, fault, keeps_views=False)]


def emptied(world: World) -> list[Result]:
    """Kill -9 it and start it on an empty folder: streams and consumer groups are gone."""
    count = world.count(10, 2)

    def fault(server: Server) -> float:
        server.end()
        gone = time.monotonic()
        shutil.rmtree(world.stage.folder / "valkey" / "appendonlydir", ignore_errors=True)
        server.start()
        return gone

    injected = f"{count} x Redis back without its data"
    return [_played(world, "redis-emptied", injected, count, fault, keeps_views=False)]


def unlogged(world: World) -> list[Result]:
    """Kill -9 it while it keeps no log."""
    count = world.count(10, 2)
    server = world.valkey
    logging = server.command
    server.command = ["no" if word == "yes" else word for word in logging]
    try:
        server.end()
        server.start()
        injected = f"{count} x kill -9 of Redis without a log"
        return [_played(world, "redis-unlogged", injected, count, _restarted, keeps_views=False)]
    finally:
        server.command = logging
        server.end()
        server.start()


def _restarted(server: Server) -> float:
    server.end()
    gone = time.monotonic()
    time.sleep(AWAY_SECONDS)
    server.start()
    return gone


def _played(
    world: World,
    name: str,
    injected: str,
    count: int,
    fault: Fault,
    *,
    keeps_views: bool = True,
) -> Result:
    stage, at_risk = world.stage, set[UUID]()
    with world.open() as (web, readers):
        with posting(stage, web.port) as record, facts_coming_in(stage) as facts:
            for _ in range(count):
                progress(record, 60)
                with readers.held_up():
                    progress(record, 60)
                    last = fault(world.valkey) + GRACE
                    time.sleep(max(0.0, last - time.monotonic()))
                    told = dict(record.acknowledged)
                    # Acknowledged by then and stored nowhere: it may be gone, and nothing else.
                    at_risk |= {one for one, at in told.items() if at <= last}
                    at_risk -= set(stored_views(stage))
            progress(record, 60)
        may_be_lost = frozenset[UUID]() if keeps_views else frozenset(at_risk)
        verdict, seconds = settled(stage, record, may_be_lost)
        lost_facts = facts.lost(stage)
    return result(
        *(name, WHAT if keeps_views else WHAT_BUDGET, injected, record, verdict),
        *facts.bars(lost_facts),
        may_be_lost=may_be_lost,
        views_at_risk=len(at_risk),
        drained_seconds=round(seconds, 1),
    )
