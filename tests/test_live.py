"""Who looks at a product now: exact, never too many, gone in ten seconds, and bounded."""

import os
import random
from uuid import UUID, uuid4

import pytest
from redis import Redis

from saleor_nudges import live
from saleor_nudges.live import Here, Place, Waiting, beat_commands, count_command

needs_redis = pytest.mark.servers
NOW = 1_700_000_003.0
HERE_FOR = 9.0


@pytest.fixture
def client():
    with Redis.from_url(os.environ["REDIS_URL"]) as client:
        client.flushdb()
        yield client


@pytest.fixture
def place():
    return Place(uuid4(), "default-channel", "UHJvZHVjdDox")


def visitors(count, first=0):
    return [UUID(int=n) for n in range(first, first + count)]


def run(client, commands):
    pipe = client.pipeline(transaction=False)
    for command in commands:
        pipe.execute_command(*command)
    return pipe.execute()


def beat(client, place, people, at, now=None):
    beats = {place: dict.fromkeys(people, at)}
    run(client, beat_commands(beats, at if now is None else now))


def ask(client, place, now):
    return run(client, [count_command(place, now)])[0]


@needs_redis
@pytest.mark.parametrize("count", [0, 1, 127, 129, 999, 25_000])
def test_it_is_exact_however_often_they_beat(count, client, place):
    for moment in (NOW, NOW, NOW + 5):
        if count:
            beat(client, place, visitors(count), moment)
    assert ask(client, place, NOW + 5) == count


@needs_redis
def test_who_left_is_gone_and_who_stayed_is_not(client, place):
    beat(client, place, visitors(40), NOW)
    beat(client, place, visitors(7), NOW + 5)
    assert ask(client, place, NOW + HERE_FOR - 0.001) == 40
    assert ask(client, place, NOW + HERE_FOR) == 7
    assert ask(client, place, NOW + 5 + HERE_FOR) == 0


@needs_redis
def test_a_beat_that_comes_late_makes_nobody_older(client, place):
    beat(client, place, visitors(1), NOW + 4)
    beat(client, place, visitors(1), NOW, now=NOW + 4)
    assert ask(client, place, NOW + 4 + HERE_FOR - 0.001) == 1


@needs_redis
def test_nothing_is_kept_of_who_left(client, place):
    beat(client, place, visitors(500), NOW)
    beat(client, place, visitors(3, first=900), NOW + HERE_FOR)
    assert client.zcard(place.key()) == 3
    assert 0 < client.ttl(place.key()) <= live.EXPIRES


@needs_redis
def test_random_histories_against_an_oracle(client, place):
    # given people who come, stay and go; each look is compared
    chance = random.Random(7)
    last = {}
    now = NOW
    for _ in range(400):
        now += chance.expovariate(1.0)
        people = chance.sample(visitors(300), chance.randrange(40))
        if people:
            beat(client, place, people, now)
            last.update(dict.fromkeys(people, now))
        # then
        expected = sum(now - at < HERE_FOR for at in last.values())
        assert expected * 0.98 <= ask(client, place, now) <= expected


@needs_redis
def test_a_crowd_makes_no_set_without_end(client, place, monkeypatch):
    monkeypatch.setattr(live, "MOST_MEMBERS", 50)
    beat(client, place, visitors(60), NOW)
    assert client.zcard(place.key()) == 50
    assert ask(client, place, NOW) == 50


@needs_redis
def test_products_channels_and_shops_are_apart(client, place):
    beat(client, place, visitors(3), NOW)
    assert ask(client, place, NOW) == 3
    for other in (
        place._replace(product="another"),
        place._replace(channel="another"),
        place._replace(shop=uuid4()),
    ):
        assert ask(client, other, NOW) == 0


@needs_redis
def test_many_beats_go_in_pieces_and_none_is_lost(client, place):
    # given more products and more visitors of one than go together
    crowd = dict.fromkeys(visitors(2500), NOW)
    beats = {place._replace(product=f"p{n}"): {uuid4(): NOW} for n in range(120)} | {place: crowd}
    beats |= {place._replace(channel="another"): {uuid4(): NOW}}

    # when
    commands = list(beat_commands(beats, NOW))
    run(client, commands)

    # then
    assert all(len(command) < 60 * 1000 * 2 for command in commands)
    assert {at: ask(client, at, NOW) for at in beats} == {
        at: len(people) for at, people in beats.items()
    }


def test_each_visitor_waits_once_and_only_so_many(place, monkeypatch):
    # given
    monkeypatch.setattr(live, "MOST_BEATS", 3)
    waiting = Waiting()
    for moment in (NOW, NOW + 1):
        for visitor in visitors(5):
            waiting.add(place, visitor, moment)
    waiting.add(place._replace(product="another"), uuid4(), NOW)

    # then
    assert waiting.take() == {place: dict.fromkeys(visitors(3), NOW + 1)}
    assert waiting.take() == {}
    waiting.add(place, visitors(1)[0], NOW)
    assert waiting.take() == {place: {visitors(1)[0]: NOW}}


# Without Redis.


def test_a_process_counts_whom_it_heard_of(place):
    # given
    here = Here()
    for visitor in visitors(5) * 2:
        here.beat(place, visitor, NOW)
    assert here.count(place, NOW) == 5
    assert here.count(place._replace(channel="another"), NOW) == 0

    # when one stays
    here.beat(place, visitors(1)[0], NOW + 5)

    # then
    assert here.count(place, NOW + HERE_FOR - 0.001) == 5
    assert here.count(place, NOW + HERE_FOR) == 1
    assert here.count(place, NOW + 5 + HERE_FOR) == 0
    assert (here.last, here.counts) == ({}, {})


def test_a_process_forgets_rather_than_grow(place, monkeypatch):
    monkeypatch.setattr(live, "MOST_BEATS", 3)
    here = Here()
    for number, visitor in enumerate(visitors(9)):
        here.beat(place._replace(product=str(number % 2)), visitor, NOW)
    assert len(here.last) == 3
    assert here.counts == {place._replace(product="0"): 2, place._replace(product="1"): 1}
