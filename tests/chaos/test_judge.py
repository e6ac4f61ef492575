"""The judge of the senders: every way a message can go wrong has a bar of its own."""

from collections import Counter

import pytest

from chaos.senders.judge import Judgement, in_file

A, B = ("anna@example.com", 1), ("bob@example.com", 1)


def broken(arrived, states, **told):
    found = Judgement.of([A, B], Counter(arrived), states)
    return [bar.name for bar in found.bars(**told) if not bar.holds]


@pytest.mark.parametrize(
    ("arrived", "states", "expected"),
    [
        ([A, B], {A: "SENT", B: "SENT"}, []),
        # What is in doubt may have arrived or not.
        ([A, B], {A: "SENT", B: "IN_DOUBT"}, []),
        ([A], {A: "SENT", B: "IN_DOUBT"}, []),
        ([A, B, B], {A: "SENT", B: "SENT"}, ["sent twice"]),
        ([A], {A: "SENT", B: "CANCELLED"}, ["lost", "dropped"]),
        ([A], {A: "SENT", B: "SENT"}, ["lost", "dropped", "ledger and sink disagree"]),
        ([A, B], {A: "SENT", B: "CANCELLED"}, ["ledger and sink disagree"]),
        ([A], {A: "SENT", B: "DUE"}, ["left waiting"]),
        ([], {A: "IN_DOUBT", B: "IN_DOUBT"}, ["messages"]),
    ],
)
def test_each_wrong_has_its_bar(arrived, states, expected):
    assert broken(arrived, states) == expected


def test_who_honours_keys_may_lose_nothing():
    assert broken([A], {A: "SENT", B: "IN_DOUBT"}, honours_keys=True) == ["lost"]


def test_a_file_without_keys_counts_whatever_came(tmp_path):
    sink = tmp_path / "sink"
    sink.write_text("k1 anna@example.com Step 1\nk1 anna@example.com Step 1\n")
    assert in_file(sink) == {A: 2}
