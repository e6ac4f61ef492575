"""An event over which every worker dies at once: found, put aside; nobody behind it waits long."""

import subprocess
import sys
import time

import pytest

from saleor_nudges.capture import capture
from saleor_nudges.consumers import dead_letters
from saleor_nudges.events import Flow
from saleor_nudges.models import DeadLetter, HeldBatch, ViewEvent, WaitingEvent
from saleor_nudges.stream.redis import RedisStream
from saleor_nudges.testing import make_shop, viewed
from tests.test_worker_killed import environment

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.servers, pytest.mark.slow]

JUICE, PILL = "UHJvZHVjdDox", "UHJvZHVjdDpwaWxs"
COUNT = 150
# A worker as `nudges consume` is one, with a fold that ends its process over the pill.
WORKER = """
import os, sys, django
django.setup()
from django.conf import settings
settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"VIEWS_STREAM": sys.argv[1]}
from django.core.management import call_command
from saleor_nudges import consumers

def swallow(shop, events):
    if any(event.subject == sys.argv[2] for event in events):
        os._exit(137)

consumers.CONSUMERS = (*consumers.CONSUMERS, swallow)
call_command("nudges", "consume")
"""


@pytest.mark.parametrize("name", ["postgres.PostgresStream", "redis.RedisStream"])
def test_a_pill_kills_three_workers_and_no_more(name, settings):
    # given
    path = f"saleor_nudges.stream.{name}"
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"VIEWS_STREAM": path}
    if name.startswith("redis"):
        if not settings.SALEOR_NUDGES["REDIS_URL"]:
            pytest.skip("REDIS_URL is not set")
        RedisStream(Flow.VIEWS).client.flushdb()
    shop = make_shop()
    pill = viewed(shop, PILL)
    events = [viewed(shop, JUICE) for _ in range(COUNT)]
    capture(*events[: COUNT // 2], pill, *events[COUNT // 2 :])
    # when a worker is started again whenever it died
    deaths, began = 0, time.monotonic()
    worker = start(path)
    try:
        while DeadLetter.objects.of(shop).count() == 0:
            assert time.monotonic() < began + 60
            if worker.poll() is not None:
                assert worker.returncode == 137
                deaths += 1
                worker = start(path)
            time.sleep(0.05)
        # and, after all that, something new comes
        last = viewed(shop, JUICE)
        capture(last)
        while ViewEvent.objects.of(shop).count() < COUNT + 1:
            assert time.monotonic() < began + 60
            time.sleep(0.05)
    finally:
        worker.terminate()
        worker.wait(timeout=10)
    # then
    assert deaths == 3
    letter = DeadLetter.objects.of(shop).get()
    assert (letter.event_id, letter.reason) == (pill.id, "3 workers died over it.")
    assert letter.retry_at is None
    stored = set(ViewEvent.objects.of(shop).values_list("id", flat=True))
    assert stored == {event.id for event in events} | {last.id}
    assert WaitingEvent.objects.of(shop).count() == 0
    assert HeldBatch.objects.count() == 0
    assert worker.returncode == 0
    assert dead_letters.retry_due(Flow.VIEWS, ()) == 0


def start(path: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, path, PILL], env=environment(), stdout=subprocess.DEVNULL
    )
