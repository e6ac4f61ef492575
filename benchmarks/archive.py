"""The archive beside a COPY of the same rows.

    rows(scale)     one row of the table; at scale 1, ten million views of one week of one shop

The yardstick is what Postgres and psycopg can do at most: one process COPYs the same rows, in the
same order, and throws them away. Ours is the archive itself: count the pieces, write the object
in parts to an S3 server, read it back and compare. Only the drop is left out, which would end
the round; it is timed once, at the end.

The S3 server is moto's, a Python process on the same machine that takes its share of the same
cores. Nothing is subtracted for it: its CPU time stands in the detail, and a real store, whose
work is done elsewhere, can only make ours faster.
"""

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any, Final

from devtools import servers

FULL: Final = 10_000_000
BAR: Final = 0.6
GROWTH_MB: Final = 32
BUCKET: Final = "bench"
ROOT: Final = Path(__file__).resolve().parent.parent
# One view in twenty is of a visitor with a cart, a third of whom have told who they are; one in a
# hundred is of a shopper who has signed in. So one row in 38 is sealed.
FILL: Final = """
    INSERT INTO saleor_nudges_views (id, shop_id, channel, kind, occurred_at, subject, data)
    SELECT (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || '7'
            || substr(noise, 1, 3) || '8' || substr(noise, 4, 15))::uuid,
        %(shop)s, 'default-channel', 'product_viewed', moment, 'UHJvZHVjdDo' || n %% 5000,
        jsonb_strip_nulls(jsonb_build_object(
            'product', 'UHJvZHVjdDo' || n %% 5000,
            'page', '/default-channel/products/product-' || n %% 5000,
            'visitor', md5((n %% 99991)::text)::uuid,
            'checkout', CASE WHEN n %% 20 = 0 THEN
                encode(sha256((n / 20 %% %(carts)s)::text::bytea), 'hex') END,
            'user', CASE WHEN n %% 100 = 0 THEN
                encode(sha256(('u' || n / 100 %% %(people)s)::bytea), 'hex') END))
    FROM (
        SELECT n, %(start)s + n * (interval '7 days' / %(rows)s) AS moment, md5(n::text) AS noise
        FROM generate_series(0, %(rows)s - 1) n
    ) drawn
"""
CARTS: Final = 30_000
PEOPLE: Final = 2_000


def rows(scale: float) -> list[dict[str, Any]]:
    """Return the row of the archive, measured over FULL * scale views, at least 100,000."""
    count = max(int(FULL * scale), 100_000)
    home = ROOT / "build" / "bench" / "archive"
    with servers.postgres(home, durable=False) as database, _store() as (address, pid):
        environment = os.environ | {
            "DATABASE_URL": database,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "NUDGES_ARCHIVE_BUCKET": BUCKET,
            "NUDGES_ARCHIVE_ENDPOINT_URL": address,
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        played = subprocess.run(
            [sys.executable, "-m", "benchmarks.archive", str(count), str(pid)],
            env=environment,
            cwd=ROOT,
            check=True,
            stdout=subprocess.PIPE,
        )
    return [_row(count, json.loads(played.stdout))]


def _row(count: int, found: dict[str, Any]) -> dict[str, Any]:
    # Both are seconds, so the yardstick's stand above.
    ratio = median(found["copy_seconds"]) / median(found["archive_seconds"])
    pairs = [a / b for a, b in zip(found["copy_seconds"], found["archive_seconds"], strict=True)]
    growth = found["rss_growth_mb"]
    return {
        "id": "archive",
        "what": f"archive of {count:,} views to a COPY of the same rows",
        "ratio": round(ratio, 3),
        "bar": BAR,
        "met": ratio >= BAR and growth <= GROWTH_MB,
        "spread": round((max(pairs) - min(pairs)) / median(pairs), 3),
        "detail": {"rows": count, "rss_growth_bar_mb": GROWTH_MB, **found},
    }


@contextlib.contextmanager
def _store() -> Iterator[tuple[str, int]]:
    """Run an S3 server as a process of its own; yield its address and pid."""
    port = servers.free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not _answers(address):
            if time.monotonic() > deadline or server.poll() is not None:
                raise RuntimeError("the S3 server did not come up")
            time.sleep(0.1)
        yield address, server.pid
    finally:
        server.terminate()
        server.wait(20)


def _answers(address: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=2) as answer:
        return bool(answer.status == 200)
    return False


# In the process that is measured ----------------------------------------------------------------


@dataclass(slots=True)
class _Week:
    """The partition that is archived again and again."""

    partition: Any
    select: str


def play(count: int, store: int) -> dict[str, Any]:
    """Fill a week, archive and copy it in turns; return the seconds and the memory of it."""
    import django

    django.setup()
    from saleor_nudges import archive
    from saleor_nudges.archive.bucket import get_bucket

    week = _fill(count)
    bucket = get_bucket()
    bucket.client.create_bucket(Bucket=BUCKET)
    bucket.check()
    _copy(week)
    idle = _status("VmRSS")
    copies: list[float] = []
    archives: list[float] = []
    before, theirs = _cpu(os.getpid()), _cpu(store)
    growth = 0.0
    for ours in (True, False, False, True, True, False):
        if not ours:
            copies.append(_copy(week))
            continue
        Path("/proc/self/clear_refs").write_text("5")  # forget the highest mark
        archives.append(_archive(week, count))
        growth = max(growth, _status("VmHWM") - idle)
    found = _object(count)
    begun = time.perf_counter()
    dropped = archive.drop_archived(week.partition)
    return {
        "copy_seconds": copies,
        "archive_seconds": archives,
        "rss_idle_mb": round(idle, 1),
        "rss_growth_mb": round(growth, 1),
        "cpu_seconds": {
            "ours_and_copy": round(_cpu(os.getpid()) - before, 1),
            "s3_server": round(_cpu(store) - theirs, 1),
        },
        "drop_seconds": round(time.perf_counter() - begun, 2) if dropped else None,
        **found,
    }


def _fill(count: int) -> _Week:
    from django.core.management import call_command
    from django.db import connection

    from saleor_nudges import archive, crypto
    from saleor_nudges.archive.pieces import cold_before
    from saleor_nudges.events.identity import smallest_at
    from saleor_nudges.models import EventArchive, Person, Shop, TrackedCheckout

    call_command("migrate", verbosity=0)
    table = "saleor_nudges_views"
    for old in archive.cold_partitions(datetime.now(UTC)):
        _execute(f'DROP TABLE "{old.name}"')
    for model in (EventArchive, TrackedCheckout, Person):
        model.objects.across_shops().delete()
    start = cold_before(datetime.now(UTC)) - timedelta(days=30)
    start -= timedelta(days=start.weekday())
    end = start + timedelta(weeks=1)
    _execute(
        f'CREATE TABLE "{table}_{start:%Y%m%d}" PARTITION OF "{table}"'
        f" FOR VALUES FROM ('{smallest_at(start)}') TO ('{smallest_at(end)}')"
    )
    shop, _ = Shop.objects.get_or_create(key="bench")
    key = crypto.new_person_key
    people = [Person(shop=shop, user_hash=_sha(f"u{n}"), sealed_key=key()) for n in range(PEOPLE)]
    Person.objects.bulk_create(people)
    now = datetime.now(UTC)
    TrackedCheckout.objects.bulk_create(
        [
            TrackedCheckout(
                shop=shop,
                channel="default-channel",
                checkout=_sha(str(n)),
                sealed_checkout_id=b"",
                person=people[n % PEOPLE],
                started_at=now,
                changed_at=now,
                seen_at=now,
            )
            for n in range(0, CARTS, 3)
        ],
        batch_size=5000,
    )
    values = {"shop": str(shop.pk), "start": start, "rows": count, "carts": CARTS, "people": PEOPLE}
    _execute(FILL, values)
    with connection.cursor() as cursor:
        # As autovacuum would have done long since.
        cursor.execute("VACUUM ANALYZE")
    (partition,) = archive.cold_partitions(datetime.now(UTC))
    select = (
        "SELECT id, channel, kind, occurred_at, subject, person, data"
        f" FROM \"{partition.name}\" WHERE shop_id = '{shop.pk}' ORDER BY id"
    )
    return _Week(partition, select)


def _copy(week: _Week) -> float:
    import psycopg

    begun = time.perf_counter()
    with (
        psycopg.connect(os.environ["DATABASE_URL"]) as connection,
        connection.cursor().copy(f"COPY ({week.select}) TO STDOUT (FORMAT csv)") as copy,
    ):
        for _ in copy:
            pass
    return time.perf_counter() - begun


def _archive(week: _Week, count: int) -> float:
    from saleor_nudges import archive
    from saleor_nudges.archive.bucket import get_bucket
    from saleor_nudges.models import ArchiveState, EventArchive

    for old in EventArchive.objects.across_shops():
        get_bucket().client.delete_object(Bucket=BUCKET, Key=old.key)
        old.delete()
    begun = time.perf_counter()
    for manifest in archive.plan(week.partition):
        archive.archive_piece(manifest.pk)
    seconds = time.perf_counter() - begun
    made = EventArchive.objects.across_shops().get()
    if (made.state, made.rows) != (ArchiveState.VERIFIED, count):
        raise RuntimeError(f"archived {made.rows} rows and is {made.state}")
    return seconds


def _object(count: int) -> dict[str, Any]:
    from saleor_nudges.models import EventArchive

    made = EventArchive.objects.across_shops().get()
    return {"bytes": made.bytes, "bytes_per_row": round(made.bytes / count, 1)}


def _execute(sql: str, values: dict[str, Any] | None = None) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def _sha(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()


def _status(name: str) -> float:
    """Return a figure of /proc/self/status, in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise LookupError(name)


def _cpu(pid: int) -> float:
    """Return the CPU seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        json.dump(play(int(sys.argv[1]), int(sys.argv[2])), sys.stdout)
    else:
        json.dump(rows(float(sys.argv[1])), sys.stdout, indent=2)
