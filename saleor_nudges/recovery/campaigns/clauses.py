"""What can be asked of a checkout: each word of the grammar, with what it takes and when it holds.

A campaign's conditions are made of these; `triggers` reads and joins them. To add a word: one fact
in Facts, one entry in WORDS, one row in docs/campaigns.md.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import partial
from typing import Any, Final

from saleor_nudges.recovery.campaigns import reading, wants
from saleor_nudges.recovery.campaigns.wants import Between, Contents, Names, Wanted, Worth, listed
from saleor_nudges.recovery.message_channels import MessageChannel
from saleor_nudges.recovery.rules.stage import Blocker, Stage


class Verdict(StrEnum):
    """Whether a condition holds. UNKNOWN is no yes, and its opposite is no yes either."""

    YES = "YES"
    NO = "NO"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a checkout and its shopper at one moment. None and "" mean: not known.

    `total` is gross, with delivery, as the shop has worked it out in `currency`. `items` are the
    pieces of all lines. `products`, `categories` (own and all above) and `collections` are global
    ids over all lines, and None unless known of every line. `has_bought`: any earlier order in this
    shop. `country` is the delivery address's, else the bill's. `stage` is None unless certain.
    `ruled_out` are the blockers that were looked for and are not there. `agreed_to`: message
    channels for which the newest answer is yes; it is no leave to write, which is asked apart.
    """

    total: Decimal | None = None
    currency: str | None = None
    lines: int | None = None
    items: int | None = None
    products: frozenset[str] | None = None
    categories: frozenset[str] | None = None
    collections: frozenset[str] | None = None
    has_account: bool | None = None
    has_bought: bool | None = None
    country: str | None = None
    language: str | None = None
    device: str | None = None
    stage: Stage | None = None
    blockers: frozenset[Blocker] = frozenset()
    ruled_out: frozenset[Blocker] = frozenset()
    agreed_to: frozenset[MessageChannel] | None = None


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the grammar.

    `read(source, path)` returns what is wanted, or raises InvalidInput; `judge(wanted, facts)`
    never fails; `tell(facts)` says what is the case, "" where it is not known.
    """

    read: Callable[[object, str], Wanted]
    judge: Callable[[Any, Facts], Verdict]
    tell: Callable[[Facts], str]


def _yes(answer: bool) -> Verdict:  # noqa: FBT001 - the answer itself
    return Verdict.YES if answer else Verdict.NO


def _judge_worth(wanted: Worth, facts: Facts) -> Verdict:
    between = dict(wanted.ranges).get(facts.currency or "")
    # An amount in another currency is neither more nor less.
    if facts.total is None or between is None or not facts.total.is_finite():
        return Verdict.UNKNOWN
    return _yes(between.takes(facts.total))


def _tell_worth(facts: Facts) -> str:
    if facts.total is None or not facts.currency:
        return ""
    return f"{facts.total:f} {facts.currency}"


def _number(field: str) -> Word:
    def judge(wanted: Between, facts: Facts) -> Verdict:
        number = getattr(facts, field)
        return Verdict.UNKNOWN if number is None else _yes(wanted.takes(Decimal(number)))

    def tell(facts: Facts) -> str:
        number = getattr(facts, field)
        return "" if number is None else str(number)

    return Word(wants.number, judge, tell)


def _contents(field: str, kind: str) -> Word:
    def judge(wanted: Contents, facts: Facts) -> Verdict:
        held: frozenset[str] | None = getattr(facts, field)
        if held is None:
            return Verdict.UNKNOWN
        is_in = not wanted.included or not held.isdisjoint(wanted.included)
        return _yes(is_in and held.isdisjoint(wanted.excluded))

    return Word(partial(wants.contents, kind), judge, lambda facts: _told(getattr(facts, field)))


def _names(read: wants.Read, actual: Callable[[Facts], Iterable[str] | None]) -> Word:
    def judge(wanted: Names, facts: Facts) -> Verdict:
        found = actual(facts)
        return Verdict.UNKNOWN if found is None else _yes(not set(found).isdisjoint(wanted.words))

    return Word(partial(wants.names, read), judge, lambda facts: _told(actual(facts)))


def _one_of(known: Iterable[str]) -> wants.Read:
    words = tuple(str(word) for word in known)
    return lambda value, path: reading.one_of(value, path, words)


def _either(field: str, yes: str, no: str) -> Word:
    def actual(facts: Facts) -> tuple[str] | None:
        answer = getattr(facts, field)
        return None if answer is None else (yes if answer else no,)

    return _names(_one_of((yes, no)), actual)


def _single(read: wants.Read, field: str) -> Word:
    def actual(facts: Facts) -> tuple[str] | None:
        known = getattr(facts, field)
        return (str(known),) if known else None

    return _names(read, actual)


def _languages(facts: Facts) -> tuple[str, ...] | None:
    """Return a language with all that it is a kind of: pt-br is pt-br and pt."""
    if not facts.language:
        return None
    parts = facts.language.lower().replace("_", "-").split("-")
    return tuple("-".join(parts[:count]) for count in range(len(parts), 0, -1))


def _judge_blocker(wanted: Names, facts: Facts) -> Verdict:
    if not facts.blockers.isdisjoint(wanted.words):
        return Verdict.YES
    return Verdict.NO if facts.ruled_out.issuperset(wanted.words) else Verdict.UNKNOWN


def _tell_blocker(facts: Facts) -> str:
    is_known = bool(facts.blockers) or facts.ruled_out.issuperset(Blocker)
    return _told(facts.blockers) if is_known else ""


def _told(found: Iterable[str] | None) -> str:
    return "" if found is None else listed(sorted(found), "and") or "none"


WORDS: Final[Mapping[str, Word]] = {
    "value": Word(wants.worth, _judge_worth, _tell_worth),
    "lines": _number("lines"),
    "items": _number("items"),
    "products": _contents("products", "Product"),
    "categories": _contents("categories", "Category"),
    "collections": _contents("collections", "Collection"),
    "customer": _either("has_account", "KNOWN", "GUEST"),
    "history": _either("has_bought", "RETURNING", "NEW"),
    "country": _single(reading.country, "country"),
    "language": _names(reading.language, _languages),
    "device": _single(_one_of(("DESKTOP", "ANDROID", "IOS", "OTHER")), "device"),
    "stage": _single(_one_of(Stage), "stage"),
    "blocker": Word(partial(wants.names, _one_of(Blocker)), _judge_blocker, _tell_blocker),
    "consent": _names(_one_of(MessageChannel), lambda facts: facts.agreed_to),
}
