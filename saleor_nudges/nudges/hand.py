"""What one visitor may be shown of some boards, each kind in the order of its worth."""

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

import msgspec

from saleor_nudges.nudges.cards import Boards, Card, Live
from saleor_nudges.nudges.kinds.live_visitors import card_of

if TYPE_CHECKING:
    from saleor_nudges.nudges.choose import Ask

# So many nudges of a board are kept ready to be sent: most visitors see the first.
FIRST_FEW: Final = 4
MOST_OF_CHANNEL: Final = 64
NOTHING_MADE: Final[dict[Any, Any]] = {}
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Shown:
    """One nudge in the visitor's words."""

    card: Card
    text: str
    value: int | None
    tag: str | None = None
    slot: str = "TOAST"  # or INLINE: in the page, beside its product
    # The same as JSON, where it is sent again and again.
    raw: msgspec.Raw | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as the widget reads it."""
        body = self.card.body | {"text": self.text, "tag": self.tag, "slot": self.slot}
        if self.value is not None:
            body["evidence"] = body["evidence"] | {"value": self.value}
        return body

    def ready(self) -> "Shown":
        """Return it with its JSON made."""
        return replace(self, raw=msgspec.Raw(_encode(self.as_json())))


class Hand:
    """Cards are looked at one after the other and only as far as they are needed."""

    def __init__(self, boards: Boards, ask: "Ask", now: datetime, live: int) -> None:
        self.boards, self.ask, self.now = boards, ask, now
        self.left_out, self.own = set(ask.exclude), ask.names()
        # Whoever has a name of any kind is most likely one of those counted.
        self.may_be_counted = bool(self.own)
        self.languages = languages(ask.language)
        # By this what was made for one visitor is the same for another.
        self.words = f"{ask.language} {self.may_be_counted}"
        # What is listed has its nudges beside it; the page itself is about one product at most.
        self.page = boards.products.get(ask.product)
        self.live = self._live(live)

    def in_turn(self, active: Sequence[str]) -> Iterator[Shown]:
        """Yield in rounds: no kind again before every other that has something had its turn.

        Who was shown longest ago begins; among those not shown yet, who is nearest to the page.
        """
        turns, priorities = self._turns(), self.boards.channel.priorities
        heads = []
        for kind in self._that_have_any(active):
            cards = self._good(kind)
            if (head := next(cards, None)) is not None:
                rank = (turns.get(kind, -1), head[0], priorities.get(kind, 0), kind)
                heads.append((rank, head, cards))
        heads.sort(key=itemgetter(0))
        while heads:
            for _, head, _ in heads:
                yield self._said(*head)
            followers = ((rank, next(cards, None), cards) for rank, _, cards in heads)
            heads = [(rank, head, cards) for rank, head, cards in followers if head is not None]

    def _that_have_any(self, active: Sequence[str]) -> Iterator[str]:
        boards = [board.cards for board in (self.page, self.boards.channel) if board]
        here = self.live.type if self.live else ""
        for kind in active:
            for cards in boards:
                if kind == here or cards.get(kind):
                    yield kind
                    break

    def beside(self, active: Sequence[str]) -> list[Shown]:
        """Return one nudge for each product that is listed, of the first kind that has one."""
        # Which kinds are active follows from the page, while the board is the same.
        key = f"{self.ask.page} {self.words}"
        left_out, own, now, made = self.left_out, self.own, self.now, self.boards.made
        found: list[Shown] = []
        for product in dict.fromkeys(self.ask.products):
            pile = made.get(product, NOTHING_MADE).get(key)
            if pile is None:
                pile = self.boards.made_of(product, key, self._first_few, active)
            for shown in pile:
                card = shown.card
                if card.id not in left_out and card.until > now and own.isdisjoint(card.own):
                    found.append(shown)
                    break
            else:
                if len(pile) == FIRST_FEW:
                    found += islice(filter(self._is_left, self._beside(product, active)), 1)
        left_out.update(shown.card.id for shown in found)
        return found

    def _is_left(self, shown: Shown) -> bool:
        return shown.card.id not in self.left_out and self._may_see(shown.card)

    def _first_few(self, product: str, active: Sequence[str]) -> list[Shown]:
        """Return what comes first beside a product, the same for everyone, ready to be sent."""
        return [shown.ready() for shown in islice(self._beside(product, active), FIRST_FEW)]

    def _beside(self, product: str, active: Sequence[str]) -> Iterator[Shown]:
        board = self.boards.products.get(product)
        if board is None:
            return
        priorities = self.boards.channel.priorities
        for kind in sorted(active, key=lambda name: (priorities.get(name, 0), name)):
            for card in board.cards.get(kind, ()):
                if self._is_said(card):
                    yield self._tell(card, slot="INLINE")

    def told_anew(self, active: Sequence[str], told: Container[str]) -> Iterator[Shown]:
        """Yield the numbers a page shows as they are now, where it is not told of them anyway."""
        for name in dict.fromkeys(self.ask.shown):
            card = None if name in told else self.standing(name, active)
            if card is not None and _is_number(card):
                slot = "INLINE" if card.product in self.ask.products else "TOAST"
                yield self._tell(card, slot)

    def standing(self, name: str, active: Sequence[str]) -> Card | None:
        """Return what a page shows, if it is on its boards and may be shown to this visitor.

        What came from other boards is not known here, so it is taken for gone: a page names only
        what it got for what it is about.
        """
        if self.live is not None and self.live.id == name:
            return self.live if self.live.type in active and self._is_good(self.live) else None
        for board in (*self.boards.products.values(), self.boards.channel):
            if (kind := board.kinds.get(name)) in active:
                cards = board.cards.get(kind or "", ())
                found = (card for card in cards if card.id == name and self._is_good(card))
                return next(found, None)
        return None

    def _turns(self) -> dict[str, int]:
        """Return when each kind was last shown, as far as the boards still know it."""
        boards = (self.boards.channel, self.page) if self.page else (self.boards.channel,)
        turns: dict[str, int] = {}
        for place, name in enumerate(self.ask.exclude):
            for board in boards:
                if kind := board.kinds.get(name):
                    turns[kind] = place
                    break
        return turns

    def _good(self, kind: str) -> Iterator[tuple[int, Card]]:
        """Yield what may be shown of one kind, and how near to the page it is: 0 is nearest."""
        left_out, own, now = self.left_out, self.own, self.now
        for tier, card in self._by_nearness(kind):
            is_new = card.id not in left_out
            if is_new and card.until > now and own.isdisjoint(card.own) and self._is_said(card):
                left_out.add(card.id)
                yield tier, card

    def _by_nearness(self, kind: str) -> Iterator[tuple[int, Card]]:
        if self.live is not None and self.live.type == kind:
            yield 0, self.live
        if self.page is not None:
            for card in self._near_first(self.page.cards.get(kind, ())):
                yield 0, card
        cards = self.boards.channel.cards.get(kind, ())
        for tier, found in self._tiers(cards) if cards else ():
            for card in self._near_first(found):
                yield tier, card

    def _tiers(self, cards: Sequence[Card]) -> Iterable[tuple[int, Sequence[Card]]]:
        categories, collections = self._belongs()
        if not categories and not collections:
            return ((3, cards),)
        tiers: tuple[list[Card], ...] = ([], [], [])
        for card in cards:
            tiers[_tier(card, categories, collections)].append(card)
        return enumerate(tiers, start=1)

    def _belongs(self) -> tuple[set[str], set[str]]:
        """Return of which category the page is, and of which collections its product."""
        categories = {self.ask.category} if self.ask.category else set()
        if self.page is None:
            return categories, set()
        return categories or set(self.page.categories[:1]), set(self.page.collections)

    def _near_first(self, cards: Iterable[Card]) -> Iterable[Card]:
        # Stable and no filter: the newest of the visitor's country, then the newest of all others.
        if not self.ask.country:
            return cards
        return sorted(cards, key=lambda card: card.country != self.ask.country)

    def _is_good(self, card: Card) -> bool:
        return self._may_see(card) and self._is_said(card)

    def _may_see(self, card: Card) -> bool:
        return card.until > self.now and self.own.isdisjoint(card.own)

    def _is_said(self, card: Card) -> bool:
        return not _is_number(card) or self._number(card) is not None

    def _number(self, card: Card) -> int | None:
        return card.less if self.may_be_counted else card.value

    def _tell(self, card: Card, slot: str = "TOAST") -> Shown:
        is_less = self.may_be_counted and _is_number(card)
        texts = card.texts_less if is_less else card.texts
        tags = card.tags_less if is_less else card.tags
        text, tag = _first(texts, self.languages), _first(tags, self.languages)
        return Shown(card, text, self._number(card), tag or None, slot)

    def _said(self, tier: int, card: Card) -> Shown:
        """Return a card in the visitor's words, as another visitor may have been told it."""
        of = self.ask.product if tier == 0 else ""
        key = f"live {self.words}" if card is self.live else f"said {self.words}"
        ready: dict[str, Shown] = self.boards.made_of(of, key, _nothing, None)
        shown = ready.get(card.id)
        if shown is None or shown.card is not card:
            shown = self._tell(card).ready()
            if len(ready) < (FIRST_FEW if of else MOST_OF_CHANNEL):
                ready[card.id] = shown
        return shown

    def _live(self, count: int) -> Card | None:
        if not count or self.page is None or self.page.live is None:
            return None
        # For many who ask within a second it is the same.
        key, what = "live", (self.page.live, count, int(self.now.timestamp()))
        made = self.boards.made_of(self.ask.product, key, self._lived, what)
        if made[0] != what:
            self.boards.forget(self.ask.product, key)
            made = self.boards.made_of(self.ask.product, key, self._lived, what)
        return made[1]

    def _lived(self, _product: str, what: tuple[Live, int, int]) -> tuple[Any, Card | None]:
        return what, card_of(what[0], what[1], self.now)


def _nothing(_product: str, _what: None) -> dict[str, Shown]:
    return {}


def _tier(card: Card, categories: set[str], collections: set[str]) -> int:
    if not categories.isdisjoint(card.categories):
        return 0
    return 1 if not collections.isdisjoint(card.collections) else 2


def _is_number(card: Card) -> bool:
    return card.value is not None or card.less is not None


def in_language(texts: dict[str, str], language: str) -> str:
    """Return the words in this language, else in its family, else in English; "" for none."""
    return _first(texts, languages(language))


@lru_cache(maxsize=1024)
def languages(language: str) -> tuple[str, ...]:
    """Return in which languages words are looked for: this one, its family, English."""
    # Saleor writes PT_BR where a browser writes pt-BR.
    wanted = language.lower().replace("_", "-")
    return wanted, wanted.partition("-")[0], "en"


def _first(texts: dict[str, str], languages: Sequence[str]) -> str:
    for name in languages:
        if name in texts:
            return texts[name]
    return ""
