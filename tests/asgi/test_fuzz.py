"""Whatever is sent to the storefront's doors is answered in JSON, and poisons no consumer."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from django.conf import settings as configured
from django.core.management import call_command
from django.db import connections
from django.test import Client, RequestFactory, override_settings
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from saleor_nudges import access, crypto
from saleor_nudges import stream as streams
from saleor_nudges.asgi.hot import HotRequests
from saleor_nudges.events import Flow
from saleor_nudges.events.identity import uuid7
from saleor_nudges.exceptions import UnknownShop
from saleor_nudges.host.memory import MemoryHost
from saleor_nudges.models import DeadLetter, HeldBatch, NudgeType, Shop, ViewEvent, WaitingEvent
from saleor_nudges.service.host import ServiceHost
from saleor_nudges.stream import get_stream
from saleor_nudges.testing import CHANNEL, consume, make_shop, switch_on_nudge
from tests.asgi import hostile
from tests.asgi.client import Got
from tests.asgi.hostile import BODIES, BROWSER, HEADERS, ITEMS, QUERIES, SESSIONS, beacon, item

STREAMS = ["postgres.PostgresStream", "redis.RedisStream"]
# What each status may be called; see docs/errors.md.
CODES = {
    400: {"INVALID", "INVALID_EVENT"},
    401: {"BAD_SIGNATURE"},
    404: {"UNKNOWN_SHOP"},
}
FIELDS = ("id", "kind", "at", "channel", "product", "variant", "page", "nudge")


class Doors:
    """The hot requests in one event loop, asked with any bytes a server would let through."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.app = self.loop.run_until_complete(self._made())
        self.asked = Counter()

    async def _made(self) -> HotRequests:
        return HotRequests()

    def close(self) -> None:
        self.loop.run_until_complete(self._closed())
        self.loop.close()

    async def _closed(self) -> None:
        # The one thread there is holds a connection to the database of the tests.
        await self.loop.run_in_executor(self.app.executor, connections.close_all)
        await self.app.close()

    def get(self, door: str, query: bytes = b"", headers: Any = ()) -> Got:
        return self.ask("GET", door, [], query, headers)

    def post(self, door: str, body: bytes | Sequence[bytes], headers: Any = ()) -> Got:
        return self.ask("POST", door, [body] if isinstance(body, bytes) else body, b"", headers)

    def ask(self, method, door, pieces, query=b"", headers=()) -> Got:
        last = len(pieces) - 1
        said = [
            {"type": "http.request", "body": piece, "more_body": number < last}
            for number, piece in enumerate(pieces)
        ] or [{"type": "http.request"}]
        return self.talk(method, door, said, query, headers)

    def talk(self, method, door, messages, query=b"", headers=()) -> Got:
        self.asked[door] += 1
        scope = {
            "type": "http",
            "method": method,
            "path": f"/v1/{door}",
            "query_string": query,
            "headers": list(headers),
            "client": ("203.0.113.7", 50000),
        }
        waiting, sent = iter(messages), []

        async def receive() -> dict[str, Any]:
            return next(waiting)

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        self.loop.run_until_complete(self.app(scope, receive, send))
        start, end = sent
        found = {key.decode("ascii"): value.decode("latin-1") for key, value in start["headers"]}
        return Got(start["status"], found, end["body"])


@contextmanager
def doors_of_a_shop(stream: str):
    """Open the doors of a new shop whose views go through this stream."""
    changes = {"VIEWS_STREAM": f"saleor_nudges.stream.{stream}"}
    with (
        override_settings(SALEOR_NUDGES=configured.SALEOR_NUDGES | changes),
        pytest.MonkeyPatch.context() as patch,
    ):
        streams._make.cache_clear()
        patch.setattr("saleor_nudges.asgi.hot.THREADS", 1)
        shop = make_shop(sealed_storefront_secret=crypto.seal("secret"))
        switch_on_nudge(shop, NudgeType.ORDER)
        doors = Doors()
        try:
            yield doors, shop
        finally:
            doors.close()


def token_of(shop: Shop) -> str:
    return access.visitor_token(access.new_visitor(shop.pk))


# What every answer must be.


def assert_answered(got: Got, door: str) -> None:
    """Check that this is JSON of the documented shape, and no error of ours."""
    assert got.headers["content-type"] == "application/json"
    assert int(got.headers.get("content-length", len(got.raw))) == len(got.raw)
    assert_no_header_is_split(got)
    body = json.loads(got.raw, parse_constant=_no_number)
    if got.status in (200, 202):
        GOOD[door](got.status, body)
    else:
        assert_refused(got.status, body)


def _no_number(text: str) -> None:
    raise AssertionError(f"{text} is no JSON")


def assert_no_header_is_split(got: Got) -> None:
    assert not [value for value in got.headers.values() if {"\r", "\n"} & set(value)]


def assert_refused(status: int, body: Any) -> None:
    assert set(body) == {"error"}
    error = body["error"]
    assert error["code"] in CODES[status]
    assert error["message"]
    # Whoever gave a wrong value is told which; who is not known is told no more.
    assert set(error) - {"code", "message"} == ({"field"} if status == 400 else set())


def _events(status: int, body: Any) -> None:
    assert status == 202
    assert set(body) == {"accepted", "rejected"}
    for one in body["rejected"]:
        assert set(one) == {"index", "code", "message"}
        assert one["code"] == "INVALID_EVENT"
        assert one["message"]
    indexes = [one["index"] for one in body["rejected"]]
    assert indexes == sorted(set(indexes))


def _session(status: int, body: Any) -> None:
    assert (status, set(body)) == (200, {"token", "expiresAt"})


def _nudges(status: int, body: Any) -> None:
    # What is withdrawn is said to whoever says what is shown.
    assert (status, set(body) - {"withdrawn"}) == (200, {"nudges", "display", "pollAfter"})


def _device(status: int, body: Any) -> None:
    assert (status, set(body)) == (200, {"device", "bot"})
    assert body["device"] in ("DESKTOP", "ANDROID", "IOS", "OTHER")


GOOD = {"events": _events, "session": _session, "nudges": _nudges, "device": _device}


def assert_nothing_is_poisoned() -> None:
    """Consume everything, and check that nothing was put aside, kept back or left over."""
    consume()
    put_aside = DeadLetter.objects.across_shops().values_list("reason", "kind", "payload")
    assert list(put_aside) == []
    assert HeldBatch.objects.count() == 0
    assert WaitingEvent.objects.across_shops().count() == 0
    assert get_stream(Flow.VIEWS).pending() == 0


def stored_ids(shop: Shop) -> set[UUID]:
    return set(ViewEvent.objects.of(shop).values_list("pk", flat=True))


def accepted_ids(got: Got, items: Sequence[Any]) -> set[UUID]:
    rejected = {one["index"] for one in got.body["rejected"]}
    return {UUID(one["id"]) for index, one in enumerate(items) if index not in rejected}


# The table. It is sent once through each stream; each line of it is then a test of its own.


class Told:
    """What each line of the table was answered, and what came out of the stream at the end."""

    def __init__(self, doors: Doors, shop: Shop) -> None:
        self.token = token_of(shop)
        self.good: set[UUID] = set()
        self.items = {bad.name: self._between_good_ones(doors, bad.json) for bad in ITEMS}
        self.bodies = {one.name: doors.post("events", one.make(self.token)) for one in BODIES}
        self.sessions = {one.name: doors.post("session", one.make(self.token)) for one in SESSIONS}
        self.queries = {one.name: doors.get("nudges", b"channel=c&" + one.query) for one in QUERIES}
        self.headers = {name: self._with_headers(doors, said) for name, said in HEADERS}
        consume()
        self.stored = stored_ids(shop)
        self.count = ViewEvent.objects.of(shop).count()

    def _between_good_ones(self, doors: Doors, bad: bytes) -> Got:
        events = [item(), item()]
        self.good |= {UUID(one["id"]) for one in events}
        before, after = (json.dumps(one).encode() for one in events)
        return doors.post("events", beacon(self.token, before, bad, after))

    def _with_headers(self, doors: Doors, headers: Any) -> dict[str, Got]:
        body = beacon(self.token, hostile.raw())
        return {
            "events": doors.post("events", body, headers),
            "session": doors.post("session", b"{}", headers),
            "nudges": doors.get("nudges", b"channel=c", headers),
            "device": doors.get("device", b"", headers),
        }


@pytest.fixture(scope="module", params=STREAMS)
def told(request, django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        try:
            with doors_of_a_shop(request.param) as (doors, shop):
                told = Told(doors, shop)
                assert_nothing_is_poisoned()
            yield told
        finally:
            call_command("flush", verbosity=0, interactive=False)


def each(table):
    return pytest.mark.parametrize("line", table, ids=[line[0] for line in table])


@pytest.mark.servers
@each(ITEMS)
def test_a_hostile_event_costs_no_good_one(line, told):
    got = told.items[line.name]
    assert_answered(got, "events")
    assert got.status == 202
    if not line.field:
        assert got.body == {"accepted": 3, "rejected": []}
        return
    [rejected] = got.body["rejected"]
    assert (got.body["accepted"], rejected["index"]) == (2, 1)
    if line.field != hostile.ITEM:
        assert rejected["message"].startswith(f"{line.field}: ")


@pytest.mark.servers
@each(BODIES)
def test_a_hostile_body_is_answered(line, told):
    assert_is(told.bodies[line.name], "events", line)
    if line.status == 202:
        body = told.bodies[line.name].body
        assert (body["accepted"], len(body["rejected"])) == (line.accepted, line.rejected)


@pytest.mark.servers
@each(SESSIONS)
def test_a_hostile_session_is_answered(line, told):
    assert_is(told.sessions[line.name], "session", line)


@pytest.mark.servers
@each(QUERIES)
def test_a_hostile_query_is_answered(line, told):
    assert_is(told.queries[line.name], "nudges", line)


def assert_is(got, door, line) -> None:
    assert_answered(got, door)
    assert got.status == line.status
    if line.field:
        assert got.body["error"]["field"] == line.field


@pytest.mark.servers
@each(HEADERS)
def test_hostile_headers_change_nothing(line, told):
    answers = told.headers[line[0]]
    for door, got in answers.items():
        assert_answered(got, door)
    assert [got.status for got in answers.values()] == [202, 200, 200, 200]
    assert answers["events"].body == {"accepted": 1, "rejected": []}


@pytest.mark.servers
def test_every_good_event_of_the_table_is_stored(told):
    accepted = sum(got.body["accepted"] for got in told.items.values())
    assert told.good <= told.stored
    assert len(told.good) == 2 * len(ITEMS)
    assert accepted == len(told.good) + len([bad for bad in ITEMS if not bad.field])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("sent", [[], [b"{"], [b'{"token": "', b"x"]], ids=["none", "one", "two"])
def test_a_page_that_goes_away_costs_nothing(sent):
    pieces = [{"type": "http.request", "body": piece, "more_body": True} for piece in sent]
    with doors_of_a_shop(STREAMS[0]) as (doors, _):
        for door in ("events", "session"):
            got = doors.talk("POST", door, [*pieces, {"type": "http.disconnect"}])
            assert_answered(got, door)
        assert_nothing_is_poisoned()


# Whatever is generated.

QUIET = {
    "deadline": None,
    "derandomize": True,
    "database": None,
    "phases": (Phase.explicit, Phase.generate, Phase.shrink),
    "suppress_health_check": list(HealthCheck),
}


def many(examples: int):
    return settings(max_examples=examples, **QUIET)


NAMES = (
    *(name for _, name in hostile.NEVER_MIND),
    CHANNEL,
    "",
    "x" * 255,
    "x" * 256,
    "\0",
    "\ud800",
    "a\udfff",
    "prodüct",
)
SCALARS = (
    *NAMES,
    None,
    True,
    0,
    -1,
    2**63,
    2**64,
    10**400,
    1.5,
    float("nan"),
    float("-inf"),
    [],
    {},
    [[[[[]]]]],
    {"id": {"id": {}}},
    {"\ud800": 1},
)


def moments():
    now = datetime.now(UTC)
    # Around what is kept (weeks), around tomorrow, and anywhere.
    near = st.integers(-120 * 86_400, 2 * 86_400)
    return near.map(lambda seconds: now + timedelta(seconds=seconds)) | st.datetimes(
        timezones=st.just(UTC)
    )


def written(moment: datetime):
    return st.sampled_from(
        [
            moment.isoformat(),
            moment.isoformat().replace("+00:00", "Z"),
            moment.isoformat().replace("+00:00", "+23:59"),
            moment.isoformat().replace("T", " "),
            moment.strftime("%Y%m%dT%H%M%SZ"),
            moment.timestamp(),
        ]
    )


MILLISECONDS = st.integers(0, 2**48 - 1)
IDS = st.one_of(
    st.sampled_from(SCALARS),
    moments().filter(lambda moment: moment.year >= 1970).map(lambda moment: str(uuid7(moment))),
    MILLISECONDS.map(lambda ms: str(UUID(int=ms << 80 | 7 << 76 | 2 << 62 | ms))),
    st.uuids().map(str),
    st.just(str(uuid7())),
)
PAGES = st.sampled_from([*SCALARS, "HOME", "x" * 16, "x" * 17])
CHANGES = {
    "id": IDS,
    "kind": st.sampled_from(
        ["product_viewed", "page_viewed", "added_to_cart", "nudge_viewed", "order_placed", *SCALARS]
    ),
    "at": moments().flatmap(written) | st.sampled_from(SCALARS),
    "channel": st.sampled_from(SCALARS) | st.text(max_size=8),
    "product": st.sampled_from(SCALARS) | st.text(max_size=8),
    "variant": st.sampled_from(SCALARS),
    "page": PAGES,
    "nudge": st.sampled_from([*SCALARS, "aBcDeFgH", "aBcDeFgHi"]),
    "visitor": st.sampled_from(SCALARS),
    "data": st.sampled_from(SCALARS),
}
KINDS = (
    {"kind": "product_viewed"},
    {"kind": "page_viewed", "product": ..., "page": "CART"},
    {"kind": "added_to_cart", "variant": "UHJvZHVjdFZhcmlhbnQ6MQ=="},
    {"kind": "nudge_viewed", "product": ..., "nudge": "aBcDeFgH"},
    {"kind": "nudge_clicked", "product": ..., "nudge": "aBcDeFgH"},
    {"kind": "nudge_closed", "product": ..., "nudge": "aBcDeFgH"},
)


@st.composite
def spoiled_events(draw):
    """One good event with up to three fields changed, or taken away."""
    found = item(**draw(st.sampled_from(KINDS)))
    for name in draw(st.lists(st.sampled_from(list(CHANGES)), max_size=3)):
        found[name] = draw(CHANGES[name])
    if draw(st.integers(0, 4)) == 0:
        found.pop(draw(st.sampled_from(FIELDS)), None)
    return found


GOOD_EVENTS = st.sampled_from(KINDS).map(lambda kind: ("good", item(**kind)))
ANY_EVENTS = (
    GOOD_EVENTS
    | spoiled_events().map(lambda event: ("spoiled", event))
    | st.sampled_from(SCALARS).map(lambda scalar: ("none", scalar))
)
BATCHES = st.lists(ANY_EVENTS, max_size=5)
AGENTS = st.sampled_from(([], [(b"user-agent", BROWSER.encode())]))


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("stream", "examples"), [(STREAMS[0], 2500), (STREAMS[1], 1000)])
def test_whatever_events_are_sent_the_good_ones_are_stored(stream, examples):
    accepted, good = set(), set()

    with doors_of_a_shop(stream) as (doors, shop):
        token = token_of(shop)

        @many(examples)
        @given(batch=BATCHES, headers=AGENTS)
        def send(batch, headers):
            items = [event for _, event in batch]
            got = doors.post(
                "events", json.dumps({"token": token, "events": items}).encode(), headers
            )
            assert_answered(got, "events")
            rejected = {one["index"] for one in got.body["rejected"]}
            assert got.body["accepted"] + len(rejected) == len(items)
            fine = {index for index, (name, _) in enumerate(batch) if name == "good"}
            assert not fine & rejected
            accepted.update(accepted_ids(got, items))
            good.update(UUID(items[index]["id"]) for index in fine)

        send()
        assert doors.asked["events"] >= examples
        # Both kinds were met, or nothing was tried here.
        assert accepted > good > set()
        assert_nothing_is_poisoned()
        assert stored_ids(shop) == accepted


@st.composite
def damaged(draw):
    """A good body as bytes, damaged here and there, in pieces; the token is put in later."""
    events = [json.dumps(event).encode() for _, event in draw(st.lists(ANY_EVENTS, max_size=2))]
    body = bytearray(beacon("TOKEN", *events))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(body)))
        end = min(len(body), start + draw(st.integers(0, 4)))
        body[start:end] = draw(st.binary(max_size=4) | st.sampled_from(PIECES))
    return draw(st.sampled_from((3, 50, 1000, 100_000))), bytes(body)


PIECES = (
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b'"',
        b"\\",
        b"\0",
        b"\\u0000",
        b"\\ud800",
        b"\xed\xa0\x80",
    ),
    *(b"NaN", b"1e999", b"-", b"\xef\xbb\xbf", b'"events":', b'"token":', b"null", b"[" * 2000),
)
ANY_BODIES = damaged() | st.tuples(
    st.just(1000),
    st.binary(max_size=60) | st.text(max_size=30).map(lambda text: text.encode("utf-8", "replace")),
)


def events_in(body: bytes, token: str) -> int | None:
    """Return how many events a body holds, by Python's own reading; None if it cannot be known."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return None
    is_ours = isinstance(data, dict) and data.get("token") == token
    return len(data["events"]) if is_ours and isinstance(data.get("events"), list) else None


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_whatever_bytes_are_sent_are_answered():
    kept = Counter()

    with doors_of_a_shop(STREAMS[0]) as (doors, shop):
        token = token_of(shop)

        @many(2000)
        @given(sent=ANY_BODIES)
        def send(sent):
            size, damaged = sent
            body = damaged.replace(b"TOKEN", token.encode())
            got = doors.post("events", hostile.in_pieces(body, size))
            assert_answered(got, "events")
            kept[got.status] += 1
            if got.status == 202:
                held = events_in(body, token)
                # A key we do not know is skipped, even one that is no UTF-8.
                kept["not read here"] += held is None
                assert held in (None, got.body["accepted"] + len(got.body["rejected"]))
                kept["accepted"] += got.body["accepted"]

        send()
        assert doors.asked["events"] >= 2000
        assert kept[202] > 200 < kept[400]
        assert kept["not read here"] < kept[202] // 10
        assert kept["accepted"] > 100
        assert_nothing_is_poisoned()
        assert 100 < len(stored_ids(shop)) <= kept["accepted"]


ASKED = (
    *(b"channel", b"page", b"product", b"count", b"exclude", b"languageCode"),
    *(b"products", b"shown", b"device", b"category", b"country"),
    *(b"token", b"checkout", b"user", b"shop", b"x"),
)
PARAMETERS = st.tuples(
    st.sampled_from(ASKED),
    st.one_of(
        st.text(max_size=10, alphabet=st.characters(exclude_categories=["Cs"])).map(
            lambda text: quote(text).encode()
        ),
        st.binary(max_size=10).map(lambda raw: quote(raw).encode()),
        st.binary(max_size=10),
        st.sampled_from((b"%00", b"HOME", b"3", b"0" * 64, b"a,b,,", b"%", b"%F", b"%D9%A3")),
    ),
).map(b"=".join)
BITS = st.sampled_from(SCALARS) | st.binary(max_size=30)
HEADER_VALUES = st.binary(max_size=30).map(
    lambda raw: bytes(byte for byte in raw if byte not in b"\r\n\0")
)
HEADER_LISTS = st.lists(
    st.tuples(
        st.sampled_from((b"user-agent", b"origin", b"x-forwarded-for", b"content-length", b"x")),
        HEADER_VALUES,
    ),
    max_size=3,
)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_whatever_is_asked_is_answered():
    statuses = Counter()

    with doors_of_a_shop(STREAMS[0]) as (doors, _):

        @many(2000)
        @given(parameters=st.lists(PARAMETERS, max_size=4), headers=HEADER_LISTS)
        def nudges(parameters, headers):
            query = b"&".join([b"channel=default-channel", *parameters])
            got = doors.get("nudges", query, headers)
            assert_answered(got, "nudges")
            statuses["nudges", got.status] += 1

        @many(1250)
        @given(data=BITS, key=st.sampled_from(["token", "x"]))
        def session(data, key):
            body = data if isinstance(data, bytes) else json.dumps({key: data}).encode()
            got = doors.post("session", body)
            assert_answered(got, "session")
            statuses["session", got.status] += 1

        @many(1250)
        @given(query=st.binary(max_size=20), headers=HEADER_LISTS)
        def device(query, headers):
            got = doors.get("device", query, headers)
            assert_answered(got, "device")
            statuses["device", got.status] += 1

        nudges()
        session()
        device()
        assert sum(doors.asked.values()) >= 4500
        assert {key for key, count in statuses.items() if count > 10} >= {
            ("nudges", 200),
            ("nudges", 400),
            ("nudges", 401),
            ("nudges", 404),
            ("session", 200),
            ("session", 400),
            ("device", 200),
        }


# The same behind Django, where no process of its own serves the storefront.

DJANGO = pytest.mark.django_db


@pytest.fixture
def shop():
    shop = make_shop(sealed_storefront_secret=crypto.seal("secret"))
    switch_on_nudge(shop, NudgeType.ORDER)
    return shop


def through_django(method, door, body=b"", query=b"") -> Got:
    answer = Client().generic(
        method, f"/v1/{door}", body, "text/plain", QUERY_STRING=query.decode("latin-1")
    )
    return Got(
        answer.status_code,
        {name.lower(): value for name, value in answer.headers.items()},
        answer.content,
    )


def whole(pieces: bytes | Sequence[bytes]) -> bytes:
    return pieces if isinstance(pieces, bytes) else b"".join(pieces)


@DJANGO
@each(BODIES)
def test_a_hostile_body_is_answered_by_django(line, shop):
    got = through_django("POST", "events", whole(line.make(token_of(shop))))
    assert_is(got, "events", line)
    if line.status == 202:
        assert (got.body["accepted"], len(got.body["rejected"])) == (line.accepted, line.rejected)


@DJANGO
@each(SESSIONS)
def test_a_hostile_session_is_answered_by_django(line, shop):
    assert_is(through_django("POST", "session", whole(line.make(token_of(shop)))), "session", line)


@DJANGO
@each(QUERIES)
def test_a_hostile_query_is_answered_by_django(line, shop):
    if line.query.count(b"&") > 1000:
        # Django reads no more of them.
        line = line._replace(status=400, field="query")
    assert_is(through_django("GET", "nudges", query=b"channel=c&" + line.query), "nudges", line)


@DJANGO
@pytest.mark.parametrize("path", ["/v1/events", "/v1/session", "/graphql/"])
def test_a_body_larger_than_django_reads_is_refused_in_json(path, shop):
    answer = Client().post(path, b" " * 3_000_000, content_type="application/json")
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/json")


@DJANGO
@pytest.mark.parametrize("host", [MemoryHost, ServiceHost])
@pytest.mark.parametrize("name", ["\0", "a\0", "x" * 17, "' OR 1=1--", hostile.EMOJI])
def test_no_shop_is_asked_for_by_a_name_none_can_have(name, host, shop):
    with pytest.raises(UnknownShop):
        host.shop_of(RequestFactory().get("/", {"shop": name}))


@DJANGO
@pytest.mark.parametrize("name", ["\0", "\ud800"])
def test_nor_by_one_in_a_body(name, shop):
    body = json.dumps({"shop": name})
    with pytest.raises(UnknownShop):
        ServiceHost.shop_of(RequestFactory().post("/", body, content_type="text/plain"))


@DJANGO
def test_no_hostile_event_through_django_poisons_the_consumer(shop):
    token, good = token_of(shop), set()
    for bad in ITEMS:
        event = item()
        good.add(UUID(event["id"]))
        got = through_django("POST", "events", beacon(token, bad.json, json.dumps(event).encode()))
        assert_answered(got, "events")
        assert got.body["accepted"] == 1 + (not bad.field)
    assert_nothing_is_poisoned()
    assert good <= stored_ids(shop)


# And behind GraphQL.

TRACK = """
mutation($token: String!, $events: [NudgeEventInput!]!, $checkout: String) {
  nudgeEventsTrack(token: $token, events: $events, checkout: $checkout) {
    accepted rejected { index code message } errors { field code message }
  }
}
"""
CREATE = "mutation($token: String) { nudgeSessionCreate(token: $token) { token errors { code } } }"
LOOK = """
query($channel: String!, $product: ID, $first: Int, $exclude: [String!], $token: String) {
  nudges(channel: $channel, productId: $product, first: $first, exclude: $exclude, token: $token) {
    pollAfter
  }
}
"""
VARIABLES = st.dictionaries(
    st.sampled_from(("channel", "product", "first", "exclude", "token", "checkout")),
    st.sampled_from(SCALARS),
    max_size=3,
)


def through_graphql(body: bytes) -> dict[str, Any]:
    """Return the answer; nothing in it may be an error of ours."""
    answer = Client().post("/graphql/", body, content_type="application/json")
    assert answer.headers["content-type"] == "application/json"
    found = json.loads(answer.content, parse_constant=_no_number)
    assert b"Internal Server Error" not in answer.content
    assert answer.status_code == (200 if "data" in found else 400)
    assert all(error["message"] for error in found.get("errors", ()))
    return found


def operation(query: str, variables: Any) -> bytes:
    return json.dumps({"query": query, "variables": variables}).encode()


@pytest.mark.slow
@DJANGO
def test_whatever_events_are_sent_through_graphql_are_answered(shop):
    token, seen = token_of(shop), Counter()

    @many(250)
    @given(batch=BATCHES)
    def send(batch):
        items = [event for _, event in batch]
        found = through_graphql(operation(TRACK, {"token": token, "events": items}))
        said = (found.get("data") or {}).get("nudgeEventsTrack")
        seen["refused" if said is None else "answered"] += 1
        if all(name == "good" for name, _ in batch):
            assert (said["accepted"], said["rejected"]) == (len(items), [])
        if said and not said["errors"]:
            assert said["accepted"] + len(said["rejected"]) == len(items)
            seen["accepted"] += said["accepted"]

    send()
    assert min(seen["refused"], seen["answered"], seen["accepted"]) > 30
    assert_nothing_is_poisoned()


@pytest.mark.slow
@DJANGO
def test_whatever_is_asked_through_graphql_is_answered(shop):
    @many(250)
    @given(
        query=st.sampled_from((TRACK, CREATE, LOOK)), variables=VARIABLES | BITS.filter(_is_text)
    )
    def ask(query, variables):
        through_graphql(operation(query, variables))

    @many(200)
    @given(sent=ANY_BODIES)
    def throw(sent):
        _, damaged = sent
        through_graphql(damaged.replace(b'"token"', b'"query"').replace(b'"TOKEN"', b'"{ a }"'))

    ask()
    throw()
    assert_nothing_is_poisoned()


def _is_text(data: Any) -> bool:
    return not isinstance(data, bytes)
