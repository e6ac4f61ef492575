"""Boards for the hot requests: from this process's memory, else from Redis, else from the database.

A board read a moment ago serves everyone who asks in that moment; who changes one takes it off the
shelf in Redis, so a page is never older than SHOWN_SECONDS and one poll together.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Executor
from datetime import UTC, datetime
from typing import Final, NamedTuple
from uuid import UUID

from django.db import DatabaseError, close_old_connections

from saleor_nudges import conf, telemetry
from saleor_nudges.models import Shop
from saleor_nudges.nudges import shelf
from saleor_nudges.nudges.boards import Boards, boards_from, read_from
from saleor_nudges.stream import redis_clients

# With Redis, how long a board is not asked for again; it is shown while that goes on.
FRESH_SECONDS: Final = 0.25
# No page is further behind than this; without Redis a board is built again after so long.
SHOWN_SECONDS: Final = 1.0
# While neither answers, what was true so recently is still shown; nothing is shown after that.
STALE_SECONDS: Final = 30.0
MOST_PAGES: Final = 4096
PAGES_AT_ONCE: Final = 64
# A page waits no longer for a board that has to be built.
PATIENCE_SECONDS: Final = 1.0

Key = tuple[UUID, str, str]


class Known(NamedTuple):
    """The boards of a page, when they were read, and as what they lay in Redis."""

    at: float
    boards: Boards
    values: Sequence[bytes | None] | None


class Reading:
    """The boards of the pages asked for lately."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self.settings = conf.get()
        self.fresh = FRESH_SECONDS if self.settings.REDIS_URL else SHOWN_SECONDS
        self._known: OrderedDict[Key, Known] = OrderedDict()
        self._asking: dict[Key, asyncio.Future[Boards]] = {}
        self._wanted: list[tuple[Key, asyncio.Future[shelf.Found]]] = []
        self._looking: asyncio.Future[None] | None = None

    def known(self, shop: Shop, channel: str, product: str) -> Boards | None:
        """Return the boards of a page if they were read a moment ago, and have them read again."""
        key = (shop.pk, channel, product)
        found = self._known.get(key)
        if found is None:
            return None
        age = time.monotonic() - found.at
        if age > SHOWN_SECONDS:
            return None
        if age > self.fresh and key not in self._asking:
            self._begin(shop, key).add_done_callback(_noticed)
        return found.boards

    async def get(self, shop: Shop, channel: str, product: str) -> Boards | None:
        """Return the boards of a page; None if they cannot be read just now."""
        key = (shop.pk, channel, product)
        asking = self._asking.get(key) or self._begin(shop, key)
        try:
            return await asyncio.wait_for(asyncio.shield(asking), PATIENCE_SECONDS)
        except (TimeoutError, DatabaseError):
            return self._lately(key)

    def _begin(self, shop: Shop, key: Key) -> asyncio.Future[Boards]:
        asking = asyncio.ensure_future(self._read(shop, key))
        self._asking[key] = asking
        return asking

    def _lately(self, key: Key) -> Boards | None:
        found = self._known.get(key)
        is_true_enough = found is not None and time.monotonic() - found.at <= STALE_SECONDS
        return found.boards if found and is_true_enough else None

    async def _read(self, shop: Shop, key: Key) -> Boards:
        try:
            known = await self._read_anew(shop, key)
        finally:
            self._asking.pop(key, None)
        self._known[key] = known
        self._known.move_to_end(key)
        if len(self._known) > MOST_PAGES:
            self._known.popitem(last=False)
        return known.boards

    async def _read_anew(self, shop: Shop, key: Key) -> Known:
        found = await self._look(key)
        last = self._known.get(key)
        if last is not None and last.values == found.values:
            # Nearly always: reading it again would cost the processor, and the collector more.
            return Known(time.monotonic(), last.boards, last.values)
        boards = boards_from(found, key[2])
        if boards is not None:
            return Known(time.monotonic(), boards, found.values)
        loop = asyncio.get_running_loop()
        boards = await loop.run_in_executor(self.executor, _build, found, shop, key[2])
        return Known(time.monotonic(), boards, None)

    async def _look(self, key: Key) -> shelf.Found:
        if not self.settings.REDIS_URL:
            return shelf.nothing_found(*key)
        found: asyncio.Future[shelf.Found] = asyncio.get_running_loop().create_future()
        self._wanted.append((key, found))
        if self._looking is None:
            self._looking = asyncio.ensure_future(self._look_up())
        return await found

    async def _look_up(self) -> None:
        # Whoever asks while a question is on its way is asked for by the next, all in one go.
        while self._wanted:
            wanted, self._wanted = self._wanted[:PAGES_AT_ONCE], self._wanted[PAGES_AT_ONCE:]
            answers = await self._ask([key for key, _ in wanted])
            for (_, found), answer in zip(wanted, answers, strict=True):
                if not found.done():
                    found.set_result(answer)
        self._looking = None

    async def _ask(self, keys: Sequence[Key]) -> list[shelf.Found]:
        url, is_cluster = self.settings.REDIS_URL, self.settings.REDIS_CLUSTER
        commands = [("MGET", *shelf.keys_of(*key)) for key in keys]
        try:
            replies = await redis_clients.execute(url, commands, is_cluster=is_cluster)
        except (*redis_clients.TROUBLE, TimeoutError, OSError):
            telemetry.log(telemetry.Log.SHELF_AWAY)
            return [shelf.nothing_found(*key) for key in keys]
        return [shelf.Found(*key, values) for key, values in zip(keys, replies, strict=True)]


def _noticed(done: asyncio.Future[Boards]) -> None:
    # Nobody waits for it: whoever asks next hears what went wrong.
    if not done.cancelled():
        done.exception()


def _build(found: shelf.Found, shop: Shop, product: str) -> Boards:
    close_old_connections()
    return read_from(found, shop, product, datetime.now(UTC))
