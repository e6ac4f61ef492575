"""Postgres stops at once, throws its sessions out, stays away: nothing acknowledged is lost."""

import signal
import time
from collections.abc import Callable
from typing import Final

import psycopg

from chaos.facts import facts_coming_in
from chaos.faults import Consumers
from chaos.poster import RATE, USUAL_RATE, Record, asking, posting
from chaos.verdict import Bar, Result, result, settled
from chaos.world import World, large_batch, progress

WHAT: Final = "no acknowledged event or fact lost or doubled; v1/nudges >= 99.9 % 200"
AVAILABLE: Final = 0.999
# A backlog goes at least so many times faster than it came, once it is noticed that Postgres is
# back: whoever consumes pauses for up to five seconds between two tries.
DRAIN_BAR: Final = 10.0
NOTICED_SECONDS: Final = 5.0

Fault = Callable[[Record, Consumers], None]


def stopped(world: World) -> list[Result]:
    """Stop it at once, as a power switch would for its sessions, and start it again."""
    count = world.count(50, 4)

    def fault(record: Record, readers: Consumers) -> None:
        large_batch(world, record, readers)
        world.postgres.end(signal.SIGQUIT)
        time.sleep(0.3)
        world.postgres.start()

    return [_played(world, "postgres-stopped", f"{count} x immediate stop", count, fault)]


def sessions_ended(world: World) -> list[Result]:
    """pg_terminate_backend on every session, over and over, in the middle of commits."""
    count = world.count(200, 10)

    def fault(record: Record, readers: Consumers) -> None:
        large_batch(world, record, readers)
        _terminate_all(world)

    injected = f"{count} x every session ended"
    return [_played(world, "sessions-ended", injected, count, fault)]


def away(world: World) -> list[Result]:
    """It is gone for a while; then what waited is stored, faster than it came."""
    seconds = world.count(600, 15)

    def fault(_record: Record, _readers: Consumers) -> None:
        world.postgres.end(signal.SIGQUIT)
        time.sleep(seconds)
        world.postgres.start()

    return [
        _played(world, "postgres-away", f"{seconds} s without Postgres", 1, fault, away=seconds)
    ]


def _played(
    world: World, name: str, injected: str, count: int, fault: Fault, away: int = 0
) -> Result:
    stage, backlog = world.stage, 0.0
    drained_within = away / DRAIN_BAR + NOTICED_SECONDS
    with world.open() as (web, readers):
        with (
            posting(stage, web.port, USUAL_RATE if away else RATE) as record,
            asking(stage, web.port) as asker,
            facts_coming_in(stage) as facts,
        ):
            for _ in range(count):
                progress(record, 60)
                fault(record, readers)
            began = time.monotonic()
            if away:
                backlog = _caught_up(world, len(record.acknowledged), began)
            progress(record, 60)
        verdict, seconds = settled(stage, record)
        lost_facts = facts.lost(stage)
    return result(
        *(name, WHAT, injected, record, verdict),
        Bar("v1/nudges 200", round(asker.available, 5), AVAILABLE, at_least=True),
        *facts.bars(lost_facts),
        *([Bar("caught up s", round(backlog, 2), drained_within)] if away else []),
        nudges_statuses={str(status): number for status, number in asker.statuses.items()},
        drained_seconds=round(seconds, 1),
        consumers_restarted=readers.ended,
    )


def _caught_up(world: World, wanted: int, began: float) -> float:
    """Return the seconds until as many are stored as were acknowledged when it came back."""
    while world.stage.stored() < wanted and time.monotonic() - began < 60:
        time.sleep(0.05)
    return time.monotonic() - began


def _terminate_all(world: World) -> None:
    query = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    try:
        with world.stage.connect() as connection:
            connection.execute(query)
    except psycopg.OperationalError:
        pass
