"""The judge of the fault harness: every way an event can go wrong makes a row red."""

from uuid import UUID

import pytest

from chaos.__main__ import table
from chaos.poster import Record
from chaos.verdict import Bar, Verdict, result

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


def test_what_was_left_in_the_queue_is_seen():
    verdict = Verdict.of(record(), [A, B], left=1)
    assert verdict == Verdict(frozenset(), 0, 0, 0, left=1)
    assert not verdict.holds


COUNTS = {"p1": 1, "p2": 1}


def test_row_of_a_verdict():
    found = result("web-killed", "what", "10 x", record(), Verdict.of(record(), [A]))
    assert (found.posted, found.accepted, found.lost, found.doubled, found.in_doubt) == (
        *(3, 2, 1, 0, 1),
    )
    assert found.holds is False


@pytest.mark.parametrize(("at_risk", "holds"), [({B}, True), ({A}, False), (set(), False)])
def test_only_what_was_at_risk_may_be_lost(at_risk: set[UUID], holds: bool):
    verdict = Verdict.of(record(), [A], {"p1": 1})
    found = result("redis", "what", "1 x", record(), verdict, may_be_lost=frozenset(at_risk))
    assert (found.lost, found.holds) == (1, holds)


def test_row_without_traffic_proves_nothing():
    empty = Verdict.of(Record(), [], COUNTS)
    assert result("web-killed", "what", "0 x", Record(), empty).holds is False


def test_row_without_counts_proves_nothing():
    assert result("web-killed", "", "", record(), Verdict.of(record(), [A, B])).holds is False


@pytest.mark.parametrize(
    ("bar", "holds", "told"),
    [
        (Bar("lost", 0), True, "lost 0 = 0"),
        (Bar("lost", 1), False, "lost 1 NOT = 0"),
        (Bar("wait s", 5, 5), True, "wait s 5 <= 5"),
        (Bar("wait s", 5.1, 5), False, "wait s 5.1 NOT <= 5"),
        (Bar("kills", 2, 2, at_least=True), True, "kills 2 >= 2"),
        (Bar("kills", 1, 2, at_least=True), False, "kills 1 NOT >= 2"),
    ],
)
def test_bar(bar: Bar, holds: bool, told: str):
    assert (bar.holds, str(bar)) == (holds, told)
    verdict = Verdict.of(record(), [A, B], COUNTS)
    assert result("id", "", "", record(), verdict, bar).holds is holds


def test_table_names_what_is_broken():
    verdict = Verdict.of(record(), [A, B, B], COUNTS)
    row = result("web-killed", "what", "3 x kill", record(), verdict, Bar("kills", 3, 3)).as_json()
    line = table([row | {"seconds": 1.0}], with_head=False)
    assert [cell.strip() for cell in line.split(" | ")] == [
        *("web-killed", "3 x kill", "3", "2", "0", "1", "1", "1.0", "BROKEN"),
        "stored twice 1 NOT = 0; kills 3 <= 3",
    ]
