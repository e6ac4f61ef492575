"""The archive beside a COPY of the same rows; what is measured stands in `benchmarks.archive`."""

import importlib
import importlib.util

from benchmarks.bench import Bench, CannotRun
from benchmarks.report import Row


def archive(bench: Bench) -> list[Row]:
    """Return the rows the archive's own measurement answers."""
    if importlib.util.find_spec("benchmarks.archive") is None:
        raise CannotRun("benchmarks/archive.py is not here")
    module = importlib.import_module("benchmarks.archive")
    return [Row.read(row) for row in module.rows(bench.scale)]
