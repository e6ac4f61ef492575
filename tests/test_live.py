"""Who looks at a product now: exact below a thousand, then never too many, gone in ten seconds."""

import os
from uuid import UUID, uuid4

import pytest
from redis import Redis

from saleor_nudges import live
from saleor_nudges.live import Live, Place

needs_redis = pytest.mark.servers
NOW = 1_700_000_003.0


@pytest.fixture
def client():
    client = Redis.from_url(os.environ["REDIS_URL"])
    client.flushdb()
    return client


@pytest.fixture
def place():
    return Place(uuid4(), "default-channel", "UHJvZHVjdDox")


def visitors(count, first=0):
    return [UUID(int=n) for n in range(first, first + count)]


def beat(client, lives, place, people, now):
    pipe = client.pipeline(transaction=False)
    lives.put_beats(pipe, [(place, visitor) for visitor in people], now)
    pipe.execute()


def ask(client, lives, place, now):
    pipe = client.pipeline(transaction=False)
    lives.put_counts(pipe, [place], now)
    return lives.read_counts([place], pipe.execute())[place]


def crowd(client, lives, place, people, now):
    """Let many come as they do: some at a time, counted in between."""
    for at in range(0, len(people), 100):
        beat(client, lives, place, people[at : at + 100], now)
        ask(client, lives, place, now)


@needs_redis
@pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 999])
def test_below_a_thousand_it_is_exact_however_often_they_beat(count, client, place):
    lives = Live()
    for _ in range(2):
        crowd(client, lives, place, visitors(count), NOW)
    assert ask(client, lives, place, NOW) == count


@needs_redis
@pytest.mark.parametrize("count", [1000, 1500, 5000, 20_000])
def test_a_crowd_is_never_overstated_and_takes_little_room(count, client, place):
    # given a crowd that stays for a while, beating every five seconds, in two processes
    processes = [Live(), Live()]
    people = visitors(count)
    for second in range(0, 31, 5):
        for n, lives in enumerate(processes):
            crowd(client, lives, place, people[n::2], NOW + second)

    # when
    found = ask(client, processes[0], place, NOW + 30)

    # then
    assert count * 0.9 <= found <= count
    if count >= 1500:
        # then nobody beats into the set any more: once each process has counted
        assert client.zcount(place.key(), NOW + 10, "+inf") == 0
    keys = list(client.scan_iter("*"))
    young = [key for key in keys if key.endswith(tuple(name.encode() for name in slots(place)))]
    assert sum(client.memory_usage(key, samples=0) for key in young) <= 32_768
    assert all(0 < client.ttl(key) <= live.EXPIRES for key in keys)


def slots(place):
    return live._slots(place, NOW + 30)


@needs_redis
@pytest.mark.parametrize("count", [7, 3000])
def test_who_left_is_gone_within_ten_seconds(count, client, place):
    lives = Live()
    crowd(client, lives, place, visitors(count), NOW)
    assert ask(client, lives, place, NOW + 4.9) > 0
    assert ask(client, lives, place, NOW + 10) == 0


@needs_redis
def test_a_crowd_that_has_gone_is_counted_exactly_again(client, place):
    # given a crowd
    lives = Live()
    crowd(client, lives, place, visitors(5000), NOW)
    assert ask(client, lives, place, NOW) >= 1000

    # when only forty stay
    for second in (5, 10, 15, 20, 25):
        beat(client, lives, place, visitors(40), NOW + second)
        ask(client, lives, place, NOW + second)

    # then
    assert ask(client, lives, place, NOW + 25) == 40


@needs_redis
def test_a_sudden_crowd_makes_no_set_without_end(client, place):
    lives = Live()
    beat(client, lives, place, visitors(6000), NOW)
    assert client.zcard(place.key()) == live.MOST_MEMBERS
    assert ask(client, lives, place, NOW) == live.MOST_MEMBERS


@needs_redis
def test_products_channels_and_shops_are_apart(settings):
    # given
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"REDIS_URL": os.environ["REDIS_URL"]}
    shop, other = uuid4(), uuid4()
    for visitor in visitors(3):
        live.heartbeat(shop, "here", "product", visitor)
    live.heartbeat(shop, "here", "another", uuid4())

    # then
    assert live.count(shop, "here", "product") == 3
    assert live.count(shop, "here", "another") == 1
    assert live.count(shop, "there", "product") == 0
    assert live.count(other, "here", "product") == 0


def test_a_redis_that_is_away_costs_the_count_and_no_more(settings):
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"REDIS_URL": "redis://127.0.0.1:1/0"}
    shop = uuid4()
    live.heartbeat(shop, "here", "product", uuid4())
    assert live.count(shop, "here", "product") == 0


def test_without_redis_this_process_counts_whom_it_heard_of(settings, monkeypatch):
    # given
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"REDIS_URL": ""}
    clock = [NOW]
    monkeypatch.setattr(live.time, "time", lambda: clock[0])
    shop = uuid4()
    for visitor in visitors(5) * 2:
        live.heartbeat(shop, "here", "product", visitor)
    assert live.count(shop, "here", "product") == 5

    # when one stays
    clock[0] += 6
    live.heartbeat(shop, "here", "product", visitors(1)[0])
    clock[0] += 4

    # then
    assert live.count(shop, "here", "product") == 1
    clock[0] += 6
    assert live.count(shop, "here", "product") == 0
    assert not live.LIVE.members


def test_it_forgets_products_rather_than_grow(monkeypatch):
    monkeypatch.setattr(live, "MOST_PRODUCTS", 3)
    monkeypatch.setattr(live, "MOST_MEMBERS", 4)
    lives = Live()
    for product in "abcde":
        for visitor in visitors(9):
            lives.beat_here(Place(UUID(int=1), "here", product), visitor, NOW)
        lives.read_counts([Place(UUID(int=1), "here", product)], [1, 0])
    assert [len(members) for members in lives.members.values()] == [4, 4, 4]
    assert [place.product for place in lives.known] == ["c", "d", "e"]
