"""Those who consume are killed in the middle of their batches."""

import time

from chaos.poster import posting
from chaos.rows.web import WHAT
from chaos.verdict import Bar, Result, result, settled
from chaos.world import World, large_batch, progress


def killed(world: World) -> list[Result]:
    """Kill -9 one of two after the other, every second time in the middle of a batch."""
    kills, wanted = 0, world.count(200, 10)
    with world.open(consumers=2) as (web, readers):
        with posting(world.stage, web.port) as record:
            while kills < wanted and progress(record, 50):
                if kills % 2:
                    large_batch(world, record, readers)
                readers.kill_one(world.chance)
                kills += 1
                # At any moment of a start.
                time.sleep(world.chance.random() * 0.8)
        verdict, seconds = settled(world.stage, record)
    injected = f"{kills} x kill -9 of one of two consumers"
    return [
        result(
            *("consumer-killed", WHAT, injected, record, verdict),
            Bar("kills", kills, wanted, at_least=True),
            drained_seconds=round(seconds, 1),
            restarts=readers.ended,
        )
    ]
