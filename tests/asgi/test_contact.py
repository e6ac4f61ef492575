"""A typed address at the door: only where it is wanted and agreed to; sealed, quoted nowhere."""

import asyncio
import json
import logging
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, connections
from django.test import Client

from saleor_nudges import access, contacts, crypto
from saleor_nudges.asgi import contacts as door
from saleor_nudges.asgi.hot import HotRequests
from saleor_nudges.events import Flow
from saleor_nudges.events.identity import uuid7
from saleor_nudges.exceptions import InvalidEvent, StreamUnavailable
from saleor_nudges.models import Person, ShopEvent, ViewEvent, WaitingEvent
from saleor_nudges.nudges import configs
from saleor_nudges.stream.postgres import PostgresStream
from saleor_nudges.testing import CHANNEL, JUICE, consume, make_shop
from tests.asgi.client import Page

pytestmark = pytest.mark.django_db(transaction=True)

EMAIL = "anna.typed@example.com"
HASH = crypto.checkout_hash("Checkout:mine")
NOW = datetime.now(UTC)


@pytest.fixture
def shop():
    shop = make_shop()
    configs.change_settings(shop, CHANNEL, {"captures_contact": True})
    return shop


@pytest.fixture
def token(shop):
    return access.visitor_token(access.new_visitor(shop.pk))


@pytest.fixture(params=["hot", "django"])
def post(request, monkeypatch, token):
    """Send events by one of the two doors; return the status and what it says."""
    monkeypatch.setattr("saleor_nudges.asgi.hot.THREADS", 1)

    def send(*events, **body):
        data = {"token": token, "events": list(events), "checkout": HASH} | body
        if request.param == "django":
            got = Client().post("/v1/events", json.dumps(data), content_type="text/plain")
            return got.status_code, got.json()
        return asyncio.run(_hot(data))

    return send


async def _hot(data):
    app = HotRequests()
    try:
        got = await Page(app).post("/v1/events", data)
        return got.status, got.body
    finally:
        await asyncio.get_running_loop().run_in_executor(app.executor, connections.close_all)
        await app.close()


def typed(at=None, **changes):
    event = {
        "id": str(uuid7(at)),
        "kind": "checkout_contact_known",
        "at": (at or datetime.now(UTC)).isoformat(),
        "channel": CHANNEL,
        "page": "OTHER",
        "data": {"email": EMAIL, "agreed": True},
    }
    return event | changes


def viewed():
    return typed(kind="product_viewed", product=JUICE.id, data=None)


def in_database():
    """Every value in every table of ours, as text."""
    with connection.cursor() as cursor:
        tables = [t for t in connection.introspection.table_names(cursor) if "nudges" in t]
        rows = []
        for table in tables:
            cursor.execute(f'SELECT * FROM "{table}"')
            rows += cursor.fetchall()
    values = (bytes(v) if isinstance(v, memoryview) else v for row in rows for v in row)
    return "\n".join(map(str, values))


def test_it_is_kept_sealed_beside_what_else_was_sent(post, shop, caplog):
    # given
    caplog.set_level(logging.DEBUG)

    # when
    answer = post(viewed(), typed(), viewed())

    # then
    assert answer == (202, {"accepted": 3, "rejected": []})
    waiting = WaitingEvent.objects.of(shop).get(flow="commerce")
    assert waiting.kind == "checkout_contact_known"
    assert crypto.unseal(bytes(waiting.sealed))["contact"]["email"] == EMAIL
    assert EMAIL not in in_database()
    assert EMAIL not in caplog.text


def test_it_is_stored_without_the_address_and_names_nobody(post, shop):
    post(viewed(), typed())
    consume()
    stored = ShopEvent.objects.of(shop).get()
    assert (stored.kind, stored.subject, stored.person) == ("checkout_contact_known", HASH, None)
    assert stored.data.keys() == {"checkout", "revision"}
    assert ViewEvent.objects.of(shop).count() == 1
    # the checkout is not one we know: nobody is made of it
    assert Person.objects.of(shop).count() == 0
    assert "anna" not in in_database()


REFUSED = [
    ("not_agreed", typed(data={"email": EMAIL}), "data"),
    ("agreed_in_words", typed(data={"email": EMAIL, "agreed": "true"}), "data"),
    ("agreed_as_number", typed(data={"email": EMAIL, "agreed": 1}), "data"),
    ("no_data", typed(data=None), "data"),
    ("data_as_text", typed(data=EMAIL), "data"),
    ("no_email", typed(data={"agreed": True}), "data"),
    ("half_an_email", typed(data={"email": "anna.typed@", "agreed": True}), "data"),
    ("email_as_list", typed(data={"email": [EMAIL], "agreed": True}), "data"),
    ("quoted", typed(data={"email": '"anna.typed b"@example.com', "agreed": True}), "data"),
    ("header", typed(data={"email": f"{EMAIL}\nBcc: x@example.com", "agreed": True}), "data"),
    ("long", typed(data={"email": "anna.typed" * 25 + "@e.example", "agreed": True}), "data"),
    ("other_channel", typed(channel="other-channel"), "kind"),
    ("old", typed(at=NOW - timedelta(hours=25)), "at"),
    ("no_id", typed(id="1"), "id"),
    ("half_a_character", typed(data={"email": "\ud800@example.com", "agreed": True}), "data"),
    ("nul", typed(data={"email": "anna.typed\0@example.com", "agreed": True}), "data"),
]


@pytest.mark.parametrize(("_case", "bad", "field"), REFUSED, ids=[case for case, _, _ in REFUSED])
def test_what_is_not_agreed_to_or_no_address_is_not_kept(_case, bad, field, post, shop, caplog):
    # given
    caplog.set_level(logging.DEBUG)

    # when
    status, answer = post(viewed(), bad)

    # then
    assert (status, answer["accepted"]) == (202, 1)
    [rejected] = answer["rejected"]
    assert (rejected["index"], rejected["code"]) == (1, "INVALID_EVENT")
    assert rejected["message"].startswith(f"{field}: ")
    assert "anna.typed" not in rejected["message"] + caplog.text + in_database()
    assert WaitingEvent.objects.of(shop).filter(flow="commerce").count() == 0


@pytest.mark.parametrize("checkout", ["", None])
def test_it_says_nothing_without_a_checkout(checkout, post, shop):
    status, answer = post(typed(), checkout=checkout)
    assert (status, answer["accepted"]) == (202, 0)
    assert answer["rejected"][0]["message"].startswith("checkout: ")
    assert WaitingEvent.objects.of(shop).count() == 0


def test_it_is_not_wanted_until_the_seller_says_so(post, shop):
    # given
    configs.change_settings(shop, CHANNEL, {"captures_contact": False})

    # when
    status, answer = post(viewed(), typed())

    # then
    assert (status, answer["accepted"]) == (202, 1)
    assert [(r["index"], r["code"]) for r in answer["rejected"]] == [(1, "INVALID_EVENT")]
    assert WaitingEvent.objects.of(shop).filter(flow="commerce").count() == 0


@pytest.mark.parametrize("changes", [{"is_active": True, "tracking_since": None}])
def test_nobody_is_watched_before_the_seller_says_so(changes, post, shop):
    type(shop).objects.update(**changes)
    assert post(typed()) == (202, {"accepted": 0, "rejected": []})
    assert WaitingEvent.objects.of(shop).count() == 0


def test_sent_again_it_is_one_event(post, shop):
    event = typed()
    assert post(event, event)[1]["accepted"] == 2
    assert post(event)[1]["accepted"] == 1
    assert WaitingEvent.objects.of(shop).count() == 1
    consume()
    assert post(event)[1]["accepted"] == 1
    consume()
    assert ShopEvent.objects.of(shop).count() == 1


def test_no_browser_names_an_event_of_the_shop(post, shop):
    # given what would be the id of a fact that is still to come
    event = typed()

    # when
    post(event)

    # then
    assert WaitingEvent.objects.of(shop).filter(event_id=event["id"]).count() == 0
    assert WaitingEvent.objects.of(shop).count() == 1


def test_few_are_taken_of_one_visitor(post, shop):
    status, answer = post(*[typed() for _ in range(9)])
    assert (status, answer["accepted"]) == (202, 5)
    assert [r["index"] for r in answer["rejected"]] == [5, 6, 7, 8]


def test_nothing_of_a_batch_is_acknowledged_if_it_cannot_be_kept(post, shop, monkeypatch):
    def away(stream, packs):
        raise StreamUnavailable

    monkeypatch.setattr(PostgresStream, "append_packs", away)
    status, answer = post(viewed(), typed())
    assert (status, answer["error"]["code"]) == (503, "STREAM_UNAVAILABLE")
    assert WaitingEvent.objects.of(shop).filter(flow=Flow.VIEWS).count() == 0


def test_a_day_is_long_enough_for_a_clock_that_is_wrong():
    said = {"email": EMAIL, "agreed": True}
    shop, at = uuid7(), NOW - contacts.GOOD_FOR
    event = contacts.read(shop, CHANNEL, HASH, at, said, "x", NOW)
    assert event.contact is not None
    assert event.contact.email == EMAIL
    with pytest.raises(InvalidEvent):
        contacts.read(shop, CHANNEL, HASH, at - timedelta(seconds=1), said, "x", NOW)


def test_a_minute_later_one_more_is_taken():
    visitor = uuid7()
    assert [bool(door._per_visitor.wait(visitor, 100.0)) for _ in range(6)] == [False] * 5 + [True]
    assert door._per_visitor.wait(visitor, 161.0) == 0.0
