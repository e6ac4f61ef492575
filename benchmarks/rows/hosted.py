"""Inside a real Saleor: what a shopper's change of a checkout takes while we sweep beside it."""

import json
import os
import subprocess
from typing import Any, Final

from benchmarks import machine
from benchmarks.bench import Bench, CannotRun
from benchmarks.report import Row, paired, percentile
from devtools import saleor

SCRIPT: Final = machine.ROOT / "benchmarks" / "inside_saleor_sweep.py"
BAR: Final = 1.25
FULL: Final = 1_000_000


def while_sweeping(bench: Bench) -> list[Row]:
    """Change a checkout in the Saleor that SALEOR_DIR names while we sweep, to while we do not."""
    if not os.environ.get("SALEOR_DIR"):
        raise CannotRun("SALEOR_DIR is not set")
    count, due, times = bench.count(FULL, 20_000), bench.count(2_000, 100), bench.count(300, 20)
    try:
        checkout = saleor.find_checkout()
        with saleor.running(checkout) as environment:
            found = _measured(str(checkout.python), environment, count, due, times)
    except saleor.SetupError as error:
        raise CannotRun(str(error)) from error
    return [_row(found, {"checkouts": count, "due": due, "saleor": checkout.version})]


def _measured(python: str, environment: dict[str, str], *sizes: int) -> dict[str, Any]:
    done = subprocess.run(
        [python, str(SCRIPT), "measure", *map(str, sizes)],
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


def _row(found: dict[str, Any], detail: dict[str, Any]) -> Row:
    pairs = paired(_rounds(found["swept"]), _rounds(found["quiet"]))
    swept, quiet = (
        [taken for turn in found[name] for taken in turn] for name in ("swept", "quiet")
    )
    if not all(found["entered"]):
        raise AssertionError(f"nothing was swept meanwhile: {found['entered']}")
    detail |= {
        "entered": sum(found["entered"]),
        "mutations": len(swept),
        "swept_p50_ms": round(percentile(swept, 0.5), 1),
        "quiet_p50_ms": round(percentile(quiet, 0.5), 1),
        "swept_p99_ms": round(percentile(swept, 0.99), 1),
        "quiet_p99_ms": round(percentile(quiet, 0.99), 1),
    }
    what = "p99 of checkoutLinesAdd while we sweep, to while we do not"
    met = pairs.ratio <= BAR
    return Row("hosted-sweep", what, pairs.ratio, BAR, None, met, pairs.spread, "<=", detail)


def _rounds(turns: list[list[float]]) -> list[tuple[float, float]]:
    figures = [percentile(turn, 0.99) for turn in turns]
    return list(zip(figures[::2], figures[1::2], strict=True))
