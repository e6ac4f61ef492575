"""The figures of a measurement: medians, spread, which rows run, what the file holds."""

import json
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.report import Choice, Pairs, Row


def test_measures_in_turns():
    # given
    turns: list[str] = []
    # when
    ours, theirs = report.alternate(
        lambda: turns.append("A") or len(turns), lambda: turns.append("B") or len(turns), 2
    )
    # then
    assert "".join(turns) == "ABBAABBA"
    assert ours == [(1, 4), (5, 8)]
    assert theirs == [(2, 3), (6, 7)]


def test_ratio_is_of_medians_and_spread_of_rounds():
    pairs = report.paired([(60, 60), (70, 70), (10, 10)], [(100, 100), (100, 100), (50, 50)])
    assert pairs == Pairs((60.0, 70.0, 10.0), (100.0, 100.0, 50.0))
    assert pairs.ratio == 0.6
    # the rounds: 0.6, 0.7, 0.2
    assert pairs.spread == pytest.approx(0.5 / 0.6)


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 50), (0.99, 99), (0.991, 100), (1.0, 100), (0.0, 1)]
)
def test_percentile(share: float, expected: int):
    assert report.percentile(list(range(100, 0, -1)), share) == expected


def test_percentile_of_nothing_is_nothing():
    assert report.percentile([], 0.99) == 0.0


def test_slope_is_growth_per_unit():
    assert report.slope([(0, 5), (10, 25), (20, 45)]) == 2.0
    assert report.slope([(0, 5)]) == 0.0


@pytest.mark.parametrize(
    ("value", "bar", "sense", "expected"),
    [
        (0.6, 0.6, ">=", True),
        (0.59, 0.6, ">=", False),
        (1.0, 1.0, "<=", True),
        (1.1, 1.0, "<=", False),
        (None, 1.0, "<=", None),
        (1.0, None, ">=", None),
    ],
)
def test_bar(value: float | None, bar: float | None, sense: report.Sense, expected: bool | None):
    assert report.is_met(value, bar, sense) is expected


KNOWN = ("one", "two", "three")


def test_unfinished_rows_run():
    choice = Choice.of({}, 0.1)
    assert choice == Choice((), 0.1, is_fresh=False)
    assert choice.rows(KNOWN, {"two"}) == ["one", "three"]


def test_named_rows_run_again():
    assert Choice.of({"ONLY": "two, one"}, 0.1).rows(KNOWN, {"two"}) == ["one", "two"]


def test_fresh_forgets_what_is_done():
    assert Choice.of({"FRESH": "1"}, 0.1).rows(KNOWN, KNOWN) == list(KNOWN)


def test_misspelt_row_is_named():
    with pytest.raises(ValueError, match=r"No such row: tow\. There are: one, two, three\."):
        Choice.of({"ONLY": "tow"}, 0.1).rows(KNOWN, ())


@pytest.mark.parametrize("scale", ["0", "-1", "2", "big"])
def test_senseless_scale_is_refused(scale: str):
    with pytest.raises(ValueError, match="SCALE is a number above 0 and up to 1"):
        Choice.of({"SCALE": scale}, 0.1)


def test_file_holds_rows_and_facts(tmp_path: Path):
    # given
    file = tmp_path / "build" / "bench.json"
    row = Row("drain", "events/s", 0.5, 0.5, 0.55, met=True, spread=0.1, detail={"events": 3})
    # when
    report.write(file, [row.as_json()], {"commit": "abc", "scale": 0.1, "cores": 2})
    # then
    assert json.loads(file.read_text()) == {
        "rows": [
            {
                "id": "drain",
                "what": "events/s",
                "ratio": 0.5,
                "bar": 0.5,
                "stretch": 0.55,
                "met": True,
                "spread": 0.1,
                "sense": ">=",
                "detail": {"events": 3},
                "why": "",
            }
        ],
        "commit": "abc",
        "scale": 0.1,
        "cores": 2,
    }


def test_finished_rows_are_of_the_same_code_and_scale(tmp_path: Path):
    # given
    file = tmp_path / "bench.json"
    report.write(file, [Row("drain", "x").as_json()], {"commit": "abc", "scale": 0.1})
    # then
    assert list(report.finished(file, "abc", 0.1)) == ["drain"]
    assert report.finished(file, "abc", 1.0) == {}
    assert report.finished(file, "abd", 0.1) == {}
    assert report.finished(tmp_path / "none.json", "abc", 0.1) == {}


def test_row_of_somebody_else_keeps_what_is_more():
    row = Row.read(
        {"id": "archive", "what": "rows/s", "ratio": 0.7, "rows": 10, "detail": {"a": 1}}
    )
    assert (row.id, row.ratio, row.met, row.detail) == ("archive", 0.7, None, {"a": 1, "rows": 10})


def test_table_says_why_there_is_no_figure():
    text = report.table([Row("hook", "p95 ms", why="SALEOR_DIR is not set")])
    assert text.splitlines()[-1].startswith("hook")
    assert text.endswith("SALEOR_DIR is not set")
