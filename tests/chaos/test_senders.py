"""The rows about senders, small: what they hold, and that they see defects put in on purpose."""

import pytest

from chaos.rows import senders

pytestmark = [pytest.mark.servers, pytest.mark.slow]


@pytest.fixture(scope="module")
def played():
    return {one.id: one for one in senders.played("small", 0.0)}


@pytest.mark.parametrize(
    "row", ["deaths", "interleavings", "beats at once", "beats asleep", "clock-skew"]
)
def test_senders_hold_whatever_is_broken(row, played):
    assert [str(bar) for bar in played[row].bars if not bar.holds] == []


def test_defects_put_in_on_purpose_are_seen(played):
    assert played["defects"].detail["missed"] == []
    assert played["defects"].posted == 3


def test_nothing_else_is_played(played):
    assert len(played) == 6
