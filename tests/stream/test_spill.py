"""While Redis is away or full, views wait in Postgres; past a bound they are shed, and counted."""

import asyncio
import contextlib
import socket
import threading
import time

import pytest

from saleor_nudges import telemetry
from saleor_nudges.capture import capture
from saleor_nudges.events import Flow
from saleor_nudges.exceptions import StreamFull, StreamUnavailable
from saleor_nudges.models import ViewEvent, WaitingEvent
from saleor_nudges.stream import close_async, get_stream, redis_clients, spill
from saleor_nudges.stream.base import pack
from saleor_nudges.stream.codec import encode
from saleor_nudges.stream.memory import WAITING, MemoryStream
from saleor_nudges.stream.redis import RedisStream
from saleor_nudges.stream.spill import SpillingStream
from saleor_nudges.testing import consume, make_shop, viewed

pytestmark = pytest.mark.django_db(transaction=True)

JUICE = "UHJvZHVjdDox"


@pytest.fixture
def shop():
    return make_shop()


@contextlib.contextmanager
def black_hole():
    """A server that takes every connection and says nothing; yields its port."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        server.settimeout(0.1)
        ended, kept = threading.Event(), []

        def accept():
            while not ended.is_set():
                with contextlib.suppress(TimeoutError):
                    kept.append(server.accept()[0])

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            ended.set()
            thread.join()
            for connection in kept:
                connection.close()


def counted(metric):
    return metric.labels(flow=Flow.VIEWS)._value.get()


def test_redis_black_holed_costs_one_append_and_then_nobody(shop, settings, monkeypatch):
    with black_hole() as port:
        # given
        monkeypatch.setattr(redis_clients, "SECONDS", 0.2)
        ours = {"REDIS_URL": f"redis://127.0.0.1:{port}/0"}
        settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | ours
        stream = SpillingStream(RedisStream(Flow.VIEWS))
        packs = [pack([encode(viewed(shop, JUICE))]) for _ in range(30)]

        async def append():
            times = []
            for one in packs[:20]:
                began = time.perf_counter()
                await stream.append_async(one)
                times.append(time.perf_counter() - began)
            await close_async()
            return times

        # when
        times = asyncio.run(append())
        for one in packs[20:]:
            began = time.perf_counter()
            stream.append_packs(one)
            times.append(time.perf_counter() - began)
    # then
    assert times[0] < 2
    assert sorted(times[1:])[len(times) // 2] < 0.05
    assert sum(times[1:]) < 1.5
    assert WaitingEvent.objects.of(shop).count() == 30


def test_it_is_used_again_once_it_is_back(shop, monkeypatch):
    # given
    stream = SpillingStream(MemoryStream(Flow.VIEWS))
    monkeypatch.setattr(spill, "RETRY_SECONDS", 0.01)

    def away(*_):
        raise StreamUnavailable

    monkeypatch.setattr(MemoryStream, "append_packs", away)
    monkeypatch.setattr(MemoryStream, "is_full", away)
    spilled = counted(telemetry.SPILLED)
    stream.append([encode(viewed(shop, JUICE))])
    assert (stream.is_away, len(WAITING[Flow.VIEWS])) == (True, 0)
    assert stream.sources() == (stream.spill,)
    # when
    monkeypatch.undo()
    stream.look()
    stream.append([encode(viewed(shop, JUICE))])
    # then
    assert (stream.is_away, len(WAITING[Flow.VIEWS])) == (False, 1)
    assert stream.sources() == (stream.primary, stream.spill)
    assert stream.pending() == 2
    assert counted(telemetry.SPILLED) - spilled == 1


def test_a_thread_looks_and_nobody_waits_for_it(shop, monkeypatch):
    # given a primary that takes its time to say how full it is
    stream = SpillingStream(MemoryStream(Flow.VIEWS))
    asked, answer = threading.Event(), threading.Event()

    def is_full(_):
        asked.set()
        return answer.wait(timeout=10)

    monkeypatch.setattr(MemoryStream, "is_full", is_full)
    # when
    stream.append([encode(viewed(shop, JUICE))])
    assert asked.wait(timeout=10)
    # then it was taken meanwhile, and the next goes elsewhere
    assert (len(WAITING[Flow.VIEWS]), stream.is_filled) == (1, False)
    answer.set()
    deadline = time.monotonic() + 10
    while not stream.is_filled and time.monotonic() < deadline:
        time.sleep(0.005)
    stream.append([encode(viewed(shop, JUICE))])
    assert (len(WAITING[Flow.VIEWS]), stream.spill.pending()) == (1, 1)


def test_past_a_bound_it_is_shed_and_counted(shop, settings):
    # given
    path = "saleor_nudges.stream.memory.MemoryStream"
    ours = {"VIEWS_STREAM": path, "SPILL_MOST_EVENTS": 2}
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | ours
    stream = get_stream(Flow.VIEWS)
    stream.is_filled, stream._look_at = True, float("inf")
    capture(viewed(shop, JUICE), viewed(shop, JUICE))
    stream._counted_at = 0
    shed = counted(telemetry.SHED)
    # when
    with pytest.raises(StreamFull):
        capture(viewed(shop, JUICE), viewed(shop, JUICE))

    async def append():
        try:
            await stream.append_async(pack([encode(viewed(shop, JUICE))]))
        finally:
            await close_async()

    with pytest.raises(StreamFull):
        asyncio.run(append())
    # then
    assert counted(telemetry.SHED) - shed == 3
    assert WaitingEvent.objects.of(shop).count() == 2
    # and once consumers have made room it goes on
    assert consume() == 2
    stream._counted_at = 0
    capture(viewed(shop, JUICE))
    assert WaitingEvent.objects.of(shop).count() == 1


def test_what_was_spilled_and_what_was_not_are_both_consumed(shop, settings):
    path = "saleor_nudges.stream.memory.MemoryStream"
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"VIEWS_STREAM": path}
    stream = get_stream(Flow.VIEWS)
    stream._look_at = float("inf")
    capture(viewed(shop, JUICE))
    stream.is_filled = True
    capture(viewed(shop, JUICE))
    assert (len(WAITING[Flow.VIEWS]), stream.spill.pending()) == (1, 1)
    assert consume() == 2
    assert ViewEvent.objects.of(shop).count() == 2


def test_a_postgres_connection_that_broke_is_replaced(shop):
    # given an event loop whose connections the server has closed
    stream = get_stream(Flow.VIEWS)

    async def append():
        await stream.append_async(pack([encode(viewed(shop, JUICE))]))
        from saleor_nudges.stream import connections

        (pool,) = [connections._pools[asyncio.get_running_loop()]]
        ours = [held.info.backend_pid for held in pool.free]
        killer = await connections._connect()
        await killer.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s) AS pid", [ours])
        await killer.close()
        # when
        await stream.append_async(pack([encode(viewed(shop, JUICE))]))
        await close_async()

    asyncio.run(append())
    # then
    assert WaitingEvent.objects.of(shop).count() == 2


def test_many_appends_at_once_share_few_connections(shop):
    stream = get_stream(Flow.VIEWS)

    async def append():
        from saleor_nudges.stream import connections

        packs = [pack([encode(viewed(shop, JUICE))]) for _ in range(50)]
        await asyncio.gather(*(stream.append_async(one) for one in packs))
        count = len(connections._pools[asyncio.get_running_loop()].free)
        await close_async()
        return count

    assert 1 <= asyncio.run(append()) <= 4
    assert WaitingEvent.objects.of(shop).count() == 50


def test_postgres_away_is_said_so(shop, monkeypatch):
    from saleor_nudges.stream import connections

    async def refused():
        raise OSError("connection refused")

    monkeypatch.setattr(connections, "_connect", refused)
    with pytest.raises(StreamUnavailable):
        asyncio.run(get_stream(Flow.VIEWS).append_async(pack([encode(viewed(shop, JUICE))])))
