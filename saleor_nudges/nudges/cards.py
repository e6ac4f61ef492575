"""What a page's choice is made from: cards, ready to be said, and the board they hang on."""

from datetime import datetime
from typing import Any

import msgspec


class Card(msgspec.Struct, frozen=True, gc=False):
    """One nudge, ready to be said. `texts` are by language; times are aware."""

    id: str
    type: str
    product: str
    occurred_at: datetime
    until: datetime
    body: dict[str, Any]
    texts: dict[str, str]
    # Whose activity this is: visitors, checkouts and accounts, by the names a page gives them.
    own: frozenset[str] = frozenset()
    # The number without one visitor, for a visitor who may be among them; None: not worth saying.
    value: int | None = None
    less: int | None = None
    texts_less: dict[str, str] = {}


class Board(msgspec.Struct, frozen=True, gc=False):
    """The cards of one channel (`product` empty) or product, by kind, the newest first."""

    # Of which configuration; a board of another one is not valid beside it.
    stamp: str
    # Which kinds may appear on which page.
    pages: dict[str, tuple[str, ...]]
    display: dict[str, Any]
    cards: dict[str, tuple[Card, ...]]
