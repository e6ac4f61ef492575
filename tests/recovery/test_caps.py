"""Caps over campaigns and message channels: when the next message is allowed."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.recovery.rules.caps import Allowed, Cap, Sent, next_allowed

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DAILY = Cap(1, DAY)
WEEKLY = Cap(3, 7 * DAY)
DAILY_SMS = Cap(1, DAY, frozenset({"SMS"}))


def mail(*hours_ago):
    return [Sent(NOON - ago * HOUR, "EMAIL", f"campaign-{ago}") for ago in hours_ago]


def sms(*hours_ago):
    return [Sent(NOON - ago * HOUR, "SMS") for ago in hours_ago]


@pytest.mark.parametrize(
    ("_case", "caps", "sent", "channel", "in_hours", "cap"),
    [
        ("no_cap", [], mail(1, 2, 3), "EMAIL", 0, None),
        ("nothing_sent", [DAILY], [], "EMAIL", 0, None),
        ("one_today", [DAILY], mail(2), "EMAIL", 22, DAILY),
        ("exactly_a_day_ago", [DAILY], mail(24), "EMAIL", 0, None),
        ("a_minute_less", [DAILY], mail(24 - 1 / 60), "EMAIL", 1 / 60, DAILY),
        ("below_the_limit", [WEEKLY], mail(1, 2), "EMAIL", 0, None),
        ("the_oldest_of_three_leaves", [WEEKLY], mail(1, 100, 160), "EMAIL", 8, WEEKLY),
        ("of_five_two_must_leave", [WEEKLY], mail(1, 2, 100, 150, 160), "EMAIL", 68, WEEKLY),
        ("the_strictest_counts", [WEEKLY, DAILY], mail(1, 100, 160), "EMAIL", 23, DAILY),
        ("in_whatever_order", [DAILY, WEEKLY], mail(160, 1, 100), "EMAIL", 23, DAILY),
        ("across_message_channels", [DAILY], sms(2), "EMAIL", 22, DAILY),
        ("not_of_this_channel", [DAILY_SMS], sms(2), "EMAIL", 0, None),
        ("other_channels_do_not_count", [DAILY_SMS], mail(2), "SMS", 0, None),
        ("of_this_channel", [DAILY_SMS], sms(2), "SMS", 22, DAILY_SMS),
        ("sent_by_a_clock_ahead", [DAILY], mail(-1), "EMAIL", 25, DAILY),
    ],
)
def test_next_allowed(_case, caps, sent, channel, in_hours, cap):
    assert next_allowed(NOON, caps, sent, channel) == Allowed(NOON + in_hours * HOUR, cap)


@pytest.mark.parametrize(
    ("_case", "values", "field"),
    [
        ("never", (0, DAY), "caps.limit"),
        ("no_window", (1, timedelta(0)), "caps.window"),
        ("back_in_time", (1, -DAY), "caps.window"),
        ("longer_than_we_know", (1, 366 * DAY), "caps.window"),
        ("for_no_channel", (1, DAY, frozenset()), "caps.messageChannels"),
    ],
)
def test_caps_that_make_no_sense_are_refused(_case, values, field):
    with pytest.raises(InvalidInput) as refused:
        Cap(*values)
    assert refused.value.field == field


CHANNELS = st.sampled_from(["EMAIL", "SMS", "PUSH"])
CAPS = st.lists(
    st.builds(
        Cap,
        st.integers(1, 4),
        st.integers(1, 200).map(lambda hours: hours * HOUR),
        st.none() | st.frozensets(CHANNELS, min_size=1),
    ),
    max_size=4,
)


def most_in_a_window(cap, sent):
    """Count by looking back from each message: another way to say it."""
    times = [one.at for one in sent if cap.counts(one.message_channel)]
    return max((sum(end - cap.window < at <= end for at in times) for end in times), default=0)


@given(CAPS, st.lists(st.tuples(st.integers(0, 100), CHANNELS), max_size=25))
def test_no_window_ever_holds_more(caps, wishes):
    # given
    sent, now = [], NOON
    # when each message goes when it is allowed, and not a moment later
    for wait, channel in wishes:
        now += wait * HOUR
        answer = next_allowed(now, caps, sent, channel)
        # then it is not earlier than wished, and earlier would have been too early
        assert answer.at >= now
        if answer.at > now:
            early = Sent(answer.at - timedelta(seconds=1), channel)
            assert most_in_a_window(answer.cap, [*sent, early]) > answer.cap.limit
        assert next_allowed(answer.at, caps, sent, channel) == Allowed(answer.at)
        now = answer.at
        sent.append(Sent(now, channel))
    assert all(most_in_a_window(cap, sent) <= cap.limit for cap in caps)
