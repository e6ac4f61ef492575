"""When somebody may be written to, by the clocks where they may be: deferred, never dropped.

A moment is inside the hours when the wall clock of each zone shows a time inside them. Nothing
else is asked, so an hour that a clock skips is nowhere, and an hour that it shows twice counts
twice.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final, Self
from zoneinfo import ZoneInfo

from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.recovery.message_channels import MessageChannel

DAY: Final = 86_400
WEEK: Final = 7 * DAY
# Monday is 0, as datetime.weekday() counts.
EVERY_DAY: Final = frozenset(range(7))
# A window of one weekday can be skipped once by a clock that jumps, and opens a week later.
HORIZON: Final = timedelta(days=15)

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Window:
    """Open from `opens` to just before `closes`, whole minutes of local time, on these weekdays.

    What closes before it opens ends on the next day; midnight to midnight is the whole day.
    """

    opens: time
    closes: time
    days: frozenset[int] = EVERY_DAY


@dataclass(frozen=True, slots=True)
class Hours:
    """The open spans of a local week, in seconds since Monday 00:00: sorted, none touching."""

    spans: tuple[Span, ...]

    @classmethod
    def of(cls, windows: Iterable[Window], *, field: str = "sendWindow") -> Self:
        """Return the hours inside any of the windows; raises InvalidInput for an unclear one."""
        return cls(_merged(span for window in windows for span in _spans(window, field)))

    def __and__(self, other: "Hours") -> "Hours":
        """Return the hours that are inside both."""
        both = (
            (max(ours[0], theirs[0]), min(ours[1], theirs[1]))
            for ours in self.spans
            for theirs in other.spans
        )
        return Hours(_merged(span for span in both if span[0] < span[1]))

    def __bool__(self) -> bool:
        """Tell whether they are ever open."""
        return bool(self.spans)

    @property
    def closed(self) -> tuple[Span, ...]:
        """The rest of the week."""
        edges = [0, *(edge for span in self.spans for edge in span), WEEK]
        pairs = zip(edges[::2], edges[1::2], strict=True)
        return tuple((start, end) for start, end in pairs if start < end)

    def until(self, second: int, *, is_open: bool) -> int | None:
        """Return the seconds until they are open, or closed: 0 for now, None for never."""
        spans = self.spans if is_open else self.closed
        for start, end in spans:
            if second < end:
                return max(start - second, 0)
        return spans[0][0] + WEEK - second if spans else None


ALWAYS: Final = Hours(((0, WEEK),))
# The hours that American law (TCPA) leaves for calls and texts; the tools we know keep them too.
DAYTIME: Final = Hours(tuple((day + 8 * 3600, day + 21 * 3600) for day in range(0, WEEK, DAY)))
# Mail waits silently until it is read. Whatever else there is makes a sound.
SILENT: Final = frozenset({MessageChannel.EMAIL})


@dataclass(frozen=True, slots=True)
class Opening:
    """When a message may go: from `at` until just before `closes_at`, None where that never comes.

    `zones` are those whose clocks were asked: all that were given, or the likeliest one alone where
    no moment of the week is inside the hours in all.
    """

    at: datetime
    closes_at: datetime | None
    zones: tuple[str, ...]


def usual_hours(message_channel: str) -> Hours:
    """Return the hours of a message channel for which the seller has chosen none."""
    return ALWAYS if message_channel in SILENT else DAYTIME


def is_open(at: datetime, hours: Hours, zones: Sequence[str]) -> bool:
    """Tell whether an aware time is inside the hours in all zones."""
    seconds = [_second(at.astimezone(zone)) for zone in _clocks(zones)]
    return all(hours.until(second, is_open=True) == 0 for second in seconds)


def next_open(at: datetime, hours: Hours, zones: Sequence[str]) -> Opening | None:
    """Return the first moment from `at` on that is inside the hours in all zones, likeliest first.

    None only for hours that are never open. Asked again with its own answer it answers the same.
    Raises InvalidInput for a time without a zone, for no zone, and for one that does not exist.
    """
    clocks, at = _clocks(zones), utc(at, field="at")
    if not hours:
        return None
    for asked in (clocks, clocks[:1]):
        opens_at = _first_common(at, hours, asked)
        if opens_at is not None:
            ends = [_first(opens_at, hours, clock, is_open=False) for clock in asked]
            closes_at = min(filter(None, ends), default=None)
            return Opening(opens_at, closes_at, tuple(clock.key for clock in asked))
    return None


def utc(moment: datetime, *, field: str) -> datetime:
    """Return the same moment in UTC; raises InvalidInput for a time that names no zone."""
    if moment.tzinfo is None:
        raise InvalidInput("A time needs its zone.", field=field)
    return moment.astimezone(UTC)


def clock_of(zone: str, *, field: str = "timezone") -> ZoneInfo:
    """Return the clock of a zone as "Europe/Lisbon"; raises InvalidInput if there is none."""
    try:
        return ZoneInfo(zone)
    # A name may be unknown, empty, a folder of the database, or lead out of it.
    except (KeyError, ValueError, OSError) as error:
        raise InvalidInput(f"There is no time zone {zone!r}.", field=field) from error


def _clocks(zones: Sequence[str]) -> list[ZoneInfo]:
    if not zones:
        raise InvalidInput("Name a time zone.", field="timezone")
    return [clock_of(zone) for zone in zones]


def _first_common(at: datetime, hours: Hours, clocks: Sequence[ZoneInfo]) -> datetime | None:
    """Ask one clock after the other until all agree: nobody can be open before the last of them."""
    last = at + HORIZON
    while at <= last:
        opens = [_first(at, hours, clock, is_open=True) for clock in clocks]
        known = [moment for moment in opens if moment is not None]
        if len(known) < len(opens):
            return None
        if max(known) == at:
            return at
        at = max(known)
    return None


def _first(at: datetime, hours: Hours, clock: ZoneInfo, *, is_open: bool) -> datetime | None:
    """Return when a clock first shows an open time, or a closed one: at most a day in a stride."""
    last = at + HORIZON
    while at <= last:
        wait = hours.until(_second(at.astimezone(clock)), is_open=is_open)
        if wait is None:
            return None
        if wait == 0:
            return at
        ahead = at.replace(microsecond=0) + timedelta(seconds=min(wait, DAY))
        at = _put_at(clock, at, ahead) or ahead
    return None


def _put_at(clock: ZoneInfo, start: datetime, end: datetime) -> datetime | None:
    """Return the first second after a clock was put between two moments, None if it was not."""
    offset = start.astimezone(clock).utcoffset()
    if end.astimezone(clock).utcoffset() == offset:
        return None
    before, after = int(start.timestamp()), int(end.timestamp())
    while after - before > 1:
        middle = (before + after) // 2
        is_before = datetime.fromtimestamp(middle, clock).utcoffset() == offset
        before, after = (middle, after) if is_before else (before, middle)
    return datetime.fromtimestamp(after, UTC)


def _second(local: datetime) -> int:
    """Return the second of the week that a clock shows."""
    of_day = local.hour * 3600 + local.minute * 60 + local.second
    return local.weekday() * DAY + of_day


def _spans(window: Window, field: str) -> Iterable[Span]:
    opens, closes = (_of_day(moment, field) for moment in (window.opens, window.closes))
    if not window.days or not window.days <= EVERY_DAY:
        raise InvalidInput("Name the weekdays, 0 for Monday to 6 for Sunday.", field=field)
    if opens == closes != 0:
        raise InvalidInput("A window cannot close when it opens.", field=field)
    length = (closes - opens) % DAY or DAY
    for day in window.days:
        start = day * DAY + opens
        yield start, min(start + length, WEEK)
        yield 0, max(start + length - WEEK, 0)


def _of_day(moment: time, field: str) -> int:
    if moment.tzinfo is not None or moment.second or moment.microsecond:
        raise InvalidInput("Hours are whole minutes of local time.", field=field)
    return moment.hour * 3600 + moment.minute * 60


def _merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    merged: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return tuple(merged)
