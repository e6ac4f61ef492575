"""Boards that lie nowhere, built from the database: one build at a time for each channel.

Boards go after a minute, and a busy shop's go in the same moment. Whoever asks while a build is
under way waits for the next, which takes as many queries for all of them as for one.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor
from datetime import UTC, datetime
from functools import partial
from typing import Final, NamedTuple
from uuid import UUID

from django.db import close_old_connections

from saleor_nudges.models import Shop
from saleor_nudges.nudges import shelf
from saleor_nudges.nudges.boards import read_from
from saleor_nudges.nudges.cards import Boards

# Looks that one build serves at most, so that none is much slower than another.
LOOKS_AT_ONCE: Final = 32


class Wanted(NamedTuple):
    """What lay on the shelf for one look, and who waits for what did not."""

    found: shelf.Found
    products: tuple[str, ...]
    built: asyncio.Future[Boards]


class Building:
    """The builds of one process."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self._waiting: dict[tuple[UUID, str], list[Wanted]] = {}
        self._under_way: set[asyncio.Task[None]] = set()

    async def boards(self, shop: Shop, found: shelf.Found, products: tuple[str, ...]) -> Boards:
        """Return these boards and the channel's; raises DatabaseError where they cannot be read."""
        key = (shop.pk, found.channel)
        wanted = Wanted(found, products, asyncio.get_running_loop().create_future())
        if key in self._waiting:
            self._waiting[key].append(wanted)
        else:
            self._waiting[key] = [wanted]
            task = asyncio.create_task(self._build_all(key, shop))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        built = await wanted.built
        beside = {name: built.products[name] for name in products if name in built.products}
        return Boards(built.channel, beside)

    async def _build_all(self, key: tuple[UUID, str], shop: Shop) -> None:
        """Build until nobody waits."""
        waiting = self._waiting[key]
        try:
            while waiting:
                batch = waiting[:LOOKS_AT_ONCE]
                del waiting[:LOOKS_AT_ONCE]
                await self._build(batch, shop)
        finally:
            del self._waiting[key]

    async def _build(self, batch: Sequence[Wanted], shop: Shop) -> None:
        found = shelf.joined([wanted.found for wanted in batch])
        products = tuple({name: None for wanted in batch for name in wanted.products})
        build = partial(_read, found, shop, products)
        try:
            boards = await asyncio.get_running_loop().run_in_executor(self.executor, build)
        except Exception as error:
            for wanted in _waited_for(batch):
                wanted.built.set_exception(error)
        else:
            for wanted in _waited_for(batch):
                wanted.built.set_result(boards)


def _waited_for(batch: Sequence[Wanted]) -> list[Wanted]:
    """Return those that somebody still waits for."""
    return [wanted for wanted in batch if not wanted.built.done()]


def _read(found: shelf.Found, shop: Shop, products: tuple[str, ...]) -> Boards:
    close_old_connections()
    return read_from(found, shop, products, datetime.now(UTC))
