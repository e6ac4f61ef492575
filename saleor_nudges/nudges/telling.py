"""What a nudge says: the seller's words before ours, in every language there is."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec

from saleor_nudges import telemetry, wording
from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.models import NudgeConfig
from saleor_nudges.nudges import places
from saleor_nudges.nudges.kinds.base import Kind, Scope

MINUTE: Final = 60
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
# How a window is said after "in the last", "in" and "w ciągu": one, and many of them.
UNITS: Final[dict[int, dict[str, tuple[str, str]]]] = {
    DAY: {
        "en": ("24 hours", "{} days"),
        "de": ("den letzten 24 Stunden", "den letzten {} Tagen"),
        "pl": ("ostatnich 24 godzin", "ostatnich {} dni"),
    },
    HOUR: {
        "en": ("hour", "{} hours"),
        "de": ("der letzten Stunde", "den letzten {} Stunden"),
        "pl": ("ostatniej godziny", "ostatnich {} godzin"),
    },
    MINUTE: {
        "en": ("minute", "{} minutes"),
        "de": ("der letzten Minute", "den letzten {} Minuten"),
        "pl": ("ostatniej minuty", "ostatnich {} minut"),
    },
    1: {
        "en": ("second", "{} seconds"),
        "de": ("der letzten Sekunde", "den letzten {} Sekunden"),
        "pl": ("ostatniej sekundy", "ostatnich {} sekund"),
    },
}

Texts = dict[str, str]


class Facts(msgspec.Struct, frozen=True):
    """What a template may know of one nudge, before it is known in which language.

    `where` has "city", "region" and "country" (ISO code), "" for what must not be named.
    """

    product: str
    window: int | None
    scope: Scope
    name: str = ""
    where: dict[str, str] = msgspec.field(default_factory=lambda: dict(places.NOWHERE))
    details: dict[str, Any] = {}
    count: int | None = None

    def said(self, language: str) -> dict[str, Any]:
        """Return it as a template in this language knows it."""
        return self.details | {
            "product": self.product,
            "name": self.name,
            **self.where,
            "country": places.country_name(self.where["country"], language),
            "place": places.place(self.where, language),
            "count": self.count,
            "window": window(self.window) if self.window else {},
            "scope": str(self.scope),
        }


def texts(kind: Kind, config: NudgeConfig, facts: Facts) -> Texts:
    """Return the sentence in every language there is."""
    return _all(kind.texts, config.texts, kind, facts)


def tags(kind: Kind, config: NudgeConfig, facts: Facts) -> Texts:
    """Return the words above the sentence, likewise; none where the seller wants none."""
    if not config.has_header_tag:
        return {}
    return _all(kind.headings, config.headings, kind, facts)


@lru_cache(maxsize=256)
def window(seconds: int) -> dict[str, Any]:
    """Return how a time is said in each language, and in numbers where it is whole."""
    # A day is 24 hours and not "today"; a month is 30 days, because it has no length of its own.
    unit = next(unit for unit in UNITS if seconds % unit == 0)
    many = seconds // unit
    said: dict[str, Any] = {
        language: one if many == 1 else several.format(many)
        for language, (one, several) in UNITS[unit].items()
    }
    numbers = {"minutes": MINUTE, "hours": HOUR, "days": DAY}
    said |= {name: seconds // size for name, size in numbers.items() if seconds % size == 0}
    return said


def _all(ours: Mapping[str, str], theirs: Mapping[str, str], kind: Kind, facts: Facts) -> Texts:
    found: Texts = {}
    for language in {**ours, **theirs}:
        template = theirs.get(language) or ours.get(language)
        if not template:
            continue
        try:
            found[language] = _say(template, facts, language)
        except InvalidInput:
            # A slip in the seller's own words costs their words, not the page its nudges.
            telemetry.trouble(telemetry.Log.TEXT_FAILED, type=kind.type)
            if said := ours.get(language) or ours.get("en"):
                found[language] = _say(said, msgspec.structs.replace(facts, name=""), language)
    return found


def _say(template: str, facts: Facts, language: str) -> str:
    if facts.name:
        # Whom one forgets must not be remembered here.
        return wording.text(template, facts.said(language))
    return _said(template, msgspec.json.encode(facts), language)


@lru_cache(maxsize=20_000)
def _said(template: str, facts: bytes, language: str) -> str:
    return wording.text(template, msgspec.json.decode(facts, type=Facts).said(language))
