"""What a measurement comes to: medians, spread, a row, the table, and the file of results."""

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final, Literal, Self

MORE, LESS = ">=", "<="
Sense = Literal[">=", "<="]
WIDTHS: Final = (18, 58, 9, 10, 6, 7)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `ratio` is ours to the yardstick's, or what `what` says it is."""

    id: str
    what: str
    ratio: float | None = None
    bar: float | None = None
    stretch: float | None = None
    met: bool | None = None
    spread: float | None = None
    sense: Sense = ">="
    detail: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        """Return the row of one JSON object; what it does not know stays in its detail."""
        known = {name: data[name] for name in cls.__slots__ if name in data}
        rest = {name: value for name, value in data.items() if name not in known}
        return cls(**{**known, "detail": {**known.get("detail", {}), **rest}})

    def as_json(self) -> dict[str, Any]:
        """Return it as build/bench.json holds it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Figures of ours and of a yardstick, taken in turns; one pair per round."""

    ours: tuple[float, ...]
    theirs: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """Return the ratio of the medians."""
        return median(self.ours) / median(self.theirs)

    @property
    def spread(self) -> float:
        """Return how far the rounds lie apart, as a part of the median round."""
        rounds = [a / b for a, b in zip(self.ours, self.theirs, strict=True)]
        return (max(rounds) - min(rounds)) / median(rounds)


def alternate[T](
    ours: Callable[[], T], theirs: Callable[[], T], rounds: int
) -> tuple[list[tuple[T, T]], list[tuple[T, T]]]:
    """Measure A-B-B-A so many times; return what came of A and of B, two figures a round."""
    of_ours, of_theirs = [], []
    for _ in range(rounds):
        first = ours()
        of_theirs.append((theirs(), theirs()))
        of_ours.append((first, ours()))
    return of_ours, of_theirs


def paired(ours: Iterable[tuple[float, float]], theirs: Iterable[tuple[float, float]]) -> Pairs:
    """Return the pairs of what was measured, each round's two figures as their mean."""
    return Pairs(tuple(sum(two) / 2 for two in ours), tuple(sum(two) / 2 for two in theirs))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of them does not exceed; 0 of none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Return by how much y grows per x, by least squares; 0 of fewer than two points."""
    if len(points) < 2:
        return 0.0
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0


def is_met(value: float | None, bar: float | None, sense: Sense) -> bool | None:
    """Tell whether a figure keeps to its bar; None where one of them is missing."""
    if value is None or bar is None:
        return None
    return value >= bar if sense == MORE else value <= bar


def table(rows: Iterable[Row]) -> str:
    """Return the rows as people read them."""
    head = ("id", "what", "ratio", "bar", "met", "spread")
    lines = [_line(head), _line(tuple("-" * width for width in WIDTHS))]
    lines += [_line(_cells(row)) for row in rows]
    return "\n".join(lines)


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.id,
        row.what,
        "" if row.ratio is None else f"{row.ratio:.3g}",
        "" if row.bar is None else f"{row.sense} {row.bar:g}",
        {True: "yes", False: "NO", None: "-"}[row.met],
        "" if row.spread is None else f"{row.spread:.0%}",
    ) + ((row.why,) if row.why else ())


def _line(cells: Sequence[str]) -> str:
    fixed = [cell[:width].ljust(width) for cell, width in zip(cells, WIDTHS, strict=False)]
    return " | ".join([*fixed, *cells[len(WIDTHS) :]]).rstrip()


# The file ---------------------------------------------------------------------------------------


def write(path: Path, rows: Iterable[Mapping[str, Any]], facts: Mapping[str, Any]) -> None:
    """Write the results, in one go: whoever is killed leaves the file of before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".new")
    unfinished.write_text(json.dumps({"rows": list(rows), **facts}, indent=1) + "\n")
    unfinished.replace(path)


def finished(path: Path, commit: str, scale: float) -> dict[str, dict[str, Any]]:
    """Return the rows a run of the same code and size has left, by id."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    if found.get("commit") != commit or found.get("scale") != scale:
        return {}
    return {row["id"]: row for row in found["rows"]}


@dataclass(frozen=True, slots=True)
class Choice:
    """What the environment asks for: ONLY=id,…  SCALE=0.1  FRESH=1."""

    only: tuple[str, ...]
    scale: float
    is_fresh: bool

    @classmethod
    def of(cls, environment: Mapping[str, str], default: float) -> Self:
        """Read it; raises ValueError with a sentence for whoever misspelt something."""
        names = environment.get("ONLY", "").replace(" ", "").split(",")
        text = environment.get("SCALE") or str(default)
        try:
            scale = float(text)
        except ValueError:
            scale = 0.0
        if not 0 < scale <= 1:
            raise ValueError(f"SCALE is a number above 0 and up to 1, not {text!r}.")
        return cls(tuple(filter(None, names)), scale, environment.get("FRESH", "") not in ("", "0"))

    def rows(self, known: Iterable[str], done: Iterable[str]) -> list[str]:
        """Return which rows to run: those named, or those not done yet. Raises ValueError."""
        names = list(known)
        if unknown := sorted(set(self.only) - set(names)):
            raise ValueError(f"No such row: {', '.join(unknown)}. There are: {', '.join(names)}.")
        if self.only:
            return [name for name in names if name in self.only]
        left_out = set() if self.is_fresh else set(done)
        return [name for name in names if name not in left_out]


def chosen(default: float) -> Choice:
    """Return what this process's environment asks for."""
    return Choice.of(os.environ, default)
