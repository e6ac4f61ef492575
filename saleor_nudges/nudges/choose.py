"""Which nudges this visitor sees now, and in which words: a choice among what is on the boards."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Final
from uuid import UUID

import msgspec

from saleor_nudges.experiments import assign
from saleor_nudges.models import Shop
from saleor_nudges.nudges.boards import boards_of
from saleor_nudges.nudges.cards import Boards
from saleor_nudges.nudges.configs import is_on
from saleor_nudges.nudges.hand import Hand, Shown, in_language

MOST: Final = 20
# The page asks again so often; what was withdrawn is gone from it by then.
POLL_SECONDS: Final = 5
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Ask:
    """What a page asks for, and what it says of who is asking."""

    channel: str
    page: str = "OTHER"
    product: str = ""
    # A page that lists products names up to fifty: each may have one nudge beside it.
    products: tuple[str, ...] = ()
    category: str = ""
    device: str = ""  # "": not known, so nothing is held back
    country: str = ""  # ISO 3166, of the visitor
    count: int = 3
    # In the order in which they were shown.
    exclude: Sequence[str] = ()
    # What is on the page now; those that no longer stand are named in the answer.
    shown: tuple[str, ...] = ()
    language: str = "en"
    visitor: UUID | None = None
    checkout: str = ""  # SHA-256 of the visitor's own checkout
    user: str = ""  # keyed hash of the visitor's own account

    def names(self) -> set[str]:
        """Return by which names the visitor's own activity is known."""
        visitor = self.visitor.hex if self.visitor else ""
        return {name for name in (visitor, self.checkout, self.user) if name}


@dataclass(frozen=True, slots=True)
class Feed:
    """The answer to a page."""

    nudges: tuple[Shown, ...] = ()
    display: dict[str, Any] = field(default_factory=dict)
    enabled: bool = False
    # What of `Ask.shown` stands no longer, so that the page takes it away; None: nothing is shown.
    withdrawn: tuple[str, ...] | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as the widget reads it."""
        return {
            "nudges": [shown.as_json() for shown in self.nudges],
            **self._beside_them(),
        }

    def as_bytes(self) -> bytes:
        """Return it as JSON."""
        nudges = [shown.raw or shown.as_json() for shown in self.nudges]
        return _encode({"nudges": nudges, **self._beside_them()})

    def _beside_them(self) -> dict[str, Any]:
        gone = {} if self.withdrawn is None else {"withdrawn": list(self.withdrawn)}
        return gone | {
            "display": {"enabled": self.enabled, **self.display},
            "pollAfter": POLL_SECONDS if self.enabled else None,
        }


def choose(shop: Shop, ask: Ask, now: datetime) -> Feed:
    """Return what this visitor may see: true, switched on, not theirs, not seen before."""
    boards = boards_of(shop, ask.channel, (ask.product, *ask.products), now)
    return choose_among(boards, shop, ask, now)


def choose_among(boards: Boards, shop: Shop, ask: Ask, now: datetime, live: int = 0) -> Feed:
    """Choose from the channel's board and those of the page's products.

    `live` is how many look at the page's product right now, the one who asks among them.
    """
    channel = boards.channel
    active = [name for name, pages in channel.pages.items() if ask.page in pages]
    is_here = not ask.device or ask.device in channel.devices
    if not active or not is_here or not is_on(shop, now):
        return Feed(display=channel.display, withdrawn=ask.shown or None)
    if assign(shop.pk, ask.visitor).is_held_out:
        return Feed(display=channel.display, enabled=True, withdrawn=ask.shown or None)
    hand = Hand(boards, ask, now, live)
    beside = hand.beside(active) if ask.products else []
    told = [*islice(hand.in_turn(active), min(max(ask.count, 0), MOST)), *beside]
    if not ask.shown:
        return Feed(tuple(told), channel.display, enabled=True)
    told += hand.told_anew(active, {shown.card.id for shown in told})
    gone = tuple(name for name in ask.shown if hand.standing(name, active) is None)
    return Feed(tuple(told), channel.display, enabled=True, withdrawn=gone)


__all__ = ["MOST", "Ask", "Feed", "Hand", "Shown", "choose", "choose_among", "in_language"]
