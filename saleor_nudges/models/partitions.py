"""Which pieces the event tables are cut into: facts by month, views by week."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection

from saleor_nudges import conf
from saleor_nudges.events import Flow
from saleor_nudges.models.events import ShopEvent, ViewEvent

# An event can arrive late: a sweep reads the orders of the last month at their own times.
# What is older than two whole months is cold, and may be archived and dropped.
MONTHS_BACK, MONTHS_AHEAD = 2, 3
WEEKS_AHEAD = 4


@dataclass(frozen=True, slots=True)
class Partition:
    """One piece of a table: the ids of [start, end)."""

    table: str
    start: datetime
    end: datetime

    @property
    def name(self) -> str:
        """Return the piece's own table name."""
        return f"{self.table}_{self.start:%Y%m%d}"


def oldest_kept(flow: Flow, now: datetime) -> datetime:
    """Return the time before which an event is refused: no partition would hold it."""
    if flow is Flow.COMMERCE:
        return _month(now, -MONTHS_BACK)
    return _week(now) - timedelta(weeks=_weeks_back())


def wanted_partitions(now: datetime) -> list[Partition]:
    """Return every partition that must exist now: facts by month, views by week."""
    facts, views = ShopEvent._meta.db_table, ViewEvent._meta.db_table
    months = [
        Partition(facts, _month(now, offset), _month(now, offset + 1))
        for offset in range(-MONTHS_BACK, MONTHS_AHEAD + 1)
    ]
    first = _week(now) - timedelta(weeks=_weeks_back())
    starts = [first + timedelta(weeks=n) for n in range(_weeks_back() + WEEKS_AHEAD + 1)]
    return months + [Partition(views, start, start + timedelta(weeks=1)) for start in starts]


def missing_partitions(now: datetime) -> list[Partition]:
    """Return what must exist now and does not."""
    known = existing()
    return [piece for piece in wanted_partitions(now) if piece.name not in known]


def existing() -> set[str]:
    """Return the names of all partitions there are."""
    tables = (ShopEvent._meta.db_table, ViewEvent._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT child.relname FROM pg_inherits"
            " JOIN pg_class child ON child.oid = inhrelid"
            " JOIN pg_class parent ON parent.oid = inhparent WHERE parent.relname = ANY(%s)",
            [list(tables)],
        )
        return {name for (name,) in cursor.fetchall()}


def pieces_of(table: str) -> list[Partition]:
    """Return the partitions one table has, oldest first."""
    starts = sorted(name.removeprefix(f"{table}_") for name in existing() if _is_of(name, table))
    days = [datetime.strptime(start, "%Y%m%d").replace(tzinfo=UTC) for start in starts]
    by_month = table == ShopEvent._meta.db_table
    return [
        Partition(table, day, _month(day, 1) if by_month else day + timedelta(weeks=1))
        for day in days
    ]


def stored_since(table: str) -> datetime | None:
    """Return since when every partition is there; those before a gap were restored."""
    since: datetime | None = None
    for piece in reversed(pieces_of(table)):
        if since is not None and piece.end != since:
            break
        since = piece.start
    return since


def months_before(now: datetime, count: int) -> datetime:
    """Return the start of the month so many months before this one."""
    return _month(now, -count)


def _is_of(name: str, table: str) -> bool:
    return name.startswith(f"{table}_")


def _weeks_back() -> int:
    return conf.get().VIEWS_KEPT_DAYS // 7 + 1


def _month(now: datetime, offset: int) -> datetime:
    months = now.year * 12 + now.month - 1 + offset
    return datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC)


def _week(now: datetime) -> datetime:
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=midnight.weekday())
