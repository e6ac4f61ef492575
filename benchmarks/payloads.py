"""What is posted: prepared requests of a thousand visitors, each with ids nobody has seen.

A request is a template: bytes with PLACE where a counter of twelve hex digits goes. An id is a
UUIDv7 whose last group is the counter and whose middle groups tell the run and the place in the
batch, so that whoever made the template knows every id that was posted.
"""

import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

# As long as twelve hex digits, and in no token or hash.
PLACE: Final = b"@@@@@@@@@@@@"
PRODUCTS: Final = 2000
CHANNEL: Final = "default-channel"
HEADERS: Final = (
    "Host: 127.0.0.1\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"
    "Accept: */*\r\nOrigin: https://shop.example.com\r\n"
)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody with a token of v1/session, and perhaps a checkout (its hash)."""

    token: str
    checkout: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One run's own ids: the millisecond it began in, and three digits to tell it by."""

    moment: int = field(default_factory=lambda: time.time_ns() // 1_000_000)
    salt: int = field(default_factory=lambda: random.SystemRandom().randrange(1 << 12))

    def template(self, place: int) -> str:
        """Return the id at one place of a batch, with PLACE for the counter."""
        digits = f"{self.moment:012x}"
        head = f"{digits[:8]}-{digits[8:]}-7{self.salt:03x}-8{place:03x}"
        return f"{head}-{PLACE.decode()}"

    def id(self, place: int, counter: int) -> UUID:
        """Return the id that was posted there with this counter."""
        return UUID(self.template(place).replace(PLACE.decode(), f"{counter:012x}"))


def product(number: int) -> str:
    """Return the global id of a product of the sample."""
    return f"UHJvZHVjdDo{number:05d}"


def popular(chance: random.Random) -> str:
    """Return a product as shoppers pick them: few are looked at most of the time."""
    return product(min(PRODUCTS - 1, int(chance.paretovariate(0.7)) - 1))


PRODUCTS_BY_NAME: Final = [product(number) for number in range(PRODUCTS)]


def post(path: str, body: bytes) -> bytes:
    """Return one HTTP request that posts JSON."""
    head = f"POST {path} HTTP/1.1\r\n{HEADERS}Content-Type: text/plain;charset=UTF-8\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def get(path: str, **query: str) -> bytes:
    """Return one HTTP request that asks."""
    return f"GET {path}?{urlencode(query)} HTTP/1.1\r\n{HEADERS}\r\n".encode()


def body_of(visitor: Visitor, events: Sequence[dict[str, Any]]) -> bytes:
    """Return what the widget would send."""
    data: dict[str, Any] = {"token": visitor.token, "events": list(events)}
    if visitor.checkout:
        data["checkout"] = visitor.checkout
    return json.dumps(data, separators=(",", ":")).encode()


def viewed(event_id: str, product_id: str, channel: str = CHANNEL) -> dict[str, Any]:
    """Return one view of a product, now, as the widget words it."""
    return {
        "id": event_id,
        "kind": "product_viewed",
        "at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "channel": channel,
        "product": product_id,
        "page": "PRODUCT",
    }


def posts(
    visitors: Sequence[Visitor],
    run: Run,
    *,
    path: str,
    size: int = 1,
    count: int = 1000,
    channels: Sequence[str] = (CHANNEL,),
    seed: int = 1,
) -> list[bytes]:
    """Return templates of requests that post `size` events each; seeded, so always the same."""
    chance = random.Random(seed)
    templates = []
    for number in range(count):
        events = [
            viewed(run.template(place), popular(chance), chance.choice(channels))
            for place in range(size)
        ]
        body = body_of(visitors[number % len(visitors)], events)
        templates.append(post(path, body))
    return templates


def asks(
    visitors: Sequence[Visitor], *, path: str, shop: str, count: int = 1000, listed: int = 0
) -> list[bytes]:
    """Return what pages ask: whose they are, what they have shown, on which product's page.

    With `listed` they are pages that list so many products.
    """
    chance = random.Random(2)
    requests = []
    for number in range(count):
        visitor = visitors[number % len(visitors)]
        seen = ",".join(f"n{chance.randrange(10**7):07d}" for _ in range(3))
        query = {
            "shop": shop,
            "channel": CHANNEL,
            **(_listing(chance, listed) if listed else _page(chance)),
            "count": "3",
            "languageCode": "de",
            "token": visitor.token,
            "exclude": seen,
        }
        if visitor.checkout:
            query["checkout"] = visitor.checkout
        requests.append(get(path, **query))
    return requests


def _page(chance: random.Random) -> dict[str, str]:
    return {"page": "PRODUCT", "product": popular(chance)}


def _listing(chance: random.Random, listed: int) -> dict[str, str]:
    # A shop has its pages, each with its own products, and the first ones are looked at most.
    first = PRODUCTS_BY_NAME.index(popular(chance)) // listed * listed
    return {"page": "LISTING", "products": ",".join(PRODUCTS_BY_NAME[first : first + listed])}


def as_lua(templates: Sequence[bytes], file: Path) -> Path:
    """Write templates as load/requests.lua reads them."""
    lines = ["return {"]
    for template in templates:
        pieces = ", ".join(_quoted(piece) for piece in template.split(PLACE))
        lines.append(f"{{{pieces}}},")
    file.write_bytes("\n".join([*lines, "}"]).encode("latin-1"))
    return file


def _quoted(piece: bytes) -> str:
    text = piece.decode("latin-1").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text.replace(chr(13), "\\r").replace(chr(10), "\\n")}"'
