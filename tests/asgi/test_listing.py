"""A page that lists products: one nudge beside each, all in one look and a few queries."""

import asyncio
import os
from datetime import UTC, datetime

import pytest
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from redis import Redis

from saleor_nudges import access
from saleor_nudges.asgi import looking, pages, requests
from saleor_nudges.asgi.hot import HotRequests
from saleor_nudges.host import ProductCard
from saleor_nudges.host.memory import MemoryHost
from saleor_nudges.models import NudgeType, Shop
from saleor_nudges.nudges.kinds.base import withdraw
from saleor_nudges.stream import redis_clients
from saleor_nudges.testing import (
    CHANNEL,
    a_cart,
    a_checkout,
    checkout_seen,
    make_shop,
    order_placed,
    switch_on_nudge,
)
from tests.asgi.client import Page

pytestmark = pytest.mark.django_db(transaction=True)
CARDS = [ProductCard(f"UHJvZHVjdDo{n:03d}", f"Juice {n}", f"juice-{n}") for n in range(50)]


@pytest.fixture(autouse=True)
def _fresh(monkeypatch):
    monkeypatch.setattr("saleor_nudges.asgi.hot.THREADS", 1)
    pages._counting.clear()


@pytest.fixture
def redis(settings):
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"REDIS_URL": os.environ["REDIS_URL"]}
    with Redis.from_url(os.environ["REDIS_URL"]) as client:
        client.flushdb()
        yield client


@pytest.fixture
def shop() -> Shop:
    shop = make_shop()
    switch_on_nudge(shop, NudgeType.ORDER)
    MemoryHost(shop).shelf.products |= {card.id: card for card in CARDS}
    return shop


def bought(shop, *cards, email="anna@example.com"):
    checkout = a_checkout(shop, email=email, cart=a_cart(*cards))
    checkout_seen(shop, checkout)
    order_placed(shop, checkout)


def query(*cards, **more):
    return {
        "channel": CHANNEL,
        "page": "LISTING",
        "products": ",".join(card.id for card in cards),
        "count": "0",
    } | more


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


def beside(nudges):
    return [(nudge["product"]["id"], nudge["text"], nudge["slot"]) for nudge in nudges]


def expected(*cards):
    return [(card.id, f"Someone bought {card.name}", "INLINE") for card in cards]


def test_one_nudge_beside_each_product_in_the_order_of_the_page(shop):
    # given
    bought(shop, *CARDS[:3])
    bought(shop, CARDS[1], email="ben@example.com")

    # when
    async def look(page, app):
        return await page.get("/v1/nudges", **query(*CARDS[2::-1], CARDS[5]))

    got = visit(look)

    # then
    assert beside(got.body["nudges"]) == expected(*CARDS[2::-1])
    answer = Client().get("/v1/nudges", query(*CARDS[2::-1], CARDS[5]))
    assert answer.json() == got.body


def test_fifty_at_once(shop):
    bought(shop, *CARDS)

    async def look(page, app):
        return await page.get("/v1/nudges", **query(*CARDS))

    assert beside(visit(look).body["nudges"]) == expected(*CARDS)


def test_the_pages_own_come_beside_and_are_counted_apart(shop):
    # given three products that were bought, one of them listed
    bought(shop, *CARDS[:3])

    # when
    answer = Client().get("/v1/nudges", query(CARDS[1], count="2")).json()

    # then
    slots = sorted((nudge["slot"], nudge["product"]["id"]) for nudge in answer["nudges"])
    assert slots == [
        ("INLINE", CARDS[1].id),
        ("TOAST", CARDS[0].id),
        ("TOAST", CARDS[2].id),
    ]


def test_what_was_shown_or_is_ones_own_is_left_out(shop):
    # given
    bought(shop, *CARDS[:2])
    first, second = requests.nudges(shop, query(*CARDS[:2]), datetime.now(UTC)).body["nudges"]

    # then
    left = query(*CARDS[:2], exclude=first["id"])
    answer = requests.nudges(shop, left, datetime.now(UTC)).body
    assert [nudge["id"] for nudge in answer["nudges"]] == [second["id"]]


def test_what_stands_is_told_from_what_does_not(shop):
    # given
    bought(shop, *CARDS[:2])
    first, second = requests.nudges(shop, query(*CARDS[:2]), datetime.now(UTC)).body["nudges"]
    withdraw(shop, product_id=CARDS[0].id)

    # when
    asked = query(*CARDS[:2], shown=f"{first['id']},{second['id']}")
    answer = requests.nudges(shop, asked, datetime.now(UTC)).body

    # then
    assert answer["withdrawn"] == [first["id"]]
    assert beside(answer["nudges"]) == expected(CARDS[1])


def test_only_on_pages_the_seller_chose(shop):
    bought(shop, CARDS[0])
    switch_on_nudge(shop, NudgeType.ORDER, pages=["HOME"])
    assert requests.nudges(shop, query(CARDS[0]), datetime.now(UTC)).body["nudges"] == []


def test_fifty_products_cost_as_many_queries_as_one(redis, shop):
    bought(shop, *CARDS)

    def queries(*cards):
        redis.flushdb()
        with CaptureQueriesContext(connection) as found:
            answer = requests.nudges(shop, query(*cards), datetime.now(UTC))
        assert len(answer.body["nudges"]) == len(cards)
        return len(found)

    assert queries(*CARDS) == queries(CARDS[0])


def test_a_warm_listing_is_one_look_for_all(redis, shop, monkeypatch):
    # given
    bought(shop, *CARDS)
    trips = []
    real = redis_clients.execute

    async def counted(url, commands, *, is_cluster):
        trips.append([command[0] for command in commands])
        return await real(url, commands, is_cluster=is_cluster)

    monkeypatch.setattr(looking.redis_clients, "execute", counted)

    def no_sql(*_):
        raise AssertionError("the database was asked")

    # when
    async def look(page, app):
        await page.get("/v1/nudges", **query(*CARDS))
        await asyncio.sleep(1.2)
        await page.get("/v1/nudges", **query(*CARDS))
        monkeypatch.setattr("saleor_nudges.asgi.building._read", no_sql)
        await asyncio.sleep(1.2)
        trips.clear()
        return await page.get("/v1/nudges", **query(*CARDS))

    # then
    assert beside(visit(look).body["nudges"]) == expected(*CARDS)
    assert trips == [["MGET"]]


def test_what_one_page_read_serves_another(redis, shop, monkeypatch):
    # given
    bought(shop, *CARDS[:3])
    asked = []
    real = looking.Looking.look

    async def noted(self, look):
        asked.append(look.products)
        return await real(self, look)

    monkeypatch.setattr(looking.Looking, "look", noted)

    # when
    async def look(page, app):
        await page.get("/v1/nudges", **query(*CARDS[:2]))
        return await page.get("/v1/nudges", **query(*CARDS[:3]))

    # then
    assert beside(visit(look).body["nudges"]) == expected(*CARDS[:3])
    assert [sorted(one) for one in asked] == [
        sorted(card.id for card in CARDS[:2]),
        [CARDS[2].id],
    ]


def test_a_listing_counts_nobody_in(shop, monkeypatch):
    switch_on_nudge(shop, NudgeType.LIVE_VISITORS)
    beats = []
    monkeypatch.setattr("saleor_nudges.asgi.reading.Reading.beat", lambda *who: beats.append(who))
    token = access.visitor_token(access.new_visitor(shop.pk))

    async def look(page, app):
        await page.get("/v1/nudges", **query(*CARDS, token=token))
        await page.get("/v1/nudges", **query(*CARDS, token=token))

    visit(look)
    assert beats == []
