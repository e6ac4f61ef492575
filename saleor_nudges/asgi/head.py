"""What stands before the body of a request: its query, and the few headers we read."""

from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import unquote_plus

from saleor_nudges.asgi.types import Scope

SHORT: Final = 64


class Asked(NamedTuple):
    """What is read of a request before its body."""

    query: dict[str, str]
    origin: str
    agent: str
    forwarded: str
    peer: str
    country: str


def read_head(scope: Scope, country: bytes) -> Asked:
    """Return what a request says before its body; `country` is the header that names one."""
    headers = dict(scope["headers"])
    forwarded = b""
    if b"x-forwarded-for" in headers:
        # Each proxy may have written a line of its own.
        lines = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
        forwarded = b",".join(lines)
    raw, client = scope["query_string"], scope.get("client")
    return Asked(
        _query(raw) if raw else {},
        headers.get(b"origin", b"").decode("latin-1"),
        headers.get(b"user-agent", b"").decode("latin-1"),
        forwarded.decode("latin-1"),
        client[0] if client else "",
        headers.get(country, b"").decode("latin-1") if country else "",
    )


def _query(raw: bytes) -> dict[str, str]:
    # Who reports names the shop and nothing else, so that what is short repeats itself.
    return parsed(raw) if len(raw) <= SHORT else parsed.__wrapped__(raw)


@lru_cache(maxsize=4096)
def parsed(raw: bytes) -> dict[str, str]:
    """Return a query by name, plain."""
    # The last of two wins, as Django's QueryDict has it.
    parts = (part.partition("=") for part in raw.decode("latin-1").split("&") if part)
    return {_plain(name): _plain(value) for name, _, value in parts}


def _plain(text: str) -> str:
    if "%" in text:
        # Lists of ids and tokens have nothing else quoted.
        text = text.replace("%2C", ",").replace("%3A", ":")
    return unquote_plus(text) if "%" in text or "+" in text else text
