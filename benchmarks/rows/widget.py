"""What the storefront widget costs a shop's page, as a real browser counts."""

import json
import subprocess
from typing import Any, Final

from benchmarks import machine
from benchmarks.bench import Bench, CannotRun
from benchmarks.report import Row, is_met

FOLDER: Final = machine.ROOT / "storefront-widget"
# What scripts/vitals.mjs says where there is no browser, or nothing built.
NOT_HERE: Final = 3


def widget(bench: Bench) -> list[Row]:
    """Load a page with the widget and without it, in turns, on a processor four times slower."""
    _build()
    found = _measured(bench.count(20, 3))
    slower = f"at {found['cpu_slowdown']}x slowdown"
    return [
        _row("widget", f"ms of scripts on load {slower}", found["script_on_load_ms"], 10, found),
        _row("widget-cls", "what CLS gets worse by", found["cls_added"], 0),
        _row("widget-inp", f"INP to the page's without, {slower}", found["inp_ratio"], 1.1),
        _row("widget-first", "bytes before a nudge is due, gzip", found["first_bytes"], 2048),
        _row("widget-bytes", "bytes of all its files, gzip", found["all_bytes"], 9216),
    ]


def _build() -> None:
    """Build what is measured: from the sources of now."""
    if not (FOLDER / "node_modules").is_dir():
        raise CannotRun("the widget's packages are not installed: npm ci in storefront-widget")
    try:
        done = _run("scripts/build.mjs")
    except FileNotFoundError as error:
        raise CannotRun("node is not here") from error
    if done.returncode:
        raise RuntimeError(f"the widget cannot be built:\n{done.stderr.strip()[-1500:]}")


def _measured(rounds: int) -> dict[str, Any]:
    done = _run("scripts/vitals.mjs", str(rounds))
    if done.returncode == NOT_HERE:
        raise CannotRun(done.stderr.strip())
    if done.returncode:
        raise RuntimeError(f"the browser's measurement failed:\n{done.stderr.strip()[-1500:]}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["node", *command], check=False, capture_output=True, text=True, cwd=FOLDER
    )


def _row(
    name: str, what: str, value: float, bar: float, detail: dict[str, Any] | None = None
) -> Row:
    met = is_met(value, bar, "<=")
    return Row(name, what, value, bar, None, met, sense="<=", detail=detail or {})
