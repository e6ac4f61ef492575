"""Which nudges this visitor sees now, and in which words: a choice among what is on the boards."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from saleor_nudges.experiments import assign
from saleor_nudges.models import NudgeType, Shop
from saleor_nudges.nudges import KINDS
from saleor_nudges.nudges.boards import Boards, boards_of
from saleor_nudges.nudges.cards import Card
from saleor_nudges.nudges.configs import is_on

MOST: Final = 20
# The page asks again so often; what was withdrawn is gone from it by then.
POLL_SECONDS: Final = 5


@dataclass(frozen=True, slots=True)
class Ask:
    """What a page asks for, and what it says of who is asking."""

    channel: str
    page: str = "OTHER"
    product: str = ""
    count: int = 3
    exclude: frozenset[str] | tuple[str, ...] = ()
    language: str = "en"
    visitor: UUID | None = None
    checkout: str = ""  # SHA-256 of the visitor's own checkout
    user: str = ""  # keyed hash of the visitor's own account

    def names(self) -> set[str]:
        """Return by which names the visitor's own activity is known."""
        visitor = self.visitor.hex if self.visitor else ""
        return {name for name in (visitor, self.checkout, self.user) if name}


@dataclass(frozen=True, slots=True)
class Shown:
    """One nudge in the visitor's words."""

    card: Card
    text: str
    value: int | None

    def as_json(self) -> dict[str, Any]:
        """Return it as the widget reads it."""
        body = self.card.body | {"text": self.text}
        if self.value is not None:
            body["evidence"] = body["evidence"] | {"value": self.value}
        return body


@dataclass(frozen=True, slots=True)
class Feed:
    """The answer to a page."""

    nudges: tuple[Shown, ...] = ()
    display: dict[str, Any] = field(default_factory=dict)
    enabled: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return it as the widget reads it."""
        return {
            "nudges": [shown.as_json() for shown in self.nudges],
            "display": {"enabled": self.enabled, **self.display},
            "pollAfter": POLL_SECONDS if self.enabled else None,
        }

    def as_bytes(self) -> bytes:
        """Return it as JSON."""
        return msgspec.json.encode(self.as_json())


def choose(shop: Shop, ask: Ask, now: datetime) -> Feed:
    """Return what this visitor may see: true, switched on, not theirs, not seen before."""
    return choose_among(boards_of(shop, ask.channel, ask.product, now), shop, ask, now)


def choose_among(boards: Boards, shop: Shop, ask: Ask, now: datetime) -> Feed:
    """Choose from the channel's board and, where there is one, the product's."""
    channel, _ = boards
    active = [name for name, pages in channel.pages.items() if ask.page in pages]
    if not active or not is_on(shop, now):
        return Feed(display=channel.display)
    if assign(shop.pk, ask.visitor).is_held_out:
        return Feed(display=channel.display, enabled=True)
    limit = min(max(ask.count, 0), MOST)
    left_out, own = set(ask.exclude), ask.names()
    shown: list[Shown] = []
    for card in _candidates(boards, active):
        if len(shown) >= limit:
            break
        if card.id in left_out or card.until <= now or not own.isdisjoint(card.own):
            continue
        left_out.add(card.id)
        if (told := _tell(card, ask)) is not None:
            shown.append(told)
    return Feed(tuple(shown), channel.display, enabled=True)


def _candidates(boards: Boards, active: list[str]) -> Iterator[Card]:
    """Of this product first, the measured before the told; then of the whole channel."""
    channel, product = boards
    if product is not None:
        for name in sorted(active, key=_told_last):
            yield from product.cards.get(name, ())
    for name in active:
        yield from channel.cards.get(name, ())


def _told_last(name: str) -> bool:
    return not KINDS[NudgeType(name)].is_about_this_product


def _tell(card: Card, ask: Ask) -> Shown | None:
    # A visitor with a token is most likely one of those counted; without one nobody is.
    is_measured, may_be_counted = card.value is not None, ask.visitor is not None
    value = card.less if may_be_counted else card.value
    if is_measured and value is None:
        return None
    texts = card.texts_less if is_measured and may_be_counted else card.texts
    return Shown(card, _in_language(texts, ask.language), value)


def _in_language(texts: dict[str, str], language: str) -> str:
    wanted = language.lower()
    for name in (wanted, wanted.partition("-")[0], "en"):
        if name in texts:
            return texts[name]
    return ""
