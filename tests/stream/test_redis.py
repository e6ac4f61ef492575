"""Redis as it is: it forgets everything, it is full, it says nothing; and what it is asked for."""

import asyncio
import os
import re
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest
from redis.exceptions import ResponseError

import saleor_nudges
from saleor_nudges.events import Flow
from saleor_nudges.stream import close_async
from saleor_nudges.stream.base import PACK_ENTRIES, pack
from saleor_nudges.stream.codec import encode
from saleor_nudges.stream.redis import GROUP, REGISTER, RedisStream
from saleor_nudges.testing import viewed

pytestmark = pytest.mark.django_db(transaction=True)


class AShop:
    """Enough of a shop for an event."""

    def __init__(self):
        self.pk = uuid4()


@pytest.fixture
def stream():
    if not os.environ.get("REDIS_URL"):
        pytest.skip("REDIS_URL is not set")
    found = RedisStream(Flow.VIEWS)
    found.client.flushdb()
    return found


def some(count, shop=None, channel="default-channel"):
    shop = shop or AShop()
    return [encode(viewed(shop, "UHJvZHVjdDox", channel=channel)) for _ in range(count)]


def read(stream, size=1000):
    with stream.batch(size) as held:
        return [entry.id for entry in held]


def commands(stream):
    stats = stream.client.info("commandstats")
    return {name.removeprefix("cmdstat_"): int(told["calls"]) for name, told in stats.items()}


def added(before, after):
    names = ("xadd", "sadd", "smembers", "exists")
    return {name: after.get(name, 0) - before.get(name, 0) for name in names}


def test_packs_of_one_stream_are_one_frame_and_one_command(stream):
    # given a stream that is known
    shop = AShop()
    stream.append(some(1, shop))
    packs = [one for _ in range(5) for one in pack(some(20, shop))]
    before = commands(stream)
    # when
    asyncio.run(_append(stream, packs))
    # then
    assert added(before, commands(stream)) == {"xadd": 1, "sadd": 0, "smembers": 0, "exists": 0}
    (name,) = stream.client.smembers(REGISTER)
    assert stream.client.xlen(name) == 2
    assert stream.pending() == 101


def test_a_frame_has_a_bound(stream):
    shop = AShop()
    stream.append(some(PACK_ENTRIES + 10, shop))
    sizes = [int(fields[b"count"]) for _, fields in _frames(stream)]
    assert sizes == [PACK_ENTRIES, 10]
    large = [msgspec.structs.replace(entry, data={"page": "x" * 9_000}) for entry in some(40, shop)]
    stream.append(large)
    assert all(len(fields[b"entries"]) <= 256 * 1024 for _, fields in _frames(stream))


def test_a_redis_that_forgot_everything_goes_on_at_once(stream):
    # given
    shop = AShop()
    stream.append(some(3, shop))
    assert len(read(stream)) == 3
    # when
    stream.client.flushall()
    entries = some(4, shop)
    stream.append(entries[:2])
    asyncio.run(_append(stream, pack(entries[2:])))
    # then, without anybody starting anew
    found = []
    while stream.pending():
        found += read(stream)
    assert found == [entry.id for entry in entries]


def test_a_group_that_went_is_made_again(stream):
    entries = some(3)
    stream.append(entries)
    assert read(stream) == [entry.id for entry in entries]
    more = some(2)
    stream.append(more)
    for name in stream.client.smembers(REGISTER):
        try:
            stream.client.xgroup_destroy(name, GROUP)
        except ResponseError:
            continue
    # then the first who notices makes it, and the next reads on
    reader = RedisStream(Flow.VIEWS)
    assert read(reader) + read(reader) == [entry.id for entry in more]


def test_an_empty_stream_goes_and_one_that_holds_something_stays(stream):
    # given
    stream.append(some(3))
    read(stream)
    stream.append(waiting := some(1))
    names = stream.client.smembers(REGISTER)
    assert len(names) == 2
    # when nobody has appended for long enough, which here is no time at all
    assert RedisStream(Flow.VIEWS).tidy(idle=600) == 0
    assert RedisStream(Flow.VIEWS).tidy(idle=0) == 1
    # then
    (left,) = stream.client.smembers(REGISTER)
    assert stream.client.exists(*names) == 1
    assert stream.client.xlen(left) == 1
    # and whoever appends to it again is heard
    assert read(RedisStream(Flow.VIEWS)) == [entry.id for entry in waiting]


def test_a_batch_takes_from_every_stream(stream):
    # given forty streams, and one that has been empty for a while
    stream.append(some(1))
    read(stream)
    for number in range(40):
        stream.append(some(10, channel=f"channel-{number}"))
    # when
    sizes = []
    while stream.pending():
        sizes.append(len(read(stream, 100)))
    # then
    assert sum(sizes) == 400
    assert max(sizes) < 110


def test_many_small_frames_are_read_in_few_calls(stream):
    # given
    shop = AShop()
    for _ in range(600):
        stream.append(some(1, shop))
    before = commands(stream)["xreadgroup"] if "xreadgroup" in commands(stream) else 0  # noqa: SIM401
    # when
    assert len(read(stream, 500)) == 500
    # then
    assert commands(stream)["xreadgroup"] - before <= 12
    assert len(read(stream, 500)) == 100


def test_how_many_wait_is_exact_for_few_frames_and_an_estimate_for_many(stream):
    shop = AShop()
    for size in (1, 5, 9):
        stream.append(some(size, shop))
    assert stream.pending() == 15
    for _ in range(100):
        stream.append(some(5, shop))
    assert 480 <= stream.pending() <= 540


def test_it_is_full_when_its_streams_are(stream, settings):
    stream.append(some(50))
    assert not stream.is_full()
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"REDIS_MOST_BYTES": 1000}
    assert RedisStream(Flow.VIEWS).is_full()


def test_nothing_is_counted_in_redis():
    # INCR and its like count twice whatever is done twice, and everything may be.
    banned = re.compile(r"\.incr\(|\.incrby|hincrby|zincrby|\.decr\(|\bINCR(BY)?\b", re.IGNORECASE)
    package = Path(saleor_nudges.__file__).parent
    sources = [path for path in package.rglob("*.py") if "migrations" not in path.parts]
    assert len(sources) > 50
    found = [path.name for path in sources if banned.search(path.read_text())]
    assert found == []


async def _append(stream, packs):
    await stream.append_async(packs)
    await close_async()


def _frames(stream):
    (name,) = stream.client.smembers(REGISTER)
    return stream.client.xrange(name)
