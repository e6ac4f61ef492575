"""Who reads the stream: a list, and the loop that feeds it.

One batch is one transaction: store what is new, fold only that, let the entries go. A worker that
dies in between leaves nothing behind, and an entry handed out twice is stored and folded once.
"""

import time
from collections.abc import Sequence
from datetime import UTC, date, datetime

from saleor_nudges import conf, counts, nudges, retention, reviews, telemetry
from saleor_nudges.consumers import dead_letters
from saleor_nudges.consumers.completing import complete_from
from saleor_nudges.consumers.sorting import Sorted
from saleor_nudges.consumers.work import Fold, Work, is_infrastructure
from saleor_nudges.events import Flow
from saleor_nudges.exceptions import StreamUnavailable
from saleor_nudges.host import host_class
from saleor_nudges.messaging import consents
from saleor_nudges.recovery.watching import watch
from saleor_nudges.stream import Batch, Entry, Stream, get_stream
from saleor_nudges.stream.postgres import PostgresStream

# Each is given the new events of one shop, in the order of their time.
CONSUMERS: tuple[Fold, ...] = (
    consents.fold,
    counts.fold,
    reviews.fold,
    nudges.fold,
    watch.fold,
)
# These look at nothing a storefront reports.
ONLY_COMMERCE = frozenset({consents.fold, reviews.fold})
# Over one and the same event.
MOST_DEATHS = 3

SPILL_SECONDS = 0.25
# So often numbers are counted again while there is always a next batch.
MEASURE_SECONDS = 0.25

_made_on: dict[str, date] = {}
_look_at: dict[Flow, float] = {}
_measure_at: dict[str, float] = {"next": 0.0}


def drain(flow: Flow, *, seconds: float | None = None) -> int:
    """Consume batches until the stream is empty or the time is up; return the events consumed."""
    limit = time.monotonic() + (conf.get().DRAIN_SECONDS if seconds is None else seconds)
    total = 0
    while True:
        count = consume_batch(flow)
        total += count
        if not count or time.monotonic() >= limit:
            measure_now()
            return total


def consume_batch(flow: Flow, wait: float = 0.0) -> int:
    """Consume one batch of each source of a flow; return how many entries they held.

    Waits up to `wait` seconds for the first entry. Raises StreamUnavailable when none of the
    sources can be read, and whatever says that the database is away.
    """
    with host_class().writing():
        _make_partitions_once_a_day()
        dead_letters.retry_due(flow, folds_for(flow))
        sources = get_stream(flow).sources()
        held, troubles = 0, []
        for source in sources:
            # Who is busy with the first looks only a few times a second at what was spilled.
            if held >= conf.get().BATCH_SIZE and not _is_time(flow):
                break
            try:
                held += _consume(source, wait if source is sources[0] else 0.0)
            except StreamUnavailable as error:
                troubles.append(error)
    if time.monotonic() >= _measure_at["next"]:
        measure_now()
    if len(troubles) == len(sources):
        raise troubles[0]
    return held


def measure_now() -> None:
    """Count again the numbers that batches have changed since the last time, and ask the shops for
    the products they named.

    Every batch would count the same few again and again.
    """
    with host_class().writing():
        nudges.ask_changed()
        for shop_id, kind, products in nudges.take_marked():
            try:
                nudges.measure(shop_id, kind, products)
            except Exception as error:
                # It is no event's fault: events go on.
                if is_infrastructure(error):
                    raise
                telemetry.trouble(telemetry.Log.MEASURE_FAILED, type=kind)
    _measure_at["next"] = time.monotonic() + MEASURE_SECONDS


def folds_for(flow: Flow) -> tuple[Fold, ...]:
    """Return who is given the events of a flow."""
    if flow is Flow.COMMERCE:
        return CONSUMERS
    return tuple(fold for fold in CONSUMERS if fold not in ONLY_COMMERCE)


def process(entries: Sequence[Entry], flow: Flow) -> int:
    """Store and fold entries inside the caller's transaction; return how many were new.

    What cannot be read or folded is put aside; HostUnavailable only puts off the facts in question.
    """
    batch = entries if isinstance(entries, Batch) else Batch(entries)
    found = Sorted(batch, flow)
    if batch.deaths >= MOST_DEATHS:
        found.refuse_all(f"{batch.deaths} workers died over it.")
    new = 0
    for shop, events in found.by_shop():
        work = Work(shop, flow, folds_for(flow))
        new += work.run(events, found.entries)
        found.refused.update(work.offenders)
        if work.postponed:
            waiting = [found.entries[event.id] for event in work.postponed]
            PostgresStream(flow).postpone(waiting, work.postponed_for)
    dead_letters.put_aside(found, flow)
    telemetry.CONSUMED.labels(flow=flow).inc(new)
    telemetry.REPEATED.labels(flow=flow).inc(batch.held - new)
    return new


def _consume(source: Stream, wait: float) -> int:
    with (
        telemetry.timed(telemetry.BATCH_SECONDS, flow=source.flow),
        source.batch(conf.get().BATCH_SIZE, wait) as batch,
    ):
        held = batch.held
        if batch.deaths and not isinstance(source, PostgresStream):
            # There they are tried in pieces, each of which remembers who died over it.
            PostgresStream(source.flow).append_suspects(batch, batch.deaths)
            batch.clear()
        if batch:
            process(batch, source.flow)
        return held


def _is_time(flow: Flow) -> bool:
    now = time.monotonic()
    if now < _look_at.get(flow, 0.0):
        return False
    _look_at[flow] = now + SPILL_SECONDS
    return True


def _make_partitions_once_a_day() -> None:
    # A worker that was off for weeks must not wait for the night to have somewhere to store.
    today = datetime.now(UTC).date()
    if _made_on.get("day") != today:
        retention.make_partitions(datetime.now(UTC))
        _made_on["day"] = today


__all__ = ["CONSUMERS", "complete_from", "consume_batch", "drain", "process"]
