"""What can be shown in one channel, or beside one product: everything a page's choice needs.

A board is built from the database once and read by every page until something on it changes.
Nothing on it is one visitor's; whose activity a card is made of is written on the card, so that
choosing needs no further question.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final

import msgspec
from django.db.models import Model

from saleor_nudges.models import Nudge, NudgeConfig, NudgeSettings, NudgeType, Shop
from saleor_nudges.nudges import KINDS, places, shelf
from saleor_nudges.nudges.cards import Board, Boards, Card, Live
from saleor_nudges.nudges.configs import configs, display_of, settings_of
from saleor_nudges.nudges.dealing import Dealer, owners
from saleor_nudges.nudges.defaults import highlight_of
from saleor_nudges.nudges.picking import is_allowed, pick, since
from saleor_nudges.nudges.products import known
from saleor_nudges.nudges.shelf import Products

# What of a row says nothing of how it is shown.
NOT_SHOWN: Final = frozenset({"id", "shop_id", "created_at"})


def boards_of(shop: Shop, channel: str, products: Products, now: datetime) -> Boards:
    """Return the board of the channel and those of the products the page is about, if any."""
    return read_from(shelf.look(shop.pk, channel, products), shop, products, now)


def boards_from(found: shelf.Found, products: Products) -> Boards | None:
    """Return what lay on the shelf, if it is everything the page needs."""
    general = found.board("")
    if general is None:
        return None
    special = _on_shelf(found, general, products)
    return Boards(general, special) if len(special) == len(_wanted(general, products)) else None


def read_from(found: shelf.Found, shop: Shop, products: Products, now: datetime) -> Boards:
    """Return what lay on the shelf, and build what did not: at once, unless only stamps tell."""
    general, built = found.board(""), {}
    if general is None:
        built = build_many(shop, found.channel, ["", *_not_there(found, products)], now)
        general = built[""]
    wanted = _wanted(general, products)
    special = _on_shelf(found, general, products) | built
    if missing := [product for product in wanted if product not in special]:
        built |= build_many(shop, found.channel, missing, now)
    shelf.put(found, {name: built[name] for name in ("", *wanted) if name in built})
    return Boards(general, {product: (special | built)[product] for product in wanted})


def build(shop: Shop, channel: str, product: str, now: datetime) -> Board:
    """Read a board from the database: a handful of queries, whatever the traffic."""
    return build_many(shop, channel, [product], now)[product]


def build_many(
    shop: Shop, channel: str, products: Iterable[str], now: datetime
) -> dict[str, Board]:
    """Read boards from the database, "" for the channel's own: as many queries as for one."""
    wanted = list(dict.fromkeys(products))
    setup = _setup(shop, channel)
    counted = [config for config in setup.configs.values() if not _is_live(config)]
    picked = pick(shop, channel, wanted, counted, now)
    nudges = list({nudge.pk: nudge for board in picked.values() for nudge in board}.values())
    dealer = Dealer(
        shop,
        channel,
        setup.configs,
        known(shop, channel, {*wanted, *(nudge.product_id for nudge in nudges)} - {""}),
        _named(setup, nudges, now),
        owners(shop, nudges),
        now,
    )
    return {product: _board(setup, dealer, product, picked.get(product, ())) for product in wanted}


@dataclass(frozen=True, slots=True)
class Setup:
    """What the seller decided for a channel: the kinds that are on, and how nudges look."""

    shop: Shop
    channel: str
    configs: Mapping[str, NudgeConfig]
    settings: NudgeSettings

    def stamp(self) -> str:
        """Return a short name of all of it: whatever is changed makes another."""
        decided = [_fields(config) for _, config in sorted(self.configs.items())]
        what = [decided, _fields(self.settings), self.shop.product_url]
        text = msgspec.json.encode(what, order="deterministic")
        return blake2b(text, digest_size=8).hexdigest()


def _setup(shop: Shop, channel: str) -> Setup:
    active = {str(name): config for name, config in configs(shop, channel).items()}
    active = {name: config for name, config in active.items() if config.is_enabled}
    settings = settings_of(shop, channel)
    for name, config in active.items():
        category = KINDS[NudgeType(name)].category
        config.highlight_color = highlight_of(config, settings, category)
    return Setup(shop, channel, active, settings)


def _fields(row: Model) -> dict[str, Any]:
    names = {field.attname for field in row._meta.concrete_fields} - NOT_SHOWN
    return {name: getattr(row, name) for name in names}


def _wanted(general: Board, products: Products) -> tuple[str, ...]:
    # Where everything is off there is nothing to be beside.
    return shelf.scopes(products)[1:] if general.pages else ()


def _not_there(found: shelf.Found, products: Products) -> list[str]:
    return [product for product in shelf.scopes(products)[1:] if found.board(product) is None]


def _on_shelf(found: shelf.Found, general: Board, products: Products) -> dict[str, Board]:
    boards = {product: found.board(product) for product in _wanted(general, products)}
    return {name: board for name, board in boards.items() if board and board.stamp == general.stamp}


def _is_live(config: NudgeConfig) -> bool:
    return config.type == NudgeType.LIVE_VISITORS


def _named(setup: Setup, nudges: Iterable[Nudge], now: datetime) -> places.Named:
    begin = {name: since(config, now) for name, config in setup.configs.items()}
    least = setup.settings.buyers_per_place
    return places.named(setup.shop, setup.channel, nudges, begin, now, least)


def _board(setup: Setup, dealer: Dealer, product: str, nudges: Iterable[Nudge]) -> Board:
    cards: dict[str, list[Card]] = {
        name: []
        for name in setup.configs
        if product or not KINDS[NudgeType(name)].is_about_this_product
    }
    for nudge in nudges:
        if (card := dealer.card(nudge)) is not None:
            cards.setdefault(card.type, []).append(card)
    about = dealer.known.get(product)
    return Board(
        stamp=setup.stamp(),
        pages={name: tuple(config.pages) for name, config in setup.configs.items()},
        display=display_of(setup.settings),
        cards={name: tuple(found) for name, found in cards.items()},
        priorities={name: _priority(config) for name, config in setup.configs.items()},
        devices=tuple(setup.settings.devices),
        kinds={card.id: name for name, found in cards.items() for card in found},
        categories=tuple(about.categories) if about else (),
        collections=tuple(about.collections) if about else (),
        live=_live(setup, dealer, product),
    )


def _priority(config: NudgeConfig) -> int:
    return config.priority or KINDS[NudgeType(config.type)].priority


def _live(setup: Setup, dealer: Dealer, product: str) -> Live | None:
    config = setup.configs.get(NudgeType.LIVE_VISITORS)
    if config is None or not product:
        return None
    is_shown = is_allowed(config, product, dealer.known.get(product))
    return dealer.live(config, product) if is_shown else None
