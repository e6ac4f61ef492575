"""Boards for the hot requests: from this process's memory, else from Redis, else from the database.

A board read a moment ago serves everyone who asks in that moment; who changes one takes it off the
shelf in Redis, so a page is never older than SHOWN_SECONDS and one poll together. With the boards
comes how many visitors look at their products, and with the question go the beats of those visitors
who asked meanwhile: one trip to Redis for all of it.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Hashable
from concurrent.futures import Executor
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import DatabaseError

from saleor_nudges import conf, live
from saleor_nudges.asgi.building import Building
from saleor_nudges.asgi.looking import Look, Looking
from saleor_nudges.asgi.pages import Page, about, counts_visitors
from saleor_nudges.live import HERE, TOLD_FOR
from saleor_nudges.models import Shop
from saleor_nudges.nudges import shelf
from saleor_nudges.nudges.cards import Board, Boards
from saleor_nudges.nudges.choose import Ask

# With Redis, how long a board is not asked for again; it is shown while that goes on.
FRESH_SECONDS: Final = 0.25
# No page is further behind than this; without Redis a board is built again after so long.
SHOWN_SECONDS: Final = TOLD_FOR
# While neither answers, what was true so recently is still shown; nothing is shown after that.
STALE_SECONDS: Final = 30.0
MOST_BOARDS: Final = 8192
# A page waits no longer for a board that has to be built.
PATIENCE_SECONDS: Final = 1.0

# A seller may change something between two looks of which each is whole.
TRIES: Final = 2

Products = tuple[str, ...]
Key = tuple[str, str]  # shop and channel; product, or "" for the channel's own board


class Known(NamedTuple):
    """A board, when it was read, as what it lay in Redis, and who looked at its product then."""

    at: float
    board: Board
    value: bytes | None
    visitors: int


class Place:
    """What is known of one channel, by product, and what was made of each board; see `Boards`."""

    def __init__(self) -> None:
        self.known: OrderedDict[str, Known] = OrderedDict()
        self.made: dict[str, dict[Hashable, Any]] = {}

    def keep(self, product: str, known: Known) -> None:
        """Keep what was read just now; boards of another configuration than the channel's go."""
        if not product:
            stamp = known.board.stamp
            for other in [name for name, one in self.known.items() if one.board.stamp != stamp]:
                del self.known[other], self.made[other]
        last = self.known.get(product)
        if last is None or last.board is not known.board:
            self.made[product] = {}
        self.known[product] = known
        self.known.move_to_end(product)

    def drop_oldest(self) -> None:
        """Forget what was not read for the longest time."""
        product, _ = self.known.popitem(last=False)
        del self.made[product]


NOWHERE: Final = Place()


class Reading:
    """The boards asked for lately."""

    def __init__(self, executor: Executor) -> None:
        self.building = Building(executor)
        self.settings = conf.get()
        self.fresh = FRESH_SECONDS if self.settings.REDIS_URL else SHOWN_SECONDS
        self.looking = Looking(self.settings.REDIS_URL, is_cluster=self.settings.REDIS_CLUSTER)
        self._places: OrderedDict[str, Place] = OrderedDict()
        self._boards_kept = 0
        self._asking: dict[Key, asyncio.Future[None]] = {}

    def known(self, shop: Shop, ask: Ask) -> Page | None:
        """Return what a page needs if it was read a moment ago, and have it read again."""
        where, now = _where(shop.pk, ask.channel), time.monotonic()
        page, old = self._page(where, ask, now - SHOWN_SECONDS, now - self.fresh)
        if page is not None and old:
            due = tuple(product for product in old if (where, product) not in self._asking)
            if due:
                self._begin(shop, ask.channel, due).add_done_callback(noticed)
        return page

    async def get(self, shop: Shop, ask: Ask) -> Page | None:
        """Return what a page needs; None if it cannot be read just now."""
        where = _where(shop.pk, ask.channel)
        for _ in range(TRIES):
            trouble = await self._wait(shop, ask.channel, about(ask))
            since = time.monotonic() - (STALE_SECONDS if trouble else SHOWN_SECONDS)
            page, _ = self._page(where, ask, since, since)
            if page is not None or trouble:
                return page
        return None

    def beat(self, shop: Shop, channel: str, product: str, visitor: UUID) -> None:
        """Take it that a visitor looks at a product now, where the seller wants that counted."""
        general = self._place(_where(shop.pk, channel)).known.get("")
        if general is None or not counts_visitors(general.board):
            return
        place = live.Place(shop.pk, channel, product)
        if self.settings.REDIS_URL:
            self.looking.beat(place, visitor, time.time())
        else:
            HERE.beat(place, visitor, time.time())

    def _place(self, where: str) -> Place:
        return self._places.get(where, NOWHERE)

    def _page(
        self, where: str, ask: Ask, since: float, fresh_since: float
    ) -> tuple[Page | None, list[str]]:
        """Return what was read since then, if it is everything, and what of it is due again."""
        place = self._place(where)
        general = place.known.get("")
        if general is None or general.at < since:
            return None, []
        products = about(ask)
        if not products or not general.board.pages:
            old = [""] if general.at < fresh_since else []
            return Page(Boards(general.board, {}, place.made)), old
        found = [place.known.get(product) for product in products]
        known = [one for one in found if one is not None and one.at >= since]
        if len(known) < len(found):
            return None, []
        old = [name for name, one in zip(products, known, strict=True) if one.at < fresh_since]
        boards = {name: one.board for name, one in zip(products, known, strict=True)}
        visitors = self._visitors(place, ask.product)
        return Page(Boards(general.board, boards, place.made), visitors), old

    def _visitors(self, place: Place, product: str) -> int:
        known = place.known.get(product) if product else None
        return known.visitors if known and time.monotonic() - known.at <= TOLD_FOR else 0

    async def _wait(self, shop: Shop, channel: str, products: Products) -> bool:
        """Have what is missing read; tell whether that failed, or takes too long."""
        where, since = _where(shop.pk, channel), time.monotonic() - SHOWN_SECONDS
        place = self._place(where)
        general = place.known.get("")
        missing = []
        for product in products:
            known = place.known.get(product)
            if general is None or known is None or known.at < since:
                missing.append(product)
        keys = {(where, product) for product in missing or ("",)}
        unasked = tuple(product for _, product in keys - self._asking.keys())
        if unasked:
            self._begin(shop, channel, unasked)
        done, late = await asyncio.wait(
            {self._asking[key] for key in keys}, timeout=PATIENCE_SECONDS
        )
        troubles = [error for one in done if (error := one.exception())]
        for error in troubles:
            if not isinstance(error, DatabaseError):
                raise error
        return bool(late or troubles)

    def _begin(self, shop: Shop, channel: str, products: Products) -> asyncio.Future[None]:
        asking = asyncio.ensure_future(self._read(shop, channel, products))
        where = _where(shop.pk, channel)
        self._asking.update({(where, product): asking for product in products})
        return asking

    async def _read(self, shop: Shop, channel: str, products: Products) -> None:
        where = _where(shop.pk, channel)
        try:
            look = Look(shop.pk, channel, products, self._counted(where, products))
            found, visitors = await self.looking.look(look)
            boards = self._boards(where, found, products)
            if is_built := boards is None:
                boards = await self.building.boards(shop, found, products)
        finally:
            for product in products:
                self._asking.pop((where, product), None)
        now = time.monotonic()
        for scope, board in {"": boards.channel, **boards.products}.items():
            raw = None if is_built else found.pairs[scope][0]
            self._keep(where, scope, Known(now, board, raw, visitors.get(scope, 0)))

    def _counted(self, where: str, products: Products) -> Products:
        boards = self._place(where).known
        general = boards.get("")
        if general is None or not counts_visitors(general.board):
            return ()
        known = ((product, boards.get(product)) for product in products if product)
        return tuple(product for product, one in known if not one or one.board.live is not None)

    def _boards(self, where: str, found: shelf.Found, products: Products) -> Boards | None:
        """Return what lay in Redis, if it is everything."""
        boards = {scope: self._board(where, found, scope) for scope in shelf.scopes(products)}
        general = boards.pop("")
        if general is None:
            return None
        if not general.pages:
            return Boards(general, {})
        whole = {
            product: board
            for product, board in boards.items()
            if board is not None and board.stamp == general.stamp
        }
        return Boards(general, whole) if len(whole) == len(boards) else None

    def _board(self, where: str, found: shelf.Found, scope: str) -> Board | None:
        last, raw = self._place(where).known.get(scope), found.pairs[scope][0]
        if raw is not None and last is not None and last.value == raw:
            # Nearly always: reading it again would cost the processor, and the collector more.
            return last.board
        return found.board(scope)

    def _keep(self, where: str, product: str, known: Known) -> None:
        place = self._places.get(where)
        if place is None:
            place = self._places[where] = Place()
        self._places.move_to_end(where)
        self._boards_kept -= len(place.known)
        place.keep(product, known)
        self._boards_kept += len(place.known)
        if self._boards_kept > MOST_BOARDS:
            oldest = next(iter(self._places))
            self._places[oldest].drop_oldest()
            self._boards_kept -= 1
            if not self._places[oldest].known:
                del self._places[oldest]


def _where(shop: UUID, channel: str) -> str:
    return f"{shop.hex}/{channel}"


def noticed(done: asyncio.Future[None]) -> None:
    """Take what nobody waits for as done: whoever asks next hears what went wrong."""
    if not done.cancelled():
        done.exception()
