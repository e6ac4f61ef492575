"""The shop through its API: who asks, how old an answer may be, and what every failure becomes."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from django.test import RequestFactory

from saleor_nudges.events import Line
from saleor_nudges.exceptions import (
    HostBusy,
    HostUnavailable,
    NotFound,
    PermissionDenied,
    UnknownShop,
)
from saleor_nudges.manifest import PERMISSIONS
from saleor_nudges.models import AppInstallation, Shop
from saleor_nudges.service import host as service_host
from saleor_nudges.service.host import ServiceHost
from tests.host.test_contract import CHANNEL, NOON, a_checkout, an_order
from tests.service.stand_in import (
    APP_ID,
    KEY,
    OTHER_KEY,
    TOKEN,
    checkout_json,
    key_set,
    order_json,
)

pytestmark = pytest.mark.django_db

ask = RequestFactory()


def staff_token(shop: Shop, key: Any = KEY, name: str = "first", **claims: Any) -> str:
    defaults = {
        "exp": datetime.now(UTC) + timedelta(minutes=5),
        "iss": shop.key,
        "app": APP_ID,
        "type": "thirdparty",
        "is_staff": True,
        "email": "staff@example.com",
        "user_id": "VXNlcjox",
        "permissions": ["MANAGE_ORDERS"],
        "user_permissions": ["MANAGE_ORDERS", "MANAGE_CHECKOUTS"],
    }
    return jwt.encode(defaults | claims, key, algorithm="RS256", headers={"kid": name})


def from_dashboard(shop: Shop, token: str, header: str = "Authorization-Bearer") -> Any:
    value = token if header == "Authorization-Bearer" else f"Bearer {token}"
    return ask.post("/graphql/", headers={"Saleor-Api-Url": shop.key, header: value})


# Which shop.


@pytest.mark.parametrize(
    ("_case", "request_of"),
    [
        ("by_header", lambda s: ask.get("/", headers={"Saleor-Api-Url": s.key})),
        ("by_query", lambda s: ask.get("/", {"shop": s.public_id})),
        ("by_query_of_a_post", lambda s: ask.post(f"/?shop={s.public_id}")),
        (
            "by_body",
            lambda s: ask.post("/", json.dumps({"shop": s.public_id}), content_type="text/plain"),
        ),
    ],
)
def test_shop_is_named(_case, request_of, shop):
    # given
    Shop.objects.create(key="https://other.example.com/graphql/")

    # when / then
    assert ServiceHost.shop_of(request_of(shop)) == shop


def test_only_shop_need_not_be_named(shop):
    # given
    Shop.objects.create(key="https://gone.example.com/graphql/", is_active=False)

    # when / then
    assert ServiceHost.shop_of(ask.get("/")) == shop


@pytest.mark.parametrize(
    ("_case", "request_of"),
    [
        ("unnamed", lambda _: ask.get("/")),
        ("unknown_header", lambda _: ask.get("/", headers={"Saleor-Api-Url": "https://x.test/"})),
        ("unknown_query", lambda _: ask.get("/", {"shop": "nobody"})),
        ("key_in_query", lambda s: ask.get("/", {"shop": s.key})),
        ("no_object", lambda _: ask.post("/", "[]", content_type="text/plain")),
        ("no_json", lambda _: ask.post("/", "{", content_type="text/plain")),
        ("no_text", lambda _: ask.post("/", '{"shop": 3}', content_type="text/plain")),
    ],
)
def test_one_of_two_shops_must_be_named(_case, request_of, shop):
    # given
    Shop.objects.create(key="https://other.example.com/graphql/")

    # when / then
    with pytest.raises(UnknownShop):
        ServiceHost.shop_of(request_of(shop))


# Who asks.


def test_nobody_known(shop):
    # when
    requester = ServiceHost.requester_of(ask.post("/graphql/"))

    # then
    assert (requester.shop, requester.name, requester.permissions) == (
        shop,
        "anonymous",
        frozenset(),
    )


@pytest.mark.parametrize("header", ["Authorization-Bearer", "Authorization"])
def test_staff_have_their_own_permissions(header, shop):
    # when
    requester = ServiceHost.requester_of(from_dashboard(shop, staff_token(shop), header))

    # then
    assert requester.name == "VXNlcjox"
    assert requester.permissions == {"MANAGE_ORDERS", "MANAGE_CHECKOUTS"}
    assert requester.is_app is False


def test_storefronts_server_is_the_app(shop):
    # when
    requester = ServiceHost.requester_of(from_dashboard(shop, TOKEN))

    # then
    assert (requester.is_app, requester.permissions) == (True, frozenset(PERMISSIONS))


@pytest.mark.parametrize(
    ("_case", "make"),
    [
        ("expired", lambda s: staff_token(s, exp=datetime.now(UTC) - timedelta(minutes=1))),
        ("of_another_shop", lambda s: staff_token(s, iss="https://other.example.com/graphql/")),
        ("of_another_app", lambda s: staff_token(s, app="QXBwOjI=")),
        ("of_a_shopper", lambda s: staff_token(s, is_staff=False)),
        ("not_for_an_app", lambda s: staff_token(s, type="access")),
        ("by_another_key", lambda s: staff_token(s, OTHER_KEY)),
        ("by_an_unknown_key", lambda s: staff_token(s, OTHER_KEY, "second")),
        ("unsigned", lambda s: jwt.encode({"iss": s.key}, None, algorithm="none")),
        ("signed_with_our_word", lambda s: jwt.encode({"iss": s.key}, "x" * 32, algorithm="HS256")),
        ("guessed", lambda _: "guessed"),
        ("not_even_ascii", lambda _: "zażółć"),
    ],
)
def test_token_that_is_not_valid_here(_case, make, shop):
    with pytest.raises(PermissionDenied):
        ServiceHost.requester_of(from_dashboard(shop, make(shop)))


def test_token_by_the_key_the_shop_has_now(shop, standing):
    # given
    standing.key_set = key_set(OTHER_KEY, "second")

    # when
    requester = ServiceHost.requester_of(
        from_dashboard(shop, staff_token(shop, OTHER_KEY, "second"))
    )

    # then
    assert requester.may("MANAGE_ORDERS")


def test_nobody_speaks_for_a_shop_that_left(shop):
    # given
    AppInstallation.objects.of(shop).delete()

    # when / then
    with pytest.raises(PermissionDenied):
        ServiceHost.requester_of(from_dashboard(shop, TOKEN))
    with pytest.raises(HostUnavailable):
        ServiceHost(shop).orders(["Order:one"])


# What it knows.


@pytest.mark.parametrize(
    ("_case", "changes", "expected"),
    [
        ("authorised", {"authorizeStatus": "PARTIAL"}, True),
        ("charged", {"chargeStatus": "FULL"}, True),
        ("waits_for_the_bank", {"transactions": [{"chargePendingAmount": {"amount": 1}}]}, True),
        ("failed", {"transactions": [{"chargePendingAmount": {"amount": 0}}]}, False),
        (
            "costs_nothing",
            {"authorizeStatus": "FULL", "totalPrice": {"gross": {"amount": 0, "currency": "EUR"}}},
            False,
        ),
    ],
)
def test_payment_started(_case, changes, expected, shop, standing):
    # given
    checkout = a_checkout()
    standing.checkouts[checkout.id] = checkout_json(checkout) | changes

    # when / then
    assert ServiceHost(shop).checkouts([checkout.id])[checkout.id].payment_started is expected


@pytest.mark.parametrize(
    ("_case", "status", "share", "expected"),
    [
        ("untouched", "FULFILLED", 0, "FULFILLED"),
        ("refunded_in_part", "FULFILLED", 0.99, "FULFILLED"),
        ("refunded", "FULFILLED", 1, "REFUNDED"),
        ("cancelled_and_refunded", "CANCELED", 1, "CANCELED"),
    ],
)
def test_refund_is_seen_by_its_amount(_case, status, share, expected, shop, standing):
    # given
    order = an_order(status=status)
    refunded = {"amount": float(order.cart.total) * share}
    standing.orders[order.id] = order_json(order) | {"totalRefunded": refunded}

    # when / then
    assert ServiceHost(shop).orders([order.id])[order.id].status == expected


def test_order_of_a_deleted_variant_still_counts(shop, standing):
    # given
    order = order_json(an_order())
    order["lines"][0] |= {"variant": None, "productVariantId": None, "productName": "Old Juice"}
    standing.orders[order["id"]] = order

    # when
    line = ServiceHost(shop).orders([order["id"]])[order["id"]].cart.lines[0]

    # then
    assert (line.product_id, line.variant_id, line.product_name) == ("", "", "Old Juice")


def test_shoppers_questions_are_asked_without_our_token(shop, standing):
    # given
    standing.stock["variant"] = 5

    # when
    ServiceHost(shop).product_cards(CHANNEL, ["UHJvZHVjdDox"])
    ServiceHost(shop).new_checkout(CHANNEL, [Line("", "variant", 1)], "en")

    # then
    assert [(name, is_ours) for name, _, is_ours in standing.asked] == [
        ("NudgesProducts", False),
        ("NudgesBuyable", False),
        ("NudgesNewCheckout", False),
    ]


def test_checkouts_in_an_order_we_do_not_know_are_refused(shop, standing):
    # given
    standing.is_newest_first = False
    for minute in range(3):
        checkout = a_checkout(str(minute), changed_at=NOON + timedelta(minutes=minute))
        standing.checkouts[checkout.id] = checkout_json(checkout)

    # when / then
    with pytest.raises(HostUnavailable, match="in an order we do not know"):
        ServiceHost(shop).checkouts_changed(NOON, 10)


def test_changed_checkouts_are_looked_for_no_further_back_than_asked(shop, standing, monkeypatch):
    # given a day's checkouts, a minute apart, in pages of ten
    monkeypatch.setattr(service_host, "PAGE", 10)
    for minute in range(60):
        checkout = a_checkout(str(minute), changed_at=NOON + timedelta(minutes=minute))
        standing.checkouts[checkout.id] = checkout_json(checkout)

    # when
    page = ServiceHost(shop).checkouts_changed(NOON + timedelta(minutes=45), 10)

    # then the place is found on the second page, and the oldest ten above it are read
    assert [name for name, _, _ in standing.asked] == [
        "NudgesCheckoutsNewest",
        "NudgesCheckoutsNewest",
        "NudgesCheckoutsChanged",
    ]
    assert [checkout.id for checkout in page.items] == [f"Checkout:{n}" for n in range(45, 55)]
    assert page.next


# What it does for us.


def test_answer_too_old_to_act_on(shop, standing, monkeypatch):
    # given
    checkout = a_checkout()
    standing.checkouts[checkout.id] = checkout_json(checkout)
    clock = iter([100.0, 102.1])
    monkeypatch.setattr(service_host, "monotonic", lambda: next(clock))

    # when / then
    with pytest.raises(HostBusy), ServiceHost(shop).holding(checkout.id):
        pytest.fail("held on an old answer")


def test_shop_that_takes_its_time_is_not_waited_for(shop, standing, monkeypatch):
    # given
    standing.delay = 0.5
    monkeypatch.setattr(service_host, "FRESH_SECONDS", 0.1)

    # when / then
    with pytest.raises(HostUnavailable), ServiceHost(shop).holding("Checkout:one"):
        pytest.fail("held without an answer")


def test_new_checkout_takes_what_is_left(shop, standing):
    # given
    standing.stock |= {"plenty": None, "few": 2, "none": 0}
    lines = [Line("", key, 3) for key in ("plenty", "few", "none", "deleted")]

    # when
    ServiceHost(shop).new_checkout(CHANNEL, lines, "en-gb")

    # then
    assert standing.asked[-1][1]["input"] == {
        "channel": CHANNEL,
        "lines": [{"variantId": "plenty", "quantity": 3}, {"variantId": "few", "quantity": 2}],
        "languageCode": "EN_GB",
    }


def test_new_checkout_drops_what_is_refused_and_tries_again(shop, standing):
    # given
    standing.stock |= {"good": 5, "withdrawn": 5}
    standing.refuses = [[{"code": "UNAVAILABLE_VARIANT_IN_CHANNEL", "variants": ["withdrawn"]}]]

    # when
    made = ServiceHost(shop).new_checkout(
        CHANNEL, [Line("", "good", 1), Line("", "withdrawn", 1)], ""
    )

    # then
    assert made in standing.checkouts
    assert standing.asked[-1][1]["input"]["lines"] == [{"variantId": "good", "quantity": 1}]


@pytest.mark.parametrize(
    ("_case", "errors"),
    [
        ("all_refused", [{"code": "INSUFFICIENT_STOCK", "variants": ["good"]}]),
        ("for_another_reason", [{"code": "CHANNEL_INACTIVE", "variants": None}]),
    ],
)
def test_no_new_checkout_when_the_shop_refuses(_case, errors, shop, standing):
    # given
    standing.stock["good"] = 5
    standing.refuses = [errors]

    # when / then
    with pytest.raises(NotFound):
        ServiceHost(shop).new_checkout(CHANNEL, [Line("", "good", 1)], "en")
    assert standing.checkouts == {}


# What every failure becomes.


@pytest.mark.parametrize(
    ("_case", "instead"),
    [
        ("error", (500, {}, b"")),
        ("too_many_requests", (429, {}, b"")),
        ("redirect", (302, {"Location": "http://127.0.0.1:1/"}, b"")),
        ("no_json", (200, {}, b"<html>Checkout:secret</html>")),
        ("no_object", (200, {}, b"[]")),
        ("no_data", (200, {}, b"{}")),
        ("half_an_answer", (200, {"Content-Length": "100"}, b'{"data"')),
        ("bad_compression", (200, {"Content-Encoding": "gzip"}, b"no gzip")),
        ("half_a_checkout", (200, {}, b'{"data": {"c0": {"id": "Checkout:secret"}}}')),
        (
            "query_not_understood",
            (400, {}, b'{"errors": [{"message": "Checkout:secret", "extensions": {}}]}'),
        ),
        ("errors_are_no_list", (200, {}, b'{"errors": {"message": "Checkout:secret"}}')),
    ],
)
def test_failure_is_host_unavailable_and_repeats_nothing(_case, instead, shop, standing):
    # given
    standing.instead = instead

    # when
    with pytest.raises(HostUnavailable) as caught:
        ServiceHost(shop).checkouts(["Checkout:secret"])

    # then
    assert "secret" not in str(caught.value)
    assert TOKEN not in repr(caught.value)


def test_endless_answer_is_cut_off(shop, standing, monkeypatch):
    # given
    monkeypatch.setattr("saleor_nudges.saleor_api.LARGEST_ANSWER", 1000)
    standing.instead = (200, {}, b" " * 2000)

    # when / then
    with pytest.raises(HostUnavailable, match="too large"):
        ServiceHost(shop).checkouts(["Checkout:one"])


def test_token_the_shop_took_back(shop, standing):
    # given
    standing.token = "another"

    # when / then
    with pytest.raises(HostUnavailable, match="PermissionDenied"):
        ServiceHost(shop).orders(["Order:one"])


def test_private_network_is_not_asked(shop, standing, settings):
    # given
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"ALLOW_PRIVATE_ADDRESSES": False}

    # when / then
    with pytest.raises(HostUnavailable):
        ServiceHost(shop).orders(["Order:one"])
    assert standing.asked == []


def test_proxy_of_the_environment_is_not_used(shop, standing, monkeypatch):
    # given
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "")

    # when / then
    assert ServiceHost(shop).orders(["Order:one"]) == {}
