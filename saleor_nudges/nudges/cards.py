"""What a page's choice is made from: cards, ready to be said, and the board they hang on."""

from collections.abc import Callable, Hashable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import msgspec

# Pages speak few languages; whoever names many has everything made for each.
MOST_MADE: Final = 16


class Card(msgspec.Struct, frozen=True, gc=False):
    """One nudge, ready to be said. `texts` and `tags` are by language; times are aware.

    A `product` of "" means that it is of the whole channel.
    """

    id: str
    type: str
    product: str
    occurred_at: datetime
    until: datetime
    body: dict[str, Any]
    texts: dict[str, str]
    tags: dict[str, str] = {}
    # What its product belongs to, categories above its own included.
    categories: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()
    # Where its maker is, only if enough buyers are there too; never told to the page.
    country: str = ""
    # Whose activity this is: visitors, checkouts and accounts, by the names a page gives them.
    own: frozenset[str] = frozenset()
    # The number without one visitor, for a visitor who may be among them; None: not worth saying.
    value: int | None = None
    less: int | None = None
    texts_less: dict[str, str] = {}
    tags_less: dict[str, str] = {}


class Live(msgspec.Struct, frozen=True, gc=False):
    """A number that is known only when the page asks: who looks at this product right now.

    `templates` are Liquid by language, tried before they came here; `facts` is all they know
    beside `count`. `body` is complete but for its text, its tag and the number.
    """

    id: str
    type: str
    product: str
    body: dict[str, Any]
    templates: dict[str, str]
    facts: dict[str, str]
    minimum: int
    maximum: int | None = None
    tags: dict[str, str] = {}


class Board(msgspec.Struct, frozen=True, gc=False):
    """The cards of one channel or product, by kind, the newest first."""

    # Of which configuration; a board of another one is not valid beside it.
    stamp: str
    # Which kinds may appear on which page.
    pages: dict[str, tuple[str, ...]]
    display: dict[str, Any]
    cards: dict[str, tuple[Card, ...]]
    # Whose turn is first where nothing else decides: smaller is earlier.
    priorities: dict[str, int] = {}
    # On which devices anything is shown.
    devices: tuple[str, ...] = ()
    # Of which kind each of its cards is, by the name a page gives it.
    kinds: dict[str, str] = {}
    # What the product of this board belongs to.
    categories: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()
    live: Live | None = None


class Boards(NamedTuple):
    """What one page needs: the channel's board, and one for each product it is about."""

    channel: Board
    products: dict[str, Board]
    # What was made of a board before, by product: kept by whoever keeps the board.
    made: Mapping[str, dict[Hashable, Any]] = MappingProxyType({})

    def made_of[T](
        self, product: str, key: Hashable, make: Callable[[str, Any], T], what: Any
    ) -> T:
        """Return what `make(product, what)` made of a board under this key, or have it made."""
        kept = self.made.get(product)
        found: T | None = None if kept is None else kept.get(key)
        if found is None:
            found = make(product, what)
            if kept is not None:
                if len(kept) >= MOST_MADE:
                    kept.clear()
                kept[key] = found
        return found

    def forget(self, product: str, key: Hashable) -> None:
        """Have it made again."""
        self.made.get(product, {}).pop(key, None)
