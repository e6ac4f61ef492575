"""A recount by real processes: killed in the middle, and shared by Celery's workers."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from saleor_nudges import tasks
from saleor_nudges.counts import jobs
from saleor_nudges.models import JobState, RecountJob
from tests.counts.test_recount import shop, spoil, whole, window  # noqa: F401 - a fixture
from tests.test_worker_killed import environment

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.servers, pytest.mark.slow]

# Dies over its third job, after the rows of its first hour are replaced and before it says so.
DIES = """
import sys, time, uuid, django
django.setup()
from saleor_nudges.counts import jobs
real, begun = jobs.recount, []

def recount(piece, **how):
    begun.append(piece)
    for outcome in real(piece, **how):
        if len(begun) == 3:
            print("replaced", flush=True)
            time.sleep(60)
        yield outcome

jobs.recount = recount
jobs.work(uuid.UUID(sys.argv[1]), seconds=600)
"""
# A worker of Celery's with our task alone, on the broker of the tests.
WORKER = """
import os, sys, django
django.setup()
from celery import Celery
app = Celery("recount", broker=os.environ["REDIS_URL"], set_as_current=True)
app.conf.update(task_default_queue=sys.argv[1], task_ignore_result=True)
from saleor_nudges import tasks
quiet = ["--without-mingle", "--without-gossip"]
app.worker_main(["worker", "--concurrency=2", "--loglevel=warning", *quiet])
"""


def states(run):
    found = RecountJob.objects.across_shops().filter(run=run)
    return list(found.values_list("state", flat=True))


def test_killed_in_the_middle_it_goes_on_and_ends_equal(shop, now):  # noqa: F811
    # given
    before = whole()
    spoil()
    run = jobs.plan([shop], *window(now))
    worker = subprocess.Popen(
        [sys.executable, "-c", DIES, str(run)],
        stdout=subprocess.PIPE,
        env=environment(),
        text=True,
    )
    assert worker.stdout.readline() == "replaced\n"

    # when
    os.kill(worker.pid, signal.SIGKILL)
    assert worker.wait(timeout=10) == -signal.SIGKILL
    worker.stdout.close()

    # then two jobs are done and one is nobody's, and stays so until its lease is over
    assert sorted(states(run), key=str)[:2] == [JobState.DONE, JobState.DONE]
    assert states(run).count(JobState.RUNNING) == 1
    jobs.work(run, seconds=60)
    assert states(run).count(JobState.RUNNING) == 1
    RecountJob.objects.across_shops().filter(state=JobState.RUNNING).update(
        leased_until=timezone.now() - timedelta(seconds=1)
    )

    # when the next minute's task looks
    tasks.recount()

    # then
    assert set(states(run)) == {JobState.DONE}
    assert whole() == before
    assert RecountJob.objects.across_shops().filter(run=run, tries=2).count() == 1


@pytest.mark.skipif(not os.environ.get("REDIS_URL"), reason="REDIS_URL is not set")
def test_celery_s_workers_share_the_jobs(shop, now, tmp_path):  # noqa: F811
    # given
    before = whole()
    spoil()
    run = jobs.plan([shop], *window(now))
    queue = f"recount-{run}"
    with (tmp_path / "worker").open("w") as log:
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER, queue], stdout=log, stderr=log, env=environment()
        )
    try:
        # when: as `nudges recount` calls them, but that it lends no hand
        from celery import Celery

        sender = Celery("sender", broker=os.environ["REDIS_URL"])
        for _ in range(4):
            sender.send_task(tasks.recount.name, queue=queue)
        limit = time.monotonic() + 60
        while set(states(run)) != {JobState.DONE} and time.monotonic() < limit:
            time.sleep(0.2)
    finally:
        worker.terminate()
        worker.wait(30)

    # then
    assert set(states(run)) == {JobState.DONE}
    assert whole() == before
