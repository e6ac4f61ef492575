"""Boards for the hot requests: from this process's memory, else from Redis, else from the database.

A board read a moment ago serves everyone who asks in that moment; who changes one takes it off the
shelf in Redis, so a page is never older than this memory and one poll together.
"""

import asyncio
import time
from collections import OrderedDict
from concurrent.futures import Executor
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from django.db import DatabaseError, close_old_connections
from redis.exceptions import RedisError

from saleor_nudges import conf, telemetry
from saleor_nudges.models import Shop
from saleor_nudges.nudges import shelf
from saleor_nudges.nudges.boards import Boards, boards_from, read_from

# With Redis, how long a board is not asked for again; without, how long it is not built again.
FRESH_SECONDS: Final = 0.25
FRESH_WITHOUT_REDIS: Final = 1.0
# While neither answers, what was true so recently is still shown; nothing is shown after that.
STALE_SECONDS: Final = 30.0
MOST_PAGES: Final = 4096
# A page waits no longer for a board that has to be built.
PATIENCE_SECONDS: Final = 1.0

Key = tuple[UUID, str, str]


class Reading:
    """The boards of the pages asked for lately."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self.redis = shelf.async_client(conf.get().REDIS_URL)
        self.fresh = FRESH_SECONDS if self.redis else FRESH_WITHOUT_REDIS
        self._known: OrderedDict[Key, tuple[float, Boards]] = OrderedDict()
        self._asking: dict[Key, asyncio.Future[Boards]] = {}

    async def close(self) -> None:
        """Let go of the connections to Redis."""
        if self.redis is not None:
            await self.redis.aclose()

    def known(self, shop: Shop, channel: str, product: str) -> Boards | None:
        """Return the boards of a page if they were read a moment ago."""
        found = self._known.get((shop.pk, channel, product))
        if found is None or time.monotonic() - found[0] > self.fresh:
            return None
        return found[1]

    async def get(self, shop: Shop, channel: str, product: str) -> Boards | None:
        """Return the boards of a page; None if they cannot be read just now."""
        key = (shop.pk, channel, product)
        asking = self._asking.get(key)
        if asking is None:
            asking = asyncio.ensure_future(self._read(shop, key))
            self._asking[key] = asking
        try:
            return await asyncio.wait_for(asyncio.shield(asking), PATIENCE_SECONDS)
        except (TimeoutError, DatabaseError):
            return self._lately(key)

    def _lately(self, key: Key) -> Boards | None:
        found = self._known.get(key)
        is_true_enough = found is not None and time.monotonic() - found[0] <= STALE_SECONDS
        return found[1] if found and is_true_enough else None

    async def _read(self, shop: Shop, key: Key) -> Boards:
        try:
            boards = await self._read_anew(shop, key)
        finally:
            self._asking.pop(key, None)
        self._known[key] = (time.monotonic(), boards)
        self._known.move_to_end(key)
        if len(self._known) > MOST_PAGES:
            self._known.popitem(last=False)
        return boards

    async def _read_anew(self, shop: Shop, key: Key) -> Boards:
        found = await self._look(key)
        boards = boards_from(found, key[2])
        if boards is not None:
            return boards
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.executor, _build, found, shop, key[2])

    async def _look(self, key: Key) -> shelf.Found:
        if self.redis is None:
            return shelf.nothing_found(*key)
        try:
            values = await self.redis.mget(shelf.keys_of(*key))
        except RedisError:
            telemetry.log(telemetry.Log.SHELF_AWAY)
            return shelf.nothing_found(*key)
        return shelf.Found(*key, values)


def _build(found: shelf.Found, shop: Shop, product: str) -> Boards:
    close_old_connections()
    return read_from(found, shop, product, datetime.now(UTC))
