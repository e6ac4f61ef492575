"""Where boards are kept between two changes: in Redis where there is one, else nowhere.

A board that is read from the database is put on the shelf only if nothing on it was changed
meanwhile: whoever changes something renews a mark beside the board, and whoever fills the shelf
must still find the mark they saw before they read. So nobody puts an old board over a new one.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db import transaction
from redis import Redis
from redis.exceptions import RedisError

from saleor_nudges import conf, telemetry
from saleor_nudges.events.identity import uuid7
from saleor_nudges.nudges.cards import Board
from saleor_nudges.stream.redis_clients import quoted

# A change takes its board away at once; this bounds what a lost change could cost.
KEPT_SECONDS: Final = 60
MARK_SECONDS: Final = 2 * KEPT_SECONDS
# Put the board there unless the mark has changed since it was read.
FILL: Final = """
if (redis.call('GET', KEYS[2]) or '') == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
end
"""
# Tests that never commit put something else here.
after_commit = transaction.on_commit
_decoder = msgspec.json.Decoder(Board)


# What a page is about: a product, several of them on a listing page, or "".
Products = str | tuple[str, ...]


class Found:
    """What lay on the shelf for one page, and the marks beside it."""

    def __init__(
        self, shop: UUID, channel: str, products: Products, values: Sequence[bytes | None]
    ) -> None:
        self.shop, self.channel, self.values = shop, channel, values
        pairs = zip(values[::2], values[1::2], strict=True)
        self.pairs = dict(zip(scopes(products), pairs, strict=True))

    def board(self, product: str) -> Board | None:
        """Return the board that lay there; None if there is none that can be read."""
        raw, _ = self.pairs[product]
        try:
            return _decoder.decode(raw) if raw else None
        except msgspec.DecodeError:
            return None  # written by another version of ours

    def mark(self, product: str) -> bytes:
        """Return the mark that was seen beside it."""
        return self.pairs[product][1] or b""


def scopes(products: Products) -> tuple[str, ...]:
    """Return which boards a page needs: the channel's, and those of its products."""
    named = (products,) if isinstance(products, str) else products
    return ("", *dict.fromkeys(filter(None, named)))


def keys_of(shop: UUID, channel: str, products: Products) -> list[str]:
    """Return the keys of what a page needs, in one slot of a cluster: board, mark, board, mark."""
    keys = []
    for scope in scopes(products):
        # What a page names may hold anything: no name of one kind is ever one of another.
        base = f"nudges:{{{shop.hex}/{quoted(channel)}}}"
        keys += [f"{base}:board:{quoted(scope)}", f"{base}:mark:{quoted(scope)}"]
    return keys


def joined(looks: Sequence[Found]) -> Found:
    """Return as one what several looks at a channel have found; of one place, the last."""
    pairs = {scope: pair for found in looks for scope, pair in found.pairs.items()}
    products = tuple(filter(None, pairs))
    values = [value for scope in scopes(products) for value in pairs[scope]]
    return Found(looks[0].shop, looks[0].channel, products, values)


def nothing_found(shop: UUID, channel: str, products: Products) -> Found:
    """Return what is found where there is no shelf."""
    return Found(shop, channel, products, [None] * (2 * len(scopes(products))))


def put(found: Found, boards: Mapping[str, Board]) -> None:
    """Put boards on the shelf, each unless something on it has changed since it was looked at."""
    client = _client()
    if client is None or not boards:
        return
    pipe = client.pipeline(transaction=False)
    for product, board in boards.items():
        base, mark = keys_of(found.shop, found.channel, product)[-2:]
        arguments: Any = [found.mark(product), msgspec.json.encode(board), KEPT_SECONDS]
        pipe.eval(FILL, 2, base, mark, *arguments)
    try:
        pipe.execute()
    except RedisError:
        telemetry.log(telemetry.Log.SHELF_AWAY, logging.WARNING)


def take_down(shop: UUID, places: Iterable[tuple[str, str]]) -> None:
    """Take down the boards of these (channel, product) once the transaction has committed.

    A product of "" is the channel's own board.
    """
    wanted = sorted(set(places))
    if wanted:
        after_commit(partial(_take_down, shop, wanted))


def _take_down(shop: UUID, places: Sequence[tuple[str, str]]) -> None:
    client = _client()
    if client is None:
        return
    pipe = client.pipeline(transaction=False)
    for channel, product in places:
        base, mark = keys_of(shop, channel, product)[-2:]
        pipe.set(mark, uuid7().hex, ex=MARK_SECONDS)
        pipe.delete(base)
    try:
        pipe.execute()
    except RedisError:
        # What lies there is gone by itself after KEPT_SECONDS.
        telemetry.log(telemetry.Log.SHELF_AWAY, logging.WARNING)


def look(shop: UUID, channel: str, products: Products) -> Found:
    """Return what lies on the shelf for one page: one round trip."""
    client = _client()
    if client is None:
        return nothing_found(shop, channel, products)
    try:
        values: Any = client.mget(keys_of(shop, channel, products))
    except RedisError:
        telemetry.log(telemetry.Log.SHELF_AWAY, logging.WARNING)
        return nothing_found(shop, channel, products)
    return Found(shop, channel, products, values)


def _client() -> "Redis | None":
    url = conf.get().REDIS_URL
    return _connected(url) if url else None


@lru_cache(maxsize=4)
def _connected(url: str) -> "Redis":
    client: Redis = Redis.from_url(url, socket_timeout=0.5, socket_connect_timeout=0.5)
    return client
