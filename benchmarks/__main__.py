"""`python -m benchmarks`: run what is not done yet, print the table, write build/bench.json.

ONLY=one-event,drain   run these, whatever was done before
SCALE=1                full size (default 0.1; a part of the time and the numbers)
FRESH=1                forget what an earlier run of the same code and scale has done
"""

import contextlib
import signal
import sys
import time
import traceback
from datetime import UTC, datetime
from types import FrameType
from typing import Any, Final

from benchmarks import machine, report
from benchmarks.bench import Bench, CannotRun
from benchmarks.report import Row
from benchmarks.rows import ROWS

FILE: Final = machine.BUILD / "bench.json"
DEFAULT_SCALE: Final = 0.1


def main() -> int:
    """Run; return 0 whether or not a bar is met, 1 if a measurement itself failed."""
    try:
        choice = report.chosen(DEFAULT_SCALE)
        commit = machine.commit()
        done = {} if choice.is_fresh else report.finished(FILE, commit, choice.scale)
        complete = {row["measured_by"] for row in done.values() if not row.get("failed")}
        wanted = choice.rows(ROWS, complete)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, _leave)
    facts = {
        "versions": machine.versions(),
        "cores": machine.cores(),
        "commit": commit,
        "scale": choice.scale,
    }
    with contextlib.suppress(KeyboardInterrupt), contextlib.ExitStack() as stack:
        bench = Bench(choice.scale, stack)
        for name in wanted:
            done = {key: row for key, row in done.items() if row["measured_by"] != name}
            for row in _measured(bench, name):
                done[row["id"]] = row
            report.write(FILE, _in_order(done), facts | {"date": datetime.now(UTC).isoformat()})
    rows = [Row.read(row) for row in _in_order(done)]
    print(f"\n{report.table(rows)}\n\n{FILE}")
    return int(any(row.get("failed") for row in done.values()))


def _measured(bench: Bench, name: str) -> list[dict[str, Any]]:
    """Return the rows of one measurement as the file holds them; say them as they come."""
    print(f"{name} …", flush=True)
    machine.wait_for_quiet()
    began, failed = time.monotonic(), False
    with machine.watching() as watch:
        try:
            rows = ROWS[name](bench)
        except CannotRun as error:
            rows = [Row(name, _first_line(name), why=str(error))]
        except Exception as error:
            traceback.print_exc()
            failed = True
            last = (str(error).strip().splitlines() or [""])[-1]
            why = f"failed: {type(error).__name__}: {last[:200]}"
            rows = [Row(name, _first_line(name), met=False, why=why)]
    extra = {
        "measured_by": name,
        "failed": failed,
        "seconds": round(time.monotonic() - began, 1),
        "other_cpu": round(watch.others, 3),
    }
    if watch.is_noisy:
        print(f"  ! others used {watch.others:.0%} of the machine meanwhile: measure again")
    print(f"{report.table(rows).partition(chr(10))[2].partition(chr(10))[2]}", flush=True)
    return [row.as_json() | extra for row in rows]


def _first_line(name: str) -> str:
    return (ROWS[name].__doc__ or name).split("\n", 1)[0]


def _in_order(done: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    order = list(ROWS)
    return sorted(done.values(), key=lambda row: order.index(row["measured_by"]))


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
