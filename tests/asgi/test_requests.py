"""The storefront's doors: one bad event costs no good one, nothing sent is a server error."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saleor_nudges import access, crypto, people
from saleor_nudges.asgi import requests
from saleor_nudges.asgi.answers import refusal
from saleor_nudges.events import Flow
from saleor_nudges.events.identity import uuid7
from saleor_nudges.exceptions import BadSignature, InvalidInput, NudgesError
from saleor_nudges.models import NudgeType, ProductCount, Shop, ViewEvent, WaitingEvent
from saleor_nudges.stream import get_stream
from saleor_nudges.testing import CHANNEL, JUICE, consume, make_shop, switch_on_nudge
from tests.asgi.hostile import item

pytestmark = pytest.mark.django_db

HASH = crypto.checkout_hash("Checkout:mine")


@pytest.fixture
def shop():
    return make_shop()


@pytest.fixture
def visitor(shop):
    return access.new_visitor(shop.pk)


def body(visitor, events, **changes):
    return json.dumps({"token": access.visitor_token(visitor), "events": events} | changes).encode()


def send(shop, visitor, events, **changes):
    return requests.events(shop, body(visitor, events, **changes), datetime.now(UTC))


def at_id(moment):
    return str(uuid7(moment))


# Events.


def test_a_good_event_is_durable_and_counted(shop, visitor):
    event = item()
    answer = send(shop, visitor, [event], checkout=HASH)
    assert (answer.status, answer.body) == (202, {"accepted": 1, "rejected": []})
    assert get_stream(Flow.VIEWS).pending() == 1
    consume()
    stored = ViewEvent.objects.of(shop).get()
    assert (str(stored.id), stored.kind, stored.subject) == (
        event["id"],
        "product_viewed",
        JUICE.id,
    )
    assert stored.data["visitor"] == str(visitor.id)
    assert ProductCount.objects.of(shop).get(grain="HOUR", product_id=JUICE.id).count == 1


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"page": ...}, "PRODUCT"),
        ({"page": "", "kind": "page_viewed", "product": ...}, "OTHER"),
        ({"page": "home", "kind": "page_viewed", "product": ...}, "HOME"),
    ],
)
def test_a_page_that_does_not_say_what_it_is_is_what_the_event_is_about(
    said, expected, shop, visitor
):
    send(shop, visitor, [item(**said)])
    consume()
    assert ViewEvent.objects.of(shop).get().data["page"] == expected


NOW = datetime.now(UTC)
BAD = [
    ("no_object", "text", ""),
    ("null", None, ""),
    ("list", [], ""),
    ("no_id", item(id=...), "id"),
    ("no_uuid", item(id="1"), "id"),
    ("uuid_4", item(id=str(uuid4())), "id"),
    ("uuid_of_no_variant", item(id="01890000-0000-7000-0000-000000000000"), "id"),
    ("id_in_two_days", item(id=at_id(NOW + timedelta(days=2))), "id"),
    ("id_of_the_year_10889", item(id="ffffffff-ffff-7fff-bfff-ffffffffffff"), "id"),
    ("id_of_last_year", item(id=at_id(NOW - timedelta(days=365))), "id"),
    ("id_of_1970", item(id="00000000-0000-7000-8000-000000000000"), "id"),
    ("unknown_kind", item(kind="order_placed"), "kind"),
    ("no_kind", item(kind=...), "kind"),
    ("no_time", item(at=...), "at"),
    ("time_without_zone", item(at="2026-01-01T00:00:00"), "at"),
    ("time_of_the_year_1", item(at="0001-01-01T00:00:00+14:00"), "id"),
    ("no_time_at_all", item(at="yesterday"), "at"),
    ("no_channel", item(channel=""), "channel"),
    ("long_channel", item(channel="x" * 256), "channel"),
    ("no_product", item(product=...), "product"),
    ("product_as_number", item(product=7), "product"),
    ("long_product", item(product="x" * 256), "product"),
    ("long_page", item(page="x" * 17), "page"),
    ("no_nudge", item(kind="nudge_viewed"), "nudge"),
    ("long_nudge", item(kind="nudge_viewed", nudge="x" * 9), "nudge"),
    ("nul_in_product", item(product="a\0b"), "product"),
    ("nul_in_channel", item(channel="a\0b"), "channel"),
    ("nul_in_page", item(page="\0"), "page"),
    ("half_a_character", item(product="\ud800"), "product"),
    ("half_a_character_in_kind", item(kind="\udfff"), "kind"),
]


@pytest.mark.parametrize(("_case", "bad", "field"), BAD, ids=[case for case, _, _ in BAD])
def test_a_bad_event_costs_no_good_one(_case, bad, field, shop, visitor):
    # when
    answer = send(shop, visitor, [item(), bad, item()])

    # then
    assert answer.status == 202
    assert answer.body["accepted"] == 2
    [rejected] = answer.body["rejected"]
    assert (rejected["index"], rejected["code"]) == (1, "INVALID_EVENT")
    assert rejected["message"].startswith(f"{field}: " if field else "")
    consume()
    assert ViewEvent.objects.of(shop).count() == 2
    assert WaitingEvent.objects.of(shop).count() == 0


def test_a_clock_that_runs_ahead_makes_no_visitor_of_tomorrow(shop, visitor):
    tomorrow = datetime.now(UTC) + timedelta(hours=20)
    answer = send(shop, visitor, [item(at=tomorrow.isoformat())])
    assert answer.body["accepted"] == 1
    consume()
    assert ViewEvent.objects.of(shop).get().occurred_at <= datetime.now(UTC)


def test_the_same_event_twice_is_kept_once(shop, visitor):
    event = item()
    assert send(shop, visitor, [event, event]).body["accepted"] == 2
    consume()
    assert send(shop, visitor, [event]).body["accepted"] == 1
    consume()
    assert ViewEvent.objects.of(shop).count() == 1


def test_what_a_storefront_must_not_say_is_not_kept(shop, visitor):
    other = make_shop("other.example.com")
    event = item(shop=str(other.pk), visitor=str(uuid7()), person=str(uuid7()), data={"a": 1})
    assert send(shop, visitor, [event]).body["accepted"] == 1
    consume()
    stored = ViewEvent.objects.of(shop).get()
    assert (stored.person, stored.data["visitor"]) == (None, str(visitor.id))
    assert ViewEvent.objects.of(other).count() == 0


@pytest.mark.parametrize(
    ("_case", "changes", "error", "field"),
    [
        ("no_list", {"events": {}}, InvalidInput, "events"),
        ("no_events", {"events": None}, InvalidInput, "events"),
        ("too_many", {"events": [0] * 101}, InvalidInput, "events"),
        ("checkout_id", {"checkout": "Q2hlY2tvdXQ6MQ=="}, InvalidInput, "checkout"),
        ("checkout_in_capitals", {"checkout": "A" * 64}, InvalidInput, "checkout"),
        ("checkout_as_list", {"checkout": [1]}, InvalidInput, "checkout"),
        ("no_token", {"token": None}, BadSignature, None),
        ("token_as_number", {"token": 7}, BadSignature, None),
        ("forged_token", {"token": "eyJh.bcd:efg"}, BadSignature, None),
        ("half_a_character", {"token": "\ud800"}, BadSignature, None),
        ("nul", {"token": "\0"}, BadSignature, None),
        ("unsigned_user", {"user": "VXNlcjox"}, BadSignature, None),
        ("user_signed_with_nothing", {"user": "VXNlcjox."}, BadSignature, None),
        ("user_with_strange_letters", {"user": "é.é"}, BadSignature, None),
        ("user_as_list", {"user": ["VXNlcjox"]}, BadSignature, None),
    ],
)
def test_a_bad_request_is_refused_and_keeps_nothing(_case, changes, error, field, shop, visitor):
    shop.sealed_storefront_secret = crypto.seal("secret")
    with pytest.raises(error) as raised:
        send(shop, visitor, **{"events": [item()]} | changes)
    assert getattr(raised.value, "field", None) == field
    assert get_stream(Flow.VIEWS).pending() == 0


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b"7", b"null", b"{", b"\xff\xfe", b"[" * 60_000, b'{"a":' * 10_000, b"9" * 5000],
    ids=lambda raw: raw[:8].decode("latin-1") or "empty",
)
def test_what_is_no_json_object_is_refused(raw, shop):
    for door in (requests.events, requests.session):
        if door is requests.session and not raw:
            continue
        with pytest.raises((InvalidInput, BadSignature)):
            door(shop, raw, datetime.now(UTC))
    assert get_stream(Flow.VIEWS).pending() == 0


def test_a_body_has_at_most_64_kibibytes(shop, visitor):
    # given a body of exactly so many, and of one more
    whole = body(visitor, [])
    exact = whole + b" " * (64 * 1024 - len(whole))

    # then
    assert requests.events(shop, exact, datetime.now(UTC)).status == 202
    with pytest.raises(InvalidInput) as raised:
        requests.events(shop, exact + b" ", datetime.now(UTC))
    assert raised.value.field == "body"


def test_while_nobody_is_watched_nothing_is_kept(visitor, shop):
    shop.tracking_since = None
    answer = send(shop, visitor, [item()])
    assert (answer.status, answer.body) == (202, {"accepted": 0, "rejected": []})
    assert get_stream(Flow.VIEWS).pending() == 0


# Sessions.


def test_a_session_is_renewed_for_the_same_visitor(shop, visitor):
    now = datetime.now(UTC)
    raw = json.dumps({"token": access.visitor_token(visitor)}).encode()
    answer = requests.session(shop, raw, now)
    assert access.read_visitor(answer.body["token"], shop.pk) == visitor
    assert answer.body["expiresAt"] == (now + timedelta(days=90)).isoformat()


@pytest.mark.parametrize("token", ["", "forged", 7, None, [], {"a": 1}])
def test_a_bad_token_makes_a_new_visitor(token, shop, visitor):
    answer = requests.session(shop, json.dumps({"token": token}).encode(), datetime.now(UTC))
    assert answer.status == 200
    assert access.read_visitor(answer.body["token"], shop.pk).id != visitor.id


def test_a_token_expires(shop, visitor, settings):
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"VISITOR_TOKEN_DAYS": -1}
    with pytest.raises(BadSignature):
        send(shop, visitor, [item()])


def test_while_nobody_is_watched_there_are_no_tokens(shop):
    shop.tracking_since = None
    answer = requests.session(shop, b"{}", datetime.now(UTC))
    assert (answer.status, answer.body["error"]["code"]) == (403, "TRACKING_OFF")


# Nudges.


@pytest.mark.parametrize(
    ("_case", "query", "error", "field"),
    [
        ("no_channel", {"channel": ""}, InvalidInput, "channel"),
        ("nul_in_channel", {"channel": "a\0"}, InvalidInput, "channel"),
        ("nul_in_product", {"product": "\0"}, InvalidInput, "product"),
        ("nul_in_exclude", {"exclude": "a,\0"}, InvalidInput, "exclude"),
        ("no_page_of_ours", {"page": "CHECKOUT"}, InvalidInput, "page"),
        ("count_in_words", {"count": "three"}, InvalidInput, "count"),
        ("count_below_zero", {"count": "-1"}, InvalidInput, "count"),
        ("count_too_large", {"count": "21"}, InvalidInput, "count"),
        ("count_huge", {"count": "9" * 5000}, InvalidInput, "count"),
        ("no_count", {"count": ""}, InvalidInput, "count"),
        ("superscript", {"count": "²"}, InvalidInput, "count"),
        ("checkout_id", {"checkout": "Q2hlY2tvdXQ6"}, InvalidInput, "checkout"),
        ("forged_token", {"token": "x"}, BadSignature, None),
        ("forged_user", {"user": "VXNlcjox.00"}, BadSignature, None),
        ("strange_user", {"user": "ü.ü"}, BadSignature, None),
    ],
)
def test_a_bad_question_is_refused(_case, query, error, field, shop):
    with pytest.raises(error) as raised:
        requests.nudges(shop, {"channel": CHANNEL} | query, datetime.now(UTC))
    assert getattr(raised.value, "field", None) == field


def test_a_signed_user_is_believed(shop):
    import hashlib
    import hmac

    shop.sealed_storefront_secret = crypto.seal("secret")
    signature = hmac.new(b"secret", b"VXNlcjox", hashlib.sha256).hexdigest()
    ask = requests.read_ask(shop, {"channel": CHANNEL, "user": f"VXNlcjox.{signature}"})
    assert ask.user == people.user_hash("VXNlcjox")


@pytest.mark.parametrize(
    ("personal", "expected"),
    [({}, "public, max-age=2"), ({"checkout": HASH}, "private, no-store")],
)
def test_only_an_answer_for_everyone_may_be_cached(personal, expected, shop):
    answer = requests.nudges(shop, {"channel": CHANNEL} | personal, datetime.now(UTC))
    assert answer.headers["Cache-Control"] == expected


@pytest.mark.parametrize(("field", "most"), [("exclude", 200), ("products", 50), ("shown", 20)])
def test_a_list_has_a_limit_which_the_refusal_names(field, most, shop):
    # given
    names = [f"n{number}" for number in range(most + 1)]

    # then
    ask = requests.read_ask(shop, {"channel": CHANNEL, field: ",".join(names[:most])})
    assert list(getattr(ask, field)) == names[:most]
    with pytest.raises(InvalidInput, match=f"At most {most} {field} a request") as raised:
        requests.read_ask(shop, {"channel": CHANNEL, field: ",".join(names)})
    assert raised.value.field == field


# Over HTTP.


@pytest.mark.parametrize(
    ("_case", "path", "sent", "status"),
    [
        ("not_json", "/v1/events", b"{", 400),
        ("no_token", "/v1/events", b"{}", 401),
        ("session", "/v1/session", b"{}", 200),
    ],
)
def test_statuses(_case, path, sent, status, shop):
    assert Client().post(path, sent, content_type="text/plain").status_code == status


def test_an_unknown_shop_is_not_found(shop):
    answer = Client().get("/v1/nudges", {"shop": "nobody", "channel": CHANNEL})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "UNKNOWN_SHOP")


def test_methods(shop):
    assert Client().get("/v1/events").status_code == 405
    assert Client().post("/v1/nudges").status_code == 405


@pytest.mark.parametrize(
    ("_case", "allowed", "origin", "expected"),
    [
        ("all", ["*"], "https://shop.example.com", "*"),
        (
            "this",
            ["https://shop.example.com"],
            "https://shop.example.com",
            "https://shop.example.com",
        ),
        ("a_part", ["*.example.com"], "https://a.example.com", "https://a.example.com"),
        ("another", ["https://shop.example.com"], "https://evil.example", None),
        ("a_lookalike", ["*.example.com"], "https://evilexample.com", None),
    ],
)
@pytest.mark.parametrize("method", ["options", "post"])
def test_origins(method, _case, allowed, origin, expected, shop, settings):
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"STOREFRONT_ORIGINS": allowed}
    answer = getattr(Client(), method)("/v1/session", headers={"Origin": origin})
    assert answer.headers.get("Access-Control-Allow-Origin") == expected
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_a_refusal_can_be_read_by_the_page(shop):
    answer = Client().post(
        "/v1/events", b"{}", content_type="text/plain", headers={"Origin": "https://shop.example"}
    )
    assert answer.status_code == 401
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


# Whatever is sent.

ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["\0", "\ud800", "9" * 400, "product_viewed", "nudge_closed", CHANNEL])
    | st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat())
    | st.uuids().map(str)
    | st.integers(0, 2**48 - 1).map(lambda ms: str(UUID(int=ms << 80 | 7 << 76 | 2 << 62 | ms))),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
FIELDS = ("id", "kind", "at", "channel", "product", "variant", "page", "nudge", "data")
ITEMS = st.lists(
    st.dictionaries(st.sampled_from(FIELDS), ANY, max_size=4).map(lambda changes: item(**changes))
    | ANY,
    max_size=12,
)
QUIET = settings(
    max_examples=250,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@QUIET
@given(items=ITEMS)
def test_whatever_events_are_sent_the_good_ones_are_kept_and_consumed(items, shop, visitor):
    # given
    good = item(kind="page_viewed", product=..., page="HOME")

    # when
    answer = send(shop, visitor, [*items, good], checkout=HASH)

    # then
    rejected = {entry["index"] for entry in answer.body["rejected"]}
    assert answer.status == 202
    assert answer.body["accepted"] + len(rejected) == len(items) + 1
    assert len(items) not in rejected
    consume()
    assert ViewEvent.objects.of(shop).filter(pk=good["id"]).exists()
    assert WaitingEvent.objects.of(shop).count() == 0


@QUIET
@given(data=st.dictionaries(st.sampled_from(["token", "events", "checkout", "user"]), ANY) | ANY)
def test_whatever_body_is_sent_is_answered_or_refused(data, shop):
    shop.sealed_storefront_secret = crypto.seal("secret")
    raw = json.dumps(data).encode()
    for door in (requests.events, requests.session):
        assert status(lambda door=door: door(shop, raw, datetime.now(UTC))) in (200, 202, 400, 401)


def status(ask):
    """Return the status a door answers with; what is no error of ours goes on."""
    try:
        return ask().status
    except NudgesError as error:
        return refusal(error).status


NAMES = ("channel", "page", "product", "count", "exclude", "languageCode", "token", "checkout")
QUERIES = st.dictionaries(
    st.sampled_from((*NAMES, "user")),
    st.text(max_size=30, alphabet=st.characters(exclude_categories=["Cs"])),
)


@QUIET
@given(query=QUERIES)
def test_whatever_is_asked_is_answered_or_refused(query, shop):
    shop.sealed_storefront_secret = crypto.seal("secret")
    switch_on_nudge(shop, NudgeType.ORDER)
    asked = {"channel": CHANNEL} | query
    assert status(lambda: requests.nudges(shop, asked, datetime.now(UTC))) in (200, 400, 401)


def test_shops_are_left_as_they_were(shop):
    before = Shop.objects.values().get()
    Client().post("/v1/session", b"{}", content_type="text/plain")
    assert Shop.objects.values().get() == before
