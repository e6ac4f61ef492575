"""What became of the events of a record: compared with the rows that are stored, id by id."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Self
from uuid import UUID

from benchmarks.stage import Stage
from chaos.poster import Record

# Nothing moves for so long: what a dead consumer held was handed out again long before.
PATIENCE: Final = 30.0
STORED: Final = "SELECT id FROM saleor_nudges_views"
SPILLED: Final = "SELECT count(*) FROM saleor_nudges_waitingevent WHERE flow = 'views'"
COUNTS: Final = (
    "SELECT product_id, sum(count) FROM saleor_nudges_productcount"
    " WHERE kind = 'product_viewed' AND grain = 'HOUR' GROUP BY product_id"
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Events lost (acknowledged, not stored), doubled, unheard-of (stored, never posted)."""

    lost: frozenset[UUID]
    doubled: int
    strangers: int
    miscounted: int
    # Products our rollups have a count of; none at all would prove nothing.
    counted: int = 0
    # Handed to nobody for good: left in the stream, or spilled and never fetched.
    left: int = 0

    @classmethod
    def of(
        cls,
        record: Record,
        stored: Iterable[UUID],
        counts: Mapping[str, int] | None = None,
        left: int = 0,
    ) -> Self:
        """Compare; `counts` are views by product as our rollups have them, if they have any."""
        times = Counter(stored)
        by_product = Counter(record.posted[event] for event in times if event in record.posted)
        wrong = 0
        if counts:
            names = by_product.keys() | counts.keys()
            wrong = sum(abs(counts.get(name, 0) - by_product[name]) for name in names)
        return cls(
            lost=frozenset(record.acknowledged.keys() - times.keys()),
            doubled=sum(count - 1 for count in times.values()),
            strangers=len(times.keys() - record.posted.keys()),
            miscounted=wrong,
            counted=len(counts or ()),
            left=left,
        )

    def bars(self, may_be_lost: frozenset[UUID] = frozenset()) -> tuple["Bar", ...]:
        """Return what must hold of any record: each acknowledged event stored and counted once."""
        return (
            Bar("lost", len(self.lost - may_be_lost)),
            Bar("stored twice", self.doubled),
            Bar("unheard of", self.strangers),
            Bar("miscounted", self.miscounted),
            Bar("left waiting", self.left),
        )

    @property
    def holds(self) -> bool:
        """Tell whether every acknowledged event is stored and counted once, and no other."""
        return all(bar.holds for bar in self.bars())


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure and what it must keep to: at most `limit`, or at least."""

    name: str
    figure: float
    limit: float = 0
    at_least: bool = False

    @property
    def holds(self) -> bool:
        """Tell whether the figure keeps to it."""
        return self.figure >= self.limit if self.at_least else self.figure <= self.limit

    def __str__(self) -> str:
        sign = ">=" if self.at_least else "<=" if self.limit else "="
        if not self.holds:
            sign = "NOT " + sign
        return f"{self.name} {self.figure:.6g} {sign} {self.limit:g}"


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table, and of build/chaos.json. Without bars it proves nothing either way."""

    id: str
    what: str
    injected: str
    posted: int = 0
    accepted: int = 0
    lost: int = 0
    doubled: int = 0
    in_doubt: int = 0
    bars: tuple[Bar, ...] = ()
    detail: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""

    @property
    def holds(self) -> bool | None:
        """Tell whether every bar holds; None where nothing was played."""
        return all(bar.holds for bar in self.bars) if self.bars else None

    def as_json(self) -> dict[str, Any]:
        """Return it as the file holds it."""
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        return found | {"holds": self.holds, "bars": [str(bar) for bar in self.bars]}


def result(
    name: str,
    what: str,
    injected: str,
    record: Record,
    verdict: Verdict,
    *bars: Bar,
    may_be_lost: frozenset[UUID] = frozenset(),
    **detail: Any,
) -> Result:
    """Return the line of a record and its verdict; `bars` are what else has to hold."""
    return Result(
        name,
        what,
        injected,
        posted=len(record.posted),
        accepted=len(record.acknowledged),
        lost=len(verdict.lost),
        doubled=verdict.doubled + verdict.miscounted,
        in_doubt=record.in_doubt,
        bars=(
            *verdict.bars(may_be_lost),
            Bar("acknowledged", len(record.acknowledged), 1, at_least=True),
            Bar("products counted", verdict.counted, 1, at_least=True),
            *bars,
        ),
        detail={
            "refused": {str(status): count for status, count in record.refused.items()},
            **detail,
        },
    )


def stored_views(stage: Stage) -> list[UUID]:
    """Return the ids of all stored views, one for each row."""
    return _ids(stage, STORED)


def stored_facts(stage: Stage) -> list[UUID]:
    """Return the ids of all stored facts, one for each row."""
    return _ids(stage, "SELECT id FROM saleor_nudges_events")


def _ids(stage: Stage, query: str) -> list[UUID]:
    with stage.connect() as connection:
        return [found for (found,) in connection.execute(query)]


def waiting_views(stage: Stage) -> int:
    """Return how many frames and spilled views nobody has let go yet."""
    return stage.streamed() + int(stage.scalar(SPILLED))


def settled(
    stage: Stage, record: Record, may_be_lost: frozenset[UUID] = frozenset()
) -> tuple[Verdict, float]:
    """Wait until all that must be stored is and nothing waits, or nothing moves; judge.

    Return the verdict and the seconds it took.
    """
    began = changed = time.monotonic()
    seen, wanted = None, record.acknowledged.keys() - may_be_lost
    while time.monotonic() - changed < PATIENCE:
        stored, waiting = set(stored_views(stage)), waiting_views(stage)
        # What is handed out once more is counted twice only then.
        if not waiting and wanted <= stored:
            break
        if (len(stored), waiting) != seen:
            seen, changed = (len(stored), waiting), time.monotonic()
        time.sleep(0.25)
    took = time.monotonic() - began
    stored_then, counts = _at_one_moment(stage)
    return Verdict.of(record, stored_then, counts, waiting_views(stage)), took


def _at_one_moment(stage: Stage) -> tuple[list[UUID], dict[str, int]]:
    with stage.connect() as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        stored = [found for (found,) in connection.execute(STORED)]
        return stored, {product: int(count) for product, count in connection.execute(COUNTS)}
