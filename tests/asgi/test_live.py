"""Who looks at a product now, through every door: one number, one trip to Redis, no SQL."""

import asyncio
import os
from datetime import UTC, datetime

import pytest
from django.db import connections
from django.test import Client
from redis import Redis
from redis.asyncio import Connection as AsyncConnection
from redis.connection import Connection

from saleor_nudges import access, live
from saleor_nudges.asgi import looking, pages, requests
from saleor_nudges.asgi.hot import HotRequests
from saleor_nudges.events import Flow, LiveMeasured
from saleor_nudges.events.identity import uuid7
from saleor_nudges.models import Evidence, NudgeType, Shop, ViewEvent
from saleor_nudges.nudges.kinds import live_visitors
from saleor_nudges.stream import get_stream, redis_clients
from saleor_nudges.testing import CHANNEL, JUICE, consume, make_shop, switch_on_nudge
from tests.asgi.client import Page
from tests.asgi.hostile import BROWSER

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = 5
QUERY = (
    "query($token: String) { nudges("
    'channel: "%s", page: PRODUCT, productId: "%s", token: $token) { nudges { text } } }'
)


@pytest.fixture(autouse=True)
def _nobody_here(monkeypatch):
    monkeypatch.setattr(live, "HERE", live.Here())
    for module in ("looking", "reading"):
        monkeypatch.setattr(f"saleor_nudges.asgi.{module}.HERE", live.HERE)
    monkeypatch.setattr("saleor_nudges.asgi.hot.THREADS", 1)
    pages._counting.clear()
    live_visitors._reported.clear()


@pytest.fixture
def redis(settings):
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"REDIS_URL": os.environ["REDIS_URL"]}
    with Redis.from_url(os.environ["REDIS_URL"]) as client:
        client.flushdb()
        yield client


@pytest.fixture(params=["redis", "alone"])
def where(request, settings):
    if request.param == "redis":
        request.getfixturevalue("redis")
    else:
        settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"REDIS_URL": ""}
    return request.param


@pytest.fixture
def shop() -> Shop:
    shop = make_shop()
    switch_on_nudge(shop, NudgeType.LIVE_VISITORS)
    return shop


@pytest.fixture
def tokens(shop):
    return [access.visitor_token(access.new_visitor(shop.pk)) for _ in range(PEOPLE)]


ASK = {"channel": CHANNEL, "page": "PRODUCT", "product": JUICE.id}
HEADERS = {"User-Agent": BROWSER}


def visit(work):
    async def run():
        app = HotRequests()
        try:
            return await work(Page(app), app)
        finally:
            # What is read again behind an answer begins a turn later.
            await asyncio.sleep(0.05)
            await asyncio.get_running_loop().run_in_executor(app.executor, connections.close_all)
            await app.close()

    return asyncio.run(run())


def text(got):
    return [nudge["text"] for nudge in got.body["nudges"]]


async def ask(page, **more):
    return await page.get("/v1/nudges", HEADERS, **ASK, **more)


async def all_here(page, tokens):
    """Let everybody look, and a moment pass in which their beats are sent and counted."""
    await ask(page)
    for token in tokens:
        await ask(page, token=token)
    await asyncio.sleep(live.TOLD_FOR + 0.1)
    await ask(page)
    await asyncio.sleep(0.3)


def in_django(token=""):
    query = ASK | ({"token": token} if token else {})
    answer = Client(headers=HEADERS).get("/v1/nudges", query)
    return [nudge["text"] for nudge in answer.json()["nudges"]]


def in_graphql(token=""):
    body = {"query": QUERY % (CHANNEL, JUICE.id), "variables": {"token": token}}
    sent = Client(headers=HEADERS).post("/graphql/", body, content_type="application/json")
    return [nudge["text"] for nudge in sent.json()["data"]["nudges"]["nudges"]]


def test_every_door_tells_the_same_number(where, shop, tokens):
    async def look(page, app):
        await all_here(page, tokens)
        hot = [text(await ask(page)), text(await ask(page, token=tokens[0]))]
        loop = asyncio.get_running_loop()
        return hot, await loop.run_in_executor(None, others)

    def others():
        try:
            in_django()  # this process learns that visitors are counted here
            return [
                [in_django(), in_django(tokens[0])],
                [in_graphql(), in_graphql(tokens[0])],
            ]
        finally:
            connections.close_all()

    hot, (django, graphql) = visit(look)
    said = [[f"{count} people are looking at this right now"] for count in (5, 4)]
    assert hot == django == graphql == said


def test_django_alone_counts_and_tells(where, shop, tokens):
    in_django()
    for token in tokens:
        in_django(token)
    assert in_django() == ["5 people are looking at this right now"]
    assert in_graphql(tokens[0]) == ["4 people are looking at this right now"]


def test_two_processes_are_one_crowd(redis, shop, tokens):
    async def look(page, app):
        other = HotRequests()
        try:
            await ask(Page(other))
            await all_here(page, tokens[:2])
            await all_here(Page(other), tokens[2:])
            await asyncio.sleep(1)
            await ask(page)
            await asyncio.sleep(0.3)
            return [text(await ask(page)), text(await ask(Page(other)))]
        finally:
            loop = asyncio.get_running_loop()
            await asyncio.sleep(0.05)
            await other.reading.looking.close()
            await loop.run_in_executor(other.executor, connections.close_all)
            other.executor.shutdown(wait=False)

    assert visit(look) == [["5 people are looking at this right now"]] * 2


def test_a_warm_page_costs_one_trip_at_most_and_no_sql(redis, shop, tokens, monkeypatch):
    # given
    trips = []
    real = redis_clients.execute

    async def counted(url, commands, *, is_cluster):
        trips.append([command[0] for command in commands])
        return await real(url, commands, is_cluster=is_cluster)

    monkeypatch.setattr(looking.redis_clients, "execute", counted)

    # when a page polls, now and then
    async def look(page, app):
        await all_here(page, tokens)
        monkeypatch.setattr("saleor_nudges.asgi.building._read", no_sql)
        trips.clear()
        for _ in range(3):
            await asyncio.sleep(live.TOLD_FOR + 0.2)
            await ask(page, token=tokens[0])
        return list(trips)

    def no_sql(*_):
        raise AssertionError("the database was asked")

    # then
    assert visit(look) == [["EVAL", "MGET", "ZCOUNT"]] * 3


def test_django_makes_one_trip_too(redis, shop, tokens, monkeypatch):
    # given
    in_django()
    in_django(tokens[0])
    trips = _sent(monkeypatch)

    # when
    in_django(tokens[1])

    # then
    assert len(trips) == 1


def _sent(monkeypatch):
    """Every write to a Redis from here on, whichever client does it."""
    trips = []
    for kind in (Connection, AsyncConnection):
        monkeypatch.setattr(kind, "send_packed_command", _kept(trips, kind.send_packed_command))
    return trips


def _kept(trips, send):
    def kept(connection, command, *more, **options):
        trips.append(command)
        return send(connection, command, *more, **options)

    return kept


def test_beats_that_no_look_takes_along_go_alone(redis, shop, tokens):
    key = live.Place(shop.pk, CHANNEL, JUICE.id).key()

    async def look(page, app):
        await ask(page)
        for token in tokens:
            await ask(page, token=token)
        await asyncio.sleep(looking.BEATS_WAIT + 0.3)
        return redis.zcard(key)

    assert visit(look) == PEOPLE


def test_a_redis_that_is_away_tells_no_number(shop, tokens, settings):
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"REDIS_URL": "redis://127.0.0.1:1/0"}

    async def look(page, app):
        await all_here(page, tokens)
        return await ask(page)

    got = visit(look)
    assert (got.status, got.body["nudges"], got.body["pollAfter"]) == (200, [], 5)
    assert in_django(tokens[0]) == []


def test_what_the_hot_process_told_is_proven(where, shop, tokens):
    async def look(page, app):
        await all_here(page, tokens)
        got = await ask(page)
        await ask(page)
        await asyncio.sleep(0.2)
        return got

    got = visit(look)
    consume()
    assert text(got) == ["5 people are looking at this right now"]
    # Told twice: one proof, or two where the clock went on to the next quarter of a minute.
    proof, *more = Evidence.objects.of(shop).filter(value=5)
    assert len(more) <= 1
    assert (proof.type, proof.metric, proof.product_id) == (
        "LIVE_VISITORS",
        "live_visitors",
        JUICE.id,
    )
    assert got.body["nudges"][0]["evidence"]["value"] == 5


def test_a_storefront_cannot_say_how_many_there_are(shop, tokens):
    # given
    event = {
        "id": str(uuid7()),
        "kind": LiveMeasured.kind,
        "at": datetime.now(UTC).isoformat(),
        "channel": CHANNEL,
        "product": JUICE.id,
        "value": 999,
        "threshold": 1,
    }

    # when
    async def send(page, app):
        return await page.post("/v1/events", {"token": tokens[0], "events": [event]}, HEADERS)

    got = visit(send)

    # then
    assert (got.status, got.body["accepted"]) == (202, 0)
    [refused] = got.body["rejected"]
    assert refused["message"] == "kind: A storefront cannot send this kind."
    consume()
    assert ViewEvent.objects.of(shop).count() == Evidence.objects.of(shop).count() == 0


# What a question says of its visitor.


@pytest.mark.parametrize(
    ("_case", "query", "field"),
    [
        ("device", {"device": "TOASTER"}, "device"),
        ("page", {"page": "MOON"}, "page"),
        ("country", {"country": "Poland"}, "country"),
        ("country_in_digits", {"country": "12"}, "country"),
        ("count", {"count": "21"}, "count"),
        ("products", {"products": ",".join(map(str, range(51)))}, "products"),
        ("exclude", {"exclude": ",".join(map(str, range(201)))}, "exclude"),
        ("shown", {"shown": ",".join(map(str, range(21)))}, "shown"),
    ],
)
def test_both_doors_refuse_the_same_and_name_the_parameter(_case, query, field, shop):
    async def look(page, app):
        return await page.get("/v1/nudges", HEADERS, channel=CHANNEL, **query)

    got = visit(look)
    answer = Client(headers=HEADERS).get("/v1/nudges", {"channel": CHANNEL} | query)
    assert (got.status, got.body) == (answer.status_code, answer.json())
    assert (got.status, got.body["error"]["code"], got.body["error"]["field"]) == (
        400,
        "INVALID",
        field,
    )


@pytest.mark.parametrize(
    ("said", "header", "expected"),
    [
        ("", "PL", "PL"),
        ("de", "PL", "DE"),
        ("", "T1", ""),
        ("", "pl", "PL"),
        ("", "Poland", ""),
        ("", "", ""),
    ],
)
def test_where_the_visitor_is(said, header, expected, shop, settings, monkeypatch):
    # given
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"COUNTRY_HEADER": "CF-IPCountry"}
    asked = []
    real = requests.read_ask

    def noted(*arguments):
        asked.append(real(*arguments))
        return asked[-1]

    monkeypatch.setattr(requests, "read_ask", noted)
    query = {"channel": CHANNEL} | ({"country": said} if said else {})
    headers = HEADERS | ({"CF-IPCountry": header} if header else {})

    # when
    async def look(page, app):
        return await page.get("/v1/nudges", headers, **query)

    got = visit(look)
    answer = Client(headers=headers).get("/v1/nudges", query)

    # then
    assert [one.country for one in asked] == [expected, expected]
    assert got.headers["vary"] == answer["Vary"] == "CF-IPCountry, User-Agent"


def test_no_header_is_believed_that_the_seller_does_not_name(shop):
    caller = requests.Caller(country="PL")
    assert requests.read_ask(shop, {"channel": CHANNEL}, caller).country == "PL"

    async def look(page, app):
        return await page.get("/v1/nudges", HEADERS | {"CF-IPCountry": "PL"}, channel=CHANNEL)

    assert visit(look).headers["vary"] == "User-Agent"


def test_what_a_page_says_is_asked(shop):
    query = {
        "channel": CHANNEL,
        "page": "listing",
        "device": "ios",
        "category": "Q2F0ZWdvcnk6MQ==",
        "products": "a,,b",
        "shown": "x",
    }
    ask = requests.read_ask(shop, query)
    assert (ask.page, ask.device, ask.category) == ("LISTING", "IOS", "Q2F0ZWdvcnk6MQ==")
    assert (ask.products, ask.shown) == (("a", "b"), ("x",))


def test_of_whom_no_device_is_known_nothing_is_held_back(shop):
    phone = requests.Caller(agent="Mozilla/5.0 (Linux; Android 14)")
    assert requests.read_ask(shop, {"channel": CHANNEL}).device == ""
    assert requests.read_ask(shop, {"channel": CHANNEL, "device": ""}, phone).device == ""


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        ("Mozilla/5.0 (Linux; Android 14)", "ANDROID"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X)", "IOS"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "DESKTOP"),
        ("Mozilla/5.0 (SMART-TV)", "OTHER"),
    ],
)
def test_a_device_that_is_not_named_is_what_the_browser_says(agent, device, shop):
    caller = requests.Caller(agent=agent)
    assert requests.read_ask(shop, {"channel": CHANNEL}, caller).device == device
    named = {"channel": CHANNEL, "device": "IOS"}
    assert requests.read_ask(shop, named, caller).device == "IOS"


@pytest.mark.parametrize(("device", "vary"), [(None, "User-Agent"), ("IOS", None), ("", None)])
def test_an_answer_is_shared_among_those_it_is_for(device, vary, shop):
    query = {"channel": CHANNEL} | ({} if device is None else {"device": device})

    async def look(page, app):
        return await page.get("/v1/nudges", HEADERS, **query)

    assert visit(look).headers.get("vary") == vary
    assert Client().get("/v1/nudges", query).headers.get("Vary") == vary


@pytest.mark.parametrize(
    ("said", "page"),
    [
        ({}, "OTHER"),
        ({"product": "p"}, "PRODUCT"),
        ({"category": "c"}, "CATEGORY"),
        ({"product": "p", "category": "c"}, "PRODUCT"),
        ({"product": "p", "page": "CART"}, "CART"),
        ({"product": ""}, "OTHER"),
    ],
)
def test_a_page_that_is_not_named_is_what_it_is_about(said, page, shop):
    assert requests.read_ask(shop, {"channel": CHANNEL, **said}).page == page


def test_nothing_waits_in_the_stream_for_what_was_not_told(where, shop, tokens):
    async def look(page, app):
        await all_here(page, tokens[:2])
        return await ask(page)

    assert text(visit(look)) == []
    assert get_stream(Flow.VIEWS).pending() == 0
