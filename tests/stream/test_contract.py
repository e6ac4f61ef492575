"""One suite for every stream: memory, Postgres, Redis, a Redis Cluster, and one that spills."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

import msgspec
import pytest
from django.db import connection

from saleor_nudges.events import CheckoutChanged, Contact, Flow
from saleor_nudges.exceptions import StreamUnavailable
from saleor_nudges.models import Shop
from saleor_nudges.stream import close_async
from saleor_nudges.stream.base import Entry, Pack, Stream, pack
from saleor_nudges.stream.codec import decode, encode
from saleor_nudges.stream.memory import MemoryStream
from saleor_nudges.stream.postgres import PostgresStream
from saleor_nudges.stream.redis import RedisStream
from saleor_nudges.stream.spill import SpillingStream

Make = Callable[[], Stream]


@pytest.fixture
def memory() -> Make:
    return lambda: MemoryStream(Flow.VIEWS)


@pytest.fixture
def postgres() -> Make:
    return lambda: PostgresStream(Flow.VIEWS)


@pytest.fixture
def redis(settings) -> Make:
    if not os.environ.get("REDIS_URL"):
        pytest.skip("REDIS_URL is not set")

    def make() -> Stream:
        # Whatever a reader holds counts as abandoned at once, so that a test need not wait.
        return RedisStream(Flow.VIEWS, abandoned_after=0)

    stream = RedisStream(Flow.VIEWS)
    stream.client.flushdb()
    return make


@pytest.fixture
def clustered(settings, cluster_url: str) -> Make:
    ours = {"REDIS_URL": cluster_url, "REDIS_CLUSTER": True}
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | ours
    RedisStream(Flow.VIEWS).client.flushall(target_nodes="primaries")
    return lambda: RedisStream(Flow.VIEWS, abandoned_after=0)


@pytest.fixture
def spilling() -> Make:
    return Spilling


class Spilling(SpillingStream):
    """One whose first stream is full, so that all of it waits in Postgres."""

    def __init__(self, flow: Flow = Flow.VIEWS) -> None:
        super().__init__(MemoryStream(flow))
        self.is_filled = True
        self._look_at = float("inf")


@pytest.fixture(
    params=[
        "memory",
        *(
            pytest.param(name, marks=pytest.mark.django_db(transaction=True))
            for name in ("postgres", "redis", "clustered", "spilling")
        ),
    ]
)
def make(request: pytest.FixtureRequest) -> Make:
    return request.getfixturevalue(request.param)


def an_entry(number: int = 0, channel: str = "default-channel") -> Entry:
    event = CheckoutChanged(
        shop=uuid4(),
        channel=channel,
        occurred_at=datetime.now(UTC),
        revision=str(number),
        checkout="0" * 64,
        checkout_id="Checkout:secret",
        contact=Contact(email="anna@example.com"),
    )
    return encode(event)


def fail_within(stream: Stream, work: Callable[[list[Entry]], object]) -> None:
    """Do some work with a batch, then fail."""
    with stream.batch(10) as held:
        assert work(held)
        raise ZeroDivisionError


def test_what_is_appended_is_handed_out_once_and_whole(make):
    # given
    entries = [an_entry(number) for number in range(3)]
    make().append(entries)
    assert make().pending() == 3
    # when
    with make().batch(10) as held:
        found = list(held)
    # then
    assert sorted(found, key=lambda e: e.id) == sorted(entries, key=lambda e: e.id)
    assert decode(found[0]).contact == Contact(email="anna@example.com")
    assert make().pending() == 0
    with make().batch(10) as held:
        assert held == []


def test_oldest_first_and_no_more_than_asked(make):
    # given
    entries = [an_entry(number) for number in range(5)]
    shop = entries[0].shop_id
    entries = [msgspec.structs.replace(entry, shop_id=shop) for entry in entries]
    for entry in entries:
        make().append([entry])
    # when, then
    for expected in (entries[:2], entries[2:4], entries[4:]):
        with make().batch(2) as held:
            assert held == expected


def test_what_came_together_may_be_handed_out_together_and_no_more(make):
    # given
    shop = uuid4()
    entries = [msgspec.structs.replace(an_entry(n), shop_id=shop) for n in range(9)]
    for start in (0, 3, 6):
        make().append(entries[start : start + 3])
    # when, then
    found: list[Entry] = []
    for _ in range(5):
        with make().batch(2) as held:
            assert len(held) <= 3
            found += held
    assert found == entries


def test_asynchronously_appended_is_the_same(make):
    # given
    entries = [an_entry(number) for number in range(20)]

    async def append() -> None:
        stream = make()
        await asyncio.gather(*(stream.append_async(pack([entry])) for entry in entries[:10]))
        await stream.append_async(pack(entries[10:]))
        await close_async()

    # when
    asyncio.run(append())
    # then
    assert make().pending() == 20
    found: set[Entry] = set()
    while make().pending():
        with make().batch(100) as held:
            found |= {entry.id for entry in held}
    assert found == {entry.id for entry in entries}


def test_what_cannot_be_read_is_handed_out_as_it_is(make, request):
    if request.node.callspec.params["make"] in ("memory", "postgres", "spilling"):
        pytest.skip("what is no entry does not get in")
    # given
    good, shop = an_entry(), uuid4()
    mixed = pack([msgspec.structs.replace(good, shop_id=shop)])[0].entries + b',{"id":"no"}'
    make().append_packs([Pack(shop, "c", mixed, 2), Pack(shop, "d", b"{", 1)])
    # when
    broken, read = [], []
    while make().pending():
        with make().batch(10) as held:
            broken += held.broken
            read += [entry.id for entry in held]
    # then
    assert read == [good.id]
    assert sorted(item.raw for item in broken) == [b"{", b'{"id":"no"}']
    assert {item.shop for item in broken} == {shop}


def test_the_lag_is_the_age_of_the_oldest(make):
    # given
    assert make().lag() == 0.0
    make().append([an_entry()])
    began = time.monotonic()
    # when
    while make().lag() < 0.02:
        assert time.monotonic() < began + 10
    # then
    assert make().lag() < time.monotonic() - began + 1
    with make().batch(10) as held:
        assert len(held) == 1
    assert make().lag() == 0.0


def test_waiting_ends_when_nothing_comes(make):
    began = time.monotonic()
    with make().batch(10, wait=0.15) as held:
        assert held == []
    assert time.monotonic() - began < 5


def test_a_batch_that_fails_is_handed_out_again(make):
    # given
    entries = [an_entry(number) for number in range(3)]
    make().append(entries)
    # when
    with pytest.raises(ZeroDivisionError):
        fail_within(make(), lambda held: held)
    # then
    assert make().pending() == 3
    with make().batch(10) as held:
        assert {entry.id for entry in held} == {entry.id for entry in entries}


def test_the_block_is_one_transaction(make, request):
    if "memory" in request.node.name:
        pytest.skip("a list knows no transactions")
    make().append([an_entry()])
    with pytest.raises(ZeroDivisionError):
        fail_within(make(), lambda _: Shop.objects.create(key="written inside the block"))
    assert Shop.objects.count() == 0


def test_personal_fields_do_not_lie_open(make):
    make().append([an_entry()])
    with make().batch(1) as held:
        assert "anna" not in str(held[0].data)
        assert "secret" not in str(held[0].data)
        assert b"anna" not in (held[0].sealed or b"")


def test_the_two_flows_do_not_mix(make):
    stream = make()
    stream.append([an_entry()])
    other = type(stream)(Flow.COMMERCE)
    assert other.pending() == 0
    with other.batch(10) as held:
        assert held == []
    assert stream.pending() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["redis", "postgres"])
def test_waiting_ends_when_something_comes(name, request):
    # given
    make = request.getfixturevalue(name)
    entry = an_entry()
    make().append([an_entry(1)])
    with make().batch(10) as held:
        assert len(held) == 1
    later = threading.Timer(0.2, lambda: (make().append([entry]), connection.close()))
    later.start()
    # when
    began = time.monotonic()
    with make().batch(10, wait=10) as held:
        # then
        assert held == [entry]
    assert 0.1 < time.monotonic() - began < 5
    later.join()


@pytest.mark.django_db(transaction=True)
def test_what_a_dead_reader_of_redis_held_is_claimed(redis):
    # given: a real process that reads a batch and is killed before it lets go
    entries = [an_entry(number) for number in range(4)]
    redis().append(entries)
    code = (
        "import os, django; django.setup();"
        "from saleor_nudges.events import Flow;"
        "from saleor_nudges.stream.redis import RedisStream;"
        "batch = RedisStream(Flow.VIEWS).batch(10); held = batch.__enter__();"
        "print(len(held), flush=True); os.kill(os.getpid(), 9)"
    )
    dead = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, check=False, env=_environment()
    )
    assert (dead.returncode, dead.stdout) == (-9, b"4\n")
    # when nobody has waited long enough, then nobody gets them
    with RedisStream(Flow.VIEWS).batch(10) as held:
        assert held == []
    # when they count as abandoned, then the next reader gets them all
    with redis().batch(10) as held:
        assert {entry.id for entry in held} == {entry.id for entry in entries}
        assert held.deaths == 1
    assert redis().pending() == 0


def test_redis_away_is_said_so(settings):
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"REDIS_URL": "redis://127.0.0.1:1/0"}
    with pytest.raises(StreamUnavailable):
        RedisStream(Flow.VIEWS).append([an_entry()])


def _environment() -> dict[str, str]:
    # The child joins the very database the test runs in.
    name = connection.settings_dict["NAME"]
    parts = os.environ["DATABASE_URL"].partition("?")
    url = parts[0].rpartition("/")[0] + f"/{name}" + parts[1] + parts[2]
    return os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}
