"""From due to accepted: our sender beside Django's own mail, 10,000 at once, and one by one."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from statistics import median
from typing import Any, Final

from benchmarks import machine, population, team
from benchmarks.bench import ROUNDS, Bench
from benchmarks.report import Row, alternate, paired, percentile
from benchmarks.rows.freshness import celery
from benchmarks.sink import Sink, sink
from benchmarks.stage import Stage, wait_until

HOST: Final = "benchmarks.shop.BenchHost"
# A Celery worker has a process for each core unless somebody says otherwise.
WORKERS: Final = machine.cores()
AT_ONCE: Final = 10_000
SENDER_BAR: Final = 0.95
IDLE_BAR: Final = 5.0
LONGEST: Final = 420.0


def settings(mail: Sink | None = None, **more: str) -> dict[str, str]:
    """Return what our processes are told besides: a shop that answers at once, and its mail."""
    return {"NUDGES_HOST": HOST, **({"EMAIL_URL": mail.url} if mail else {}), **more}


def planted(stage: Stage, count: int) -> dict[str, Any]:
    """Return a shop with so many candidates and nothing else in it."""
    stage.fresh()
    return stage.inside("plant", count=count, candidates=count, environment=settings())


def entered(stage: Stage, shop: Mapping[str, Any], due: int) -> None:
    """Let the first message of so many candidates be due, in tables without dead rows."""
    with stage.connect() as connection:
        population.enter(connection.execute, due, campaign=shop["campaign"], step=shop["step"])
        connection.execute("VACUUM ANALYZE saleor_nudges_send, saleor_nudges_trackedcheckout")


# The sender -------------------------------------------------------------------------------------


def sender(bench: Bench) -> list[Row]:
    """Send what is due in the ledger, to Django's own mail over one kept connection."""
    stage, count = bench.stage, bench.count(10_000, 500)
    shop = planted(stage, count)
    with sink(stage) as mail:
        _sent(stage, mail, shop, min(count, 100), 1)  # of which the yardstick takes its bodies
        used: list[dict[str, float]] = []

        def ours() -> float:
            return _sent(stage, mail, shop, count, WORKERS, used)

        a, b = alternate(ours, lambda: _yardstick(mail, count), ROUNDS)
        alone = median(_sent(stage, mail, shop, count, 1) for _ in range(ROUNDS))
    pairs = paired(a, b)
    theirs = median(pairs.theirs)
    detail = {
        "messages": count,
        "processes": WORKERS,
        "ours_per_second": round(median(pairs.ours), 1),
        "yardstick_per_second": round(theirs, 1),
        "one_process_per_second": round(alone, 1),
        "one_process_ratio": round(alone / theirs, 3),
        "cpu_ms_per_message": round(1000 * median(one["cpu"] for one in used), 2),
        "rss_grown_mb": round(max(one["rss"] for one in used) / 2**20, 1),
    }
    met = pairs.ratio >= SENDER_BAR
    what = f"messages/s sent by {WORKERS} processes, to Django's mail, kept open"
    row = Row("sender", what, pairs.ratio, SENDER_BAR, None, met, pairs.spread, detail=detail)
    return [row]


def _sent(
    stage: Stage,
    mail: Sink,
    shop: Mapping[str, Any],
    count: int,
    workers: int,
    used: list[dict[str, float]] | None = None,
) -> float:
    """Return messages per second, until the last was accepted; each exactly once, or it fails."""
    entered(stage, shop, count)
    mail.empty()
    done = team.work("send_when_told", workers, stage.environment(**settings(mail)))
    accepted = mail.accepted()
    different = len({name for _, name in accepted})
    if not count == done.done == len(accepted) == different:
        told = f"{count} were due, {done.done} were sent, {len(accepted)} accepted"
        raise AssertionError(f"{told}, {different} of them different")
    if used is not None:
        cpu = sum(one["cpu_seconds"] for one in done.answers) / count
        used.append({"cpu": cpu, "rss": max(one["rss_grown_bytes"] for one in done.answers)})
    return count / (accepted[-1][0] - done.began)


def _yardstick(mail: Sink, count: int) -> float:
    mail.empty()
    where = (str(mail.port), str(count), str(mail.sample))
    command = [sys.executable, "-m", "benchmarks.yardsticks.mail", *where]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=machine.ROOT)
    began = float(json.loads(done.stdout)["began"])
    accepted = mail.accepted()
    if len(accepted) != count:
        raise AssertionError(f"{count} were sent, {len(accepted)} accepted")
    return count / (accepted[-1][0] - began)


# All at once, by the App as it runs ---------------------------------------------------------------


def at_once(bench: Bench) -> list[Row]:
    """Let 10,000 checkouts be due at once, and wait until the last one's message has left."""
    stage, count = bench.stage, bench.count(AT_ONCE, 500)
    shop = planted(stage, count)
    with sink(stage) as mail:
        _sent(stage, mail, shop, min(count, 100), 1)
        rate = median(_yardstick(mail, count) for _ in range(ROUNDS))
        stage.redis().flushall()
        _ready(stage, 0, count)
        mail.empty()
        with celery(stage, WORKERS, **settings(mail)):
            _first_sweep(stage)
            _ready(stage, count, count)
            began = time.time()
            wait_until(lambda: mail.count() >= count, seconds=LONGEST)
            last = mail.accepted()[-1][0] - began
    allowed = count / (SENDER_BAR * rate)
    detail = {
        "messages": count,
        "processes": WORKERS,
        "seconds": round(last, 2),
        "allowed_seconds": round(allowed, 2),
        "yardstick_per_second": round(rate, 1),
        "first_after_seconds": round(mail.accepted()[0][0] - began, 2),
    }
    what = f"{count} due at once: seconds until the last, to what is allowed"
    ratio = last / allowed
    return [Row("due-at-once", what, ratio, 1.0, None, ratio <= 1, sense="<=", detail=detail)]


def _ready(stage: Stage, due: int, candidates: int) -> None:
    with stage.connect() as connection:
        population.wake(connection.execute, due, candidates)


def _first_sweep(stage: Stage) -> None:
    """Wait until a worker has swept: from then on beat calls it as it does all day."""
    swept = "SELECT count(*) FROM saleor_nudges_cursor WHERE kind = 'sweep'"
    wait_until(lambda: bool(stage.scalar(swept)))


# One by one ---------------------------------------------------------------------------------------


def idle(bench: Bench) -> list[Row]:
    """Let a checkout be due now and then; from that time until its message was accepted."""
    stage, count = bench.stage, bench.count(400, 40)
    # Not a multiple of any period of ours, so that every part of a period is met.
    apart = 1.07
    planted(stage, count)
    with sink(stage) as mail:
        _ready(stage, 0, count)
        with celery(stage, 1, **settings(mail)):
            _first_sweep(stage)
            dues = _due_one_by_one(stage, count, apart)
            wait_until(lambda: mail.count() >= count, seconds=count * apart + 60)
            waits = _waits(stage, mail, dues)
    p99 = percentile(waits, 0.99)
    detail = {
        "messages": len(waits),
        "p50_seconds": round(percentile(waits, 0.5), 2),
        "max_seconds": round(max(waits), 2),
        "apart_seconds": apart,
    }
    what = "p99 seconds from due to accepted by the mail server, idle"
    met = p99 <= IDLE_BAR and len(waits) == count
    return [Row("due-to-smtp", what, p99, IDLE_BAR, None, met, sense="<=", detail=detail)]


def _due_one_by_one(stage: Stage, count: int, apart: float) -> dict[str, float]:
    """Say when each checkout is due, the first in a moment; return that by their ids."""
    spread = """
        UPDATE saleor_nudges_trackedcheckout AS one SET next_due_at = now()
            + interval '1 s' * (2 + %(apart)s * place)
        FROM (SELECT id, row_number() OVER (ORDER BY id) AS place
            FROM saleor_nudges_trackedcheckout) AS numbered
        WHERE one.id = numbered.id
        RETURNING one.id, extract(epoch FROM next_due_at)
    """
    with stage.connect() as connection:
        rows = connection.execute(spread, {"apart": apart}).fetchall()
    return {str(key): float(due) for key, due in rows[:count]}


def _waits(stage: Stage, mail: Sink, dues: Mapping[str, float]) -> list[float]:
    with stage.connect() as connection:
        rows = connection.execute("SELECT id, checkout_id FROM saleor_nudges_send").fetchall()
    checkouts = {key.hex: str(checkout) for key, checkout in rows}
    named = ((at, name.strip("<").partition(".")[0]) for at, name in mail.accepted())
    return [at - dues[checkouts[name]] for at, name in named]
