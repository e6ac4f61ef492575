"""`nudges consume` as a real process: it outlives Redis and its connections, and ends when told."""

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
from django.db import connection

from devtools import servers
from saleor_nudges.capture import capture
from saleor_nudges.events import Flow
from saleor_nudges.models import ViewEvent, WaitingEvent
from saleor_nudges.stream import get_stream
from saleor_nudges.testing import make_shop, viewed
from tests.test_worker_killed import environment

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.servers, pytest.mark.slow]

JUICE = "UHJvZHVjdDox"
CONSUMER = """
import sys, django
django.setup()
from django.conf import settings
settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {
    "VIEWS_STREAM": "saleor_nudges.stream.redis.RedisStream", "REDIS_URL": sys.argv[1]
}
from django.core.management import call_command
call_command("nudges", "consume", *sys.argv[2:])
"""


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextlib.contextmanager
def consumer(url: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", CONSUMER, url, *arguments]
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def port(settings) -> int:
    port = servers.free_port()
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {
        "VIEWS_STREAM": "saleor_nudges.stream.redis.RedisStream",
        "REDIS_URL": f"redis://127.0.0.1:{port}/0",
    }
    return port


def test_it_outlives_redis_and_its_connections_and_ends_when_told(port, tmp_path, monkeypatch):
    # given
    monkeypatch.delenv("REDIS_URL")
    shop = make_shop()

    def stored() -> int:
        return ViewEvent.objects.of(shop).count()

    with servers.valkey(tmp_path, port=port) as url, consumer(url) as process:
        capture(viewed(shop, JUICE))
        wait_until(lambda: stored() == 1)
    # when Redis is gone
    with consumer(f"redis://127.0.0.1:{port}/0") as process:
        capture(viewed(shop, JUICE))
        assert get_stream(Flow.VIEWS).is_away
        wait_until(lambda: stored() == 2)
        # and comes back empty
        with servers.valkey(tmp_path, port=port):
            get_stream(Flow.VIEWS).look()
            capture(viewed(shop, JUICE))
            assert WaitingEvent.objects.of(shop).count() == 0
            wait_until(lambda: stored() == 3)
            # and the database throws everybody out
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            capture(viewed(shop, JUICE))
            wait_until(lambda: stored() == 4)
            # then it still lives, and obeys
            assert process.poll() is None
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=10) == 0


def test_once_ends_when_nothing_waits(port, tmp_path, monkeypatch):
    monkeypatch.delenv("REDIS_URL")
    shop = make_shop()
    with servers.valkey(tmp_path, port=port) as url:
        capture(*[viewed(shop, JUICE) for _ in range(30)])
        with consumer(url, "--once") as process:
            said, _ = process.communicate(timeout=30)
    assert (process.returncode, said) == (0, "30 events\n")
    assert ViewEvent.objects.of(shop).count() == 30
