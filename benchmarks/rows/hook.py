"""The hook inside a real Saleor: statements and time a shopper's mutation pays for us."""

import json
import os
import subprocess
from typing import Any, Final

from benchmarks import machine
from benchmarks.bench import Bench, CannotRun
from benchmarks.report import Row
from devtools import saleor

SCRIPT: Final = machine.ROOT / "benchmarks" / "inside_saleor.py"
BAR_MS: Final = 2.0
BLACK_HOLE_BAR_MS: Final = 5.0


def hook(bench: Bench) -> list[Row]:
    """Call the hook over and over in the Saleor that SALEOR_DIR names; then whole mutations."""
    if not os.environ.get("SALEOR_DIR"):
        raise CannotRun("SALEOR_DIR is not set")
    try:
        checkout = saleor.find_checkout()
        with saleor.running(checkout) as environment:
            found = _measured(str(checkout.python), environment, bench.count(1000, 200))
    except saleor.SetupError as error:
        raise CannotRun(str(error)) from error
    return _rows(found | {"saleor": checkout.version})


def _measured(python: str, environment: dict[str, str], calls: int) -> dict[str, Any]:
    done = subprocess.run(
        [python, str(SCRIPT), str(calls)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        cwd=machine.BUILD,
    )
    if done.returncode:
        raise RuntimeError(f"inside Saleor it failed:\n{done.stderr.strip()[-1500:]}")
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def _rows(found: dict[str, Any]) -> list[Row]:
    usual, away = found["usual"], found["redis_black_holed"]
    is_lean = usual["sql_before_commit"] == 0 and usual["inserts_after_commit"] <= 1
    hook_row = Row(
        "hook",
        f"p95 ms of the hook over {found['calls']} calls in Saleor {found['saleor']}",
        usual["p95_ms"],
        BAR_MS,
        met=is_lean and usual["p95_ms"] <= BAR_MS,
        sense="<=",
        detail=usual,
    )
    black_hole = Row(
        "hook-black-hole",
        "p95 ms of the hook while Redis answers nobody",
        away["p95_ms"],
        BLACK_HOLE_BAR_MS,
        met=away["p95_ms"] <= BLACK_HOLE_BAR_MS and away["sql_before_commit"] == 0,
        sense="<=",
        detail=away,
    )
    mutation = Row(
        "hook-mutation",
        "checkoutLinesAdd with the plugin on, to off; spread: off to off",
        found["mutation"]["ratio"],
        spread=found["mutation"]["off_to_off"],
        detail=found["mutation"],
        why="no bar",
    )
    return [hook_row, black_hole, mutation]
