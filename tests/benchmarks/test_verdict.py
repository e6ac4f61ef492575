"""The judge of the fault harness: every way an event can go wrong makes a row red."""

from uuid import UUID

import pytest

from chaos.poster import Record
from chaos.verdict import Verdict, result

A, B, C, STRANGER = (UUID(int=number) for number in range(1, 5))


def record() -> Record:
    """A and B were acknowledged, C was posted and is in doubt."""
    return Record({A: "p1", B: "p2", C: "p2"}, {A: 0.0, B: 0.0})


@pytest.mark.parametrize("stored", [[A, B], [B, A, C]])
def test_holds_whatever_became_of_what_is_in_doubt(stored: list[UUID]):
    verdict = Verdict.of(record(), stored)
    assert verdict == Verdict(frozenset(), 0, 0, 0)
    assert verdict.holds


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ([A], Verdict(frozenset({B}), 0, 0, 0)),
        ([A, B, B], Verdict(frozenset(), 1, 0, 0)),
        ([A, B, STRANGER], Verdict(frozenset(), 0, 1, 0)),
    ],
)
def test_lost_doubled_and_unheard_of_are_seen(stored: list[UUID], expected: Verdict):
    verdict = Verdict.of(record(), stored)
    assert verdict == expected
    assert not verdict.holds


@pytest.mark.parametrize("counts", [{"p1": 1}, {"p1": 1, "p2": 2}, {"p1": 1, "p2": 1, "p3": 1}])
def test_counts_must_equal_the_rows(counts: dict[str, int]):
    verdict = Verdict.of(record(), [A, B], counts)
    assert (verdict.miscounted, verdict.holds) == (1, False)
    assert verdict.counted == len(counts)


def test_right_counts_hold():
    assert Verdict.of(record(), [A, B], {"p1": 1, "p2": 1}).holds


def test_row_of_a_verdict():
    found = result("web-killed", "what", "10 x", record(), Verdict.of(record(), [A]))
    assert (found.accepted, found.lost, found.doubled, found.in_doubt, found.holds) == (
        *(2, 1, 0, 1),
        False,
    )


def test_row_without_traffic_proves_nothing():
    assert result("web-killed", "what", "0 x", Record(), Verdict.of(Record(), [])).holds is False
