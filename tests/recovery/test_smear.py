"""After an outage: everybody once, spread evenly, the same answer each time, the too-old not."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.recovery.rules.smear import Outage, is_too_old, smear

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
TWO_HOURS_AWAY = Outage(NOON - 2 * HOUR, NOON)
PEOPLE = [str(UUID(int=n)) for n in range(12_000)]


@pytest.mark.parametrize(
    ("_case", "length", "expected"),
    [
        ("a_restart", timedelta(seconds=20), timedelta(seconds=20)),
        ("ten_minutes", 10 * MINUTE, 10 * MINUTE),
        ("a_day", 24 * HOUR, 2 * HOUR),
    ],
)
def test_span(_case, length, expected):
    assert Outage(NOON - length, NOON).span == expected


@pytest.mark.parametrize(
    ("_case", "due", "outage"),
    [
        ("no_outage", NOON - HOUR, None),
        ("due_when_it_ended", NOON, TWO_HOURS_AWAY),
        ("due_later", NOON + MINUTE, TWO_HOURS_AWAY),
    ],
)
def test_what_is_not_overdue_goes_when_it_is_due(_case, due, outage):
    assert smear(due, "somebody", outage) == due


def test_people_are_spread_evenly():
    # given 12,000 people whose messages were due at the same moment
    goes_at = [smear(NOON - HOUR, person, TWO_HOURS_AWAY) for person in PEOPLE]
    # when they are counted by minute
    by_minute = Counter((at - NOON) // MINUTE for at in goes_at)
    # then each of the 120 minutes has its hundred, give or take five times what chance allows
    assert sorted(by_minute) == list(range(120))
    assert all(50 <= count <= 150 for count in by_minute.values())
    # and the answer never changes
    assert goes_at == [smear(NOON - 2 * HOUR, person, TWO_HOURS_AWAY) for person in PEOPLE]
    first = smear(NOON - HOUR, PEOPLE[0], TWO_HOURS_AWAY)
    # in no process: what Python calls a hash differs in each
    assert first == datetime(2026, 11, 20, 13, 37, 30, 107_581, tzinfo=UTC)


def test_another_outage_deals_anew():
    # given the people who were last the first time
    again = Outage(NOON + 24 * HOUR, NOON + 26 * HOUR)
    last = sorted(PEOPLE, key=lambda person: smear(NOON - HOUR, person, TWO_HOURS_AWAY))[-1000:]
    # when
    waits = [smear(NOON + 25 * HOUR, person, again) - again.ended_at for person in last]
    # then they are anywhere
    assert 50 * MINUTE < sum(waits, timedelta(0)) / len(waits) < 70 * MINUTE


@given(
    st.integers(0, 100_000),
    st.integers(-100_000, 100_000),
    st.text(min_size=1, max_size=36),
)
def test_never_early_never_before_the_end_never_after_the_span(length, due, person):
    # given
    outage = Outage(NOON - timedelta(seconds=length), NOON)
    due = NOON + timedelta(seconds=due)
    # when
    at = smear(due, person, outage)
    # then
    assert max(due, NOON) <= at <= max(due, NOON + outage.span)
    assert smear(at, person, outage) == at


@pytest.mark.parametrize(
    ("_case", "late", "expected"),
    [
        ("in_time", timedelta(0), False),
        ("a_day_late", 24 * HOUR, False),
        ("later_still", 24 * HOUR + timedelta(seconds=1), True),
    ],
)
def test_too_old(_case, late, expected):
    assert is_too_old(NOON, NOON + late) is expected


def test_the_seller_may_be_less_patient():
    assert is_too_old(NOON, NOON + 2 * HOUR, patience=HOUR)


def test_an_outage_does_not_end_before_it_began():
    with pytest.raises(InvalidInput) as refused:
        Outage(NOON, NOON - MINUTE)
    assert refused.value.field == "outage.endedAt"
