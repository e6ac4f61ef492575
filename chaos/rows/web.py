"""The workers of the hot requests are killed under load."""

import time
from contextlib import nullcontext
from typing import Final

from chaos.faults import kill_worker
from chaos.poster import posting
from chaos.verdict import Bar, Result, result, settled
from chaos.world import World, progress

WHAT: Final = "each acknowledged event stored and counted once, and no other"
# Long enough for much to wait for its write, short enough for nobody to think that Redis is away.
HELD_SECONDS: Final = 0.15


def killed(world: World) -> list[Result]:
    """Kill -9 one worker after the other, every second time while its writes wait for Redis."""
    kills, wanted = 0, world.count(200, 10)
    with world.open() as (web, _):
        with posting(world.stage, web.port) as record:
            while kills < wanted and progress(record):
                with world.valkey.held_up() if kills % 2 else nullcontext():
                    time.sleep(HELD_SECONDS if kills % 2 else 0)
                    kills += kill_worker(web, world.chance)
                time.sleep(world.chance.random())
            progress(record)
        verdict, seconds = settled(world.stage, record)
    return [
        result(
            *("web-killed", WHAT, f"{kills} x kill -9 of a web worker", record, verdict),
            Bar("kills", kills, wanted, at_least=True),
            drained_seconds=round(seconds, 1),
        )
    ]
