"""The command: runs what is left, goes on after a failure, keeps what is finished."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import __main__ as command
from benchmarks import machine
from benchmarks.bench import Bench, CannotRun
from benchmarks.report import Row


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    names: list[str] = []

    def fine(_bench: Bench) -> list[Row]:
        names.append("fine")
        return [Row("fine", "x", 1.0, 0.5, met=True), Row("fine-too", "y", 2.0)]

    def impossible(_bench: Bench) -> list[Row]:
        """Needs what is not here."""
        names.append("impossible")
        raise CannotRun("SALEOR_DIR is not set")

    def broken(_bench: Bench) -> list[Row]:
        names.append("broken")
        raise RuntimeError("first line\nthe reason")

    rows = {"fine": fine, "impossible": impossible, "broken": broken}
    monkeypatch.setattr(command, "ROWS", rows)
    monkeypatch.setattr(command, "FILE", tmp_path / "bench.json")
    monkeypatch.setattr(machine, "commit", lambda: "abc")
    monkeypatch.setattr(machine, "wait_for_quiet", lambda: True)
    for name in ("ONLY", "SCALE", "FRESH"):
        monkeypatch.delenv(name, raising=False)
    return names


def rows() -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in json.loads(command.FILE.read_text())["rows"]}


def test_says_of_each_row_what_came_of_it(played: list[str]):
    assert command.main() == 1
    found = rows()
    assert list(found) == ["fine", "fine-too", "impossible", "broken"]
    assert (found["fine"]["ratio"], found["fine"]["met"]) == (1.0, True)
    assert (found["impossible"]["met"], found["impossible"]["why"]) == (
        None,
        "SALEOR_DIR is not set",
    )
    assert (found["broken"]["met"], found["broken"]["why"]) == (
        False,
        "failed: RuntimeError: the reason",
    )


def test_goes_on_where_it_was(played: list[str]):
    command.main()
    played.clear()
    # when
    command.main()
    # then what failed is tried again, and what is finished is kept
    assert played == ["broken"]
    assert set(rows()) == {"fine", "fine-too", "impossible", "broken"}


def test_other_code_is_measured_anew(played: list[str], monkeypatch: pytest.MonkeyPatch):
    command.main()
    monkeypatch.setattr(machine, "commit", lambda: "abd")
    played.clear()
    command.main()
    assert played == ["fine", "impossible", "broken"]


def test_named_row_runs_again_and_keeps_the_others(
    played: list[str], monkeypatch: pytest.MonkeyPatch
):
    command.main()
    played.clear()
    monkeypatch.setenv("ONLY", "fine")
    assert command.main() == 1
    assert played == ["fine"]
    assert set(rows()) == {"fine", "fine-too", "impossible", "broken"}


def test_misspelt_row_is_an_error(
    played: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("ONLY", "fien")
    assert command.main() == 2
    assert "No such row: fien" in capsys.readouterr().err
    assert played == []
