"""The hot requests as a plain ASGI app: no Django between a page and its answer.

What they mean is in `requests`, `beacons` and `nudges.choose`, as for every other door.
"""

import asyncio
import gc
import math
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec
from django.db import DatabaseError, close_old_connections

from saleor_nudges import access, conf, telemetry
from saleor_nudges.asgi import contacts, guard, requests
from saleor_nudges.asgi.answers import Answer, refusal
from saleor_nudges.asgi.commit import GroupCommit
from saleor_nudges.asgi.head import Asked, read_head
from saleor_nudges.asgi.reading import Reading, noticed
from saleor_nudges.asgi.requests import LARGEST_BODY, Caller
from saleor_nudges.asgi.shops import Shops
from saleor_nudges.asgi.types import Receive, Scope, Send
from saleor_nudges.events import Flow, LiveMeasured
from saleor_nudges.exceptions import (
    InvalidInput,
    NudgesError,
    StreamUnavailable,
    TooMany,
    UnknownShop,
)
from saleor_nudges.models import Shop
from saleor_nudges.models.shops import is_public_id
from saleor_nudges.nudges.choose import Feed, choose_among
from saleor_nudges.stream import close_async, get_stream
from saleor_nudges.stream.codec import encode

# Boards are built and shops are read here; pages that are warm need none of them.
THREADS: Final = 4
SWITCH_SECONDS: Final = 0.0005
# The server looks at every header it sends, so an answer carries those it needs and no more.
PREFLIGHT: Final = (
    (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
    (b"access-control-allow-headers", b"Content-Type"),
    (b"access-control-max-age", b"600"),
)
EXPOSED: Final = (b"access-control-expose-headers", b"Retry-After")
JSON: Final = (b"content-type", b"application/json")


class Reply(NamedTuple):
    """What goes back, in bytes."""

    body: bytes
    status: int = 200
    headers: tuple[tuple[bytes, bytes], ...] = (JSON, (b"cache-control", b"no-store"))


Door = Callable[["HotRequests", Asked, Receive], Awaitable[Reply]]


class HotRequests:
    """`v1/*` for any number of shops. Everything it keeps may be lost with the process."""

    def __init__(self) -> None:
        self.executor = ThreadPoolExecutor(THREADS, thread_name_prefix="nudges")
        self.commit = GroupCommit(get_stream(Flow.VIEWS))
        self.shops = Shops(self.executor)
        self.reading = Reading(self.executor)
        self.limits = guard.in_force()
        self.origins = conf.get().STOREFRONT_ORIGINS
        self.country = conf.get().COUNTRY_HEADER.lower().encode()
        self._captured: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                _settle()
            if message["type"] == "lifespan.shutdown":
                await self.close()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return

    async def close(self) -> None:
        """Let go of every connection; requests still on their way have been answered by now."""
        self._count()
        await self.reading.looking.close()
        await self.commit.close()
        await close_async()
        self.executor.shutdown(wait=False)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = read_head(scope, self.country)
        try:
            reply = await _door(scope)(self, asked, receive)
        except TooMany as error:
            reply = _come_back(math.ceil(error.wait))
        except NudgesError as error:
            reply = _reply(refusal(error))
        except DatabaseError:
            reply = _reply(refusal(StreamUnavailable()))
        except Exception:
            telemetry.trouble(telemetry.Log.REQUEST_FAILED, door="v1")
            reply = _reply(refusal(NudgesError("Something went wrong.")))
        await self._send(send, asked.origin, reply)

    async def _send(self, send: Send, origin: str, reply: Reply) -> None:
        headers = [(b"content-length", b"%d" % len(reply.body)), *reply.headers]
        if origin:
            headers += _cors(origin, self.origins)
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

    # The doors.

    async def events(self, asked: Asked, receive: Receive) -> Reply:
        """POST v1/events: 202 once everything accepted is durable."""
        shop = self.shops.known(asked.query.get("shop", "")) or await self._shop(asked)
        caller = self._caller(asked)
        requests.admit("events", shop, caller, self.limits)
        body = await _body(receive)
        taken = requests.read_events(shop, body, datetime.now(UTC), caller)
        if taken.contacts:
            taken = await self._aside(contacts.take, shop, taken)
        if taken.entries:
            await self.commit.keep(taken.entries)
            for entry in taken.entries:
                self._captured[entry.kind] += 1
        # Nobody keeps the answer to a POST.
        return Reply(taken.as_bytes(), 202, (JSON,))

    async def nudges(self, asked: Asked, _receive: Receive) -> Reply:
        """GET v1/nudges: what this visitor may see on this page; never an error of ours."""
        shop = self.shops.known(asked.query.get("shop", "")) or await self._shop(asked)
        caller = self._caller(asked)
        requests.admit("nudges", shop, caller, self.limits)
        if token := asked.query.get("preview"):
            now = datetime.now(UTC)
            return _reply(await self._aside(requests.preview, shop, token, now))
        ask = requests.read_ask(shop, asked.query, caller)
        now = datetime.now(UTC)
        if ask.visitor and requests.is_here(shop, ask, now, caller):
            self.reading.beat(shop, ask.channel, ask.product, ask.visitor)
        page = self.reading.known(shop, ask)
        if page is None:
            page = await self.reading.get(shop, ask)
        feed = choose_among(page.boards, shop, ask, now, page.visitors) if page else Feed()
        if page and page.visitors and (event := requests.told(shop, ask, page, feed, now)):
            self._prove(event)
        return Reply(
            feed.as_bytes(), headers=_headers(*requests.headers_of(ask, asked.query).items())
        )

    async def session(self, asked: Asked, receive: Receive) -> Reply:
        """POST v1/session: a token for an anonymous visitor."""
        shop = await self._shop(asked)
        body = await _body(receive)
        return _reply(requests.session(shop, body, datetime.now(UTC), self._caller(asked)))

    async def device(self, asked: Asked, _receive: Receive) -> Reply:
        """GET v1/device: which device asks, and whether it is a crawler."""
        return _reply(requests.device(asked.agent))

    async def words(self, asked: Asked, _receive: Receive) -> Reply:
        """GET v1/words: what the widget itself says, in a language."""
        return _reply(requests.words(asked.query.get("languageCode", "")))

    async def alive(self, _asked: Asked, _receive: Receive) -> Reply:
        """GET healthz: the process answers. Says nothing of the servers behind it on purpose."""
        return Reply(b'{"status":"ok"}')

    async def metrics(self, _asked: Asked, _receive: Receive) -> Reply:
        """GET metrics: Prometheus' text format, of this process."""
        self._count()
        kind = (b"content-type", b"text/plain; version=0.0.4")
        return Reply(telemetry.exposition(), headers=(kind,))

    async def preflight(self, _asked: Asked, _receive: Receive) -> Reply:
        """OPTIONS of any door."""
        return Reply(b"", 204, PREFLIGHT)

    async def missing(self, _asked: Asked, _receive: Receive) -> Reply:
        """Answer for whatever we are not."""
        return Reply(b'{"error":{"code":"NOT_FOUND","message":"There is nothing here."}}', 404)

    async def wrong_method(self, _asked: Asked, _receive: Receive) -> Reply:
        """Answer for the right address in the wrong way."""
        return Reply(b'{"error":{"code":"METHOD","message":"Not with this method."}}', 405)

    async def _shop(self, asked: Asked) -> Shop:
        name = asked.query.get("shop", "")
        if name and not is_public_id(name):
            raise UnknownShop
        return await self.shops.get(name)

    async def _aside[**P, T](self, work: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        """Do what asks the database, and is rare, where nobody waits behind it."""

        def run() -> T:
            close_old_connections()
            return work(*given, **named)

        return await asyncio.get_running_loop().run_in_executor(self.executor, run)

    def _caller(self, asked: Asked) -> Caller:
        address = self.limits.address(asked.peer, asked.forwarded)
        return Caller(address, asked.agent, asked.country)

    def _prove(self, event: LiveMeasured) -> None:
        # Nobody waits for it: it says what a page is being told.
        self._captured[event.kind] += 1
        self.commit.keep([encode(event)]).add_done_callback(noticed)

    def _count(self) -> None:
        for kind, count in self._captured.items():
            telemetry.CAPTURED.labels(kind=kind).inc(count)
        self._captured.clear()


DOORS: Final[dict[str, dict[str, Door]]] = {
    "v1/events": {"POST": HotRequests.events},
    "v1/nudges": {"GET": HotRequests.nudges},
    "v1/session": {"POST": HotRequests.session},
    "v1/device": {"GET": HotRequests.device},
    "v1/words": {"GET": HotRequests.words},
    "healthz": {"GET": HotRequests.alive},
    "metrics": {"GET": HotRequests.metrics},
}


def _door(scope: Scope) -> Door:
    methods = _methods(scope["path"])
    if methods is None:
        return HotRequests.missing
    return methods.get(scope["method"], HotRequests.wrong_method)


@lru_cache(maxsize=256)
def _methods(path: str) -> dict[str, Door] | None:
    # Below whatever a proxy or Saleor's plugin address puts in front of it.
    start = path.rfind("/v1/")
    methods = DOORS.get(path[start + 1 :] if start >= 0 else path.lstrip("/"))
    return methods and methods | {"OPTIONS": HotRequests.preflight}


def _settle() -> None:
    """Make this process, which does nothing else, quick to answer."""
    # What is loaded stays: the collector need not look at it again and again.
    gc.collect()
    gc.freeze()
    # A thread that builds a board gives way to those who wait for an answer.
    sys.setswitchinterval(SWITCH_SECONDS)


async def _body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    parts, size = [body], len(body)
    while message.get("more_body") and size <= LARGEST_BODY:
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
    if size > LARGEST_BODY:
        raise InvalidInput(f"At most {LARGEST_BODY} bytes a request.", field="body")
    return body if len(parts) == 1 else b"".join(parts)


@lru_cache(maxsize=16)
def _headers(*named: tuple[str, str]) -> tuple[tuple[bytes, bytes], ...]:
    return (JSON, *((key.lower().encode(), value.encode()) for key, value in named))


def _reply(answer: Answer) -> Reply:
    headers = {"Cache-Control": "no-store"} | answer.headers
    packed = [(key.lower().encode(), value.encode()) for key, value in headers.items()]
    if "Retry-After" in headers:
        packed.append(EXPOSED)
    return Reply(msgspec.json.encode(answer.body), answer.status, (JSON, *packed))


@lru_cache(maxsize=64)
def _come_back(seconds: int) -> Reply:
    # Refusing must cost less than accepting, or too many requests take the others' time.
    return _reply(refusal(TooMany(wait=seconds)))


@lru_cache(maxsize=1024)
def _cors(origin: str, patterns: tuple[str, ...]) -> tuple[tuple[bytes, bytes], ...]:
    allowed = access.allowed_origin(origin, patterns)
    if not allowed:
        return ()
    header = (b"access-control-allow-origin", allowed.encode("latin-1"))
    return (header,) if allowed == "*" else (header, (b"vary", b"Origin"))
