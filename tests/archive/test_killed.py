"""kill -9 a real archiving process wherever it hurts: the next one makes the very same object."""

import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from saleor_nudges import archive
from saleor_nudges.models import ArchiveState, EventArchive
from saleor_nudges.testing import make_shop
from tests.archive.cold import VIEWS, environment, everything, fill

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.servers, pytest.mark.slow]

ROWS = 9000
# Each point is a function and whether the process stops before or after it, so many calls in.
POINTS = {
    "before anything is uploaded": ("bucket.Bucket.begin", "before", 1),
    "an upload begun that nobody recorded": ("bucket.Bucket.begin", "after", 1),
    "a part uploaded that nobody recorded": ("bucket.Bucket.put_part", "after", 1),
    "a part recorded": ("work._record", "after", 1),
    "the second part on its way": ("bucket.Bucket.put_part", "before", 2),
    "all parts recorded": ("bucket.Bucket.complete", "before", 1),
    "an object that nobody recorded": ("bucket.Bucket.complete", "after", 1),
    "in the middle of reading back": ("work.read_back", "before", 1),
    "read back and not recorded": ("work.read_back", "after", 1),
    "in the middle of the drop": ("drop._mark", "after", 1),
}
WORKER = """
import sys, time, threading, django
django.setup()
from importlib import import_module
from datetime import UTC, datetime
from saleor_nudges import archive
path, when, calls = sys.argv[1], sys.argv[2], int(sys.argv[3])
if path:
    module, *names = path.split(".")
    owner = import_module("saleor_nudges.archive." + module)
    for name in names[:-1]:
        owner = getattr(owner, name)
    real, count = getattr(owner, names[-1]), 0

    def stop():
        print("here", flush=True)
        time.sleep(600)

    def stopping(*args, **options):
        global count
        count += 1
        if when == "before" and count == calls:
            stop()
        answer = real(*args, **options)
        if when == "after" and count == calls:
            stop()
        return answer

    setattr(owner, names[-1], stopping)
print("started", flush=True)
sys.exit(len(archive.archive_all(datetime.now(UTC))))
"""


@pytest.fixture
def week(bucket, monday, settings):
    """A week that fills several parts, and the object an undisturbed archive makes of it."""
    fill(
        make_shop(),
        VIEWS,
        monday,
        ROWS,
        apart=timedelta(seconds=60),
        pad=110,
    )
    before = everything(VIEWS)
    (place,) = archive.cold_partitions(datetime.now(UTC))
    (manifest,) = archive.plan(place)
    assert archive.archive_piece(manifest.pk) is True
    manifest.refresh_from_db()
    assert len(manifest.parts) > 2
    undisturbed = (manifest.sha256, manifest.rows, manifest.bytes)
    bucket.client.delete_object(Bucket=bucket.name, Key=manifest.key)
    manifest.delete()
    return undisturbed, before, environment(settings)


def started(env, point=("", "", 0)):
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, *map(str, point)],
        stdout=subprocess.PIPE,
        env=env,
        text=True,
    )
    assert worker.stdout.readline() == "started\n"
    return worker


def killed(worker):
    os.kill(worker.pid, signal.SIGKILL)
    assert worker.wait(timeout=10) == -signal.SIGKILL
    worker.stdout.close()
    wait_until_free()


def wait_until_free():
    """Wait until Postgres has noticed that the dead are gone."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            if cursor.fetchone() == (0,):
                return
        time.sleep(0.05)
    raise AssertionError("a dead process' connection is still there")


def finished(bucket, week):
    undisturbed, before, _ = week
    manifest = EventArchive.objects.across_shops().get()
    assert (manifest.sha256, manifest.rows, manifest.bytes) == undisturbed
    assert manifest.state == ArchiveState.VERIFIED
    assert everything(VIEWS) == []
    left = bucket.client.list_multipart_uploads(Bucket=bucket.name)
    assert left.get("Uploads", []) == []
    archive.restore(manifest.start, manifest.end)
    assert everything(VIEWS) == before


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
def test_whoever_is_killed_the_next_one_makes_the_same_object(point, bucket, week):
    # given
    worker = started(week[2], point)
    assert worker.stdout.readline() == "here\n"

    # when
    killed(worker)
    assert len(everything(VIEWS)) == ROWS

    # then
    parts = sum(len(one.parts) for one in EventArchive.objects.across_shops())
    assert archive.archive_all(datetime.now(UTC)) == []
    finished(bucket, week)
    assert parts <= len(EventArchive.objects.across_shops().get().parts)


def test_what_was_recorded_is_not_uploaded_again(bucket, week, monkeypatch):
    # given
    worker = started(week[2], ("work._record", "after", 2))
    assert worker.stdout.readline() == "here\n"
    killed(worker)
    sent = []
    real = type(bucket).put_part

    def counting(self, key, upload, number, body):
        sent.append(number)
        return real(self, key, upload, number, body)

    monkeypatch.setattr(type(bucket), "put_part", counting)

    # when
    assert archive.archive_all(datetime.now(UTC)) == []

    # then
    finished(bucket, week)
    parts = len(EventArchive.objects.across_shops().get().parts)
    assert sent == list(range(3, parts + 1))


def test_killed_at_any_moment_again_and_again(bucket, week):
    # given
    chance = random.Random(3)

    # when
    for _ in range(6):
        worker = started(week[2])
        time.sleep(chance.uniform(0, 0.6))  # any moment is meant: there is nothing to wait for
        killed(worker)

    # then
    assert archive.archive_all(datetime.now(UTC)) == []
    finished(bucket, week)


def test_two_processes_side_by_side_make_one_object(bucket, week):
    # when
    workers = [started(week[2]) for _ in range(2)]
    for worker in workers:
        worker.wait(timeout=60)
        worker.stdout.close()

    # then one of them may have found the partition in the other's hands, and said so
    assert archive.archive_all(datetime.now(UTC)) == []
    finished(bucket, week)


def test_a_killed_restore_goes_on(bucket, week, settings):
    # given
    _, before, env = week
    assert archive.archive_all(datetime.now(UTC)) == []
    manifest = EventArchive.objects.across_shops().get()
    script = (
        "import django, sys, time; django.setup()\n"
        "from datetime import datetime\n"
        "from importlib import import_module\n"
        "restore = import_module('saleor_nudges.archive.restore')\n"
        "real, done = restore._keep, []\n"
        "def keep(manifest, restoring):\n"
        "    real(manifest, restoring)\n"
        "    if restoring.get('segments') == 2: print('here', flush=True); time.sleep(600)\n"
        "restore._keep = keep\n"
        "restore.restore(*map(datetime.fromisoformat, sys.argv[1:]))\n"
    )
    span = [manifest.start.isoformat(), manifest.end.isoformat()]
    worker = subprocess.Popen(
        [sys.executable, "-c", script, *span], stdout=subprocess.PIPE, env=env, text=True
    )
    assert worker.stdout.readline() == "here\n"

    # when it is killed before it commits its second segment
    killed(worker)
    there = len(everything(VIEWS))
    assert there == manifest.parts[0]["rows"]
    (done,) = archive.restore(manifest.start, manifest.end)

    # then
    assert done.rows == ROWS - there
    assert everything(VIEWS) == before
