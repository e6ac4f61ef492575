"""Every Celery task; each calls one engine function, is idempotent, and may run side by side."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from celery import shared_task

from saleor_nudges import archive as archiving
from saleor_nudges import conf, consumers, counts, nudges, retention
from saleor_nudges import reconcile as reconciling
from saleor_nudges.counts import jobs
from saleor_nudges.events import Flow
from saleor_nudges.host import host_class
from saleor_nudges.models import Shop, archives
from saleor_nudges.recovery.giving import voiding
from saleor_nudges.recovery.sending import detect, send

# So many workers are called at once to share a recount; those who come late find it done.
RECOUNT_FAN_OUT = 16
# What is in the ledger does not wait longer for what is to be entered.
LONGEST_LOOK = 10.0


@shared_task(name="saleor_nudges.tasks.drain")
def drain() -> int:
    """Consume what waits in both streams."""
    return sum(consumers.drain(flow) for flow in Flow)


@shared_task(name="saleor_nudges.tasks.sweep")
def sweep() -> int:
    """Enter due messages into the ledger and send them."""
    try:
        with host_class().writing():
            detect.detect(seconds=LONGEST_LOOK)
    finally:
        # What is in the ledger goes, whatever is wrong with what is not in it yet.
        sent = send.send_due()
    return sent


@shared_task(name="saleor_nudges.tasks.vouchers")
def vouchers() -> int:
    """End the vouchers that are not needed any more, and take their codes out of the shops."""
    with host_class().writing():
        return voiding.work()


@shared_task(name="saleor_nudges.tasks.measure")
def measure() -> int:
    """Measure again what is on pages, before its number expires."""
    with host_class().writing():
        return sum(map(nudges.measure_due, Shop.objects.filter(is_active=True)))


@shared_task(name="saleor_nudges.tasks.products")
def products() -> int:
    """Ask the shops again for what is on pages: whether it is for sale, and what is left of it."""
    with host_class().writing():
        return nudges.ask_due()


@shared_task(name="saleor_nudges.tasks.reconcile")
def reconcile() -> int:
    """Read from the shops what hooks and webhooks may have missed."""
    return reconciling.reconcile_all()


@shared_task(name="saleor_nudges.tasks.archive")
def archive() -> int:
    """Hand out what is to be archived, a task per piece; return how many."""
    if not archives.is_on():
        return 0
    with host_class().writing():
        waiting = archiving.start(datetime.now(UTC))
    for piece in waiting:
        archive_piece.apply_async((str(piece),), **_queue())
    return len(waiting)


def _queue() -> dict[str, Any]:
    queue = conf.get().CELERY_QUEUE
    return {"queue": queue} if queue else {}


@shared_task(name="saleor_nudges.tasks.archive_unfinished")
def archive_unfinished() -> int:
    """Go on with what was interrupted, or came late: the same work, more often."""
    return archive()


@shared_task(name="saleor_nudges.tasks.archive_piece")
def archive_piece(piece: str) -> bool:
    """Archive one piece, and drop its partition if it was the last; False if another has it."""
    with host_class().writing():
        return archiving.archive_piece(UUID(piece)) and archiving.drop_if_last(UUID(piece))


@shared_task(name="saleor_nudges.tasks.housekeeping")
def housekeeping() -> None:
    """Make partitions ahead, drop those past their age, delete what is kept no longer."""
    now = datetime.now(UTC)
    with host_class().writing():
        retention.make_partitions(now)
        retention.drop_old_partitions(now)
        retention.delete_interactions(now)
        retention.delete_aged(now)


@shared_task(name="saleor_nudges.tasks.trim")
def trim() -> int:
    """Make hours of visitors from the five minutes of them, and only then delete these."""
    now = datetime.now(UTC)
    with host_class().writing():
        counts.close_hours(now)
        return retention.delete_aged_counts(now)


@shared_task(name="saleor_nudges.tasks.recount")
def recount() -> int:
    """Take up the jobs of recounts, for a while; return how many were done."""
    with host_class().writing():
        return jobs.work(seconds=conf.get().RECOUNT_SECONDS)


def recount_with(count: int) -> None:
    """Ask so many workers, at most, to take up jobs; each goes on for as long as there are any."""
    for _ in range(min(count, RECOUNT_FAN_OUT)):
        recount.apply_async(**_queue())
