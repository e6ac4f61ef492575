"""Which nudges this visitor sees now, and in which words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from saleor_nudges import people, telemetry, wording
from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.experiments import assign
from saleor_nudges.models import (
    Nudge,
    NudgeConfig,
    NudgeType,
    ProductVisitor,
    Shop,
    TrackedCheckout,
    VisitorCheckout,
)
from saleor_nudges.nudges import KINDS
from saleor_nudges.nudges.configs import Display, configs, is_on, settings_of

MOST = 20
# The page asks again so often; what was withdrawn is gone from it by then.
POLL_SECONDS = 5
# More than is wanted is looked at, because a visitor's own and the erased fall out.
LOOK_AT = 5


@dataclass(frozen=True, slots=True)
class Ask:
    """What a page asks for, and what it says of who is asking."""

    channel: str
    page: str = "OTHER"
    product: str = ""
    count: int = 3
    exclude: tuple[str, ...] = ()
    language: str = "en"
    visitor: UUID | None = None
    checkout: str = ""  # SHA-256 of the visitor's own checkout
    user: str = ""  # keyed hash of the visitor's own account


@dataclass(frozen=True, slots=True)
class Shown:
    """One nudge in the visitor's words."""

    nudge: Nudge
    text: str
    value: int | None
    href: str

    def as_json(self) -> dict[str, Any]:
        """Return it as the widget reads it."""
        nudge, evidence = self.nudge, self.nudge.evidence
        kind = KINDS[NudgeType(nudge.type)]
        return {
            "id": nudge.public_id,
            "type": nudge.type,
            "category": kind.category,
            "title": nudge.product.get("name", ""),
            "text": self.text,
            "product": {
                "id": nudge.product_id,
                "name": nudge.product.get("name", ""),
                "slug": nudge.product.get("slug", ""),
            },
            "image": nudge.product.get("image") or None,
            "href": self.href or None,
            "occurredAt": None if kind.is_about_this_product else nudge.occurred_at.isoformat(),
            "evidence": {
                "metric": evidence.metric,
                "value": self.value if self.value is not None else evidence.value,
                "windowSeconds": evidence.window_seconds,
                "computedAt": evidence.computed_at.isoformat(),
            },
            "slot": "TOAST",
        }


@dataclass(frozen=True, slots=True)
class Feed:
    """The answer to a page."""

    nudges: tuple[Shown, ...]
    display: Display

    def as_json(self) -> dict[str, Any]:
        """Return it as the widget reads it."""
        return {
            "nudges": [shown.as_json() for shown in self.nudges],
            "display": self.display.as_json(),
            "pollAfter": POLL_SECONDS if self.display.enabled else None,
        }


def choose(shop: Shop, ask: Ask, now: datetime) -> Feed:
    """Return what this visitor may see: true, switched on, not theirs, not seen before."""
    active = _active(shop, ask) if is_on(shop, now) else {}
    display = Display(enabled=bool(active), settings=settings_of(shop, ask.channel))
    if not active or assign(shop.pk, ask.visitor).is_held_out:
        return Feed((), display)
    limit = min(max(ask.count, 0), MOST)
    shown: list[Shown] = []
    for nudge in _candidates(shop, ask, active, now, limit):
        told = _tell(shop, ask, active[NudgeType(nudge.type)], nudge)
        if told is not None:
            shown.append(told)
    return Feed(tuple(shown[:limit]), display)


def _active(shop: Shop, ask: Ask) -> dict[NudgeType, NudgeConfig]:
    return {
        name: config
        for name, config in configs(shop, ask.channel).items()
        if config.is_enabled and ask.page in config.pages
    }


def _candidates(
    shop: Shop, ask: Ask, active: dict[NudgeType, NudgeConfig], now: datetime, limit: int
) -> Iterable[Nudge]:
    standing = (
        Nudge.objects.of(shop)
        .filter(channel=ask.channel, withdrawn_at__isnull=True, occurred_at__lte=now)
        .filter(Q(valid_until__isnull=True) | Q(valid_until__gt=now))
        .exclude(public_id__in=ask.exclude)
        .exclude(person__erased_at__isnull=False)
        .exclude(_own(shop, ask))
        .select_related("evidence", "person")
    )
    seen: set[UUID] = set()
    for group in _groups(standing, ask, active, now):
        for nudge in group.order_by("-occurred_at")[: limit * LOOK_AT]:
            if nudge.pk not in seen:
                seen.add(nudge.pk)
                yield nudge


def _groups(
    standing: "QuerySet[Nudge]", ask: Ask, active: dict[NudgeType, NudgeConfig], now: datetime
) -> Iterable["QuerySet[Nudge]"]:
    """Of this product first, the measured before the told; then of the whole channel."""
    by_kind = sorted(active, key=lambda name: not KINDS[name].is_about_this_product)
    for name in by_kind if ask.product else ():
        yield _fresh(standing, active[name], now).filter(product_id=ask.product)
    for name in by_kind:
        if not KINDS[name].is_about_this_product:
            yield _fresh(standing, active[name], now)


def _fresh(standing: "QuerySet[Nudge]", config: NudgeConfig, now: datetime) -> "QuerySet[Nudge]":
    oldest = now - timedelta(seconds=config.window_seconds)
    return standing.filter(type=config.type, occurred_at__gte=oldest)


def _own(shop: Shop, ask: Ask) -> Q:
    """What the visitor did themselves: by their checkouts, their account, their person."""
    own = Q(pk__in=[])
    if ask.user:
        own |= Q(user=ask.user) | Q(person__user_hash=ask.user)
    checkouts = TrackedCheckout.objects.of(shop).filter(person__isnull=False)
    if ask.checkout:
        own |= Q(checkout=ask.checkout)
        own |= Q(person__in=checkouts.filter(checkout=ask.checkout).values("person"))
    if ask.visitor:
        visited = VisitorCheckout.objects.of(shop).filter(visitor=ask.visitor)
        own |= Q(Exists(visited.filter(checkout=OuterRef("checkout"))))
        own |= Q(
            person__in=checkouts.filter(checkout__in=visited.values("checkout")).values("person")
        )
    return own


def _tell(shop: Shop, ask: Ask, config: NudgeConfig, nudge: Nudge) -> Shown | None:
    value = _value_for(shop, ask, config, nudge)
    if nudge.value is not None and value is None:
        return None
    facts = _facts(config, nudge, value)
    try:
        text = wording.text(_template(config, ask.language), facts)
    except InvalidInput:
        # A slip in the seller's own words costs their words, not the page its nudges.
        telemetry.trouble(telemetry.Log.TEXT_FAILED, channel=nudge.channel, type=nudge.type)
        ours = KINDS[NudgeType(config.type)].default(shop, nudge.channel)
        text = wording.text(_template(ours, ask.language), facts)
    return Shown(nudge, text, value, _href(shop, nudge))


def _value_for(shop: Shop, ask: Ask, config: NudgeConfig, nudge: Nudge) -> int | None:
    """Return the number without the visitor's own share; None if too small to be said."""
    if nudge.value is None:
        return None
    own = 0
    if ask.visitor:
        own = (
            ProductVisitor.objects.of(shop)
            .filter(channel=nudge.channel, product_id=nudge.product_id, visitor=ask.visitor)
            .count()
        )
    value = nudge.value - own
    return value if value >= config.minimum else None


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


def _template(config: NudgeConfig, language: str) -> str:
    """Return the seller's words before ours, this language before its family before English."""
    ours = KINDS[NudgeType(config.type)].texts
    for name in (language.lower(), language.lower().partition("-")[0], "en"):
        for texts in (config.texts, ours):
            if texts.get(name):
                return str(texts[name])
    return ours["en"]


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
