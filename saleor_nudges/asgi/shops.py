"""Which shop a request is for, known without asking the database each time."""

import asyncio
import time
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

from django.db import DatabaseError

from saleor_nudges import telemetry
from saleor_nudges.exceptions import StreamUnavailable, UnknownShop
from saleor_nudges.models import Shop

# What a seller switches off is off after so long; a poll is no faster.
FRESH_SECONDS: Final = 2.0
MOST_SHOPS: Final = 10_000


@dataclass(slots=True)
class Known:
    """What is known under one name, and since when; no shop is an answer too."""

    shop: Shop | None
    at: float


class Shops:
    """The shops, by the public id a page names; the only one there is needs no name."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self._known: dict[str, Known] = {}
        self._asking: dict[str, asyncio.Future[Known]] = {}

    def known(self, name: str) -> Shop | None:
        """Return a shop that was looked up a moment ago; None where `get` must be asked."""
        known = self._known.get(name)
        if known is None or time.monotonic() - known.at > FRESH_SECONDS:
            return None
        return known.shop

    async def get(self, name: str) -> Shop:
        """Return the shop of that public id; raises UnknownShop, or StreamUnavailable at first.

        What is known is answered at once and looked up again behind it, so that a database that
        is away for a while takes no page down.
        """
        known = self._known.get(name)
        if known is None:
            known = await self._ask(name)
        elif time.monotonic() - known.at > FRESH_SECONDS and name not in self._asking:
            self._ask(name).add_done_callback(_noticed)
        if known.shop is None:
            raise UnknownShop
        return known.shop

    def _ask(self, name: str) -> "asyncio.Future[Known]":
        if name not in self._asking:
            loop = asyncio.get_running_loop()
            self._asking[name] = asyncio.ensure_future(self._look(loop, name))
        return self._asking[name]

    async def _look(self, loop: asyncio.AbstractEventLoop, name: str) -> Known:
        try:
            shop = await loop.run_in_executor(self.executor, _read, name)
        except DatabaseError as error:
            if name in self._known:
                # Asked again a moment later, and answered from memory until then.
                self._known[name].at = time.monotonic()
            raise StreamUnavailable("The shops cannot be read now.") from error
        finally:
            self._asking.pop(name, None)
        if len(self._known) >= MOST_SHOPS:
            self._known.clear()
        self._known[name] = Known(shop, time.monotonic())
        return self._known[name]


def _read(name: str) -> Shop | None:
    shops = Shop.objects.filter(is_active=True)
    # Unnamed, it is the only one there is: a second shop makes the name necessary.
    found = list((shops.filter(public_id=name) if name else shops)[:2])
    return found[0] if len(found) == 1 else None


def _noticed(done: "asyncio.Future[Known]") -> None:
    if not done.cancelled() and done.exception() is not None:
        telemetry.log(telemetry.Log.SHOPS_STALE)
