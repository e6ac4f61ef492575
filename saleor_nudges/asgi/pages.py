"""What an answer is chosen from: the boards of a page, and who looks at its product right now."""

import time
from collections import OrderedDict
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from saleor_nudges.asgi.looking import Look, look_now
from saleor_nudges.live import Beats, Place
from saleor_nudges.models import NudgeType, Shop
from saleor_nudges.nudges.boards import read_from
from saleor_nudges.nudges.cards import Board, Boards
from saleor_nudges.nudges.choose import Ask

MOST_CHANNELS: Final = 4096
# In which channels the seller wants visitors counted, as far as this process has seen.
_counting: OrderedDict[tuple[UUID, str], bool] = OrderedDict()


class Page(NamedTuple):
    """Boards, and how many look at the page's own product now, the one who asks among them."""

    boards: Boards
    visitors: int = 0


def about(ask: Ask) -> tuple[str, ...]:
    """Return the products whose boards a page needs."""
    if not ask.products:
        return (ask.product,) if ask.product else ()
    return tuple(dict.fromkeys(filter(None, (ask.product, *ask.products))))


def counts_visitors(general: Board) -> bool:
    """Tell whether the seller wants it said how many look at a product, given a channel's board."""
    return NudgeType.LIVE_VISITORS in general.pages


def read_now(shop: Shop, ask: Ask, now: datetime, *, is_here: bool) -> Page:
    """Return what a page needs in one trip to Redis, and the database for what is not there.

    Whether visitors are counted is known from the answer before; `is_here`: this one is to be.
    """
    where = (shop.pk, ask.channel)
    counted = (ask.product,) if ask.product and _counting.get(where) else ()
    beats: Beats = {}
    if counted and is_here and ask.visitor:
        beats = {Place(*where, ask.product): {ask.visitor: time.time()}}
    found, visitors = look_now(Look(*where, about(ask), counted), beats)
    boards = read_from(found, shop, about(ask), now)
    _counting[where] = counts_visitors(boards.channel)
    _counting.move_to_end(where)
    while len(_counting) > MOST_CHANNELS:
        _counting.popitem(last=False)
    return Page(boards, visitors.get(ask.product, 0))
