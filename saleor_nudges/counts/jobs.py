"""A recount as rows of work: planned once, claimed by any number of workers."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Now

from saleor_nudges import telemetry
from saleor_nudges.counts.recount import APART, Piece, recount
from saleor_nudges.counts.tally import KINDS
from saleor_nudges.events.identity import uuid7
from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.models import JobState, RecountJob, Shop
from saleor_nudges.models.partitions import stored_since

# A job reads its range and a day to both sides of it. Longer jobs read less twice, shorter ones
# leave more to share; a window is cut into at least so many.
LONGEST: Final = 12
PIECES: Final = 4
LEASE: Final = timedelta(minutes=5)
MOST_TRIES: Final = 3
HOUR: Final = timedelta(hours=1)

CLAIM: Final = f"""
    UPDATE "{RecountJob._meta.db_table}" SET state = 'RUNNING', tries = tries + 1,
        leased_until = now() + %(lease)s, events = 0, differing = 0
    WHERE id = (
        SELECT id FROM "{RecountJob._meta.db_table}"
        WHERE (state = 'WAITING' OR (state = 'RUNNING' AND leased_until < now()))
        AND tries < %(tries)s AND (%(run)s::uuid IS NULL OR run = %(run)s)
        ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1
    ) RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is."""

    jobs: int
    done: int
    failed: int
    events: int
    differing: int

    @property
    def is_over(self) -> bool:
        """Tell whether nothing is left to do."""
        return self.done + self.failed == self.jobs


def plan(
    shops: Iterable[Shop],
    start: datetime,
    end: datetime,
    *,
    kinds: Sequence[str] = KINDS,
    channel: str = "",
    dry_run: bool = False,
) -> UUID:
    """Write the jobs of one run over the whole hours of [start, end) and return the run's id.

    Raises InvalidInput where the window is empty, or its events are not all there any more.
    """
    first, last = _hour(start), _hour(end + HOUR - timedelta(microseconds=1))
    if first >= last:
        raise InvalidInput("The window is empty: it begins after it ends.", field="from")
    for kind in kinds:
        _check_stored(kind, first)
    run, width = uuid7(), _width(first, last)
    RecountJob.objects.bulk_create(
        RecountJob(
            run=run,
            shop=shop,
            channel=channel,
            kind=kind,
            start=begin,
            end=min(begin + width, last),
            is_dry_run=dry_run,
        )
        for shop in shops
        for kind in kinds
        for begin in _steps(first, last, width)
    )
    return run


def work(run: UUID | None = None, *, seconds: float) -> int:
    """Do jobs until none is left or the time is up; return how many were done."""
    limit, done = time.monotonic() + seconds, 0
    while (job := claim(run)) is not None:
        done += do(job)
        if time.monotonic() >= limit:
            break
    return done


def claim(run: UUID | None = None) -> RecountJob | None:
    """Take a job that waits, or whose worker's lease is over; None if there is none."""
    give_up()
    with connection.cursor() as cursor:
        values: Any = {"lease": LEASE, "tries": MOST_TRIES, "run": run}
        cursor.execute(CLAIM, values)
        row = cursor.fetchone()
    return RecountJob.objects.across_shops().get(pk=row[0]) if row else None


def do(job: RecountJob) -> bool:
    """Do one job that was claimed; tell whether it is done. A failure is kept with the job."""
    mine = _mine(job)
    try:
        for outcome in recount(Piece.of(job), dry_run=job.is_dry_run):
            job.events += outcome.events
            job.differing += outcome.differing
            if not mine.update(
                events=job.events, differing=job.differing, leased_until=Now() + LEASE
            ):
                return False
    except Exception as error:
        telemetry.trouble(telemetry.Log.RECOUNT_FAILED, job=str(job.pk))
        state = JobState.FAILED if job.tries >= MOST_TRIES else JobState.WAITING
        mine.update(state=state, error=str(error)[:255])
        return False
    return bool(mine.update(state=JobState.DONE, leased_until=None, error=""))


def progress(run: UUID) -> Progress:
    """Return how far a run is."""
    found = (
        RecountJob.objects.across_shops()
        .filter(run=run)
        .aggregate(
            jobs=Count("id"),
            done=Count("id", filter=Q(state=JobState.DONE)),
            failed=Count("id", filter=Q(state=JobState.FAILED)),
            all_events=Sum("events", default=0),
            all_differing=Sum("differing", default=0),
        )
    )
    return Progress(*(int(found[name]) for name in found))


def waiting() -> int:
    """Return how many jobs are not finished."""
    unfinished = (JobState.WAITING, JobState.RUNNING)
    return RecountJob.objects.across_shops().filter(state__in=unfinished).count()


def give_up() -> None:
    """Fail the jobs whose last worker died over them."""
    RecountJob.objects.across_shops().filter(
        state=JobState.RUNNING, leased_until__lt=Now(), tries__gte=MOST_TRIES
    ).update(state=JobState.FAILED, error="Its workers died over it.")


def _mine(job: RecountJob) -> QuerySet[RecountJob]:
    # The number of tries is the fence: whoever claims it after us raises it.
    return RecountJob.objects.of(job.shop_id).filter(
        pk=job.pk, tries=job.tries, state=JobState.RUNNING
    )


def _check_stored(kind: str, start: datetime) -> None:
    table = Piece(UUID(int=0), "", kind, start, start).table
    since = stored_since(table._meta.db_table)
    if since is None:
        raise InvalidInput(f"No event of {kind} is kept.", field="from")
    # To the side of its range a job reads as far as an id may lie from its event's time.
    first = _hour(since + APART[table] + HOUR)
    if start < first:
        told = f"The events of {kind} are all there from {first:%Y-%m-%dT%H:%M} UTC on only."
        raise InvalidInput(told, field="from")


def _width(first: datetime, last: datetime) -> timedelta:
    hours = (last - first) // HOUR
    return HOUR * min(max(-(-hours // PIECES), 1), LONGEST)


def _steps(first: datetime, last: datetime, width: timedelta) -> Iterable[datetime]:
    while first < last:
        yield first
        first += width


def _hour(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
