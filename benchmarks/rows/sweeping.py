"""Looking at a million checkouts of which few are due: time, memory, statements, and plans."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from benchmarks import population, team
from benchmarks.bench import ROUNDS, Bench
from benchmarks.report import Row, alternate, paired
from benchmarks.rows.sending import settings
from benchmarks.stage import Stage
from benchmarks.yardsticks import look
from devtools import servers

FULL: Final = 1_000_000
# Of a hundred checkouts one is due; the others wait, were written to, or were ordered.
DUE_SHARE: Final = 0.01
BAR_SECONDS: Final = 10.0
BAR_MB: Final = 16.0
BAR_APART_MB: Final = 4.0
BAR_STATEMENT_MS: Final = 200.0
BAR_NOT_DUE: Final = 1.2
TWO_BAR: Final = 1.3


@dataclass(frozen=True, slots=True)
class Crowd:
    """A population in a database of its own."""

    stage: Stage
    database: str
    count: int
    candidates: int

    @property
    def environment(self) -> dict[str, str]:
        """Return what our processes are told."""
        url = self.stage.database_url.replace(f"/{servers.DATABASE}?", f"/{self.database}?")
        return settings(DATABASE_URL=url)

    def wake(self, due: int) -> None:
        """Let so many be due, in tables without dead rows; nothing was ever sent to them."""
        self.stage.redis().flushall()
        with self.stage.connect(self.database) as connection:
            population.wake(connection.execute, due, self.candidates)
            connection.execute("VACUUM ANALYZE")

    def look(self, due: int, **arguments: Any) -> dict[str, Any]:
        """Look at so many that are due; raises AssertionError if not all were entered."""
        self.wake(due)
        found = self.stage.inside("look", environment=self.environment, **arguments)
        if found["entered"] != due:
            raise AssertionError(f"{due} were due, {found['entered']} were entered")
        return found

    def yardstick(self, due: int) -> float:
        """Return the seconds the least that could do it takes."""
        self.wake(due)
        with self.stage.connect(self.database) as connection:
            seconds, entered = look.look(connection)
        if entered != due:
            raise AssertionError(f"{due} were due, {entered} were entered")
        return seconds


@contextmanager
def crowd(stage: Stage, name: str, count: int, candidates: int) -> Iterator[Crowd]:
    """Make a population in a database of its own, and drop it with the block."""
    found = Crowd(stage, name, count, candidates)
    with stage.connect("postgres") as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {servers.DATABASE}")
    try:
        asked = {"count": count, "candidates": candidates}
        stage.inside("plant", environment=found.environment, **asked)
        yield found
    finally:
        with stage.connect("postgres") as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def sweep(bench: Bench) -> list[Row]:
    """Look at a million tracked checkouts, one in a hundred due; then with ten times fewer."""
    stage, many = bench.stage, bench.count(FULL, 50_000)
    stage.fresh()
    few, due = many // 10, int(many * DUE_SHARE)
    with ExitStack() as stack:
        large = stack.enter_context(crowd(stage, "sweep_many", many, due))
        small = stack.enter_context(crowd(stage, "sweep_few", few, due))
        return [*_a_million(large, small, due), _not_due(large, small, due // 10)]


def _a_million(large: Crowd, small: Crowd, due: int) -> list[Row]:
    looks = [large.look(due, with_plans=True)]

    def ours() -> float:
        looks.append(large.look(due))
        return float(looks[-1]["seconds"])

    a, b = alternate(ours, lambda: large.yardstick(due), ROUNDS)
    pairs, fewer = paired(a, b), [small.look(due // 10) for _ in range(ROUNDS)]
    seconds = median(pairs.ours) * FULL / large.count
    grown, peak = _mb(looks, "rss_grown_bytes"), _mb(looks, "rss_bytes")
    apart = peak - _mb(fewer, "rss_bytes")
    slowest = 1000 * max(one["slowest_statement_seconds"] for one in looks)
    whole = [f"{table}: {sql[:200]}" for sql, table in looks[0]["read_whole"]]
    detail = {
        "checkouts": large.count,
        "due": due,
        "seconds": round(median(pairs.ours), 3),
        "ms_per_due": round(1000 * median(pairs.ours) / due, 3),
        "cpu_ms_per_due": round(1000 * median(one["cpu_seconds"] for one in looks) / due, 3),
        "to_plain_sql": round(pairs.ratio, 2),
        "plain_sql_seconds": round(median(pairs.theirs), 3),
        "statements_per_due": round(median(one["statements"] for one in looks) / due, 2),
        "read_whole": whole,
    }
    is_fine = seconds <= BAR_SECONDS and slowest <= BAR_STATEMENT_MS and not whole
    what = "seconds to look at 1 M checkouts, 1 % of them due, at full size"
    first = Row(
        "sweep-1m", what, seconds, BAR_SECONDS, None, is_fine, pairs.spread, "<=", detail=detail
    )
    return [
        first,
        _row("sweep-memory", "MB a process grows by meanwhile", grown, BAR_MB),
        _row("sweep-memory-apart", "MB more than with a tenth of it", apart, BAR_APART_MB),
        _row("sweep-statement", "ms of the slowest statement", slowest, BAR_STATEMENT_MS),
    ]


def _row(name: str, what: str, figure: float, bar: float) -> Row:
    return Row(name, what, figure, bar, None, figure <= bar, sense="<=")


def _mb(looks: list[dict[str, Any]], figure: str) -> float:
    return float(median(one[figure] for one in looks)) / 2**20


def _not_due(large: Crowd, small: Crowd, due: int) -> Row:
    """As many due, among ten times more that are not."""

    def seconds(found: Crowd) -> float:
        return float(found.look(due)["seconds"])

    a, b = alternate(lambda: seconds(large), lambda: seconds(small), ROUNDS)
    pairs = paired(a, b)
    detail = {
        "due": due,
        "checkouts": [large.count, small.count],
        "seconds": [round(median(pairs.ours), 3), round(median(pairs.theirs), 3)],
    }
    what = "seconds of a look at ten times more that are not due, to it"
    met = pairs.ratio <= BAR_NOT_DUE
    return Row(
        "sweep-not-due", what, pairs.ratio, BAR_NOT_DUE, None, met, pairs.spread, "<=", detail
    )


# Side by side -----------------------------------------------------------------------------------


def side_by_side(bench: Bench) -> list[Row]:
    """Look with two workers, to one; then with four, to two. No checkout is entered twice."""
    stage, due = bench.stage, bench.count(10_000, 1_000)
    stage.fresh()
    with crowd(stage, "sweep_many", due, due) as found:
        rates: dict[int, list[float]] = {1: [], 2: [], 4: []}

        def turn(workers: int) -> float:
            rates[workers].append(_looked(found, due, workers))
            return rates[workers][-1]

        turn(1)  # caches get warm
        two = paired(*alternate(lambda: turn(2), lambda: turn(1), ROUNDS))
        four = paired(*alternate(lambda: turn(4), lambda: turn(2), ROUNDS))
    detail = {f"per_second_{count}": round(median(found), 1) for count, found in rates.items()}
    what = "checkouts/s looked at by two workers, to one"
    return [
        Row(
            "two-workers",
            what,
            two.ratio,
            TWO_BAR,
            None,
            two.ratio >= TWO_BAR,
            two.spread,
            detail=detail | {"due": due},
        ),
        Row(
            "four-workers",
            "by four workers, to two",
            four.ratio,
            1.0,
            None,
            four.ratio >= 1,
            four.spread,
        ),
    ]


def _looked(found: Crowd, due: int, workers: int) -> float:
    """Return checkouts per second; each is entered by one worker once, or it fails."""
    found.wake(due)
    done = team.work("look_when_told", workers, found.stage.environment(**found.environment))
    with found.stage.connect(found.database) as connection:
        query = "SELECT count(*), count(DISTINCT checkout_id) FROM saleor_nudges_send"
        entered = connection.execute(query).fetchone()
    if entered != (due, due) or done.done != due:
        raise AssertionError(f"{due} were due, {done.done} entered, in the ledger: {entered}")
    return due / done.seconds
