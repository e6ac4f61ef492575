"""Hours defer a message: never drop it, never early, never outside, in any zone."""

from datetime import UTC, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.recovery.rules.hours import (
    ALWAYS,
    DAYTIME,
    EVERY_DAY,
    Hours,
    Window,
    is_open,
    next_open,
    usual_hours,
)

SECOND, MINUTE, HOUR, DAY = (timedelta(seconds=s) for s in (1, 60, 3600, 86_400))
WORKDAYS = frozenset(range(5))
DAY_HOURS = (Window(time(8), time(21)),)
OFFICE = (Window(time(9), time(17), WORKDAYS),)
NIGHT = (Window(time(22), time(2)),)
# Where clocks skip an hour it is mostly this one.
AT_TWO = (Window(time(2), time(3)),)
HALF_PAST_TWO = (Window(time(2, 30), time(4)),)
SUNDAY_AT_TWO = (Window(time(2, 15), time(2, 45), frozenset({6})),)
TWICE = (Window(time(0, 30), time(1, 30)), Window(time(23), time(0)))
ZONES = sorted(available_timezones())


def shows(moment: datetime, windows: tuple[Window, ...], zone: str) -> bool:
    """Tell whether a zone's wall clock shows a time inside a window: another way to say it."""
    local = moment.astimezone(ZoneInfo(zone))
    now, today = local.time(), local.weekday()
    for window in windows:
        if window.opens < window.closes:
            if today in window.days and window.opens <= now < window.closes:
                return True
        elif (today in window.days and now >= window.opens) or (
            (today - 1) % 7 in window.days and now < window.closes
        ):
            return True
    return False


def between(start: datetime, end: datetime, stride: timedelta) -> list[datetime]:
    return [start + n * stride for n in range(int((end - start) / stride))]


@cache
def changes(zone: str, year: int) -> list[datetime]:
    """Return the seconds of a year at which a zone's clock was put."""
    clock, found = ZoneInfo(zone), []
    days = between(datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC), DAY)
    for day in days:
        low, high, offset = day, day + DAY, day.astimezone(clock).utcoffset()
        if high.astimezone(clock).utcoffset() == offset:
            continue
        while high - low > SECOND:
            middle = low + timedelta(seconds=(high - low) // SECOND // 2)
            low, high = (
                (middle, high) if middle.astimezone(clock).utcoffset() == offset else (low, middle)
            )
        found.append(high)
    return found


@pytest.mark.parametrize(
    ("_case", "windows", "zone", "due", "expected"),
    [
        ("open", DAY_HOURS, "Europe/Lisbon", "2026-11-20T20:59:59", "2026-11-20T20:59:59"),
        ("closed_from_the_minute", DAY_HOURS, "UTC", "2026-11-20T21:00", "2026-11-21T08:00"),
        ("late_in_lisbon", DAY_HOURS, "Europe/Lisbon", "2026-11-20T22:40", "2026-11-21T08:00"),
        ("too_early", DAY_HOURS, "Asia/Kolkata", "2026-11-20T00:00", "2026-11-20T02:30"),
        ("a_blink_before", DAY_HOURS, "UTC", "2026-11-20T07:59:59.500", "2026-11-20T08:00"),
        ("a_day_ahead_of_us", DAY_HOURS, "Pacific/Kiritimati", "2026-11-20T09:00", "2026-11-20T18"),
        ("friday_night", OFFICE, "Europe/Lisbon", "2026-11-20T17:00", "2026-11-23T09:00"),
        ("past_midnight", NIGHT, "UTC", "2026-11-20T01:59", "2026-11-20T01:59"),
        ("sunday_into_monday", NIGHT, "UTC", "2026-11-23T01:00", "2026-11-23T01:00"),
        ("after_the_night", NIGHT, "UTC", "2026-11-20T02:00", "2026-11-20T22:00"),
        # 29 March 2026, 01:00 UTC: 2:00 in Berlin becomes 3:00.
        ("spring_morning", DAY_HOURS, "Europe/Berlin", "2026-03-28T21:00", "2026-03-29T06:00"),
        ("skipped_window", AT_TWO, "Europe/Berlin", "2026-03-28T12:00", "2026-03-30T00:00"),
        ("half_skipped", HALF_PAST_TWO, "Europe/Berlin", "2026-03-28T12:00", "2026-03-29T01:00"),
        ("skipped_week", SUNDAY_AT_TWO, "Europe/Berlin", "2026-03-28T00:00", "2026-04-05T00:15"),
        # 25 October 2026, 01:00 UTC: 3:00 in Berlin becomes 2:00.
        ("autumn_morning", DAY_HOURS, "Europe/Berlin", "2026-10-24T21:00", "2026-10-25T07:00"),
        ("second_time", SUNDAY_AT_TWO, "Europe/Berlin", "2026-10-25T00:45", "2026-10-25T01:15"),
        ("lands_inside", AT_TWO, "Europe/Berlin", "2026-10-25T01:00", "2026-10-25T01:00"),
        # Samoa had no 30 December 2011.
        (
            "skipped_day",
            (Window(time(9), time(17), frozenset({4})),),
            "Pacific/Apia",
            "2011-12-30T00:00",
            "2012-01-05T19:00",
        ),
    ],
)
def test_next_open(_case, windows, zone, due, expected):
    # given
    due, expected = (datetime.fromisoformat(at).replace(tzinfo=UTC) for at in (due, expected))
    # when
    opening = next_open(due, Hours.of(windows), [zone])
    # then
    assert opening.at == expected
    assert opening.zones == (zone,)


@pytest.mark.parametrize(
    ("_case", "windows", "at", "expected"),
    [
        ("closes_at_nine", DAY_HOURS, "2026-11-20T10:00", "2026-11-20T21:00"),
        ("over_midnight", NIGHT, "2026-11-22T23:00", "2026-11-23T02:00"),
        # The clock is put back to an hour that is closed, then shows the open one again.
        ("put_back", (Window(time(2, 30), time(4)),), "2026-10-25T00:30", "2026-10-25T01:00"),
        # It is put forward over the closing time.
        ("put_forward", (Window(time(1), time(2, 30)),), "2026-03-29T00:00", "2026-03-29T01:00"),
    ],
)
def test_hours_close(_case, windows, at, expected):
    # given
    zone = "UTC" if windows in (DAY_HOURS, NIGHT) else "Europe/Berlin"
    at = datetime.fromisoformat(at).replace(tzinfo=UTC)
    # when
    opening = next_open(at, Hours.of(windows), [zone])
    # then
    assert opening.at == at
    assert opening.closes_at == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_hours_that_never_close():
    # given
    at = datetime(2026, 11, 20, 3, tzinfo=UTC)
    # when
    opening = next_open(at, ALWAYS, ["Europe/Lisbon"])
    # then
    assert (opening.at, opening.closes_at) == (at, None)


def test_all_zones_must_be_open():
    # given noon in New York, seven in Honolulu
    noon = datetime(2026, 11, 20, 17, tzinfo=UTC)
    # when
    opening = next_open(noon, DAYTIME, ["America/New_York", "Pacific/Honolulu"])
    # then it goes when Honolulu wakes, and before New York sleeps
    assert opening.at == datetime(2026, 11, 20, 18, tzinfo=UTC)
    assert opening.closes_at == datetime(2026, 11, 21, 2, tzinfo=UTC)
    assert opening.zones == ("America/New_York", "Pacific/Honolulu")


def test_the_likeliest_counts_where_no_hour_suits_all():
    # given office hours that Moscow and Kamchatka, nine hours apart, never share
    due = datetime(2026, 11, 20, 0, tzinfo=UTC)
    # when
    opening = next_open(due, Hours.of(OFFICE), ["Europe/Moscow", "Asia/Kamchatka"])
    # then
    assert opening.at == datetime(2026, 11, 20, 6, tzinfo=UTC)
    assert opening.zones == ("Europe/Moscow",)


def test_hours_that_meet_and_hours_that_do_not():
    # given
    office, night, day = (Hours.of(windows) for windows in (OFFICE, NIGHT, DAY_HOURS))
    # then
    assert office & day == office
    assert day & ALWAYS == day == DAYTIME
    assert not office & night
    assert next_open(datetime(2026, 11, 20, tzinfo=UTC), office & night, ["UTC"]) is None


@pytest.mark.parametrize(
    ("message_channel", "expected"),
    [("EMAIL", ALWAYS), ("SMS", DAYTIME), ("WHATSAPP", DAYTIME), ("PUSH", DAYTIME)],
)
def test_usual_hours(message_channel, expected):
    assert usual_hours(message_channel) == expected


@pytest.mark.parametrize(
    ("_case", "window", "message"),
    [
        ("no_day", Window(time(8), time(9), frozenset()), "weekdays"),
        ("no_such_day", Window(time(8), time(9), frozenset({7})), "weekdays"),
        ("no_length", Window(time(8), time(8)), "cannot close when it opens"),
        ("seconds", Window(time(8, 0, 1), time(9)), "whole minutes"),
        ("zoned", Window(time(8, tzinfo=UTC), time(9)), "local time"),
    ],
)
def test_unclear_windows_are_refused(_case, window, message):
    with pytest.raises(InvalidInput, match=message) as refused:
        Hours.of([window], field="steps[0].sendWindow")
    assert refused.value.field == "steps[0].sendWindow"


@pytest.mark.parametrize("zones", [[], [""], ["Europe/Atlantis"], ["../etc/passwd"], ["Europe"]])
def test_unknown_zones_are_refused(zones):
    with pytest.raises(InvalidInput) as refused:
        next_open(datetime(2026, 11, 20, tzinfo=UTC), DAYTIME, zones)
    assert refused.value.field == "timezone"


def test_a_time_without_zone_is_refused():
    with pytest.raises(InvalidInput) as refused:
        next_open(datetime(2026, 11, 20), DAYTIME, ["UTC"])  # noqa: DTZ001 - that is the point
    assert refused.value.field == "at"


@pytest.mark.parametrize("zone", ZONES)
def test_every_zone_around_its_changes(zone):
    # given moments around each change of the clock, and two where it rests
    rests = [datetime(2027, month, 14, 23, 30, tzinfo=UTC) for month in (1, 7)]
    around = [
        change + shift
        for change in changes(zone, 2027)
        for shift in (-26 * HOUR, -61 * MINUTE, -SECOND / 2, 0 * SECOND, 20 * MINUTE)
    ]
    for due in rests + around:
        for windows in (DAY_HOURS, HALF_PAST_TWO, TWICE):
            # when
            opening = next_open(due, Hours.of(windows), [zone])
            # then
            assert_right(opening, due, windows, zone)


def assert_right(opening, due, windows, zone):
    """Not early, not lost, not outside, no sooner possible, the same when asked again."""
    hours, at = Hours.of(windows), opening.at
    assert due <= at <= due + 2 * DAY
    assert shows(at, windows, zone)
    assert is_open(at, hours, [zone])
    assert not any(shows(moment, windows, zone) for moment in between(due, at, 10 * MINUTE))
    assert at == due or not shows(at - SECOND, windows, zone)
    assert next_open(at, hours, [zone]) == opening
    assert not shows(opening.closes_at, windows, zone)
    assert all(shows(moment, windows, zone) for moment in between(at, opening.closes_at, HOUR / 3))
    assert shows(opening.closes_at - SECOND, windows, zone)


QUARTERS = st.integers(0, 95).map(lambda n: time(n // 4, n % 4 * 15))
WINDOWS = st.lists(
    st.builds(Window, QUARTERS, QUARTERS, st.frozensets(st.integers(0, 6), min_size=1))
    .filter(lambda window: window.opens != window.closes or window.opens == time(0)),
    min_size=1,
    max_size=3,
).map(tuple)  # fmt: skip
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2036, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001 - its bounds are naive


@st.composite
def near_changes(draw):
    """Draw a zone and a moment, mostly one close to when its clock was put."""
    zone, moment = draw(st.sampled_from(ZONES)), draw(MOMENTS)
    around = changes(zone, moment.year)
    if around:
        moment = draw(st.sampled_from(around)) + draw(st.integers(-90_000, 90_000)) * SECOND
    return zone, moment


@given(near_changes(), WINDOWS)
def test_any_hours_in_any_zone(where, windows):
    # given
    (zone, due), hours = where, Hours.of(windows)
    # when
    opening = next_open(due, hours, [zone])
    # then
    assert due <= opening.at <= due + 15 * DAY
    assert shows(opening.at, windows, zone)
    assert not any(shows(moment, windows, zone) for moment in between(due, opening.at, HOUR / 4))
    assert next_open(opening.at, hours, [zone]) == opening
    assert opening.closes_at is None or not shows(opening.closes_at, windows, zone)


@given(st.lists(near_changes(), min_size=2, max_size=4), WINDOWS)
def test_any_hours_in_several_zones(places, windows):
    # given
    zones, due, hours = [zone for zone, _ in places], places[0][1], Hours.of(windows)
    # when
    opening = next_open(due, hours, zones)
    # then it is inside the hours in all of them, or there is no such moment in the days to come
    assert opening.at >= due
    assert all(shows(opening.at, windows, zone) for zone in opening.zones)
    assert next_open(opening.at, hours, zones) == opening
    tried = opening.at if opening.zones == tuple(zones) else due + 8 * DAY
    for moment in between(due, tried, HOUR):
        assert not all(shows(moment, windows, zone) for zone in zones)


@given(WINDOWS, WINDOWS, near_changes())
def test_both_hours_are_what_each_of_them_allows(ours, theirs, where):
    # given
    zone, moment = where
    # when
    both = Hours.of(ours) & Hours.of(theirs)
    # then
    expected = shows(moment, ours, zone) and shows(moment, theirs, zone)
    assert (bool(both) and is_open(moment, both, [zone])) == expected


def test_every_day_is_a_week():
    assert sorted(EVERY_DAY) == [0, 1, 2, 3, 4, 5, 6]
