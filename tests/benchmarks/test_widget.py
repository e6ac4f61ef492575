"""The widget's row: what the browser found, beside its bars."""

import json
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from benchmarks.bench import Bench, CannotRun
from benchmarks.rows import widget

FOUND = {
    "cpu_slowdown": 4,
    "script_on_load_ms": 9.5,
    "cls_added": 0,
    "inp_ratio": 1.1,
    "first_bytes": 2048,
    "all_bytes": 9216,
}


@pytest.fixture
def bench():
    with ExitStack() as stack:
        yield Bench(0.1, stack)


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Node as it would answer: by script, its exit code and what it prints."""
    (tmp_path / "node_modules").mkdir()
    monkeypatch.setattr(widget, "FOLDER", tmp_path)
    answers: dict[str, tuple[int, str]] = {
        "scripts/build.mjs": (0, ""),
        "scripts/vitals.mjs": (0, json.dumps(FOUND)),
    }
    called: list[list[str]] = []

    def run(command: list[str], **_options: Any) -> subprocess.CompletedProcess[str]:
        called.append(command)
        code, text = answers[command[1]]
        return subprocess.CompletedProcess(command, code, text, text)

    monkeypatch.setattr(subprocess, "run", run)
    return answers, called


def test_a_row_for_each_promise(bench: Bench, node):
    rows = widget.widget(bench)
    found = [(row.id, row.ratio, row.bar, row.sense, row.met) for row in rows]
    assert found == [
        ("widget", 9.5, 10, "<=", True),
        ("widget-cls", 0, 0, "<=", True),
        ("widget-inp", 1.1, 1.1, "<=", True),
        ("widget-first", 2048, 2048, "<=", True),
        ("widget-bytes", 9216, 9216, "<=", True),
    ]
    assert rows[0].detail == FOUND
    assert node[1] == [["node", "scripts/build.mjs"], ["node", "scripts/vitals.mjs", "3"]]


@pytest.mark.parametrize(
    ("name", "value", "row"),
    [
        ("script_on_load_ms", 10.1, "widget"),
        ("cls_added", 0.001, "widget-cls"),
        ("inp_ratio", 1.11, "widget-inp"),
        ("first_bytes", 2049, "widget-first"),
        ("all_bytes", 9217, "widget-bytes"),
    ],
)
def test_a_promise_that_is_not_kept_is_no(bench: Bench, node, name, value, row):
    node[0]["scripts/vitals.mjs"] = (0, json.dumps(FOUND | {name: value}))
    assert [one.id for one in widget.widget(bench) if not one.met] == [row]


def test_says_why_it_cannot_run(bench: Bench, node):
    node[0]["scripts/vitals.mjs"] = (3, "no Chromium to measure in\n")
    with pytest.raises(CannotRun, match=r"^no Chromium to measure in$"):
        widget.widget(bench)
    (widget.FOLDER / "node_modules").rmdir()
    with pytest.raises(CannotRun, match="npm ci"):
        widget.widget(bench)


@pytest.mark.parametrize("script", ["scripts/build.mjs", "scripts/vitals.mjs"])
def test_what_breaks_fails(bench: Bench, node, script):
    node[0][script] = (1, "SyntaxError: here")
    with pytest.raises(RuntimeError, match="SyntaxError: here"):
        widget.widget(bench)
