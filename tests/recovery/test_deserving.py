"""Who gets a voucher: the rule against leaving checkouts to get one."""

from datetime import UTC, datetime, timedelta

import pytest

from saleor_nudges.recovery.rules.deserving import History, Refusal, refusal

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
REST = timedelta(days=90)
LONG_AGO = NOW - timedelta(days=100)


@pytest.mark.parametrize(
    ("_case", "history", "expected"),
    [
        ("a_stranger", History(), None),
        ("never_had_one_and_leaves_often", History(left=9), None),
        ("never_had_one_of_ours", History(with_ours=(False, False)), None),
        ("had_one_a_moment_ago", History(NOW), Refusal.HAD_ONE),
        ("had_one_just_within", History(NOW - REST + timedelta(seconds=1)), Refusal.HAD_ONE),
        ("had_one_long_enough_ago", History(NOW - REST), None),
        ("bought_once_with_it", History(LONG_AGO, (True,)), None),
        ("bought_twice_with_one", History(LONG_AGO, (True, True)), Refusal.ONLY_WITH),
        ("bought_without_since", History(LONG_AGO, (False, True, True)), None),
        ("bought_without_in_between", History(LONG_AGO, (True, False, True)), None),
        ("left_two_others", History(LONG_AGO, left=2), None),
        ("left_three_others", History(LONG_AGO, left=3), Refusal.LEAVES_OFTEN),
        ("the_first_reason_is_said", History(NOW, (True, True), 9), Refusal.HAD_ONE),
        ("orders_before_checkouts", History(LONG_AGO, (True, True), 9), Refusal.ONLY_WITH),
    ],
)
def test_refusal(_case, history, expected):
    assert refusal(history, NOW, REST) is expected
