"""Whom a campaign or a step is for: conditions as data, read, written, asked and explained.

A condition is an object with exactly one word in it: `all` or `any` with a list of conditions,
`not` with one, or a word of `clauses.WORDS`. `{}` alone is everybody. docs/campaigns.md teaches it.

What is not known is neither yes nor no: a condition on it does not hold, and neither does its
opposite. So `not` never lets in somebody of whom nothing is known.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.recovery.campaigns import reading
from saleor_nudges.recovery.campaigns.clauses import WORDS, Facts, Verdict
from saleor_nudges.recovery.campaigns.wants import Wanted

# Nobody can read a condition that is deeper or longer, and each is asked for every checkout.
DEEPEST: Final = 5
MOST_CONDITIONS: Final = 50
JOINS: Final = ("all", "any", "not")
OPPOSITE: Final = {
    Verdict.YES: Verdict.NO,
    Verdict.NO: Verdict.YES,
    Verdict.UNKNOWN: Verdict.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Asks:
    """One word of the grammar, and what it wants."""

    word: str
    wanted: Wanted


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold, and that is known."""

    part: "Condition"


Condition = Asks | AllOf | AnyOf | Not
EVERYBODY: Final = AllOf(())


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a condition does not hold: where it stands, NO or UNKNOWN, and a sentence in English."""

    path: str
    verdict: Verdict
    text: str


def parse(source: object, *, field: str = "trigger") -> Condition:
    """Return the condition that a JSON-like object holds.

    Raises InvalidInput, and nothing else, with the path of what is wrong: `trigger.all[1].country`.
    """
    if reading.table(source, field) == {}:
        return EVERYBODY
    condition = _parse(source, field, DEEPEST)
    if sum(1 for _ in words(condition)) > MOST_CONDITIONS:
        raise InvalidInput(f"At most {MOST_CONDITIONS} conditions.", field=field)
    return condition


def dump(condition: Condition) -> dict[str, Any]:
    """Return a condition as `parse` reads it, fit for JSON."""
    if condition == EVERYBODY:
        return {}
    match condition:
        case AllOf(parts):
            return {"all": [dump(part) for part in parts]}
        case AnyOf(parts):
            return {"any": [dump(part) for part in parts]}
        case Not(part):
            return {"not": dump(part)}
        case Asks(word, wanted):
            return {word: wanted.write()}


def judge(condition: Condition, facts: Facts) -> Verdict:
    """Return whether a condition holds for a checkout; never fails."""
    match condition:
        case AllOf(parts):
            return _worst([judge(part, facts) for part in parts])
        case AnyOf(parts):
            return OPPOSITE[_worst([OPPOSITE[judge(part, facts)] for part in parts])]
        case Not(part):
            return OPPOSITE[judge(part, facts)]
        case Asks(word, wanted):
            return WORDS[word].judge(wanted, facts)


def holds(condition: Condition, facts: Facts) -> bool:
    """Tell whether a condition holds for a checkout, and that is known."""
    return judge(condition, facts) is Verdict.YES


def explain(condition: Condition, facts: Facts, *, field: str = "trigger") -> tuple[Failure, ...]:
    """Return which parts keep a condition from holding; none if it holds.

    Of `all` these are the parts that fail, of `any` every part, of `not` what holds in it.
    """
    return tuple(_failures(condition, facts, field, Verdict.YES))


def words(condition: Condition) -> Iterator[str]:
    """Yield the words that are asked, as often as they are."""
    match condition:
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from words(part)
        case Not(part):
            yield from words(part)
        case Asks(word, _):
            yield word


def _parse(source: object, path: str, depth: int) -> Condition:
    found = reading.table(source, path, known=(*JOINS, *WORDS))
    if len(found) != 1:
        raise InvalidInput("A condition holds exactly one word; join more with all.", field=path)
    ((word, inner),) = found.items()
    here = f"{path}.{word}"
    if word not in JOINS:
        return Asks(word, WORDS[word].read(inner, here))
    if depth == 1:
        raise InvalidInput(f"Conditions stand at most {DEEPEST} deep.", field=here)
    if word == "not":
        return Not(_parse(inner, here, depth - 1))
    listed = reading.row(inner, here, most=MOST_CONDITIONS)
    parts = tuple(_parse(part, f"{here}[{n}]", depth - 1) for n, part in enumerate(listed))
    return AllOf(parts) if word == "all" else AnyOf(parts)


def _worst(verdicts: list[Verdict]) -> Verdict:
    for verdict in (Verdict.NO, Verdict.UNKNOWN):
        if verdict in verdicts:
            return verdict
    return Verdict.YES


def _failures(condition: Condition, facts: Facts, path: str, hoped: Verdict) -> Iterator[Failure]:
    """Yield what keeps a condition from being judged as hoped, which is NO below a `not`."""
    found = judge(condition, facts)
    if found is hoped:
        return
    match condition:
        case AllOf(parts) | AnyOf(parts):
            name = "all" if isinstance(condition, AllOf) else "any"
            for number, part in enumerate(parts):
                yield from _failures(part, facts, f"{path}.{name}[{number}]", hoped)
        case Not(part):
            yield from _failures(part, facts, f"{path}.not", OPPOSITE[hoped])
        case Asks(word, wanted):
            verdict = found if hoped is Verdict.YES else OPPOSITE[found]
            is_so = WORDS[word].tell(facts) or "not known"
            want = "wanted" if hoped is Verdict.YES else "not wanted"
            yield Failure(f"{path}.{word}", verdict, f"{word}: {is_so}; {want}: {wanted}")
