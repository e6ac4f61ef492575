"""Saleor's door: what is refused changes nothing, what cannot be kept is asked for again."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError

from saleor_nudges.models import AppInstallation, WaitingEvent
from saleor_nudges.stream.postgres import PostgresStream
from saleor_nudges.webhooks import base
from tests.service.stand_in import KEY, OTHER_KEY, installed, key_set, signed, standing_in
from tests.webhooks.conftest import URL, everything, long_ago, recorded

pytestmark = pytest.mark.django_db

PLACED = ["order_placed", "order_changed"]
PRODUCT = {"product": {"id": "UHJvZHVjdDox", "name": "Apple Juice"}}


def body(**fields):
    return json.dumps({"issuedAt": datetime.now(UTC).isoformat()} | fields).encode()


def test_signed_delivery_is_kept_before_any_work(shop, send):
    # when
    response = send(shop, "PRODUCT_UPDATED", PRODUCT)

    # then
    assert (response.status_code, response.content) == (202, b"")
    entry = WaitingEvent.objects.across_shops().get()
    assert (entry.shop_id, entry.kind) == (shop.pk, "product_changed")
    assert entry.payload["channel"] == ""


@pytest.mark.parametrize(
    ("_case", "signature"),
    [
        ("by_another_key", lambda raw: signed(raw, OTHER_KEY)),
        ("by_another_key_that_names_itself", lambda raw: signed(raw, OTHER_KEY, "second")),
        ("over_another_body", lambda raw: signed(raw + b" ")),
        ("without_a_key", lambda _: "eyJhbGciOiJub25lIn0.."),
        ("no_signature_at_all", lambda _: "nonsense"),
        ("hmac_with_the_public_key", lambda _: "eyJhbGciOiJIUzI1NiIsImtpZCI6ImZpcnN0In0..AAAA"),
    ],
)
def test_forgery_changes_nothing_and_says_nothing(_case, signature, shop, send):
    # given
    raw = body(**PRODUCT)
    before = everything()

    # when
    response = send(shop, "PRODUCT_UPDATED", {}, body=raw, signature=signature(raw))

    # then
    assert (response.status_code, response.content) == (401, b"")
    assert everything() == before


def test_shop_cannot_speak_for_another(shop, send):
    # given
    with standing_in() as other:
        other.key_set = key_set(OTHER_KEY)
        victim = installed(other)
        raw = body(**PRODUCT)
        before = everything()

        # when
        response = send(victim, "PRODUCT_UPDATED", {}, body=raw, signature=signed(raw, KEY))

    # then
    assert response.status_code == 401
    assert everything() == before


def test_inactive_shop_is_unknown(shop, send):
    # given
    shop.is_active = False
    shop.save()
    before = everything()

    # when
    response = send(shop, "PRODUCT_UPDATED", PRODUCT)

    # then
    assert (response.status_code, response.content) == (401, b"")
    assert everything() == before


def test_forgeries_make_us_ask_the_shop_once_a_minute(shop, standing, send):
    # when
    for _ in range(5):
        send(shop, "PRODUCT_UPDATED", PRODUCT, signature="nonsense")

    # then
    assert standing.key_requests == 1


def test_new_key_is_trusted_once_the_shop_publishes_it(shop, standing, send):
    # given
    raw = body(**PRODUCT)
    standing.key_set = key_set(OTHER_KEY, "second")

    # when
    response = send(
        shop, "PRODUCT_UPDATED", {}, body=raw, signature=signed(raw, OTHER_KEY, "second")
    )

    # then
    assert response.status_code == 202
    assert AppInstallation.objects.of(shop).get().key_set == standing.key_set


def test_keys_that_cannot_be_had_are_asked_for_again_by_the_sender(shop, standing, send):
    # given
    standing.keys_status = 500
    before = everything()

    # when
    response = send(shop, "PRODUCT_UPDATED", PRODUCT, signature="nonsense")

    # then
    assert response.status_code == 503
    assert everything() == before


@pytest.mark.parametrize(
    ("_case", "event", "raw"),
    [
        ("not_json", "PRODUCT_UPDATED", b"{"),
        ("no_object", "PRODUCT_UPDATED", b"[]"),
        ("no_time", "PRODUCT_UPDATED", json.dumps(PRODUCT).encode()),
        ("time_without_zone", "PRODUCT_UPDATED", body(**PRODUCT, issuedAt="2026-11-21T09:00:00")),
        ("unasked_event", "GIFT_CARD_CREATED", body(**PRODUCT)),
        ("another_events_body", "ORDER_CREATED", body(**PRODUCT)),
        ("nothing_in_it", "PRODUCT_UPDATED", body(product=None)),
        ("no_id", "PRODUCT_UPDATED", body(product={"name": "Juice"})),
        ("half_a_checkout", "CHECKOUT_UPDATED", body(checkout={"id": "Q2hlY2tvdXQ6MQ=="})),
        ("wrong_types", "ORDER_CREATED", body(order={"total": 3})),
    ],
)
def test_signed_nonsense_is_not_wanted_again(_case, event, raw, shop, send):
    # given
    before = everything()

    # when
    response = send(shop, event, {}, body=raw)

    # then
    assert response.status_code == 400
    assert everything() == before


@pytest.mark.parametrize(
    ("_case", "issued"),
    [("old", long_ago()), ("of_tomorrow", datetime.now(UTC) + timedelta(hours=25))],
)
def test_replay_is_refused(_case, issued, shop, send):
    # given
    before = everything()

    # when
    response = send(shop, "PRODUCT_UPDATED", PRODUCT | {"issuedAt": issued.isoformat()})

    # then
    assert response.status_code == 401
    assert everything() == before


def test_change_of_an_order_older_than_all_we_keep_is_no_news(shop, send):
    # given
    order = an_order_of("2019-01-01T00:00:00+00:00")
    before = everything()

    # when
    response = send(shop, "ORDER_UPDATED", {"order": order})

    # then
    assert response.status_code == 202
    assert everything() == before


def test_what_cannot_be_kept_is_wanted_again(shop, send, monkeypatch):
    # given
    def away(*args, **kwargs):
        raise DatabaseError

    monkeypatch.setattr("saleor_nudges.stream.postgres.statements.run", away)

    # when
    response = send(shop, "PRODUCT_UPDATED", PRODUCT)

    # then
    assert response.status_code == 503
    assert PostgresStream("commerce").pending() == 0


def test_body_too_large_is_not_looked_at(shop, send, monkeypatch):
    # given
    monkeypatch.setattr(base, "LARGEST_BODY", 64)
    before = everything()

    # when
    response = send(shop, "PRODUCT_UPDATED", PRODUCT)

    # then
    assert response.status_code == 413
    assert everything() == before


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch", "head"])
def test_only_post_is_a_delivery(method, shop, client):
    # when
    response = getattr(client, method)(URL)

    # then
    assert response.status_code == 405


@pytest.mark.parametrize(
    ("_case", "real", "claimed"),
    [
        ("update_as_removal", "ProductUpdated", "PRODUCT_DELETED"),
        ("removal_as_update", "ProductDeleted", "PRODUCT_UPDATED"),
    ],
)
def test_genuine_body_is_not_passed_off_as_another_event(_case, real, claimed, shop, send):
    # given
    before = everything()

    # when
    response = send(shop, claimed, PRODUCT | {"__typename": real})

    # then
    assert (response.status_code, response.content) == (401, b"")
    assert everything() == before


@pytest.mark.parametrize(
    ("_case", "real", "claimed", "expected"),
    [
        ("order_is_not_cancelled", "ORDER_CREATED", "ORDER_CANCELLED", PLACED),
        ("order_is_not_paid", "ORDER_CREATED", "ORDER_FULLY_PAID", PLACED),
        ("checkout_is_not_paid", "CHECKOUT_UPDATED", "CHECKOUT_FULLY_PAID", ["checkout_changed"]),
    ],
)
def test_body_says_what_happened_whatever_the_header_says(
    _case, real, claimed, expected, shop, send
):
    # given
    raw = next(one for one in recorded()["deliveries"] if one["event"] == real)
    data = json.loads(base64.b64decode(raw["body_base64"]))
    data |= {"issuedAt": datetime.now(UTC).isoformat()}
    data.pop("__typename", None)

    # when
    response = send(shop, claimed, data)

    # then
    assert response.status_code == 202
    assert [entry.kind for entry in WaitingEvent.objects.across_shops()] == expected


def test_end_of_another_installation_is_not_ours(shop, send):
    # given
    before = everything()

    # when
    response = send(shop, "APP_DELETED", {"app": {"id": "QXBwOjk5"}})

    # then
    assert response.status_code == 202
    assert everything() == before


@pytest.mark.parametrize(
    ("_case", "share", "is_undone"),
    [("in_part", 0.5, False), ("in_full", 1.0, True), ("of_how_much_is_not_said", None, True)],
)
def test_only_a_refund_of_everything_undoes_an_order(_case, share, is_undone, shop, send):
    # given
    now = datetime.now(UTC).isoformat()
    order = an_order_of(now) | {"updatedAt": now}
    if share is not None:
        order["totalRefunded"] = {"amount": order["total"]["gross"]["amount"] * share}

    # when
    response = send(shop, "ORDER_REFUNDED", {"order": order})

    # then
    assert response.status_code == 202
    kinds = {entry.kind for entry in WaitingEvent.objects.across_shops()}
    assert ("order_refunded" in kinds) is is_undone
    assert "order_placed" in kinds


def an_order_of(moment):
    raw = next(one for one in recorded()["deliveries"] if one["event"] == "ORDER_UPDATED")
    order = json.loads(base64.b64decode(raw["body_base64"]))["order"]
    return order | {"created": moment}
