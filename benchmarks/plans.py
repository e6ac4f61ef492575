"""How Postgres would run what a block of code asks it: which tables it reads from end to end."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Final

from django.db import connection

EXPLAINED: Final = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
# What grows with a shop's checkouts.
BIG: Final = ("trackedcheckout", "send", "person", "seenorder")


@dataclass(slots=True)
class Statement:
    """One statement, by its text: how often it ran, for how many seconds, at most and in all."""

    sql: str
    parameters: Any
    times: int = 0
    slowest: float = 0.0
    seconds: float = 0.0


@dataclass(slots=True)
class Statements:
    """Everything a block of code asked of Postgres."""

    by_text: dict[str, Statement] = field(default_factory=dict)

    def note(self, execute: Callable[..., Any], sql: str, params: Any, *rest: Any) -> Any:
        """Time one statement; what Django calls instead of executing it."""
        began = perf_counter()
        try:
            return execute(sql, params, *rest)
        finally:
            took = perf_counter() - began
            one = self.by_text.setdefault(sql, Statement(sql, params))
            one.times += 1
            one.seconds += took
            one.slowest = max(one.slowest, took)

    @property
    def slowest(self) -> float:
        """Return the seconds of the slowest one; 0 of none."""
        return max((one.slowest for one in self.by_text.values()), default=0.0)

    @property
    def times(self) -> int:
        """Return how many there were."""
        return sum(one.times for one in self.by_text.values())

    def read_whole(self, tables: Collection[str] = BIG) -> dict[str, str]:
        """Return the statements that would read one of our tables from end to end, with which."""
        found = {}
        for one in self.by_text.values():
            if scanned := sorted(sequential(one) & {f"saleor_nudges_{name}" for name in tables}):
                found[one.sql] = ", ".join(scanned)
        return found


@contextmanager
def watched() -> Iterator[Statements]:
    """Note every statement of the block."""
    found = Statements()
    with connection.execute_wrapper(found.note):
        yield found


def sequential(one: Statement) -> set[str]:
    """Return the tables that Postgres would read from end to end for a statement."""
    if one.sql.lstrip().partition(" ")[0].upper().strip() not in EXPLAINED:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {one.sql}", one.parameters)
        [[[found]]] = cursor.fetchall()
    return set(_scanned(found["Plan"]))


def _scanned(node: dict[str, Any]) -> Iterator[str]:
    if node["Node Type"] == "Seq Scan":
        yield node["Relation Name"]
    for part in node.get("Plans", ()):
        yield from _scanned(part)
