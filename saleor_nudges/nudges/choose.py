"""Which nudges this visitor sees now, and in which words: a choice among what is on the boards."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Any, Final
from uuid import UUID

import msgspec

from saleor_nudges.experiments import assign
from saleor_nudges.models import Shop
from saleor_nudges.nudges.boards import boards_of
from saleor_nudges.nudges.cards import Board, Boards, Card, Live
from saleor_nudges.nudges.configs import is_on
from saleor_nudges.nudges.kinds.live_visitors import card_of

MOST: Final = 20
# The page asks again so often; what was withdrawn is gone from it by then.
POLL_SECONDS: Final = 5
# So many nudges beside a product are kept ready: most visitors see the first.
FIRST_FEW: Final = 4
NOTHING_MADE: Final[dict[Any, Any]] = {}
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
    shown = islice(hand.in_turn(active), min(max(ask.count, 0), MOST))
    gone = tuple(name for name in ask.shown if not hand.stands(name, active))
    return Feed((*shown, *beside), channel.display, True, gone if ask.shown else None)  # noqa: FBT003


class Hand:
    """What one visitor may be shown of some boards, each kind in the order of its worth.

    Cards are looked at one after the other and only as far as they are needed.
    """

    def __init__(self, boards: Boards, ask: Ask, now: datetime, live: int) -> None:
        self.boards, self.ask, self.now = boards, ask, now
        self.left_out, self.own = set(ask.exclude), ask.names()
        # A visitor with a token is most likely one of those counted; without one nobody is.
        self.may_be_counted = ask.visitor is not None
        self.languages = _languages(ask.language)
        # What is listed has its nudges beside it; the page itself is about one product at most.
        page = boards.products.get(ask.product)
        self.near = (page,) if page else ()
        self.live = self._live(live)

    def in_turn(self, active: Sequence[str]) -> Iterator[Shown]:
        """Yield in rounds: no kind again before every other that has something had its turn.

        Who was shown longest ago begins; among those not shown yet, who is nearest to the page.
        """
        waiting = {kind: self._good(cards) for kind, cards in self._by_kind(active)}
        heads = {kind: next(cards, None) for kind, cards in waiting.items()}
        turns, priorities = self._turns(), self.boards.channel.priorities
        order = [
            (turns.get(kind, -1), head[0], priorities.get(kind, 0), kind)
            for kind, head in heads.items()
            if head is not None
        ]
        kinds = [kind for *_, kind in sorted(order)]
        while kinds:
            for kind in kinds:
                if (head := heads[kind]) is not None:
                    yield self._tell(head[1])
                    heads[kind] = next(waiting[kind], None)
            kinds = [kind for kind in kinds if heads[kind] is not None]

    def beside(self, active: Sequence[str]) -> list[Shown]:
        """Return one nudge for each product that is listed, of the first kind that has one."""
        # Which kinds are active follows from the page, while the board is the same.
        key = f"{self.ask.page} {self.ask.language} {self.may_be_counted}"
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
        few = islice(self._beside(product, active), FIRST_FEW)
        return [replace(one, raw=msgspec.Raw(_encode(one.as_json()))) for one in few]

    def _beside(self, product: str, active: Sequence[str]) -> Iterator[Shown]:
        board = self.boards.products.get(product)
        priorities = self.boards.channel.priorities
        kinds = sorted(active, key=lambda name: (priorities.get(name, 0), name))
        for kind in kinds if board else ():
            for card in board.cards.get(kind, ()) if board else ():
                if self._is_said(card):
                    yield self._tell(card, slot="INLINE")

    def stands(self, name: str, active: Sequence[str]) -> bool:
        """Tell whether what a page shows is still on its boards, and may be shown to this visitor.

        What came from other boards is not known here, so it is taken for gone: a page names only
        what it got for what it is about.
        """
        if self.live is not None and self.live.id == name:
            return self.live.type in active and self._is_good(self.live)
        for board in (*self.boards.products.values(), self.boards.channel):
            if (kind := board.kinds.get(name)) in active:
                return any(
                    card.id == name and self._is_good(card)
                    for card in board.cards.get(kind or "", ())
                )
        return False

    def _turns(self) -> dict[str, int]:
        """Return when each kind was last shown, as far as the boards still know it."""
        boards = (self.boards.channel, *self.near)
        turns: dict[str, int] = {}
        for place, name in enumerate(self.ask.exclude):
            for board in boards:
                if kind := board.kinds.get(name):
                    turns[kind] = place
                    break
        return turns

    def _good(self, cards: Iterable[tuple[int, Card]]) -> Iterator[tuple[int, Card]]:
        """Yield what may be shown, and how near to the page it is: 0 is nearest."""
        for tier, card in cards:
            if card.id not in self.left_out and self._is_good(card):
                self.left_out.add(card.id)
                yield tier, card

    def _by_kind(self, active: Sequence[str]) -> Iterable[tuple[str, Sequence[tuple[int, Card]]]]:
        ask, channel = self.ask, self.boards.channel
        key, page = (ask.page, ask.category, ask.country), ask.product if self.near else ""
        of, piles = self.boards.made_of(page, key, self._in_order, active)
        if of is not channel:
            # A product's board may stay while its channel's is made anew.
            self.boards.forget(page, key)
            _, piles = self.boards.made_of(page, key, self._in_order, active)
        if self.live is None or self.live.type not in active:
            return piles
        return [(self.live.type, [(0, self.live)]), *piles]

    def _in_order(
        self, _page: str, active: Sequence[str]
    ) -> tuple[Board, list[tuple[str, list[tuple[int, Card]]]]]:
        """Return all cards by kind, the nearest to the page first; and whom they were taken of."""
        piles = [(kind, self._by_nearness(kind)) for kind in active]
        return self.boards.channel, [(kind, cards) for kind, cards in piles if cards]

    def _by_nearness(self, kind: str) -> list[tuple[int, Card]]:
        near = [card for board in self.near for card in board.cards.get(kind, ())]
        categories, collections = self._belongs()
        tiers: tuple[list[Card], ...] = (near, [], [], [])
        for card in self.boards.channel.cards.get(kind, ()):
            tiers[1 + _tier(card, categories, collections)].append(card)
        piles = enumerate(map(self._near_first, tiers))
        return [(tier, card) for tier, pile in piles for card in pile]

    def _belongs(self) -> tuple[set[str], set[str]]:
        """Return of which category the page is, and of which collections its product."""
        own = {board.categories[0] for board in self.near if board.categories}
        categories = {self.ask.category} if self.ask.category else own
        return categories, {name for board in self.near for name in board.collections}

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

    def _live(self, count: int) -> Card | None:
        board = self.boards.products.get(self.ask.product)
        if not count or board is None or board.live is None:
            return None
        # For many who ask within a second it is the same.
        when, what = int(self.now.timestamp()), (board.live, count)
        key, page = "live", board.live.product
        made = self.boards.made_of(page, key, self._lived, what)
        if made[:2] != (when, count):
            self.boards.forget(page, key)
            made = self.boards.made_of(page, key, self._lived, what)
        return made[2]

    def _lived(self, _product: str, what: tuple[Live, int]) -> tuple[int, int, Card | None]:
        return int(self.now.timestamp()), what[1], card_of(*what, self.now)


def _tier(card: Card, categories: set[str], collections: set[str]) -> int:
    if not categories.isdisjoint(card.categories):
        return 0
    return 1 if not collections.isdisjoint(card.collections) else 2


def _is_number(card: Card) -> bool:
    return card.value is not None or card.less is not None


def in_language(texts: dict[str, str], language: str) -> str:
    """Return the words in this language, else in its family, else in English; "" for none."""
    return _first(texts, _languages(language))


@lru_cache(maxsize=1024)
def _languages(language: str) -> tuple[str, ...]:
    wanted = language.lower()
    return wanted, wanted.partition("-")[0], "en"


def _first(texts: dict[str, str], languages: Sequence[str]) -> str:
    for name in languages:
        if name in texts:
            return texts[name]
    return ""
