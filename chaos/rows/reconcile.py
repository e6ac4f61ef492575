"""The shop was out of reach and its news were lost; what is played stands in `chaos.reconcile`."""

import importlib
import importlib.util

from chaos.verdict import Result
from chaos.world import CannotRun, World

FIELDS = ("id", "what", "injected", "accepted", "lost", "doubled", "in_doubt", "holds", "why")


def reconcile(world: World) -> list[Result]:
    """Return the rows the reconciling's own harness answers."""
    if importlib.util.find_spec("chaos.reconcile") is None:
        raise CannotRun("chaos/reconcile.py is not here")
    module = importlib.import_module("chaos.reconcile")
    found = []
    for row in module.rows(world.scale):
        known = {"what": "", **{name: row[name] for name in FIELDS if name in row}}
        rest = {name: value for name, value in row.items() if name not in FIELDS}
        found.append(Result(**known, detail={**rest.pop("detail", {}), **rest}))
    return found
