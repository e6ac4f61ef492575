"""Every fault by its id, in the order of the table."""

from collections.abc import Callable
from typing import Final

from chaos.rows import consumers, poison, postgres, power, reconcile, redis, senders, web
from chaos.verdict import Result
from chaos.world import World

# A fault may answer several rows; the first has its id.
ROWS: Final[dict[str, Callable[[World], list[Result]]]] = {
    "web-killed": web.killed,
    "consumer-killed": consumers.killed,
    "redis-killed": redis.killed,
    "redis-flushed": redis.flushed,
    "redis-emptied": redis.emptied,
    "redis-unlogged": redis.unlogged,
    "postgres-stopped": postgres.stopped,
    "sessions-ended": postgres.sessions_ended,
    "postgres-away": postgres.away,
    "power-cut": power.cut,
    "reconcile": reconcile.reconcile,
    "senders-killed": senders.killed,
    "interleavings": senders.interleavings,
    "beats": senders.beats,
    "clock-skew": senders.skew,
    "poison": poison.poison,
    "pill": poison.pill,
    # Not a fault of anybody's: whether the rows above see one (R16).
    "defects": senders.defects,
}
