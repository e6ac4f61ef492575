"""`python -m chaos`: break things, print what was lost, write build/chaos.json.

ONLY=web-killed,poison   these faults only
SCALE=1                  as often as the study asks (default 0.1)
"""

import contextlib
import signal
import sys
import time
import traceback
from collections.abc import Iterable
from datetime import UTC, datetime
from types import FrameType
from typing import Any, Final

from benchmarks import machine, report
from chaos.rows import ROWS
from chaos.verdict import Bar, Result
from chaos.world import CannotRun, World

FILE: Final = machine.BUILD / "chaos.json"
DEFAULT_SCALE: Final = 0.1
COLUMNS: Final = ("id", "injected", "posted", "accepted", "lost", "doubled", "in_doubt", "seconds")
WIDTHS: Final = (16, 38, 6, 8, 5, 7, 8, 7, 7)
HEAD: Final = (*COLUMNS, "verdict", "bars")
VERDICTS: Final = {True: "holds", False: "BROKEN", None: "-"}
# Every row has these, so that they are named only where they do not hold.
COMMON: Final = (
    *("lost ", "stored twice ", "unheard of ", "miscounted ", "left waiting "),
    *("acknowledged ", "products counted "),
    *("sent twice ", "dropped ", "ledger and sink disagree ", "messages "),
)


def main() -> int:
    """Run; return 1 if an invariant does not hold or a fault could not be played to its end."""
    try:
        choice = report.chosen(DEFAULT_SCALE)
        wanted = choice.rows(ROWS, ())
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, _leave)
    facts = {
        "versions": machine.versions(),
        "cores": machine.cores(),
        "commit": machine.commit(),
        "scale": choice.scale,
    }
    rows: list[dict[str, Any]] = []
    with contextlib.suppress(KeyboardInterrupt), contextlib.ExitStack() as stack:
        world = World(choice.scale, stack)
        for name in wanted:
            print(f"{name} …", flush=True)
            rows += _played(world, name)
            report.write(FILE, rows, facts | {"date": datetime.now(UTC).isoformat()})
    print(f"\n{table(rows)}\n\n{FILE}")
    return int(any(row["holds"] is False for row in rows) or len(rows) < len(wanted))


def _played(world: World, name: str) -> list[dict[str, Any]]:
    began = time.monotonic()
    what = (ROWS[name].__doc__ or name).split("\n", 1)[0]
    try:
        results = ROWS[name](world)
    except CannotRun as error:
        results = [Result(name, what, "not played", why=str(error))]
    except Exception as error:
        traceback.print_exc()
        last = (str(error).strip().splitlines() or [""])[-1]
        why = f"failed: {type(error).__name__}: {last[:200]}"
        bars = (Bar("played to its end", 0, 1, at_least=True),)
        results = [Result(name, what, "not played to its end", bars=bars, why=why)]
    seconds = round(time.monotonic() - began, 1)
    rows = [{**one.as_json(), "seconds": seconds} for one in results]
    print(table(rows, with_head=False), flush=True)
    return rows


def table(rows: Iterable[dict[str, Any]], *, with_head: bool = True) -> str:
    """Return the rows as people read them: one line each, the broken bars first."""
    lines = [_line(HEAD), _line(["-" * width for width in WIDTHS])] if with_head else []
    for row in rows:
        cells = [str(row[name]) for name in COLUMNS]
        lines.append(_line([*cells, VERDICTS[row["holds"]], row["why"] or _told(row["bars"])]))
    return "\n".join(lines)


def _told(bars: Iterable[str]) -> str:
    worth_it = [bar for bar in bars if " NOT " in bar or not bar.startswith(COMMON)]
    return "; ".join(sorted(worth_it, key=lambda bar: " NOT " not in bar))


def _line(cells: Iterable[str]) -> str:
    cells = list(cells)
    fixed = [cell[:width].ljust(width) for cell, width in zip(cells, WIDTHS, strict=False)]
    return " | ".join([*fixed, *cells[len(WIDTHS) :]]).rstrip()


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
