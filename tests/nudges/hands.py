"""Boards and cards made by hand, for tests of choosing that need no database."""

from datetime import UTC, datetime, timedelta
from typing import Any

from saleor_nudges.events.identity import uuid7
from saleor_nudges.models import Shop
from saleor_nudges.nudges.cards import Board, Boards, Card
from saleor_nudges.nudges.choose import Ask, Feed, choose_among

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
SHOP = Shop(id=uuid7(), is_active=True, tracking_since=NOW - timedelta(days=1))
DEVICES = ("DESKTOP", "ANDROID", "IOS", "OTHER")


def a_card(name: str, kind: str, product: str = "P", **fields: Any) -> Card:
    defaults = {
        "occurred_at": NOW - timedelta(minutes=1),
        "until": NOW + timedelta(hours=1),
        "body": {"id": name, "evidence": {"value": 1}},
        "texts": {"en": name},
    }
    return Card(id=name, type=kind, product=product, **defaults | fields)


def a_board(*cards: Card, kinds: tuple[str, ...] = (), **fields: Any) -> Board:
    names = dict.fromkeys([*kinds, *(card.type for card in cards)])
    defaults = {
        "stamp": "one",
        "pages": dict.fromkeys(names, ("PRODUCT", "HOME")),
        "display": {"theme": "AUTO"},
        "cards": {name: tuple(card for card in cards if card.type == name) for name in names},
        "priorities": {name: place for place, name in enumerate(names)},
        "devices": DEVICES,
        "kinds": {card.id: card.type for card in cards},
    }
    return Board(**defaults | fields)


def feed(channel: Board, products: dict[str, Board] | None = None, **ask: Any) -> Feed:
    live, listed = ask.pop("live", 0), ask.pop("listed", ())
    asked = Ask(**{"channel": "c", "page": "PRODUCT", "count": 20, "products": listed} | ask)
    return choose_among(Boards(channel, products or {}), SHOP, asked, NOW, live)


def ids(*boards: Any, **ask: Any) -> list[str]:
    return [shown.card.id for shown in feed(*boards, **ask).nudges]
