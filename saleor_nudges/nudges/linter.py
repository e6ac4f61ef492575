"""Refuses words that the data cannot carry: “right now” over a week, “this item” of the shop's sum.

Pure: it knows a kind's claims and scope, a window, and the seller's templates, and looks at every
sentence these can say. The words and whose law they are from are in `rules.py`.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from itertools import product
from typing import Any, Final

from saleor_nudges.nudges.kinds.base import Claim, Kind, Scope
from saleor_nudges.nudges.rules import ANY, CALLS, RULES, Rule, expression
from saleor_nudges.nudges.sentences import FACT, NUMBER, RATING, Sentences

# English is looked for in every language: shops mix it into all of them.
EVERYWHERE: Final = "en"
SHOWN_AS: Final = dict.fromkeys((NUMBER, FACT, RATING), "…")


@dataclass(frozen=True, slots=True)
class Finding:
    """Words that were refused: where they stand, why, and by whose rule, pack by pack."""

    field: str
    language: str
    words: str
    rule: str
    reason: str
    sources: Mapping[str, str]

    def __str__(self) -> str:
        law = "; ".join(f"{pack}: {source}" for pack, source in self.sources.items())
        return f"“{self.words}” ({self.language}): {self.reason} [{law}]"


def look_through(
    kind: Kind,
    window: timedelta,
    packs: Collection[str],
    field: str,
    texts: Mapping[str, Sentences],
) -> list[Finding]:
    """Return what these packs refuse in the texts of one field, by language; each once."""
    found: dict[tuple[str, str], Finding] = {}
    for language, text in texts.items():
        for known, claims in _worlds(kind, text):
            for said in text.ways(known):
                for rule, words in _refused(said, language, claims, window, packs):
                    finding = _finding(field, language, words, rule, packs)
                    found.setdefault((language, rule.name), finding)
    return list(found.values())


def _worlds(kind: Kind, text: Sentences) -> Iterator[tuple[dict[str, Any], set[Claim]]]:
    """Yield what may be known of a nudge of this kind, and what its data then carries."""
    checked = (True, False) if "verified" in text.variables() else (False,)
    for scope, is_verified in product(sorted(kind.scopes), checked):
        claims = set(kind.claims)
        claims |= {Claim.PRODUCT} if scope is Scope.PRODUCT else set()
        claims |= {Claim.VERIFIED} if is_verified else set()
        yield {"scope": str(scope), "verified": is_verified}, claims


def _refused(
    said: str, language: str, claims: set[Claim], window: timedelta, packs: Collection[str]
) -> Iterator[tuple[Rule, str]]:
    family = language.partition("-")[0]
    plain = _plain(said)
    for name in (EVERYWHERE, family):
        if name in CALLS:
            plain = _calls(name).sub(r"\1", plain)
    for rule in RULES:
        if rule.sources.keys().isdisjoint(packs) or _carries(rule, claims, window):
            continue
        for name in dict.fromkeys((ANY, EVERYWHERE, family)):
            if name in rule.words and (match := _pattern(rule.words[name], name).search(plain)):
                yield rule, match[0]


def _carries(rule: Rule, claims: set[Claim], window: timedelta) -> bool:
    if rule.within is not None:
        return window <= rule.within
    return rule.needs is not None and rule.needs <= claims


def _finding(field: str, language: str, words: str, rule: Rule, packs: Collection[str]) -> Finding:
    shown = "".join(SHOWN_AS.get(character, character) for character in words).strip()
    sources = {pack: rule.sources[pack] for pack in sorted(packs) if pack in rule.sources}
    return Finding(field, language, shown, rule.name, rule.reason, sources)


def _plain(said: str) -> str:
    """Return a sentence without what hides a word: wide letters, joiners, rows of blanks."""
    plain = unicodedata.normalize("NFKC", said).lower().replace("\u2019", "'")
    visible = "".join(c for c in plain if unicodedata.category(c) != "Cf")
    return " ".join(visible.split())


@lru_cache(maxsize=512)
def _pattern(words: str, language: str) -> re.Pattern[str]:
    return re.compile(expression(words, language))


@lru_cache(maxsize=16)
def _calls(language: str) -> re.Pattern[str]:
    return re.compile(rf"((?:^|[.!?:\u2013\u2014])\s*)(?:{CALLS[language]})(?!\w)")
