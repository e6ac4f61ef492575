"""`v1/*`: what a storefront asks and sends. Django's views and a bare ASGI app serve the same."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple

from saleor_nudges import access, agents, conf, crypto, people, telemetry
from saleor_nudges.asgi import contacts, devices, guard
from saleor_nudges.asgi.answers import Answer
from saleor_nudges.asgi.pages import Page, read_now
from saleor_nudges.beacons import Sender, Taken, is_checkout_hash, parse, read
from saleor_nudges.capture import keep
from saleor_nudges.events import Flow, LiveMeasured
from saleor_nudges.exceptions import (
    BadSignature,
    InvalidInput,
    StreamUnavailable,
)
from saleor_nudges.live import Place
from saleor_nudges.models import Shop
from saleor_nudges.nudges import drafts, labels
from saleor_nudges.nudges.choose import MOST, Ask, Feed, choose_among
from saleor_nudges.nudges.configs import is_on
from saleor_nudges.nudges.kinds import live_visitors
from saleor_nudges.nudges.kinds.base import PAGES
from saleor_nudges.stream.codec import encode

LARGEST_BODY: Final = 64 * 1024
MOST_EXCLUDED: Final = 200
# What stands on a page now, and the products a listing page names.
MOST_SHOWN: Final = 20
MOST_PRODUCTS: Final = 50
DEVICES: Final = ("DESKTOP", "ANDROID", "IOS", "OTHER")


class Caller(NamedTuple):
    """Who is on the other end, as far as it is known: an address, a user agent, a country."""

    address: str = ""
    agent: str = ""
    country: str = ""


NOBODY: Final = Caller()


def session(shop: Shop, body: bytes, now: datetime, caller: Caller = NOBODY) -> Answer:
    """Give an anonymous visitor a token, or a known one a fresh token for the same visitor."""
    admit("session", shop, caller)
    if not is_on(shop, now):
        return Answer(
            {"error": {"code": "TRACKING_OFF", "message": "Nobody is watched here."}}, 403
        )
    old = _object(body).get("token")
    visitor = access.new_visitor(shop.pk)
    if isinstance(old, str) and old:
        try:
            visitor = access.read_visitor(old, shop.pk)
        except BadSignature:
            telemetry.REFUSED.labels(door="session", code=BadSignature.code).inc()
    expires = now + timedelta(days=conf.get().VISITOR_TOKEN_DAYS)
    return Answer({"token": access.visitor_token(visitor), "expiresAt": expires.isoformat()})


def events(shop: Shop, body: bytes, now: datetime, caller: Caller = NOBODY) -> Answer:
    """Take beacons in; 202 means they are durable."""
    admit("events", shop, caller)
    taken = read_events(shop, body, now, caller)
    if taken.contacts:
        taken = contacts.take(shop, taken)
    if taken.entries:
        keep(Flow.VIEWS, taken.entries)
    return Answer(taken.as_json(), 202)


def admit(door: str, shop: Shop, caller: Caller, limits: guard.Guard | None = None) -> None:
    """Let a request in before anything of it is read; raises TooMany."""
    limits = limits or guard.in_force()
    if door == "events":
        limits.admit_shop(shop.pk)
    limits.admit_address(caller.address, door)


def read_events(shop: Shop, body: bytes, now: datetime, caller: Caller) -> Taken:
    """Return what is to be kept of a request; raises InvalidInput, BadSignature or TooMany."""
    sender, items = read_beacon(shop, body, caller)
    if not is_on(shop, now):
        # Nobody is watched before the seller says so; the widget need not know.
        return Taken((), ())
    if agents.is_bot(caller.agent):
        telemetry.BOTS.labels(door="events").inc()
        return Taken((), ())
    taken = read(shop.pk, sender, items, now)
    guard.in_force().admit_visitor(sender.visitor, len(taken.entries) + len(taken.contacts))
    return taken


def read_beacon(shop: Shop, body: bytes, caller: Caller = NOBODY) -> tuple[Sender, Any]:
    """Return who sends, and the items; raises InvalidInput or BadSignature."""
    _check_size(body)
    beacon = parse(body)
    if not isinstance(beacon.token, str):
        raise BadSignature("A token of v1/session is needed.")
    sender = Sender(
        visitor=access.read_visitor(beacon.token, shop.pk).id,
        checkout=_checkout(beacon.checkout or ""),
        user=_user(shop, beacon.user or ""),
    )
    return devices.noted(sender, caller.agent, beacon.referrer), beacon.events


def nudges(shop: Shop, query: Mapping[str, str], now: datetime, caller: Caller = NOBODY) -> Answer:
    """Answer what this visitor may see on this page."""
    admit("nudges", shop, caller)
    if token := query.get("preview"):
        return preview(shop, token, now)
    ask = read_ask(shop, query, caller)
    feed = feed_of(shop, ask, now, caller)
    return Answer(feed.as_json(), headers=headers_of(ask, query))


def preview(shop: Shop, token: str, now: datetime) -> Answer:
    """Answer with the draft that a link was made for; counts nobody and keeps nothing."""
    return Answer(drafts.feed(shop, token, now))


def feed_of(shop: Shop, ask: Ask, now: datetime, caller: Caller = NOBODY) -> Feed:
    """Return what this visitor may see, in one trip to Redis; count them in, keep what is told."""
    page = read_now(shop, ask, now, is_here=is_here(shop, ask, now, caller))
    feed = choose_among(page.boards, shop, ask, now, page.visitors)
    if page.visitors and (event := told(shop, ask, page, feed, now)):
        try:
            keep(Flow.VIEWS, [encode(event)])
        except StreamUnavailable:
            telemetry.trouble(telemetry.Log.REQUEST_FAILED, door="evidence")
    return feed


def told(shop: Shop, ask: Ask, page: Page, feed: Feed, now: datetime) -> LiveMeasured | None:
    """Return the event by which the number this answer tells of this moment is proven."""
    board = page.boards.products.get(ask.product)
    if board is None:
        return None
    ids = [shown.card.id for shown in feed.nudges]
    place = Place(shop.pk, ask.channel, ask.product)
    return live_visitors.told(place, board.live, page.visitors, ids, now)


def is_here(shop: Shop, ask: Ask, now: datetime, caller: Caller) -> bool:
    """Tell whether the question says that somebody looks at a product: people do, crawlers not."""
    return bool(
        ask.visitor
        and ask.product
        and ask.page == "PRODUCT"
        and is_on(shop, now)
        and not agents.is_bot(caller.agent)
    )


def headers_of(ask: Ask, query: Mapping[str, str]) -> dict[str, str]:
    """Return who may keep the answer: only what is for everyone may be shared."""
    if ask.visitor or ask.checkout or ask.user:
        return {"Cache-Control": "private, no-store"}
    guessed = (conf.get().COUNTRY_HEADER, "" if "device" in query else "User-Agent")
    by = ", ".join(filter(None, guessed))
    return {"Cache-Control": "public, max-age=2", **({"Vary": by} if by else {})}


def device(user_agent: str) -> Answer:
    """Say which device asks, and whether it is a crawler by its own word."""
    return Answer({"device": agents.device(user_agent), "bot": agents.is_bot(user_agent)})


def words(language: str) -> Answer:
    """Say what the widget's own words are in a language: the same for every shop and visitor."""
    return Answer(labels.of(language[:35]), headers={"Cache-Control": "public, max-age=86400"})


def read_ask(shop: Shop, query: Mapping[str, str], caller: Caller = NOBODY) -> Ask:
    """Return what a query asks for; raises InvalidInput and names the parameter."""
    channel = query.get("channel", "")
    if not channel:
        raise InvalidInput("Which channel?", field="channel")
    for name, value in query.items():
        if "\0" in value:
            raise InvalidInput("No NUL characters, please.", field=name)
    token = query.get("token", "")
    return Ask(
        channel=channel[:255],
        page=_one_of(PAGES, query.get("page") or _page(query), "page"),
        product=query.get("product", "")[:255],
        products=_names(query, "products", MOST_PRODUCTS),
        category=query.get("category", "")[:255],
        device=_device(query, caller),
        country=_country(query.get("country", ""), caller),
        count=_count(query.get("count", "3")),
        exclude=_names(query, "exclude", MOST_EXCLUDED),
        shown=_names(query, "shown", MOST_SHOWN),
        language=query.get("languageCode", "")[:35] or shop.default_language,
        visitor=access.read_visitor(token, shop.pk).id if token else None,
        checkout=_checkout(query.get("checkout", "")),
        user=_user(shop, query.get("user", "")),
    )


def _check_size(body: bytes) -> None:
    if len(body) > LARGEST_BODY:
        raise InvalidInput(f"At most {LARGEST_BODY} bytes a request.", field="body")


def _object(body: bytes) -> dict[str, Any]:
    _check_size(body)
    data = access.parsed(body or b"{}")
    if not isinstance(data, dict):
        raise InvalidInput("The body must be a JSON object.", field="body")
    return data


def _count(text: str) -> int:
    if not text.isdecimal() or not 0 < len(text) <= 3 or int(text) > MOST:
        raise InvalidInput(f"A count lies between 0 and {MOST}.", field="count")
    return int(text)


def _one_of(names: tuple[str, ...], text: str, field: str) -> str:
    name = text.upper()
    if name not in names:
        raise InvalidInput(f"A {field} is one of {', '.join(filter(None, names))}.", field=field)
    return name


def _page(query: Mapping[str, str]) -> str:
    # What it is about says what it is.
    if "page" in query:
        return ""
    if query.get("product"):
        return "PRODUCT"
    return "CATEGORY" if query.get("category") else "OTHER"


def _device(query: Mapping[str, str], caller: Caller) -> str:
    named = query.get("device")
    if named is None:
        return agents.device(caller.agent) if caller.agent else ""
    return _one_of(("", *DEVICES), named, "device")


def _names(query: Mapping[str, str], field: str, most: int) -> tuple[str, ...]:
    text = query.get(field)
    if not text:
        return ()
    names = tuple(filter(None, text.split(",")))
    if len(names) > most:
        raise InvalidInput(f"At most {most} {field} a request.", field=field)
    return names


def _country(text: str, caller: Caller) -> str:
    if text and not is_country(text):
        raise InvalidInput("A country is named by two letters, as in ISO 3166.", field="country")
    return (text or (caller.country if is_country(caller.country) else "")).upper()


def is_country(text: str) -> bool:
    """Tell whether this looks like a country's code."""
    return len(text) == 2 and text.isascii() and text.isalpha()


def _checkout(value: Any) -> str:
    if value and not (isinstance(value, str) and is_checkout_hash(value)):
        raise InvalidInput(
            "A checkout is named by the hex SHA-256 of its id, never by its id.", field="checkout"
        )
    return str(value)


def _user(shop: Shop, signed: Any) -> str:
    if not signed:
        return ""
    # Global ids and hex digits; comparing anything else in constant time is not defined.
    if not (isinstance(signed, str) and signed.isascii()):
        raise BadSignature("The user is not signed with this shop's secret.")
    sealed = shop.sealed_storefront_secret
    secret = _opened(bytes(sealed)) if sealed else ""
    return people.user_hash(access.read_user(signed, secret)) or ""


@lru_cache(maxsize=1024)
def _opened(sealed: bytes) -> str:
    return str(crypto.unseal(sealed))


def dumped(data: dict[str, Any]) -> bytes:
    """Return the body another door hands to the same functions."""
    return json.dumps(data).encode()
