"""R16: every defect that is put in on purpose turns its check red."""

import os
import sys
import traceback
from collections import Counter
from collections.abc import Sequence
from typing import Final

from django.db import connections

from chaos.defects import DEFECTS, Defect
from chaos.senders.ground import Ground
from chaos.verdict import Bar, Result

RUNS: Final = 20
# R16: caught in so many of twenty runs.
SHARE: Final = 0.95


def played(ground: Ground, defects: Sequence[Defect] = DEFECTS) -> Result:
    """Play the check of each defect, and count those that are seen."""
    runs, seen = ground.count(RUNS, 1), Counter[str]()
    for defect in defects:
        _must_take(defect)
        for _ in range(runs):
            seen[defect.name] += _is_seen(Ground(ground.folder, 0.0, defect.sow), defect)
            print(f"{defect.name}: {seen[defect.name]}", file=sys.stderr, flush=True)
    missed = [one.name for one in defects if seen[one.name] < SHARE * runs]
    caught = len(defects) - len(missed)
    return Result(
        id="defects",
        what="each defect put in on purpose turns its check red",
        injected=f"{len(defects)} defects, {runs} x each",
        posted=len(defects),
        accepted=caught,
        bars=(Bar("caught", caught, len(defects), at_least=True),),
        detail={"caught": dict(seen), "missed": missed},
    )


def _is_seen(ground: Ground, defect: Defect) -> bool:
    ground.clear()
    defect.before()
    try:
        return defect.is_seen_in(defect.check(ground))
    finally:
        defect.after()


def _must_take(defect: Defect) -> None:
    """Raise unless the defect can be put in: workers that do not start prove nothing."""
    connections.close_all()
    if pid := os.fork():
        if os.waitpid(pid, 0)[1]:
            raise RuntimeError(f"{defect.name!r} cannot be put in: adapt chaos/defects.py")
        return
    try:
        defect.sow()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
