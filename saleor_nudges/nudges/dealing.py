"""Rows become cards: what they say and show, whose they are, and what the seller wants of them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from saleor_nudges import people
from saleor_nudges.models import (
    Nudge,
    NudgeConfig,
    NudgeImage,
    NudgeLink,
    NudgeType,
    Shop,
    ShopProduct,
    TrackedCheckout,
    VisitorCheckout,
)
from saleor_nudges.nudges import KINDS, defaults, places, telling
from saleor_nudges.nudges.cards import Card, Live
from saleor_nudges.nudges.kinds.base import Kind, Scope
from saleor_nudges.nudges.kinds.live_visitors import public_id_of
from saleor_nudges.nudges.picking import since
from saleor_nudges.nudges.telling import Facts


@dataclass(frozen=True, slots=True)
class Dealer:
    """Makes the cards of one channel's boards. Everything it needs has been read before."""

    shop: Shop
    channel: str
    configs: Mapping[str, NudgeConfig]
    known: Mapping[str, ShopProduct]
    named: places.Named
    own: Mapping[UUID, frozenset[str]]
    now: datetime

    def card(self, nudge: Nudge) -> Card | None:
        """Return the card of a row; None if it is not worth saying."""
        config, kind = self.configs[nudge.type], KINDS[NudgeType(nudge.type)]
        value = nudge.value
        less = value - 1 if value is not None and kind.counts_its_reader else value
        value, less = _worth(config, value), _worth(config, less)
        product = self._product(nudge)
        if nudge.value is not None and value is None and less is None:
            return None
        if nudge.product_id and not product.name and not kind.is_about_this_product:
            return None
        return self._card(nudge, product, value, less)

    def live(self, config: NudgeConfig, product_id: str) -> Live:
        """Return what is said of who is here right now, but for how many they are."""
        kind = KINDS[NudgeType(config.type)]
        product = self.known.get(product_id) or ShopProduct(product_id=product_id)
        facts = Facts(product=product.name, window=None, scope=Scope.PRODUCT)
        name = public_id_of(self.shop, self.channel, product_id)
        return Live(
            id=name,
            type=config.type,
            product=product_id,
            body=self._body(name, config, product),
            templates={**kind.texts, **{key: text for key, text in config.texts.items() if text}},
            facts={"product": product.name},
            minimum=config.minimum,
            maximum=config.maximum,
            tags=telling.tags(kind, config, facts),
        )

    def _card(
        self, nudge: Nudge, product: ShopProduct, value: int | None, less: int | None
    ) -> Card:
        config, kind = self.configs[nudge.type], KINDS[NudgeType(nudge.type)]
        facts = self._facts(nudge, product, config)
        until = nudge.occurred_at + timedelta(seconds=config.window_seconds)
        return Card(
            id=nudge.public_id,
            type=nudge.type,
            product=nudge.product_id,
            occurred_at=nudge.occurred_at,
            until=min(until, nudge.valid_until) if nudge.valid_until else until,
            body=self._body(nudge.public_id, config, product) | _of_row(nudge, config),
            categories=tuple(product.categories),
            collections=tuple(product.collections),
            country=facts.where["country"],
            own=self.own[nudge.pk],
            value=value,
            less=less,
            **_words(kind, config, facts, nudge.value, value, less),
        )

    def _product(self, nudge: Nudge) -> ShopProduct:
        known = self.known.get(nudge.product_id)
        if known and known.asked_at:
            return known
        # As it was when it happened, until the shop is asked how it is now.
        shown = nudge.product if nudge.product_id else {}
        return ShopProduct(
            product_id=nudge.product_id,
            name=shown.get("name", ""),
            slug=shown.get("slug", ""),
            image_url=shown.get("image", ""),
        )

    def _facts(self, nudge: Nudge, product: ShopProduct, config: NudgeConfig) -> Facts:
        who, where = self._who(nudge, config)
        return Facts(
            product=product.name,
            # Of the number itself: the seller may have changed the window since it was measured.
            window=nudge.evidence.window_seconds or config.window_seconds,
            scope=Scope.PRODUCT if nudge.product_id else Scope.CHANNEL,
            name=who,
            where=where,
            details=nudge.details,
        )

    def _who(self, nudge: Nudge, config: NudgeConfig) -> tuple[str, dict[str, str]]:
        """Return the name and places of a row's maker that may be said."""
        begin = since(config, self.now)
        may_be_placed = places.may_be_told(nudge, begin, self.named)
        refuses = nudge.person is None or nudge.person.refuses_featuring_at is not None
        if refuses or (config.is_anonymous and not may_be_placed):
            return "", dict(places.NOWHERE)
        who = people.unseal_about(nudge.person, nudge.sealed_who) or {}
        name = "" if config.is_anonymous else who.get("name", "")
        return name, places.told(who, nudge, begin, self.named)

    def _body(self, name: str, config: NudgeConfig, product: ShopProduct) -> dict[str, Any]:
        kind = KINDS[NudgeType(config.type)]
        shown = {"id": product.product_id, "name": product.name, "slug": product.slug}
        return {
            "id": name,
            "type": config.type,
            "category": kind.category,
            "title": product.name,
            "text": "",
            "tag": None,
            "product": shown if product.product_id else None,
            "image": _image(config, product),
            "href": self._href(config, product),
            "occurredAt": None,
            "showTime": False,
            "highlight": config.highlight_color or None,
            "icon": defaults.icon_of(kind),
            "slot": "TOAST",
        }

    def _href(self, config: NudgeConfig, product: ShopProduct) -> str | None:
        if config.link == NudgeLink.NONE:
            return None
        if config.link == NudgeLink.CUSTOM:
            return config.link_url or None
        if not self.shop.product_url or not product.slug:
            return None
        url = self.shop.product_url.replace("{slug}", product.slug)
        return url.replace("{channel}", self.channel)


def owners(shop: Shop, nudges: Sequence[Nudge]) -> dict[UUID, frozenset[str]]:
    """Return, per nudge, by which names its maker may come: two queries for all of them."""
    people_of = {nudge.person_id for nudge in nudges if nudge.person_id}
    checkouts: dict[UUID, set[str]] = defaultdict(set)
    for person, checkout in _checkouts(shop, people_of):
        checkouts[person].add(checkout)
    direct = {nudge.checkout for nudge in nudges if nudge.checkout}
    visitors = _visitors(shop, direct.union(*checkouts.values()))
    found = {}
    for nudge in nudges:
        names = set(checkouts[nudge.person_id]) if nudge.person_id else set()
        names |= {nudge.checkout} - {""}
        names |= set().union(*(visitors[name] for name in names))
        user = nudge.person.user_hash if nudge.person else ""
        found[nudge.pk] = frozenset(names | ({nudge.user, user or ""} - {""}))
    return found


def _checkouts(shop: Shop, person_ids: set[UUID]) -> Iterable[tuple[UUID, str]]:
    # Whoever types a stranger's address must not learn, by what is missing, what they bought.
    tracked = TrackedCheckout.objects.of(shop).filter(person__in=person_ids, is_contact_typed=False)
    return tracked.values_list("person_id", "checkout") if person_ids else ()


def _visitors(shop: Shop, checkouts: set[str]) -> dict[str, set[str]]:
    visitors: dict[str, set[str]] = defaultdict(set)
    known = VisitorCheckout.objects.of(shop).filter(checkout__in=checkouts)
    for checkout, visitor in known.values_list("checkout", "visitor") if checkouts else ():
        visitors[checkout].add(visitor.hex)
    return visitors


def _worth(config: NudgeConfig, value: int | None) -> int | None:
    if value is None or value < config.minimum:
        return None
    most = KINDS[NudgeType(config.type)].most(config)
    return value if most is None or value <= most else None


def _words(
    kind: Kind,
    config: NudgeConfig,
    facts: Facts,
    number: int | None,
    value: int | None,
    less: int | None,
) -> dict[str, telling.Texts]:
    full = msgspec.structs.replace(facts, count=value)
    words = {"texts": {}, "tags": telling.tags(kind, config, full)}
    if number is None or value is not None:
        words["texts"] = telling.texts(kind, config, full)
    if less is not None:
        alone = msgspec.structs.replace(facts, count=less)
        words["texts_less"] = telling.texts(kind, config, alone)
        words["tags_less"] = telling.tags(kind, config, alone)
    return words


def _of_row(nudge: Nudge, config: NudgeConfig) -> dict[str, Any]:
    evidence, is_number = nudge.evidence, nudge.value is not None
    return {
        # A number has no moment at which it happened.
        "occurredAt": None if is_number else nudge.occurred_at.isoformat(),
        "showTime": config.has_time and not is_number,
        "evidence": {
            "metric": evidence.metric,
            "value": evidence.value,
            "windowSeconds": evidence.window_seconds,
            "computedAt": evidence.computed_at.isoformat(),
        },
    }


def _image(config: NudgeConfig, product: ShopProduct) -> str | None:
    if config.image == NudgeImage.NONE:
        return None
    url = config.image_url if config.image == NudgeImage.CUSTOM else product.image_url
    return url or None
