"""One suite for every stream: memory, Postgres, Redis."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

import msgspec
import pytest
from django.db import connection

from saleor_nudges.events import CheckoutChanged, Contact, Flow
from saleor_nudges.exceptions import StreamUnavailable
from saleor_nudges.models import Shop
from saleor_nudges.stream.base import Entry, Stream
from saleor_nudges.stream.codec import decode, encode
from saleor_nudges.stream.memory import MemoryStream
from saleor_nudges.stream.postgres import PostgresStream
from saleor_nudges.stream.redis import RedisStream

Make = Callable[[], Stream]


@pytest.fixture
def memory() -> Make:
    return lambda: MemoryStream(Flow.VIEWS)


@pytest.fixture
def postgres(transactional_db: None) -> Make:
    return lambda: PostgresStream(Flow.VIEWS)


@pytest.fixture
def redis(transactional_db: None, settings) -> Make:
    if not os.environ.get("REDIS_URL"):
        pytest.skip("REDIS_URL is not set")

    def make() -> Stream:
        # Whatever a reader holds counts as abandoned at once, so that a test need not wait.
        return RedisStream(Flow.VIEWS, abandoned_after=0)

    stream = RedisStream(Flow.VIEWS)
    stream.client.flushdb()
    return make


@pytest.fixture(
    params=[
        "memory",
        pytest.param("postgres", marks=pytest.mark.servers),
        pytest.param("redis", marks=pytest.mark.servers),
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
    make().append(entries)
    # when, then
    for expected in (entries[:2], entries[2:4], entries[4:]):
        with make().batch(2) as held:
            assert held == expected


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


@pytest.mark.servers
def test_what_a_dead_reader_of_redis_held_is_claimed(redis):
    # given: a real process that reads a batch and is killed before it lets go
    entries = [an_entry(number) for number in range(4)]
    redis().append(entries)
    code = (
        "import os, django; django.setup();"
        "from saleor_nudges.events import Flow;"
        "from saleor_nudges.stream.redis import RedisStream;"
        "held = RedisStream(Flow.VIEWS).batch(10).__enter__();"
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
