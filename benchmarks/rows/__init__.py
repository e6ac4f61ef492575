"""Every measurement by its id, in the order of the table."""

from collections.abc import Callable
from typing import Final

from benchmarks.bench import Bench
from benchmarks.report import Row
from benchmarks.rows import (
    archive,
    claiming,
    cost,
    drain,
    fairness,
    freshness,
    hook,
    hosted,
    ingest,
    live,
    overload,
    reads,
    sending,
    soak,
    sweeping,
    widget,
)

# A measurement may answer several rows; the first has its id.
ROWS: Final[dict[str, Callable[[Bench], list[Row]]]] = {
    "one-event": ingest.one_event,
    "batch-20": ingest.batch_20,
    "vs-django": ingest.vs_django,
    "commerce-ack": ingest.commerce_ack,
    "drain": drain.one_rollup,
    "drain-every-fold": drain.every_fold,
    "day": drain.day,
    "nudges-read": reads.nudges,
    "listing-50": reads.listing,
    "live-exact": live.exact,
    "redis-day": live.day,
    "freshness-174": freshness.usual,
    "freshness-1740": freshness.rush,
    "freshness-celery": freshness.celery_only,
    "hook": hook.hook,
    "archive": archive.archive,
    "overload": overload.overload,
    "noisy-neighbour": fairness.noisy_neighbour,
    "sender": sending.sender,
    "due-at-once": sending.at_once,
    "due-to-smtp": sending.idle,
    "claim-complete": claiming.claim_complete,
    "sweep-1m": sweeping.sweep,
    "two-workers": sweeping.side_by_side,
    "hosted-sweep": hosted.while_sweeping,
    "cost": cost.cost,
    "soak": soak.soak,
    "widget": widget.widget,
}
