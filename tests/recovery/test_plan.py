"""When the next message goes, or never, and why."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.experiments import Arm
from saleor_nudges.recovery.rules.caps import Cap, Sent
from saleor_nudges.recovery.rules.hours import DAYTIME, Hours, Window, is_open
from saleor_nudges.recovery.rules.plan import (
    Cycle,
    Decision,
    Delay,
    Never,
    Rules,
    Shopper,
    Skipped,
    Step,
    Waits,
    next_message,
)
from saleor_nudges.recovery.rules.smear import Outage, smear

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# A Wednesday, 10:00 in Lisbon.
SEEN = datetime(2026, 11, 18, 10, tzinfo=UTC)
SOON = Step(1, HOUR / 2)
TOMORROW = Step(2, DAY)
LATER = Step(3, 3 * DAY)
RULES = Rules((SOON, TOMORROW, LATER))
CYCLE = Cycle("left", "cart", 1, SEEN)
ANA = Shopper("ana", ("Europe/Lisbon",))
NOW = SEEN + MINUTE
HELD_OUT = Arm("control", is_held_out=True)
OFFICE = Hours.of([Window(time(9), time(17), frozenset(range(5)))])


def texts(*steps):
    return Rules(tuple(replace(step, message_channel="SMS") for step in steps))


def sent(step, after, **other):
    about = {"campaign": "left", "checkout": "cart", "cycle": 1, "step": step} | other
    return Sent(SEEN + after, about.pop("message_channel", "EMAIL"), **about)


def at(day, hour, minute=0):
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("_case", "messages", "passed", "step", "due"),
    [
        ("nothing_sent", [], (), SOON, at(18, 10, 30)),
        ("one_sent", [sent(1, HOUR / 2)], (), TOMORROW, at(19, 10)),
        ("two_sent", [sent(1, HOUR / 2), sent(2, DAY)], (), LATER, at(21, 10)),
        ("first_put_aside", [], {1}, TOMORROW, at(19, 10)),
        ("second_put_aside", [sent(1, HOUR / 2)], {2}, LATER, at(21, 10)),
        ("no_way_back", [sent(2, DAY)], (), LATER, at(21, 10)),
        ("of_another_cycle", [sent(1, -9 * DAY, cycle=0)], (), SOON, at(18, 10, 30)),
        ("of_another_campaign", [sent(1, HOUR / 2, campaign="vip")], (), SOON, at(18, 10, 30)),
        # Half of the 23.5 hours between the two is kept.
        ("first_went_late", [sent(1, 14 * HOUR)], (), TOMORROW, at(19, 11, 45)),
        ("first_went_a_bit_late", [sent(1, 9 * HOUR)], (), TOMORROW, at(19, 10)),
        ("they_came_back_since", [sent(1, -5 * DAY)], (), TOMORROW, at(19, 10)),
        ("of_a_step_no_longer_there", [sent(0, 20 * HOUR)], (), SOON, at(18, 10, 30)),
    ],
)
def test_next_step(_case, messages, passed, step, due):
    # given
    ana = replace(ANA, sent=messages, passed=frozenset(passed))
    # when
    decision = next_message(CYCLE, RULES, ana, NOW)
    # then
    assert (decision.never, decision.step, decision.due_at) == (None, step, due)


@pytest.mark.parametrize(
    ("_case", "cycle", "rules", "shopper", "never"),
    [
        ("no_steps", CYCLE, Rules(()), ANA, Never.ALL_SENT),
        ("all_sent", CYCLE, RULES, replace(ANA, sent=[sent(3, 3 * DAY)]), Never.ALL_SENT),
        ("all_put_aside", CYCLE, RULES, replace(ANA, passed={1, 2, 3}), Never.ALL_SENT),
        ("before", CYCLE, replace(RULES, active_since=SEEN), ANA, Never.BEFORE_ACTIVATION),
        (
            "newer_checkout",
            CYCLE,
            RULES,
            replace(ANA, others=[Cycle("left", "newer", 1, SEEN + MINUTE)]),
            Never.NEWER_CHECKOUT,
        ),
        (
            "newer_checkout_of_a_lesser_campaign",
            replace(CYCLE, priority=9),
            RULES,
            replace(ANA, others=[Cycle("other", "newer", 1, SEEN + MINUTE)]),
            Never.NEWER_CHECKOUT,
        ),
        (
            "outranked",
            CYCLE,
            RULES,
            replace(ANA, others=[Cycle("vip", "cart", 1, SEEN, priority=1)]),
            Never.OUTRANKED,
        ),
        (
            "cooling_down",
            CYCLE,
            replace(RULES, cool_down=7 * DAY),
            replace(ANA, sent=[sent(1, -7 * DAY + MINUTE, checkout="older")]),
            Never.COOLING_DOWN,
        ),
        (
            "cooling_down_after_its_own_last_cycle",
            replace(CYCLE, number=2),
            replace(RULES, cool_down=7 * DAY),
            replace(ANA, sent=[sent(1, -6 * DAY)]),
            Never.COOLING_DOWN,
        ),
        (
            "seen_before_the_last_message",
            CYCLE,
            RULES,
            replace(ANA, sent=[sent(1, MINUTE, checkout="newer")]),
            Never.COOLING_DOWN,
        ),
        ("held_out", CYCLE, RULES, replace(ANA, arm=HELD_OUT), Never.HELD_OUT),
    ],
)
def test_never(_case, cycle, rules, shopper, never):
    # when
    decision = next_message(cycle, rules, shopper, NOW)
    # then
    assert (decision.never, decision.due_at) == (never, None)


@pytest.mark.parametrize(
    ("_case", "cycle", "rules", "shopper"),
    [
        ("just_after", CYCLE, replace(RULES, active_since=SEEN - MINUTE), ANA),
        (
            "newest_checkout",
            CYCLE,
            RULES,
            replace(ANA, others=[Cycle("left", "older", 1, SEEN - MINUTE, priority=9)]),
        ),
        (
            "first_campaign",
            replace(CYCLE, priority=1),
            RULES,
            replace(ANA, others=[Cycle("vip", "cart", 1, SEEN)]),
        ),
        (
            "cooled_down",
            CYCLE,
            replace(RULES, cool_down=7 * DAY),
            replace(ANA, sent=[sent(1, -7 * DAY, checkout="older")]),
        ),
        (
            "another_campaign_wrote",
            CYCLE,
            replace(RULES, cool_down=7 * DAY),
            replace(ANA, sent=[sent(1, -DAY, campaign="vip")]),
        ),
    ],
)
def test_it_goes_all_the_same(_case, cycle, rules, shopper):
    assert next_message(cycle, rules, shopper, NOW).due_at == SEEN + SOON.after


def test_a_sequence_that_has_begun_is_not_cooling_down():
    # given a first message of this very cycle
    rules = replace(RULES, cool_down=30 * DAY)
    # when
    decision = next_message(CYCLE, rules, replace(ANA, sent=[sent(1, HOUR)]), NOW)
    # then
    assert decision.step == TOMORROW


def test_of_who_is_held_out_it_is_known_when_they_would_have_been_written_to():
    # given
    held_out = replace(ANA, arm=HELD_OUT)
    # when
    decision = next_message(CYCLE, texts(SOON), held_out, at(18, 22))
    # then
    assert decision.held_out_at == at(19, 8)
    assert next_message(CYCLE, texts(SOON), ANA, at(18, 22)).due_at == at(19, 8)


def test_who_would_not_be_written_to_anyway_is_not_counted_as_held_out():
    # given
    held_out = replace(ANA, arm=HELD_OUT, sent=[sent(3, DAY)])
    # then
    assert next_message(CYCLE, RULES, held_out, NOW) == Decision(Never.ALL_SENT)


@pytest.mark.parametrize(
    ("_case", "seen", "step", "zone", "due", "delays"),
    [
        ("by_day", at(18, 10), SOON, "Europe/Lisbon", at(18, 10, 30), []),
        (
            "late_in_lisbon",
            at(18, 22, 10),
            SOON,
            "Europe/Lisbon",
            at(19, 8),
            [Delay(Waits.QUIET_HOURS, at(18, 22, 40), at(19, 8))],
        ),
        (
            "early_in_new_york",
            at(18, 10),
            SOON,
            "America/New_York",
            at(18, 13),
            [Delay(Waits.QUIET_HOURS, at(18, 10, 30), at(18, 13))],
        ),
        (
            "friday_evening",
            at(20, 18),
            replace(SOON, window=OFFICE),
            "Europe/Lisbon",
            at(23, 9),
            [Delay(Waits.SEND_WINDOW, at(20, 18, 30), at(23, 9))],
        ),
        (
            "friday_night",
            at(20, 22),
            replace(SOON, window=OFFICE),
            "Europe/Lisbon",
            at(23, 9),
            [Delay(Waits.QUIET_HOURS, at(20, 22, 30), at(23, 9))],
        ),
    ],
)
def test_hours_defer(_case, seen, step, zone, due, delays):
    # given
    cycle, ana = replace(CYCLE, last_seen=seen), replace(ANA, zones=(zone,))
    # when
    decision = next_message(cycle, texts(step), ana, seen)
    # then
    assert (decision.due_at, list(decision.delays)) == (due, delays)
    assert decision.zones == (zone,)
    assert decision.skipped == ()


def test_mail_has_no_hours_unless_the_seller_wants_some():
    # given
    cycle = replace(CYCLE, last_seen=at(18, 22))
    rules = replace(RULES, hours={"EMAIL": DAYTIME})
    # then
    assert next_message(cycle, RULES, ANA, NOW).due_at == at(18, 22, 30)
    assert next_message(cycle, rules, ANA, NOW).due_at == at(19, 8)


def test_a_window_is_over_when_the_hours_are():
    assert next_message(CYCLE, texts(SOON), ANA, NOW).closes_at == at(18, 21)
    assert next_message(CYCLE, RULES, ANA, NOW).closes_at is None


@pytest.mark.parametrize("hours", [{"SMS": Hours(())}, {"SMS": OFFICE}])
def test_hours_that_never_meet(hours):
    # given a text by night only, in a shop that texts by day
    step = replace(SOON, message_channel="SMS", window=Hours.of([Window(time(22), time(6))]))
    # when
    decision = next_message(CYCLE, Rules((step, TOMORROW), hours=hours), ANA, NOW)
    # then the next step goes in its stead
    assert decision.skipped == (Skipped(step, Never.NO_HOURS),)
    assert decision.due_at == SEEN + DAY
    # and where there is none nothing does
    assert next_message(CYCLE, Rules((step,), hours=hours), ANA, NOW).never == Never.NO_HOURS


def test_a_seller_may_close_a_message_channel():
    # given a shop whose hours for texts are none at all
    rules = replace(texts(SOON), hours={"SMS": Hours(())})
    # then
    assert next_message(CYCLE, rules, ANA, NOW).never == Never.NO_HOURS


@pytest.mark.parametrize(
    ("_case", "caps", "messages", "due"),
    [
        ("free", [Cap(1, DAY)], [], at(18, 10, 30)),
        ("once_a_day", [Cap(1, DAY)], [sent(1, -5 * HOUR, campaign="vip")], at(19, 5)),
        (
            "across_message_channels",
            [Cap(1, DAY)],
            [sent(1, -5 * HOUR, campaign="vip", message_channel="SMS")],
            at(19, 5),
        ),
        (
            "not_of_this_channel",
            [Cap(1, DAY, frozenset({"SMS"}))],
            [sent(1, -5 * HOUR, campaign="vip", message_channel="SMS")],
            at(18, 10, 30),
        ),
    ],
)
def test_caps_defer(_case, caps, messages, due):
    # given
    ana = replace(ANA, sent=messages)
    # when
    decision = next_message(CYCLE, replace(RULES, caps=caps), ana, NOW)
    # then
    assert decision.due_at == due
    moved = [Delay(Waits.CAP, at(18, 10, 30), due)] if due > at(18, 10, 30) else []
    assert list(decision.delays) == moved


def test_a_cap_may_push_into_the_night():
    # given a text that is allowed at 23:00
    ana = replace(ANA, sent=[sent(1, -11 * HOUR, campaign="vip")])
    # when
    decision = next_message(CYCLE, replace(texts(SOON), caps=[Cap(1, DAY)]), ana, NOW)
    # then
    assert [delay.reason for delay in decision.delays] == [Waits.CAP, Waits.QUIET_HOURS]
    assert decision.due_at == at(19, 8)


def test_what_a_cap_would_hold_too_long_is_passed_over():
    # given one message a week, and one that went yesterday
    ana = replace(ANA, sent=[sent(1, -DAY, campaign="vip")])
    # when
    decision = next_message(CYCLE, replace(RULES, caps=[Cap(1, 7 * DAY)]), ana, NOW)
    # then no step can go within its day
    assert decision.never == Never.CAPPED
    assert [skipped.reason for skipped in decision.skipped] == [Never.CAPPED] * 3
    # but with one every three days the third can
    rules = replace(RULES, caps=[Cap(1, 3 * DAY)])
    assert next_message(CYCLE, rules, ana, NOW).step == TOMORROW


@pytest.mark.parametrize(
    ("_case", "now", "step", "due"),
    [
        ("in_time", SEEN + HOUR / 2, SOON, SEEN + HOUR / 2),
        ("a_minute_late", SEEN + HOUR / 2 + MINUTE, SOON, SEEN + HOUR / 2 + MINUTE),
        ("a_day_late", SEEN + HOUR / 2 + DAY, SOON, SEEN + HOUR / 2 + DAY),
        ("too_late_for_the_first", SEEN + HOUR + DAY, TOMORROW, SEEN + HOUR + DAY),
        ("too_late_for_two", SEEN + HOUR + 2 * DAY, LATER, SEEN + 3 * DAY),
        ("too_late_for_all", SEEN + HOUR + 4 * DAY, None, None),
    ],
)
def test_late(_case, now, step, due):
    # when
    decision = next_message(CYCLE, RULES, ANA, now)
    # then
    assert (decision.step, decision.due_at) == (step, due)
    assert {skipped.reason for skipped in decision.skipped} <= {Never.TOO_OLD}
    assert (decision.never == Never.TOO_OLD) == (step is None)


def test_what_waits_for_its_hours_is_never_too_old():
    # given a text of Friday evening for office hours, and a seller with an hour's patience
    cycle = replace(CYCLE, last_seen=at(20, 18))
    rules = replace(texts(replace(SOON, window=OFFICE)), patience=HOUR)
    # then it goes on Monday, also when asked again on Monday
    assert next_message(cycle, rules, ANA, at(20, 18)).due_at == at(23, 9)
    assert next_message(cycle, rules, ANA, at(23, 9)).due_at == at(23, 9)
    assert next_message(cycle, rules, ANA, at(23, 10)).due_at == at(23, 10)
    assert next_message(cycle, rules, ANA, at(23, 10, 1)).never == Never.TOO_OLD


def test_nothing_is_promised_for_the_morning_and_dropped_then():
    # given a text of 20:30 that could not go until the evening of the next day
    cycle = replace(CYCLE, last_seen=at(18, 20))
    # when it is asked for at 20:29 and at 21:00
    in_time, night = (
        next_message(cycle, texts(SOON), ANA, at(19, *when)) for when in [(20, 29), (21, 0)]
    )
    # then it goes at once, or not at all: at 8:00 it would be older than a day
    assert in_time.due_at == at(19, 20, 29)
    assert night.never == Never.TOO_OLD


def test_after_an_outage_the_overdue_are_spread():
    # given an hour away, in which this became due, and one that becomes due later
    outage = Outage(SEEN, SEEN + HOUR)
    overdue, later = RULES, Rules((TOMORROW,))
    # when
    decision = next_message(CYCLE, overdue, ANA, outage.ended_at, outage)
    # then
    expected = smear(SEEN + HOUR / 2, "ana", outage)
    assert outage.ended_at < decision.due_at == expected < outage.ended_at + HOUR
    assert decision.delays == (Delay(Waits.OUTAGE, SEEN + HOUR / 2, expected),)
    assert next_message(CYCLE, later, ANA, outage.ended_at, outage).due_at == SEEN + DAY
    # and asked again at its time it goes
    assert next_message(CYCLE, overdue, ANA, expected, outage).due_at == expected


def test_after_a_long_outage_messages_do_not_follow_each_other_in_seconds():
    # given a day and an hour away: two steps are overdue, the first of them too old
    outage = Outage(SEEN, SEEN + 25 * HOUR)
    first = next_message(CYCLE, RULES, ANA, outage.ended_at, outage)
    # when the second has gone
    ana = replace(ANA, sent=[Sent(first.due_at, "EMAIL", "left", "cart", 1, first.step.number)])
    third = next_message(CYCLE, RULES, ana, first.due_at, outage)
    # then
    assert first.skipped == (Skipped(SOON, Never.TOO_OLD),)
    assert first.step == TOMORROW
    assert third.step == LATER
    assert third.due_at >= first.due_at + DAY


def test_where_the_clock_is_not_known_all_clocks_count():
    # given somebody in New York or Honolulu, at ten in New York
    ana = replace(ANA, zones=("America/New_York", "Pacific/Honolulu"))
    # when
    decision = next_message(replace(CYCLE, last_seen=at(18, 15)), texts(SOON), ana, NOW)
    # then
    assert decision.due_at == at(18, 18)
    assert decision.zones == ana.zones


@pytest.mark.parametrize(
    ("_case", "steps"),
    [
        ("same_number", (SOON, Step(1, DAY))),
        ("same_delay", (SOON, Step(2, HOUR / 2))),
        ("backwards", (TOMORROW, SOON)),
    ],
)
def test_steps_that_do_not_ascend_are_refused(_case, steps):
    with pytest.raises(InvalidInput) as refused:
        Rules(steps)
    assert refused.value.field == "steps"


def test_a_now_without_zone_is_refused():
    with pytest.raises(InvalidInput) as refused:
        next_message(CYCLE, RULES, ANA, NOW.replace(tzinfo=None))
    assert refused.value.field == "now"


CHANNELS = st.sampled_from(["EMAIL", "SMS", "PUSH"])
ZONES = st.lists(
    st.sampled_from(["Europe/Lisbon", "America/New_York", "Asia/Kolkata", "Pacific/Apia"]),
    min_size=1,
    max_size=2,
)
# Minutes of lateness, most often none.
LATENESS = st.lists(st.just(0) | st.integers(0, 4000), min_size=3, max_size=3)
CAPS = st.lists(st.builds(Cap, st.integers(1, 3), st.integers(1, 72).map(HOUR.__mul__)), max_size=2)
SEQUENCES = st.lists(
    st.tuples(
        st.integers(1, 3000),
        CHANNELS,
        st.sampled_from([OFFICE, DAYTIME, Hours.of([Window(time(0), time(0))])]),
    ),
    min_size=1,
    max_size=4,
)


def rules_of(rows, caps):
    after, steps = timedelta(0), []
    for number, (minutes, message_channel, window) in enumerate(rows, start=1):
        after += minutes * MINUTE
        steps.append(Step(number, after, message_channel, window))
    return Rules(tuple(steps), caps=caps)


@given(SEQUENCES, CAPS, ZONES, LATENESS, st.integers(0, 525_600), st.booleans())
def test_a_whole_sequence(rows, caps, zones, lateness, minute, is_away):
    # given any campaign, anybody, anywhere, at any time of a year
    seen = datetime(2026, 1, 1, tzinfo=UTC) + minute * MINUTE
    rules, cycle = rules_of(rows, caps), replace(CYCLE, last_seen=seen)
    outage = Outage(seen, seen + DAY / 2) if is_away else None
    shopper, now, gone = Shopper("ana", tuple(zones)), seen, []
    for late in [*lateness, 0, 0]:
        # when it is asked what goes next
        decision = next_message(cycle, rules, shopper, now, outage)
        judge_skipped(decision, gone)
        if decision.never:
            break
        # then it is not early, inside the hours, and the same when asked for at its time
        step, due = decision.step, decision.due_at
        assert due >= max(now, seen + step.after)
        hours = step.window & rules.hours_of(step.message_channel)
        assert is_open(due, hours, decision.zones)
        again = next_message(cycle, rules, shopper, due, outage)
        assert (again.step, again.due_at) == (step, due)
        # and when a worker comes late it is asked for again
        now = due + late * MINUTE
        if next_message(cycle, rules, shopper, now, outage).due_at == now:
            gone.append(Sent(now, step.message_channel, "left", "cart", 1, step.number))
            shopper = replace(shopper, sent=tuple(gone))
    assert_kept(rules, gone)


@given(SEQUENCES, ZONES, st.integers(0, 525_600))
def test_hours_alone_lose_nothing(rows, zones, minute):
    # given any campaign without caps
    seen = datetime(2026, 1, 1, tzinfo=UTC) + minute * MINUTE
    rules, cycle = rules_of(rows, []), replace(CYCLE, last_seen=seen)
    shopper, now, gone = Shopper("ana", tuple(zones)), seen, []
    # when each message goes at its time
    while (decision := next_message(cycle, rules, shopper, now)).due_at:
        now = decision.due_at
        gone.append(Sent(now, decision.step.message_channel, "left", "cart", 1, len(gone) + 1))
        shopper = replace(shopper, sent=tuple(gone))
    # then every one of them has gone
    assert decision == Decision(Never.ALL_SENT)
    assert len(gone) == len(rows)


def judge_skipped(decision, gone):
    """Steps are passed over in order, after those that went, and for no other reasons."""
    numbers = [skipped.step.number for skipped in decision.skipped]
    numbers += [decision.step.number] if decision.step else []
    assert numbers == sorted(set(numbers))
    assert not gone or all(number > gone[-1].step for number in numbers)
    reasons = {skipped.reason for skipped in decision.skipped}
    assert reasons <= {Never.TOO_OLD, Never.CAPPED}
    assert decision.never in {None, Never.ALL_SENT, *reasons}


def assert_kept(rules, gone):
    """No step went twice, the distance between two was kept, and so was every cap."""
    after = {step.number: step.after for step in rules.steps}
    for one, other in pairwise(gone):
        assert other.step > one.step
        assert other.at - one.at >= (after[other.step] - after[one.step]) / 2
    for cap in rules.caps:
        for last in gone:
            inside = [one for one in gone if last.at - cap.window < one.at <= last.at]
            assert len(inside) <= cap.limit


@given(
    st.lists(
        st.builds(
            Cycle,
            st.sampled_from(["left", "vip"]),
            st.sampled_from(["cart", "bag", "box"]),
            st.just(1),
            st.integers(0, 2).map(lambda hours: SEEN + hours * HOUR),
            st.integers(0, 2),
        ),
        min_size=1,
        max_size=5,
        unique_by=lambda cycle: (cycle.campaign, cycle.checkout),
    )
)
def test_of_one_persons_sequences_exactly_one_goes(cycles):
    # when each of them is asked for
    goes = [
        cycle
        for cycle in cycles
        if next_message(
            cycle, RULES, replace(ANA, others=[one for one in cycles if one != cycle]), NOW
        ).due_at
    ]
    # then
    assert len(goes) == 1
    assert goes[0].last_seen == max(cycle.last_seen for cycle in cycles)
