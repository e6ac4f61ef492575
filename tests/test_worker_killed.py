"""kill -9 a real worker between claiming and finishing a batch: nothing lost, nothing doubled."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from saleor_nudges import consumers
from saleor_nudges.capture import capture
from saleor_nudges.events import Contact, Flow
from saleor_nudges.facts import facts_of
from saleor_nudges.host.base import Order
from saleor_nudges.models import (
    Evidence,
    Nudge,
    ProductCount,
    SeenOrder,
    ShopEvent,
    ViewEvent,
    WaitingEvent,
)
from saleor_nudges.stream.redis import RedisStream
from saleor_nudges.testing import CHANNEL, a_cart, make_shop, viewed

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.servers, pytest.mark.slow]

ORDERS = 60
# A worker that stops in the middle of a batch, after folding and before the end of it.
WORKER = """
import os, sys, time, django
django.setup()
from django.conf import settings
settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"BATCH_SIZE": 7, "VIEWS_STREAM": sys.argv[2]}
from saleor_nudges import consumers
from saleor_nudges.events import Flow
from saleor_nudges.recovery.watching import watch

def dawdle(shop, events):
    watch.fold(shop, events)
    print("folded", len(events), flush=True)
    time.sleep(60)

consumers.CONSUMERS = (*consumers.CONSUMERS[:-1], dawdle)
consumers.consume_batch(Flow(sys.argv[1]))
"""


def killed_in_the_middle(flow: Flow, stream: str) -> int:
    """Run a worker, kill it when it has folded a batch; return how many events it had folded."""
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, flow, stream],
        stdout=subprocess.PIPE,
        env=environment(),
        text=True,
    )
    assert worker.stdout is not None
    word, count = worker.stdout.readline().split()
    assert word == "folded"
    os.kill(worker.pid, signal.SIGKILL)
    assert worker.wait(timeout=10) == -signal.SIGKILL
    worker.stdout.close()
    return int(count)


def drained(most: int) -> int:
    """Consume until so many were, or half a minute is over: what the dead held is free soon."""
    total, limit = 0, time.monotonic() + 30
    while total < most and time.monotonic() < limit:
        total += consumers.consume_batch(Flow.COMMERCE, wait=0.1)
    return total


def environment() -> dict[str, str]:
    name = connection.settings_dict["NAME"]
    head, mark, tail = os.environ["DATABASE_URL"].partition("?")
    url = f"{head.rpartition('/')[0]}/{name}{mark}{tail}"
    return os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}


def test_commerce_facts_survive_a_killed_worker():
    # given
    shop = make_shop()
    now = datetime.now(UTC)
    orders = [
        Order(
            id=f"Order:{number}",
            channel=CHANNEL,
            created_at=now - timedelta(seconds=number),
            updated_at=now,
            status="UNFULFILLED",
            contact=Contact(email=f"shopper{number}@example.com"),
            cart=a_cart(),
        )
        for number in range(ORDERS)
    ]
    facts = [fact for order in orders for fact in facts_of(shop, order)]
    capture(*facts)
    # when
    stream = "saleor_nudges.stream.postgres.PostgresStream"
    assert killed_in_the_middle(Flow.COMMERCE, stream) == 7
    assert killed_in_the_middle(Flow.COMMERCE, stream) == 7
    # then nothing of what the dead had done is there, and all of it still waits
    wait_until_free()
    assert ShopEvent.objects.of(shop).count() == 0
    assert WaitingEvent.objects.of(shop).count() == len(facts)
    # and the next worker does it all, once
    assert drained(len(facts)) == len(facts)
    assert ShopEvent.objects.of(shop).count() == len(facts)
    assert SeenOrder.objects.of(shop).count() == ORDERS
    assert Nudge.objects.of(shop).count() == ORDERS
    assert Evidence.objects.of(shop).count() == ORDERS
    assert WaitingEvent.objects.of(shop).count() == 0


def test_views_in_redis_survive_a_killed_worker(settings):
    # given
    if not os.environ.get("REDIS_URL"):
        pytest.skip("REDIS_URL is not set")
    path = "saleor_nudges.stream.redis.RedisStream"
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"VIEWS_STREAM": path}
    shop = make_shop()
    RedisStream(Flow.VIEWS).client.flushdb()
    for _ in range(20):
        capture(viewed(shop, "UHJvZHVjdDox"))
    # when
    assert killed_in_the_middle(Flow.VIEWS, path) == 7
    assert ViewEvent.objects.of(shop).count() == 0
    # then the living take the rest, and what the dead one held once it counts as abandoned
    wait_until_free()
    assert consumers.drain(Flow.VIEWS, seconds=10) == 13
    assert RedisStream(Flow.VIEWS).pending() == 7
    with RedisStream(Flow.VIEWS, abandoned_after=0).batch(100) as held:
        consumers.process(held, Flow.VIEWS)
    assert ViewEvent.objects.of(shop).count() == 20
    minutes = ProductCount.objects.of(shop).filter(grain="MINUTE", kind="product_viewed")
    assert sum(minutes.values_list("count", flat=True)) == 20
    assert RedisStream(Flow.VIEWS).pending() == 0


def test_a_batch_counted_but_not_let_go_is_not_counted_again(settings):
    # given a worker of Redis that dies between its commit and its acknowledgement
    if not os.environ.get("REDIS_URL"):
        pytest.skip("REDIS_URL is not set")
    shop = make_shop()
    stream = RedisStream(Flow.VIEWS, abandoned_after=0)
    stream.client.flushdb()
    events = [viewed(shop, "UHJvZHVjdDox") for _ in range(5)]
    path = "saleor_nudges.stream.redis.RedisStream"
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"VIEWS_STREAM": path}
    capture(*events)
    stream._let_go = lambda _held: None  # type: ignore[method-assign]
    with stream.batch(100) as held:
        assert consumers.process(held, Flow.VIEWS) == 5
    # when the next one is handed the same entries
    with RedisStream(Flow.VIEWS, abandoned_after=0).batch(100) as held:
        again = consumers.process(held, Flow.VIEWS)
    # then
    assert (len(held), again) == (5, 0)
    assert ViewEvent.objects.of(shop).count() == 5


def wait_until_free() -> None:
    """Wait until Postgres has noticed that the killed worker is gone."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            if cursor.fetchone()[0] == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the dead worker's connection is still there")
