"""The hot requests as a bare ASGI app: what a page sends, and what it gets back."""

import asyncio
from datetime import UTC, datetime
from urllib.parse import parse_qsl
from uuid import uuid4

import pytest
from django.db import OperationalError, connection, connections
from django.test import Client

from saleor_nudges import access, agents, crypto
from saleor_nudges.asgi import guard
from saleor_nudges.asgi.head import parsed
from saleor_nudges.asgi.hot import HotRequests
from saleor_nudges.events import Flow
from saleor_nudges.events.identity import uuid7
from saleor_nudges.exceptions import StreamUnavailable
from saleor_nudges.models import NudgeType, Shop, ViewEvent
from saleor_nudges.nudges.kinds.base import withdraw
from saleor_nudges.stream import memory
from saleor_nudges.stream.postgres import PostgresStream
from saleor_nudges.testing import (
    CHANNEL,
    JUICE,
    a_checkout,
    checkout_seen,
    consume,
    make_shop,
    order_placed,
    switch_on_nudge,
)
from tests.asgi.client import Page

pytestmark = pytest.mark.django_db(transaction=True)
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15"


@pytest.fixture
def shop() -> Shop:
    shop = make_shop()
    switch_on_nudge(shop, NudgeType.ORDER)
    return shop


@pytest.fixture
def token(shop) -> str:
    return access.visitor_token(access.new_visitor(shop.pk))


@pytest.fixture
def configured(settings):
    def configure(**changes):
        settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | changes

    return configure


def item(**changes):
    event = {
        "id": str(uuid7()),
        "kind": "product_viewed",
        "at": datetime.now(UTC).isoformat(),
        "channel": CHANNEL,
        "product": JUICE.id,
    }
    return event | changes


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch):
    # Whose connection is closed at the end of each test.
    monkeypatch.setattr("saleor_nudges.asgi.hot.THREADS", 1)


def visit(work, **page):
    """Let a page do something with a fresh app."""

    async def run():
        app = HotRequests()
        try:
            return await work(Page(app, **page))
        finally:
            await asyncio.get_running_loop().run_in_executor(app.executor, connections.close_all)
            await app.close()

    return asyncio.run(run())


def in_memory(configured):
    configured(VIEWS_STREAM="saleor_nudges.stream.memory.MemoryStream")
    return memory.WAITING[Flow.VIEWS]


@pytest.mark.parametrize("stream", ["postgres.PostgresStream", "redis.RedisStream"])
def test_what_is_acknowledged_is_stored(stream, shop, token, configured):
    # given
    configured(VIEWS_STREAM=f"saleor_nudges.stream.{stream}")
    good, bad = item(), item(kind="order_placed")

    # when
    got = visit(lambda page: page.post("/v1/events", {"token": token, "events": [good, bad]}))

    # then
    assert (got.status, got.body["accepted"]) == (202, 1)
    assert [(r["index"], r["code"]) for r in got.body["rejected"]] == [(1, "INVALID_EVENT")]
    consume()
    stored = ViewEvent.objects.of(shop).get()
    assert (str(stored.pk), stored.kind, stored.subject) == (good["id"], "product_viewed", JUICE.id)
    assert stored.data["visitor"] == str(access.read_visitor(token, shop.pk).id)


def test_many_at_once_are_kept_by_few_writes(shop, token, configured, monkeypatch):
    # given
    waiting = in_memory(configured)
    writes = []
    real = memory.MemoryStream.append_async

    async def counted(stream, packs):
        writes.append(sum(pack.count for pack in packs))
        await asyncio.sleep(0)
        await real(stream, packs)

    monkeypatch.setattr(memory.MemoryStream, "append_async", counted)

    # when
    async def crowd(page):
        body = [{"token": token, "events": [item()]} for _ in range(60)]
        return await asyncio.gather(*(page.post("/v1/events", one) for one in body))

    answers = visit(crowd)

    # then
    assert {got.status for got in answers} == {202}
    assert sum(writes) == len(waiting) == 60
    assert len(writes) <= 4


def test_nothing_is_acknowledged_that_was_not_kept(shop, token, configured, monkeypatch):
    in_memory(configured)

    async def away(stream, packs):
        raise StreamUnavailable

    # nor can it be spilled
    monkeypatch.setattr(memory.MemoryStream, "append_async", away)
    monkeypatch.setattr(PostgresStream, "append_async", away)
    got = visit(lambda page: page.post("/v1/events", {"token": token, "events": [item()]}))
    assert (got.status, got.body["error"]["code"]) == (503, "STREAM_UNAVAILABLE")
    assert got.headers["retry-after"] == "5"


def test_memory_is_bounded_while_writes_hang(shop, token, configured, monkeypatch):
    # given writes that hang, and room for little
    in_memory(configured)
    go = asyncio.Event()

    async def hang(stream, packs):
        await go.wait()

    monkeypatch.setattr(memory.MemoryStream, "append_async", hang)
    monkeypatch.setattr("saleor_nudges.asgi.commit.MOST_EVENTS", 5)

    # when
    async def crowd(page):
        body = [{"token": token, "events": [item()]} for _ in range(30)]
        tasks = [asyncio.ensure_future(page.post("/v1/events", one)) for one in body]
        await asyncio.wait(tasks, timeout=0.5)
        go.set()
        return await asyncio.gather(*tasks)

    statuses = [got.status for got in visit(crowd)]

    # then
    assert set(statuses) == {202, 503}
    assert statuses.count(202) == 5


def test_a_crawler_counts_for_nothing(shop, token, configured):
    waiting = in_memory(configured)
    body = {"token": token, "events": [item()]}
    got = visit(lambda page: page.post("/v1/events", body, {"User-Agent": GOOGLEBOT}))
    assert (got.status, got.body, waiting) == (202, {"accepted": 0, "rejected": []}, [])


def test_a_page_reads_what_may_be_shown(shop, token):
    # given
    checkout = a_checkout(shop, email="anna@example.com")
    checkout_seen(shop, checkout)
    order_placed(shop, checkout)

    # when
    async def look(page):
        mine = crypto.checkout_hash(checkout.id)
        ask = {"channel": CHANNEL, "page": "HOME"}
        return [
            await page.get("/v1/nudges", **ask),
            await page.get("/v1/nudges", **ask, token=token),
            await page.get("/v1/nudges", **ask, checkout=mine),
            await page.get("/v1/nudges", **ask, shop=shop.public_id),
        ]

    everyone, personal, own, named = visit(look)

    # then
    assert [n["text"] for n in everyone.body["nudges"]] == ["Someone bought Apple Juice"]
    assert everyone.headers["cache-control"] == "public, max-age=2"
    assert len(personal.body["nudges"]) == len(named.body["nudges"]) == 1
    assert personal.headers["cache-control"] == "private, no-store"
    assert own.body["nudges"] == []


def test_what_is_withdrawn_is_gone_within_a_poll(shop):
    checkout = a_checkout(shop, email="anna@example.com")
    checkout_seen(shop, checkout)
    order_placed(shop, checkout)

    async def look(page):
        before = await page.get("/v1/nudges", channel=CHANNEL)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, withdrawn, shop)
        found = [before]
        for _ in range(50):
            await asyncio.sleep(0.1)
            found.append(await page.get("/v1/nudges", channel=CHANNEL))
            if not found[-1].body["nudges"]:
                break
        return found

    answers = visit(look)
    assert len(answers[0].body["nudges"]) == 1
    assert answers[-1].body["nudges"] == []


def withdrawn(shop):
    withdraw(shop, product_id=JUICE.id)
    connection.close()


def test_a_page_is_answered_while_nothing_can_be_read(shop, monkeypatch):
    async def look(page):
        await page.get("/v1/nudges", channel="another")  # the shop is known now
        monkeypatch.setattr("saleor_nudges.asgi.building.read_from", broken)
        return await page.get("/v1/nudges", channel=CHANNEL)

    def broken(*args):
        raise OperationalError

    got = visit(look)
    assert (got.status, got.body["nudges"], got.body["pollAfter"]) == (200, [], None)


@pytest.mark.parametrize(
    ("setting", "door", "asked", "passed"),
    [
        ("LIMIT_VISITOR", "events", 30, 10),
        ("LIMIT_ADDRESS", "events", 30, 10),
        ("LIMIT_SHOP", "events", 5, 1),
        ("LIMIT_ADDRESS", "nudges", 30, 10),
        ("LIMIT_SESSIONS", "session", 30, 10),
    ],
)
def test_limits(setting, door, asked, passed, shop, token, configured):
    # given one a second, and ten seconds' worth at once (a shop: one second's)
    in_memory(configured)
    configured(**{setting: 1.0, "TRUSTED_PROXIES": 0})

    # when
    async def hurry(page):
        answers = []
        for _ in range(asked):
            if door == "nudges":
                answers.append(await page.get("/v1/nudges", channel=CHANNEL))
            else:
                body = {"token": token, "events": [item()]}
                answers.append(await page.post(f"/v1/{door}", body))
        return answers

    answers = visit(hurry)

    # then
    refused = [got for got in answers if got.status == 429]
    assert passed <= asked - len(refused) <= passed + 2
    assert {got.body["error"]["code"] for got in refused} == {"TOO_MANY"}
    assert int(refused[0].headers["retry-after"]) >= 1


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (-1, "198.51.100.1", ""),
        (0, "198.51.100.1", "203.0.113.7"),
        (1, "198.51.100.1", "198.51.100.1"),
        (1, "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        (2, "6.6.6.6, 198.51.100.1, 10.0.0.1", "198.51.100.1"),
        (2, "10.0.0.1", "203.0.113.7"),
        (1, "", "203.0.113.7"),
    ],
)
def test_whose_address_it_is(proxies, forwarded, address, configured):
    configured(TRUSTED_PROXIES=proxies)
    assert guard.in_force().address("203.0.113.7", forwarded) == address


@pytest.mark.parametrize(
    ("agent", "device", "bot"),
    [(GOOGLEBOT, "OTHER", True), (PHONE, "IOS", False), ("", "OTHER", False)],
)
def test_devices(agent, device, bot, shop):
    got = visit(lambda page: page.get("/v1/device", {"User-Agent": agent}))
    assert got.body == {"device": device, "bot": bot}


@pytest.mark.parametrize(
    ("agent", "browser"),
    [
        ("Mozilla/5.0 (X11) AppleWebKit/537.36 Chrome/140.0 Safari/537.36", "CHROME"),
        ("Mozilla/5.0 (iPhone) CriOS/140.0 Mobile/15E148 Safari/604.1", "CHROME"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0", "EDGE"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 OPR/120.0", "OPERA"),
        ("Mozilla/5.0 (Linux; Android 14) SamsungBrowser/27.0 Chrome/125 Safari/537", "SAMSUNG"),
        ("Mozilla/5.0 (X11; rv:140.0) Gecko/20100101 Firefox/140.0", "FIREFOX"),
        (f"{PHONE} Version/17.0 Mobile/15E148 Safari/604.1", "SAFARI"),
        ("curl/8.0", "OTHER"),
    ],
)
def test_browsers(agent, browser):
    assert agents.browser(agent) == browser


@pytest.mark.parametrize(
    ("code", "language", "close"),
    [("PL", "pl", "Zamknij"), ("de-CH", "de", "Schließen"), ("fr", "en", "Close")],
)
def test_the_widgets_own_words(code, language, close, shop):
    # given
    origin = {"Origin": "https://shop.example.com"}

    # when
    hot = visit(lambda page: page.get("/v1/words", origin, languageCode=code))
    django = Client().get("/v1/words", {"languageCode": code}, headers=origin)

    # then
    assert (hot.status, hot.body["language"], hot.body["close"]) == (200, language, close)
    assert hot.body["about"].keys() == {str(name) for name in NudgeType}
    assert (django.status_code, django.json()) == (200, hot.body)
    for headers in (hot.headers, {k.lower(): v for k, v in django.headers.items()}):
        assert headers["cache-control"] == "public, max-age=86400"
        assert headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/events", 405),
        ("POST", "/v1/nudges", 405),
        ("GET", "/v1/nothing", 404),
        ("GET", "/", 404),
        ("OPTIONS", "/v1/events", 204),
        ("GET", "/healthz", 200),
        ("GET", "/metrics", 200),
        ("GET", "/plugins/global/saleor-nudges/v1/device", 200),
    ],
)
def test_addresses(method, path, status, shop):
    got = visit(lambda page: page.send(method, path, [b""], {}, {}))
    assert got.status == status


def test_an_unknown_shop_is_not_found(shop):
    got = visit(lambda page: page.get("/v1/nudges", channel=CHANNEL, shop="nobody"))
    assert (got.status, got.body["error"]["code"]) == (404, "UNKNOWN_SHOP")


def test_a_body_in_pieces_is_bounded(shop, token, configured):
    waiting = in_memory(configured)
    chunks = [b" " * 40_000, b" " * 40_000, b"{}"]
    got = visit(lambda page: page.send("POST", "/v1/events", chunks, {}, {}))
    assert (got.status, got.body["error"]["field"], waiting) == (400, "body", [])


@pytest.mark.parametrize(
    ("origin", "allowed"), [("https://shop.example", True), ("https://evil.example", False)]
)
def test_origins(origin, allowed, shop, configured):
    configured(STOREFRONT_ORIGINS=["https://shop.example"])
    got = visit(lambda page: page.get("/v1/device", {"Origin": origin}))
    assert (got.headers.get("access-control-allow-origin") == origin) is allowed


def test_a_slip_of_ours_costs_one_request(shop, token, configured, monkeypatch):
    in_memory(configured)

    def slip(*args):
        raise ZeroDivisionError

    monkeypatch.setattr("saleor_nudges.asgi.requests.read_events", slip)
    got = visit(lambda page: page.post("/v1/events", {"token": token, "events": [item()]}))
    assert (got.status, got.body["error"]["message"]) == (500, "Something went wrong.")


def test_a_shop_that_is_switched_off_is_off_soon(shop, token, configured):
    waiting = in_memory(configured)
    Shop.objects.filter(pk=shop.pk).update(tracking_since=None)
    got = visit(lambda page: page.post("/v1/events", {"token": token, "events": [item()]}))
    assert (got.body["accepted"], waiting) == (0, [])


def test_a_token_of_another_shop_is_refused(shop, configured):
    in_memory(configured)
    stranger = access.visitor_token(access.new_visitor(uuid4()))
    got = visit(lambda page: page.post("/v1/events", {"token": stranger, "events": [item()]}))
    assert (got.status, got.body["error"]["code"]) == (401, "BAD_SIGNATURE")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"a=1&b=2&a=3",
        b"a&b=&=c&&",
        b"token=x%3Ay%3az&exclude=a%2Cb%2cc,d",
        b"q=a+b%20c&%61=1",
        b"q=%ff%F0%9F%8D%8E\xe9",
        b"q=%252C%&r=%%2C&s=%2%2C&t=%zz",
        b"a=b=c;d=e",
    ],
)
def test_a_query_is_read_as_django_would(raw):
    expected = dict(parse_qsl(raw.decode("latin-1"), keep_blank_values=True))
    assert parsed(raw) == expected
