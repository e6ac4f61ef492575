"""What nobody should send, and the answer it must get: events, bodies, queries and headers."""

import gzip
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

from saleor_nudges import access
from saleor_nudges.events.identity import uuid7
from saleor_nudges.testing import CHANNEL, JUICE

BROWSER = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15"
CRAWLER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
LARGEST = 64 * 1024
EMOJI = "\U0001f34e"
# Where a message is to begin if no field of the item is to blame.
ITEM = "item"
NEVER_MIND = (
    ("sql", "'; DROP TABLE saleor_nudges_views; --"),
    ("html", "<script>alert(1)</script>"),
    ("template", "{{ 7*7 }} {0} %s %n ${jndi:ldap://x}"),
    ("key_injection", "a:b:{c}*\r\nFLUSHALL\r\n"),
    ("control_characters", "\x01\x02\x1b[31m\x7f"),
    ("right_to_left", "\u202egnp.exe\u2066"),
    ("zalgo", "e" + "\u0301" * 200),
    ("not_a_character", "\ufffe\uffff\U0010ffff"),
    ("astral", EMOJI * 255),
    ("spaces", " \t\n "),
    ("path", "../../etc/passwd"),
)


def item(**changes: Any) -> dict[str, Any]:
    """Return a good event of now; an ellipsis takes a field away."""
    now = datetime.now(UTC)
    good = {
        "id": str(uuid7(now)),
        "kind": "product_viewed",
        "at": now.isoformat(),
        "channel": CHANNEL,
        "product": JUICE.id,
    }
    return {key: value for key, value in (good | changes).items() if value is not ...}


def raw(**changes: Any) -> bytes:
    return json.dumps(item(**changes)).encode()


def at_id(**ago: float) -> str:
    return str(uuid7(datetime.now(UTC) - timedelta(**ago)))


def spoiled(name: str, value: str) -> bytes:
    """Return a good event in which one field is this JSON, which no library would write."""
    return raw(**{name: "SPOILED"}).replace(b'"SPOILED"', value.encode())


class Bad(NamedTuple):
    """One item between two good ones: why it is refused; nothing if it is accepted."""

    name: str
    json: bytes
    field: str = ""


def _items() -> list[Bad]:
    now = datetime.now(UTC)
    return [
        # Not an event at all.
        *(
            Bad(f"item_{name}", text, ITEM)
            for name, text in {
                "null": b"null",
                "true": b"true",
                "number": b"7",
                "nan": b"NaN",
                "infinity": b"-Infinity",
                "float_overflow": b"1e400",
                "4000_digits": b"9" * 4000,
                "text": b'"product_viewed"',
                "list": b"[]",
                "list_of_events": b"[" + raw() + b"]",
                "deep": b"[" * 200 + b"]" * 200,
                "half_a_character": b'"\\ud800"',
                "nul": b'"\\u0000"',
            }.items()
        ),
        Bad("empty_object", b"{}", "id"),
        Bad("key_of_half_a_character", spoiled("x", "1").replace(b'"x"', b'"\\ud800"'), ITEM),
        # Ids.
        *(
            Bad(f"id_{name}", raw(id=value), "id")
            for name, value in {
                "missing": ...,
                "null": None,
                "number": 7,
                "huge_number": 10**400,
                "list": [str(uuid7())],
                "object": {"a": 1},
                "empty": "",
                "words": "not-a-uuid",
                "uuid4": str(uuid4()),
                "braces": "{" + str(uuid7()) + "}",
                "urn": f"urn:uuid:{uuid7()}",
                "long": "0" * 10_000,
                "nul": f"{uuid7()}\0",
                "arabic_digits": str(uuid7()).translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")),
                "sql": "' OR 1=1 --",
                "nil": "00000000-0000-0000-0000-000000000000",
                "of_1970": "00000000-0000-7000-8000-000000000000",
                "of_the_year_10889": "ffffffff-ffff-7fff-bfff-ffffffffffff",
                "wrong_variant": "01890000-0000-7000-0000-000000000000",
                "in_two_days": at_id(days=-2),
                "of_last_year": at_id(days=365),
            }.items()
        ),
        Bad("id_half_a_character", raw(id="\udfff"), ITEM),
        Bad("id_in_capitals", raw(id=str(uuid7()).upper())),
        Bad("id_without_dashes", raw(id=uuid7().hex)),
        # Times.
        *(
            Bad(f"at_{name}", raw(at=value), field)
            for name, value, field in (
                ("missing", ..., "at"),
                ("null", None, "at"),
                ("seconds", now.timestamp(), "at"),
                ("milliseconds", int(now.timestamp() * 1000), "at"),
                ("empty", "", "at"),
                ("words", "yesterday", "at"),
                ("no_zone", now.replace(tzinfo=None).isoformat(), "at"),
                ("date", now.date().isoformat(), "at"),
                ("hour_24", f"{now.date()}T24:00:00Z", "at"),
                ("leap_second", f"{now.date()}T23:59:60Z", "at"),
                ("february_30", "2026-02-30T00:00:00Z", "at"),
                ("year_0", "0000-01-01T00:00:00Z", "at"),
                ("year_10000", "10000-01-01T00:00:00Z", "at"),
                ("year_1", "0001-01-01T00:00:00+14:00", "id"),
                ("year_9999", "9999-12-31T23:59:59-23:59", "id"),
                ("zone_of_99_hours", "2026-01-01T00:00:00+99:00", "at"),
                ("another_day", (now - timedelta(hours=26)).isoformat(), "at"),
                ("nul", "\0", "at"),
                ("half_a_character", "\ud800", ITEM),
                ("long", now.isoformat() + "0" * 10_000, "at"),
            )
        ),
        Bad("at_nan", spoiled("at", "NaN"), "at"),
        Bad("at_1e400", spoiled("at", "1e400"), "at"),
        # The clocks of no place on earth, and more than Postgres would read of itself.
        *(
            Bad(f"at_in_zone_{name}", raw(at=now.replace(tzinfo=None).isoformat() + name))
            for name in ("-00:00", "+15:59", "-16:00", "+16:00", "-23:59", "+23:59")
        ),
        # Kinds.
        *(
            Bad(f"kind_{name}", raw(kind=value), "kind")
            for name, value in {
                "missing": ...,
                "null": None,
                "number": 1,
                "list": ["product_viewed"],
                "empty": "",
                "of_the_shop": "order_placed",
                "in_capitals": "PRODUCT_VIEWED",
                "dunder": "__class__",
                "long": "x" * 256,
                "nul": "product_viewed\0",
                "half_a_character": "\ud800",
            }.items()
        ),
        # Names: wrong types, too long, not storable.
        *(
            Bad(f"{field}_{name}", raw(**{field: value}), field)
            for field in ("channel", "product", "variant")
            for name, value in {
                "number": 7,
                "null": None,
                "true": True,
                "list": ["a"],
                "object": {"$ne": ""},
                "of_256": "x" * 256,
                "of_20000": "x" * 20_000,
                "nul": "a\0b",
                "half_a_character": "a\ud800",
                "halves_in_wrong_order": "\udc00\ud800",
            }.items()
        ),
        Bad("channel_missing", raw(channel=...), "channel"),
        Bad("channel_empty", raw(channel=""), "channel"),
        Bad("product_missing", raw(product=...), "product"),
        Bad("product_empty", raw(product=""), "product"),
        Bad("product_1e400", spoiled("product", "1e400"), "product"),
        Bad("page_of_17", raw(page="x" * 17), "page"),
        Bad("page_nul", raw(page="\0"), "page"),
        Bad("page_number", raw(page=1), "page"),
        Bad("nudge_missing", raw(kind="nudge_viewed"), "nudge"),
        Bad("nudge_of_9", raw(kind="nudge_viewed", nudge="x" * 9), "nudge"),
        Bad("nudge_half_a_character", raw(kind="nudge_closed", nudge="\ud800"), "nudge"),
        # Names: strange, and nobody's business but the shop's.
        *(
            Bad(f"{field}_{name}", raw(**{field: value}))
            for field in ("channel", "product")
            for name, value in NEVER_MIND
        ),
        *(
            Bad(f"variant_{name}", raw(kind="added_to_cart", variant=value))
            for name, value in NEVER_MIND
        ),
        Bad("longest_names", raw(channel=EMOJI * 255, product=EMOJI * 255, page=EMOJI * 16)),
        Bad("page_html", raw(kind="page_viewed", product=..., page="<b>'--")),
        Bad("page_missing", raw(kind="page_viewed", product=...)),
        Bad("nudge_of_nobody", raw(kind="nudge_clicked", nudge="'; --" + EMOJI)),
        Bad("surrogate_pair", raw(product=EMOJI)),
        # What is none of ours is not looked at, and says nothing about anyone.
        *(
            Bad(f"extra_{name}", raw(**{name: value}))
            for name, value in {
                "shop": str(uuid4()),
                "person": str(uuid4()),
                "visitor": "\0",
                "sealed": "AAAA",
                "data": {"visitor": str(uuid4())},
                "__proto__": {"admin": True},
                "__class__": "x",
                "": "",
                "deep": json.loads("[" * 300 + "]" * 300),
                "huge": 10**4000,
            }.items()
        ),
        Bad("extra_nan", spoiled("extra", "NaN")),
        Bad("kind_twice", spoiled("kind", '"order_placed","kind":"product_viewed"')),
        Bad("kind_twice_the_last_is_bad", spoiled("kind", '"page_viewed","kind":"x"'), "kind"),
    ]


ITEMS = _items()


class Case(NamedTuple):
    """One request: how it is made with a good token, and what must come back."""

    name: str
    make: Callable[[str], bytes | Sequence[bytes]]
    status: int
    field: str = ""
    accepted: int = 0
    rejected: int = 0


def beacon(token: Any, *events: bytes, **changes: Any) -> bytes:
    head = json.dumps({"token": token} | changes)[:-1].encode()
    return head + b', "events": [' + b",".join(events) + b"]}"


def padded(body: bytes, size: int) -> bytes:
    return body + b" " * (size - len(body))


def in_pieces(body: bytes, size: int) -> list[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)]


def _no_json() -> dict[str, bytes]:
    return {
        "spaces": b"  \n ",
        "null": b"null",
        "true": b"true",
        "number": b"7",
        "nan": b"NaN",
        "text": b'"{}"',
        "list": b"[]",
        "open": b"{",
        "closed": b"}",
        "trailing_comma": b'{"token": "a",}',
        "single_quotes": b"{'token': 'a'}",
        "comment": b'{"token": "a"} // c',
        "two_objects": b"{}{}",
        "nul_behind": b"{}\0",
        "nul_before": b"\0{}",
        "only_nuls": b"\0" * 300,
        "raw_nul_in_text": b'{"token": "a\0b"}',
        "raw_newline_in_text": b'{"token": "a\nb"}',
        "bad_escape": b'{"token": "\\x41"}',
        "half_an_escape": b'{"token": "\\ud8',
        "latin_1": '{"token": "é"}'.encode("latin-1"),
        "cut_utf_8": '{"token": "é"}'.encode()[:12],
        "overlong_utf_8": b'{"token": "\xc0\x80"}',
        "bytes_ff_fe": b"\xff\xfe",
        "form": b"token=a&events=b",
        "multipart": b'--x\r\nContent-Disposition: form-data; name="token"\r\n\r\na\r\n--x--',
        "xml": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>',
        "gzip": gzip.compress(b"{}"),
        "pickle": b"\x80\x04\x95cos\nsystem\n(S'true'\ntR.",
        "deep_lists": b"[" * 60_000,
        "deep_closed_lists": b"[" * 30_000 + b"]" * 30_000,
        "deep_objects": b'{"a":' * 10_000,
        "deep_beside": b'{"a":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
        "5000_digits": b"9" * 5000,
        "5000_digits_beside": b'{"a":' + b"9" * 5000 + b"}",
    }


def _bodies() -> list[Case]:
    return [
        *(Case(f"no_json_{name}", lambda _, b=b: b, 400, "body") for name, b in _no_json().items()),
        # Other encodings JSON may be in (RFC 4627); nobody's are refused for it.
        *(
            Case(name, lambda t, c=codec: beacon(t, raw()).decode().encode(c), 202, "", 1)
            for name, codec in (
                ("utf_8_with_bom", "utf-8-sig"),
                ("utf_16_with_bom", "utf-16"),
                ("utf_16_be", "utf-16-be"),
                ("utf_32_with_bom", "utf-32"),
            )
        ),
        # Sizes and pieces.
        Case("exactly_64_kib", lambda t: padded(beacon(t, raw()), LARGEST), 202, "", 1),
        Case("one_byte_more", lambda t: padded(beacon(t, raw()), LARGEST + 1), 400, "body"),
        Case("ten_megabytes", lambda t: padded(beacon(t, raw()), 10_000_000), 400, "body"),
        Case("ten_megabytes_in_pieces", lambda _: [b"x" * 65_000] * 160, 400, "body"),
        Case("one_byte_a_piece", lambda t: in_pieces(beacon(t, raw()), 1), 202, "", 1),
        Case("empty_pieces", lambda t: [b"", beacon(t, raw()), b"", b""], 202, "", 1),
        Case("cut_inside_a_character", lambda t: in_pieces(beacon(t, raw()), 7), 202, "", 1),
        # Lists.
        Case("no_events", beacon, 202),
        Case("events_are_100", lambda t: beacon(t, *(raw() for _ in range(100))), 202, "", 100),
        Case("events_are_101", lambda t: beacon(t, *(raw() for _ in range(101))), 400, "events"),
        Case("numbers_are_100", lambda t: beacon(t, *[b"7"] * 100), 202, "", 0, 100),
        Case("numbers_are_20000", lambda t: beacon(t, *[b"7"] * 20_000), 400, "events"),
        Case("the_same_100_times", lambda t: beacon(t, *[raw()] * 100), 202, "", 100),
        Case("an_id_again", lambda t: beacon(t, *_reused()), 202, "", 3),
        *(
            Case(f"events_{name}", lambda t, e=events: _with(t, events=e), 400, "events")
            for name, events in {
                "missing": b"",
                "null": b"null",
                "number": b"7",
                "nan": b"NaN",
                "text": b'"[]"',
                "object": b'{"0": {}}',
            }.items()
        ),
        # Keys given twice: the last one is what was meant.
        Case("events_twice", lambda t: _with(t, events=b'7, "events": [%b]' % raw()), 202, "", 1),
        Case("events_twice_last_bad", lambda t: _with(t, events=b'[], "events": 7'), 400, "events"),
        Case("token_twice", lambda t: b'{"token": "x",' + beacon(t, raw())[1:], 202, "", 1),
        # Who sends.
        *(
            Case(f"token_{name}", lambda _, t=token: beacon(t, raw()), 401)
            for name, token in {
                "null": None,
                "number": 7,
                "true": True,
                "list": ["a"],
                "object": {"a": 1},
                "empty": "",
                "words": "forged",
                "colons": ":::::",
                "signature": "eyJh.bcd:efg",
                "nul": "\0",
                "half_a_character": "\ud800",
                "emoji": f"{EMOJI}:{EMOJI}:{EMOJI}",
                "long": "a:" * 25_000,
                "of_another_shop": access.visitor_token(access.new_visitor(uuid4())),
            }.items()
        ),
        # Python's JSON lets these bytes pass as half a character.
        Case("token_half_a_character_raw", lambda _: b'{"token": "\xed\xa0\x80"}', 401),
        Case("nothing", lambda _: b"", 401),
        Case("empty_object", lambda _: b"{}", 401),
        Case("token_changed", lambda t: beacon(t[:-1] + ("a" if t[-1] != "a" else "b")), 401),
        *(
            Case(
                f"checkout_{name}", lambda t, c=value: beacon(t, raw(), checkout=c), 400, "checkout"
            )
            for name, value in {
                "id": "Q2hlY2tvdXQ6MQ==",
                "in_capitals": "A" * 64,
                "number": 7,
                "huge": 10**300,
                "list": ["a" * 64],
                "object": {"a": 1},
                "of_65": "a" * 65,
                "with_newline": "a" * 64 + "\n",
                "arabic_digits": "٣" * 64,
                "nul": "a" * 63 + "\0",
                "half_a_character": "\ud800" * 64,
            }.items()
        ),
        Case("checkout_of_nobody", lambda t: beacon(t, raw(), checkout="0" * 64), 202, "", 1),
        Case("checkout_null", lambda t: beacon(t, raw(), checkout=None), 202, "", 1),
        *(
            Case(f"user_{name}", lambda t, u=value: beacon(t, raw(), user=u), 401)
            for name, value in {
                "unsigned": "VXNlcjox",
                "badly_signed": "VXNlcjox.00",
                "signed_with_nothing": "VXNlcjox.",
                "number": 7,
                "list": ["VXNlcjox"],
                "strange": "é.é",
                "half_a_character": "\ud800.\ud800",
                "nul": "\0.\0",
            }.items()
        ),
        Case(
            "unknown_keys", lambda t: beacon(t, raw(), shop="\0", __proto__={}, a=[1]), 202, "", 1
        ),
    ]


def _of(token: str, checkout: Any) -> bytes:
    return beacon(token, raw(), checkout=checkout)


def _reused() -> list[bytes]:
    known = str(uuid7())
    other = raw(id=known, kind="page_viewed", product=..., page="HOME")
    return [raw(id=known), raw(id=known, product="UHJvZHVjdDoy"), other]


def _with(token: str, **parts: bytes) -> bytes:
    said = [b'"%b": %b' % (name.encode(), value) for name, value in parts.items() if value]
    return b"{" + b", ".join([b'"token": %b' % json.dumps(token).encode(), *said]) + b"}"


BODIES = _bodies()

# POST v1/session: whatever is no token makes a new visitor.
SESSIONS = [
    Case("nothing", lambda _: b"", 200),
    Case("known", lambda t: json.dumps({"token": t}).encode(), 200),
    *(
        Case(f"token_{name}", lambda _, t=token: json.dumps({"token": t}).encode(), 200)
        for name, token in {
            "null": None,
            "number": 10**300,
            "list": [1],
            "object": {"a": []},
            "words": "forged",
            "colons": "::",
            "nul": "\0",
            "half_a_character": "\ud800",
            "long": "a" * 60_000,
        }.items()
    ),
    Case("token_half_a_character_raw", lambda _: b'{"token": "\xed\xa0\x80"}', 200),
    Case("64_kib", lambda _: padded(b"{}", LARGEST), 200),
    Case("more_than_64_kib", lambda _: padded(b"{}", LARGEST + 1), 400, "body"),
    *(Case(f"no_json_{name}", lambda _, b=b: b, 400, "body") for name, b in _no_json().items()),
]


class Asked(NamedTuple):
    """One GET: its query as it stands in the address, and what must come back."""

    name: str
    query: bytes
    status: int = 200
    field: str = ""


# GET v1/nudges. `channel=c` is put before each, so that the last of two is seen to win.
QUERIES = [
    Asked("nothing_more", b""),
    Asked("channel_empty", b"channel=", 400, "channel"),
    Asked("channel_nul", b"channel=a%00", 400, "channel"),
    Asked("channel_long", b"channel=" + b"x" * 20_000),
    Asked("channel_sql", b"channel=%27%3B%20DROP%20TABLE%20x%3B--"),
    Asked("channel_html", b"channel=%3Cscript%3E"),
    Asked("channel_key_injection", b"channel=a%3Ab%0D%0AFLUSHALL%0D%0A"),
    Asked("channel_of_bad_utf_8", b"channel=%FF%FE%C0%80"),
    Asked("channel_of_half_a_character", b"channel=%ED%A0%80"),
    Asked("channel_in_raw_bytes", b"channel=\xff\xfe\x80"),
    Asked("channel_with_bad_percents", b"channel=%&%zz=%G0&%"),
    Asked("product_nul", b"product=%00", 400, "product"),
    Asked("product_emoji", b"product=" + b"%F0%9F%8D%8E" * 300),
    Asked("page_unknown", b"page=CHECKOUT", 400, "page"),
    Asked("page_empty", b"page=", 400, "page"),
    Asked("page_sharp_s", b"page=%C3%9F", 400, "page"),
    Asked("page_lower", b"page=home"),
    Asked("count_zero", b"count=0"),
    Asked("count_negative", b"count=-1", 400, "count"),
    Asked("count_large", b"count=21", 400, "count"),
    Asked("count_huge", b"count=" + b"9" * 5000, 400, "count"),
    Asked("count_float", b"count=1e3", 400, "count"),
    Asked("count_nan", b"count=NaN", 400, "count"),
    Asked("count_superscript", b"count=%C2%B2", 400, "count"),
    Asked("count_arabic", b"count=%D9%A3"),
    Asked("count_empty", b"count=", 400, "count"),
    Asked("exclude_commas", b"exclude=" + b"," * 20_000),
    Asked("exclude_200", b"exclude=" + b"a," * 200),
    Asked("exclude_201", b"exclude=" + b"a," * 201, 400, "exclude"),
    Asked("exclude_many", b"exclude=" + b"a," * 20_000, 400, "exclude"),
    Asked("products_50", b"products=" + b"a," * 50),
    Asked("products_51", b"products=" + b"a," * 51, 400, "products"),
    Asked("products_commas", b"products=" + b"," * 20_000),
    Asked("products_nul", b"products=a,%00", 400, "products"),
    Asked("products_bytes", b"products=%ff,%fe,%F0%9F"),
    Asked("shown_21", b"shown=" + b"a," * 21, 400, "shown"),
    Asked("device_unknown", b"device=FRIDGE", 400, "device"),
    Asked("device_lower", b"device=ios"),
    Asked("country_long", b"country=Poland", 400, "country"),
    Asked("country_no_letters", b"country=%C3%A9%C3%A9", 400, "country"),
    Asked("category_long", b"category=" + b"x" * 20_000),
    Asked("exclude_nul", b"exclude=a,%00", 400, "exclude"),
    Asked("language_long", b"languageCode=" + b"x" * 5000),
    Asked("language_path", b"languageCode=../../x"),
    Asked("language_nul", b"languageCode=%00", 400, "languageCode"),
    Asked("token_forged", b"token=x", 401),
    Asked("token_bytes", b"token=%FF%3A%FF%3A%FF", 401),
    Asked("checkout_id", b"checkout=Q2hlY2tvdXQ6", 400, "checkout"),
    Asked("checkout_of_nobody", b"checkout=" + b"0" * 64),
    Asked("user_forged", b"user=VXNlcjox.00", 401),
    Asked("user_strange", b"user=%C3%BC.%C3%BC", 401),
    Asked("another_parameter_nul", b"x=%00", 400, "x"),
    Asked("name_of_bad_utf_8_nul", b"%FF=%00", 400, "\ufffd"),
    Asked("many_parameters", b"a=1&" * 900),
    Asked("only_ampersands", b"&" * 20_000),
    Asked("no_equals", b"channel", 400, "channel"),
    Asked("semicolons", b"a=1;channel=;b"),
    Asked("shop_nul", b"shop=%00", 404),
    Asked("shop_nul_inside", b"shop=a%00b", 404),
    Asked("shop_of_bad_utf_8", b"shop=%FF", 404),
    Asked("shop_of_half_a_character", b"shop=%ED%A0%80", 404),
    Asked("shop_long", b"shop=" + b"x" * 5000, 404),
    Asked("shop_sql", b"shop=' OR 1=1--", 404),
    Asked("shop_emoji", b"shop=%F0%9F%8D%8E", 404),
]

# Headers as a server hands them over: any bytes but CR, LF and NUL.
HEADERS = [
    ("none", []),
    ("agent_empty", [(b"user-agent", b"")]),
    ("agent_of_100_kb", [(b"user-agent", b"Mozilla/5.0 (" * 8000)]),
    ("agent_of_bytes", [(b"user-agent", bytes(range(128, 256)))]),
    ("agent_twice", [(b"user-agent", BROWSER.encode())] * 2),
    ("origin_null", [(b"origin", b"null")]),
    ("origin_of_bytes", [(b"origin", b"https://\xff\xfe")]),
    ("origin_long", [(b"origin", b"https://" + b"a" * 60_000)]),
    ("origin_twice", [(b"origin", b"https://a.example"), (b"origin", b"https://b.example")]),
    ("gzip_it_says", [(b"content-encoding", b"gzip")]),
    ("length_lies", [(b"content-length", b"-1")]),
    ("length_and_chunks", [(b"content-length", b"5"), (b"transfer-encoding", b"chunked")]),
    ("charset", [(b"content-type", b"application/json; charset=utf-7")]),
    ("no_boundary", [(b"content-type", b"multipart/form-data")]),
    ("method_override", [(b"x-http-method-override", b"DELETE")]),
    ("forwarded_garbage", [(b"x-forwarded-for", b",,,\xff, ::1%eth0, " + b"1," * 5000)]),
    ("host_elsewhere", [(b"host", b"evil.example"), (b"x-forwarded-host", b"evil.example")]),
    ("shop_elsewhere", [(b"saleor-api-url", b"https://evil.example/graphql/")]),
    ("cookie", [(b"cookie", b"=;;;=\xff; sessionid='")]),
    ("many", [(b"x-%d" % number, b"x" * 50) for number in range(500)]),
]
