"""The one way in: check an event and append it to its stream. It is durable on return."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

from saleor_nudges import telemetry
from saleor_nudges.events import Event, Flow
from saleor_nudges.events.identity import FUTURE_ALLOWED, is_uuid7, moment_of
from saleor_nudges.exceptions import InvalidEvent
from saleor_nudges.models.partitions import oldest_kept
from saleor_nudges.stream import Entry, get_stream
from saleor_nudges.stream.codec import encode


def capture(*events: Event, now: datetime | None = None) -> None:
    """Take events in. Raises InvalidEvent before anything is kept, StreamUnavailable if it cannot.

    Taking the same fact in again, by whatever road, changes nothing.
    """
    moment = now or datetime.now(UTC)
    by_flow: dict[Flow, list[Entry]] = defaultdict(list)
    for event in events:
        check(event, moment)
        by_flow[event.flow].append(encode(event))
    for flow, entries in by_flow.items():
        get_stream(flow).append(entries)
    for event in events:
        telemetry.CAPTURED.labels(kind=event.kind).inc()


def keep(flow: Flow, entries: Sequence[Entry]) -> None:
    """Take in what a door has checked itself; raises StreamUnavailable if it cannot be kept."""
    get_stream(flow).append(entries)
    for kind, count in Counter(entry.kind for entry in entries).items():
        telemetry.CAPTURED.labels(kind=kind).inc(count)


def check(event: Event, now: datetime) -> None:
    """Raise InvalidEvent, naming the field, unless the event can be kept."""
    if event.in_channel and not event.channel:
        raise InvalidEvent("An event needs the slug of a channel.", field="channel")
    if event.occurred_at.tzinfo is None:
        raise InvalidEvent("The time needs a time zone.", field="at")
    if not is_uuid7(event.id):
        raise InvalidEvent("The id must be a UUIDv7.", field="id")
    moment = moment_of(event.id)
    if moment > now + FUTURE_ALLOWED or event.occurred_at > now + FUTURE_ALLOWED:
        raise InvalidEvent("The event lies more than 24 hours in the future.", field="id")
    oldest = oldest_kept(event.flow, now)
    if moment < oldest or event.occurred_at < oldest:
        raise InvalidEvent("The event is older than what is kept.", field="id")
