"""The seller's own words: read, tried with sample facts, and held against the rules of the shop."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from saleor_nudges import wording
from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.models import NudgeConfig
from saleor_nudges.nudges.kinds.base import Kind, Scope
from saleor_nudges.nudges.linter import Finding, look_through
from saleor_nudges.nudges.sentences import Sentences
from saleor_nudges.nudges.telling import Facts

# BCP 47, as storefronts write it: a language, then a script, a region or a variant.
LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8}){0,3}")
MOST_LANGUAGES: Final = 50
# A toast has two lines, and a tag above them. Characters as typed, and as they are said.
LONGEST_TEMPLATE: Final = {"texts": 2_000, "headings": 500}
LONGEST_SAID: Final = {"texts": 200, "headings": 60}
# One of each kind of fact; nobody's, and said nowhere but in a preview.
SAMPLE: Final[dict[str, Any]] = {
    "product": "Apple Juice",
    "name": "Anna",
    "where": {"city": "Wrocław", "region": "Lower Silesia", "country": "PL"},
    "details": {"rating": 5, "excerpt": "Tastes of apples.", "verified": True},
    "count": 12,
}
# So many of a text's wrong words are named at once.
MOST_NAMED: Final = 3


def check_texts(kind: Kind, config: NudgeConfig, packs: Collection[str]) -> None:
    """Raise InvalidInput unless everything the seller wrote can be read, said, and carried."""
    if found := findings(kind, config, packs):
        raise InvalidInput(named(found), field=found[0].field)


def named(found: Sequence[Finding]) -> str:
    """Return what is refused, in words: the first few of it."""
    return " ".join(str(one) for one in found[:MOST_NAMED])


def findings(kind: Kind, config: NudgeConfig, packs: Collection[str]) -> list[Finding]:
    """Return what the rules refuse of the seller's words; raises InvalidInput if one is unreadable.

    Ours are not looked at here: a test holds them to every rule.
    """
    window = timedelta(seconds=config.window_seconds)
    return [
        one
        for field in LONGEST_TEMPLATE
        for one in look_through(kind, window, packs, field, _read(kind, config, field))
    ]


def sample_facts(kind: Kind, window_seconds: int, scope: Scope) -> Facts:
    """Return facts nobody made, of which this kind is told only those it knows."""
    known = {name: value for name, value in SAMPLE.items() if name in kind.variables}
    if "place" in kind.variables:
        known["where"] = SAMPLE["where"]
    details = {key: SAMPLE["details"][key] for key in SAMPLE["details"] if key in kind.variables}
    return Facts(window=window_seconds, scope=scope, details=details, **known)


def known_to(kind: Kind, window_seconds: int, scope: Scope, language: str) -> dict[str, Any]:
    """Return the variables a template of this kind may use, with sample values."""
    said = sample_facts(kind, window_seconds, scope).said(language)
    return {name: said[name] for name in kind.variables}


def _read(kind: Kind, config: NudgeConfig, field: str) -> dict[str, Sentences]:
    texts: Mapping[str, str] = getattr(config, field)
    if len(texts) > MOST_LANGUAGES:
        raise InvalidInput(f"At most {MOST_LANGUAGES} languages.", field=field)
    read = {}
    for language, template in texts.items():
        if not LANGUAGE.fullmatch(language) or len(language) > wording.LONGEST_LANGUAGE:
            raise InvalidInput(
                f"“{language[:40]}” is no language such as de or pt-br.", field=field
            )
        try:
            read[language] = _tried(kind, config, field, language, template)
        except InvalidInput as error:
            raise InvalidInput(f"{language}: {error}", field=field) from error
    return read


def _tried(kind: Kind, config: NudgeConfig, field: str, language: str, template: str) -> Sentences:
    read = Sentences(template, field=field, longest=LONGEST_TEMPLATE[field])
    for facts in _samples(kind, config, language):
        read.check_variables(facts)
        wording.text(template, facts)
    longest = max(len(said) for said in read.ways({}))
    if longest > LONGEST_SAID[field]:
        raise read.wrong(f"What is said has at most {LONGEST_SAID[field]} characters.")
    return read


def _samples(kind: Kind, config: NudgeConfig, language: str) -> Iterator[dict[str, Any]]:
    for scope in sorted(kind.scopes):
        facts = known_to(kind, config.window_seconds, scope, language)
        yield facts
        # As it is where nothing is known of a person.
        yield facts | {name: "" for name, value in facts.items() if isinstance(value, str)}
