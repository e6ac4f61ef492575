"""Redis dies, forgets, comes back empty: facts are safe, views as safe as was said."""

import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final
from uuid import UUID

from chaos.facts import facts_coming_in
from chaos.faults import Server
from chaos.poster import Record, posting
from chaos.verdict import Result, Verdict, result, settled, stored_views
from chaos.world import World, progress

WHAT: Final = "no acknowledged event lost, none doubled; commerce facts too"
WHAT_BUDGET: Final = "facts none lost; views no more than waited in Redis; none doubled"
AWAY_SECONDS: Final = 0.5


def killed(world: World) -> list[Result]:
    """Kill -9 it under load, its log on disk: what was acknowledged is in the log."""
    count = world.count(50, 5)

    injected = f"{count} x kill -9 of Redis with its log"
    return [_played(world, "redis-killed", injected, count, _restarted)]


def flushed(world: World) -> list[Result]:
    """FLUSHALL under load: what waited is gone, and nothing else."""
    count = world.count(10, 3)
    injected = f"{count} x FLUSHALL"
    return [
        _played(
            *(world, "redis-flushed", injected, count),
            lambda _server: world.stage.redis().flushall(),
            keeps_views=False,
        )
    ]


def emptied(world: World) -> list[Result]:
    """Kill -9 it and start it on an empty folder: streams and consumer groups are gone."""
    count = world.count(10, 2)

    def fault(server: Server) -> None:
        server.end()
        shutil.rmtree(world.stage.folder / "valkey" / "appendonlydir", ignore_errors=True)
        server.start()

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


def _restarted(server: Server) -> None:
    server.end()
    time.sleep(AWAY_SECONDS)
    server.start()


def _played(
    world: World,
    name: str,
    injected: str,
    count: int,
    fault: Callable[[Server], object],
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
                    fault(world.valkey)
                    # What had been acknowledged by now and is stored nowhere may be gone.
                    at_risk |= dict(record.acknowledged).keys() - set(stored_views(stage))
            progress(record, 60)
        verdict, seconds = settled(stage, record, 75 if keeps_views else 15)
        lost_facts = facts.lost(stage)
    return _judged(
        *(name, injected, record, verdict, at_risk),
        keeps_views=keeps_views,
        facts_acknowledged=len(facts.acknowledged),
        facts_lost=len(lost_facts),
        drained_seconds=round(seconds, 1),
    )


def _judged(
    name: str,
    injected: str,
    record: Record,
    verdict: Verdict,
    at_risk: set[UUID],
    *,
    keeps_views: bool,
    facts_acknowledged: int,
    facts_lost: int,
    drained_seconds: float,
) -> Result:
    facts_hold = facts_acknowledged > 0 and facts_lost == 0
    found = result(
        *(name, WHAT if keeps_views else WHAT_BUDGET, injected, record, verdict),
        holds=facts_hold,
        views_at_risk=len(at_risk),
        facts_acknowledged=facts_acknowledged,
        facts_lost=facts_lost,
        drained_seconds=drained_seconds,
    )
    if keeps_views:
        return found
    rest = replace(verdict, lost=verdict.lost - at_risk)
    return replace(found, holds=rest.holds and facts_hold and bool(record.acknowledged))
