"""What became of the events of a record: compared with the rows that are stored, id by id."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Self
from uuid import UUID

import psycopg

from benchmarks.stage import Stage
from chaos.poster import Record

# What a dead consumer held is handed out again after half a minute.
PATIENCE: Final = 75.0
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

    @classmethod
    def of(
        cls, record: Record, stored: Iterable[UUID], counts: Mapping[str, int] | None = None
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
        )

    @property
    def holds(self) -> bool:
        """Tell whether every acknowledged event is stored and counted once, and no other."""
        return not (self.lost or self.doubled or self.strangers or self.miscounted)


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table, and of build/chaos.json."""

    id: str
    what: str
    injected: str
    accepted: int = 0
    lost: int = 0
    doubled: int = 0
    in_doubt: int = 0
    holds: bool | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as the file holds it."""
        return asdict(self)


def result(
    name: str,
    what: str,
    injected: str,
    record: Record,
    verdict: Verdict,
    *,
    holds: bool = True,
    **detail: Any,
) -> Result:
    """Return the line of a record and its verdict; `holds` adds what else had to hold."""
    return Result(
        name,
        what,
        injected,
        accepted=len(record.acknowledged),
        lost=len(verdict.lost),
        doubled=verdict.doubled + verdict.miscounted,
        in_doubt=record.in_doubt,
        holds=verdict.holds and holds and bool(record.acknowledged),
        detail={
            "strangers": verdict.strangers,
            "miscounted": verdict.miscounted,
            "products_counted": verdict.counted,
            "refused": {str(status): count for status, count in record.refused.items()},
            **detail,
        },
    )


def stored_views(stage: Stage) -> list[UUID]:
    """Return the ids of all stored views, one for each row."""
    return _ids(stage, "SELECT id FROM saleor_nudges_views")


def stored_facts(stage: Stage) -> list[UUID]:
    """Return the ids of all stored facts, one for each row."""
    return _ids(stage, "SELECT id FROM saleor_nudges_events")


def _ids(stage: Stage, query: str) -> list[UUID]:
    with stage.connect() as connection:
        return [found for (found,) in connection.execute(query)]


def counted(stage: Stage) -> dict[str, int]:
    """Return the views by product as our rollups have them; empty where there are no rollups."""
    try:
        with stage.connect() as connection:
            return {product: int(count) for product, count in connection.execute(COUNTS)}
    except psycopg.errors.UndefinedTable:
        return {}


def settled(stage: Stage, record: Record, patience: float = PATIENCE) -> tuple[Verdict, float]:
    """Wait until all that was acknowledged is stored, or nothing more comes; judge it then.

    Return the verdict and the seconds it took.
    """
    began = changed = time.monotonic()
    seen = -1
    while time.monotonic() - changed < patience:
        stored = set(stored_views(stage))
        if record.acknowledged.keys() <= stored:
            break
        if len(stored) != seen:
            seen, changed = len(stored), time.monotonic()
        time.sleep(0.25)
    took = time.monotonic() - began
    return Verdict.of(record, stored_views(stage), counted(stage)), took
