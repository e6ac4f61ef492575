"""On what a shopper last looked at their checkout, and from where they came."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client

from saleor_nudges import crypto
from saleor_nudges.events import PageViewed, ProductViewed
from saleor_nudges.events.identity import uuid7
from saleor_nudges.models import TrackedCheckout, ViewEvent
from saleor_nudges.recovery.watching import devices, watch
from saleor_nudges.testing import CHANNEL, a_checkout, checkout_seen, consume, make_shop

pytestmark = pytest.mark.django_db

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1"
DESKTOP = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"


@pytest.fixture
def shop():
    return make_shop()


@pytest.fixture
def checkout(shop):
    found = a_checkout(shop)
    checkout_seen(shop, found)
    return crypto.checkout_hash(found.id)


def a_view(shop, checkout, **said):
    now = datetime.now(UTC)
    fields = {"occurred_at": now, "visitor": uuid7(now), "checkout": checkout}
    return PageViewed(shop=shop.pk, channel=CHANNEL, **fields | said)


def told_of(checkout):
    row = TrackedCheckout.objects.across_shops().get(checkout=checkout)
    return row.device, row.browser, row.referrer


def look_at(agent, checkout, **beacon):
    """Send a view as a browser does."""
    client = Client(headers={"User-Agent": agent})
    session = client.post("/v1/session", "{}", content_type="text/plain").json()
    now = datetime.now(UTC)
    event = {"id": str(uuid7(now)), "kind": "page_viewed", "at": now.isoformat()}
    body = {"token": session["token"], "events": [event | {"channel": CHANNEL}]} | beacon
    answer = client.post(
        "/v1/events", json.dumps(body | {"checkout": checkout}), content_type="text/plain"
    )
    assert answer.json() == {"accepted": 1, "rejected": []}
    consume()


def test_what_a_browser_says_reaches_its_checkout(shop, checkout):
    # when
    look_at(PHONE, checkout, referrer="https://anna@www.Search.example.com:8443/q?find=juice#top")

    # then
    assert told_of(checkout) == ("IOS", "SAFARI", "www.search.example.com")


def test_newest_view_counts_and_what_it_does_not_say_stays(shop, checkout):
    # given
    look_at(PHONE, checkout, referrer="search.example.com")

    # when
    look_at(DESKTOP, checkout)

    # then
    assert told_of(checkout) == ("DESKTOP", "CHROME", "search.example.com")


def test_browser_that_does_not_say_what_it_is_is_not_guessed(shop, checkout):
    look_at("", checkout)
    assert told_of(checkout) == ("", "", "")


@pytest.mark.parametrize(
    "referrer",
    [3, None, ["a"], "", "https://", "http://[::1", "<script>", "a b", "x" * 300, "https://é.fr/"],
)
def test_referrer_that_is_no_address_is_nothing(referrer, shop, checkout):
    look_at(PHONE, checkout, referrer=referrer)
    assert told_of(checkout) == ("IOS", "SAFARI", "")


def test_nobody_without_a_checkout_is_asked(shop):
    # when
    look_at(PHONE, "", referrer="search.example.com")

    # then
    [row] = ViewEvent.objects.of(shop)
    assert not {"device", "browser", "referrer"} & row.data.keys()


def test_checkout_of_another_shop_is_left_alone(shop, checkout):
    other = make_shop("other.example.com")
    devices.note(other, [a_view(other, checkout, device="IOS")])
    assert told_of(checkout) == ("", "", "")


def test_checkout_nobody_tracks_is_no_trouble(shop):
    devices.note(shop, [a_view(shop, "0" * 64, device="IOS")])


def test_views_of_one_batch_are_taken_together_newest_last(shop, checkout):
    now = datetime.now(UTC)
    views = [
        a_view(shop, checkout, device="IOS", browser="SAFARI", referrer="a.example.com"),
        a_view(shop, checkout, occurred_at=now + timedelta(seconds=1), device="DESKTOP"),
        ProductViewed(shop=shop.pk, channel=CHANNEL, occurred_at=now, product="P", checkout=""),
    ]
    watch.fold(shop, [*views[:2], a_view(shop, checkout)])
    assert told_of(checkout) == ("DESKTOP", "SAFARI", "a.example.com")


def test_the_same_again_writes_nothing(shop, checkout):
    # given
    said = {"device": "IOS", "browser": "SAFARI", "referrer": "a.example.com"}
    devices.note(shop, [a_view(shop, checkout, **said)])
    before = place_of_row()

    # when
    devices.note(shop, [a_view(shop, checkout, **said)])

    # then
    assert place_of_row() == before
    devices.note(shop, [a_view(shop, checkout, device="ANDROID")])
    assert place_of_row() != before


def place_of_row():
    """Return where Postgres keeps the row; whatever writes it moves it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ctid FROM saleor_nudges_trackedcheckout")
        return cursor.fetchone()
