"""The workers of the hot requests are killed under load."""

import time

from chaos.faults import kill_worker
from chaos.poster import posting
from chaos.verdict import Result, result, settled
from chaos.world import World, progress

WHAT = "each acknowledged event stored and counted once, and no other"


def killed(world: World) -> list[Result]:
    """Kill -9 one worker after the other; another answers, and a new one comes."""
    kills, wanted = 0, world.count(200, 10)
    with world.open() as (web, _):
        with posting(world.stage, web.port) as record:
            while kills < wanted and progress(record):
                kills += kill_worker(web, world.chance)
                time.sleep(world.chance.random())
            progress(record)
        verdict, seconds = settled(world.stage, record)
    injected, enough = f"{kills} x kill -9 of a web worker", kills == wanted
    found = result(
        "web-killed", WHAT, injected, record, verdict, holds=enough, drained_seconds=seconds
    )
    return [found]
