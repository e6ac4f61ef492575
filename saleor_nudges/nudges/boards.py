"""What can be shown in one channel, or beside one product: everything a page's choice needs.

A board is built from the database once and read by every page until something on it changes.
Nothing on it is one visitor's; whose activity a card is made of is written on the card, so that
choosing needs no further question.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db.models import Q, QuerySet

from saleor_nudges import people, telemetry, wording
from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.models import (
    Nudge,
    NudgeConfig,
    NudgeType,
    Shop,
    TrackedCheckout,
    VisitorCheckout,
)
from saleor_nudges.nudges import KINDS, shelf
from saleor_nudges.nudges.cards import Board, Card
from saleor_nudges.nudges.configs import configs, display_of, settings_of

# So many of each kind are kept ready; a visitor who has seen them all waits for news.
MOST_CARDS: Final = 60

Boards = tuple[Board, Board | None]


def boards_of(shop: Shop, channel: str, product: str, now: datetime) -> Boards:
    """Return the board of the channel and of the product, if the page has one."""
    return read_from(shelf.look(shop.pk, channel, product), shop, product, now)


def boards_from(found: shelf.Found, product: str) -> Boards | None:
    """Return what lay on the shelf, if it is everything the page needs."""
    general = found.board("")
    if general is None or not product or not general.pages:
        return (general, None) if general else None
    special = found.board(product)
    return (general, special) if special and special.stamp == general.stamp else None


def read_from(found: shelf.Found, shop: Shop, product: str, now: datetime) -> Boards:
    """Return what lay on the shelf, and build what did not."""
    general = found.board("") or _fill(found, shop, "", now)
    if not product or not general.pages:
        return general, None
    special = found.board(product)
    if special is None or special.stamp != general.stamp:
        special = _fill(found, shop, product, now)
    return general, special


def _fill(found: shelf.Found, shop: Shop, product: str, now: datetime) -> Board:
    board = build(shop, found.channel, product, now)
    shelf.put(found, product, board)
    return board


def build(shop: Shop, channel: str, product: str, now: datetime) -> Board:
    """Read a board from the database: a handful of queries, whatever the traffic."""
    found = configs(shop, channel)
    active = {name: config for name, config in found.items() if config.is_enabled}
    display = display_of(settings_of(shop, channel))
    cards = {
        str(name): _cards(shop, channel, product, config, now)
        for name, config in active.items()
        if product or not KINDS[name].is_about_this_product
    }
    return Board(
        stamp=_stamp(shop, active, display),
        pages={str(name): tuple(config.pages) for name, config in active.items()},
        display=display,
        cards=cards,
    )


def _stamp(shop: Shop, active: dict[NudgeType, NudgeConfig], display: dict[str, Any]) -> str:
    what = [
        (name, c.window_seconds, c.minimum, c.is_anonymous, c.pages, c.texts)
        for name, c in sorted(active.items())
    ]
    text = msgspec.json.encode([what, display, shop.product_url], order="deterministic")
    return blake2b(text, digest_size=8).hexdigest()


def _cards(
    shop: Shop, channel: str, product: str, config: NudgeConfig, now: datetime
) -> tuple[Card, ...]:
    about = {"product_id": product} if product else {}
    oldest = now - timedelta(seconds=config.window_seconds)
    standing = (
        Nudge.objects.of(shop)
        .filter(channel=channel, type=config.type, withdrawn_at__isnull=True, **about)
        .filter(occurred_at__gte=oldest, occurred_at__lte=now)
        .filter(Q(valid_until__isnull=True) | Q(valid_until__gt=now))
        .exclude(person__erased_at__isnull=False)
        .select_related("evidence", "person")
        .order_by("-occurred_at")
    )
    nudges = list(standing[:MOST_CARDS])
    own = _own(shop, nudges)
    return tuple(
        card for nudge in nudges if (card := _card(shop, config, nudge, own[nudge.pk])) is not None
    )


def _own(shop: Shop, nudges: Sequence[Nudge]) -> dict[UUID, frozenset[str]]:
    """Return, per nudge, by which names its maker may come: in three queries for all of them."""
    people_of = {nudge.person_id for nudge in nudges if nudge.person_id}
    checkouts: dict[UUID, set[str]] = defaultdict(set)
    for person, checkout in _checkouts(shop, people_of):
        checkouts[person].add(checkout)
    direct = {nudge.checkout for nudge in nudges if nudge.checkout}
    visitors: dict[str, set[str]] = defaultdict(set)
    everything = direct.union(*checkouts.values())
    for checkout, visitor in (
        VisitorCheckout.objects.of(shop)
        .filter(checkout__in=everything)
        .values_list("checkout", "visitor")
    ):
        visitors[checkout].add(visitor.hex)
    found = {}
    for nudge in nudges:
        names = set(checkouts[nudge.person_id]) if nudge.person_id else set()
        names |= {nudge.checkout} - {""}
        names |= set().union(*(visitors[name] for name in names))
        user = nudge.person.user_hash if nudge.person else ""
        found[nudge.pk] = frozenset(names | ({nudge.user, user or ""} - {""}))
    return found


def _checkouts(shop: Shop, person_ids: set[UUID]) -> "QuerySet[TrackedCheckout, Any]":
    return (
        TrackedCheckout.objects.of(shop)
        .filter(person__in=person_ids)
        .values_list("person_id", "checkout")
    )


def _card(shop: Shop, config: NudgeConfig, nudge: Nudge, own: frozenset[str]) -> Card | None:
    if nudge.value is not None and nudge.value < config.minimum:
        return None
    less = nudge.value - 1 if nudge.value is not None else None
    if less is not None and less < config.minimum:
        less = None
    until = nudge.occurred_at + timedelta(seconds=config.window_seconds)
    return Card(
        id=nudge.public_id,
        type=nudge.type,
        product=nudge.product_id,
        occurred_at=nudge.occurred_at,
        until=min(until, nudge.valid_until) if nudge.valid_until else until,
        body=_body(shop, nudge),
        texts=_texts(shop, config, nudge, nudge.value),
        own=own,
        value=nudge.value,
        less=less,
        texts_less=_texts(shop, config, nudge, less) if less is not None else {},
    )


def _body(shop: Shop, nudge: Nudge) -> dict[str, Any]:
    evidence, kind = nudge.evidence, KINDS[NudgeType(nudge.type)]
    return {
        "id": nudge.public_id,
        "type": nudge.type,
        "category": kind.category,
        "title": nudge.product.get("name", ""),
        "text": "",
        "product": {
            "id": nudge.product_id,
            "name": nudge.product.get("name", ""),
            "slug": nudge.product.get("slug", ""),
        },
        "image": nudge.product.get("image") or None,
        "href": _href(shop, nudge) or None,
        "occurredAt": None if kind.is_about_this_product else nudge.occurred_at.isoformat(),
        "evidence": {
            "metric": evidence.metric,
            "value": evidence.value,
            "windowSeconds": evidence.window_seconds,
            "computedAt": evidence.computed_at.isoformat(),
        },
        "slot": "TOAST",
    }


def _texts(shop: Shop, config: NudgeConfig, nudge: Nudge, value: int | None) -> dict[str, str]:
    """Return the sentence in every language there is, the seller's words before ours."""
    kind = KINDS[NudgeType(config.type)]
    facts = _facts(config, nudge, value)
    ours = kind.default(shop, nudge.channel)
    texts: dict[str, str] = {}
    for language in {**kind.texts, **config.texts}:
        template = config.texts.get(language) or kind.texts.get(language)
        if not template:
            continue
        try:
            texts[language] = wording.text(template, facts)
        except InvalidInput:
            # A slip in the seller's own words costs their words, not the page its nudges.
            telemetry.trouble(telemetry.Log.TEXT_FAILED, channel=nudge.channel, type=nudge.type)
            said = kind.texts.get(language, kind.texts["en"])
            texts[language] = wording.text(said, _facts(ours, nudge, value))
    return texts


def _facts(config: NudgeConfig, nudge: Nudge, value: int | None) -> dict[str, Any]:
    who = people.unseal_about(nudge.person, nudge.sealed_who) or {}
    return {
        "product": nudge.product.get("name", ""),
        "name": "" if config.is_anonymous else who.get("name", ""),
        "city": who.get("city", ""),
        "count": value,
        # Of the number itself: the seller may have changed the window since it was measured.
        "window": _window(nudge.evidence.window_seconds or config.window_seconds),
    }


def _window(seconds: int) -> dict[str, str]:
    hours, minutes = seconds // 3600, seconds // 60
    if seconds == 3600:
        return {"en": "hour", "de": "der letzten Stunde", "pl": "ostatniej godziny"}
    if seconds % 3600 == 0:
        return {
            "en": f"{hours} hours",
            "de": f"den letzten {hours} Stunden",
            "pl": f"ostatnich {hours} godzin",
        }
    return {
        "en": f"{minutes} minutes",
        "de": f"den letzten {minutes} Minuten",
        "pl": f"ostatnich {minutes} minut",
    }


def _href(shop: Shop, nudge: Nudge) -> str:
    slug = nudge.product.get("slug", "")
    if not shop.product_url or not slug:
        return ""
    return shop.product_url.replace("{slug}", slug).replace("{channel}", nudge.channel)
