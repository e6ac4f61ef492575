"""What a condition can want of a fact: a number, an amount, contents, or one of some words.

Each is read from what JSON gives (InvalidInput names the path), written back by `write`, and said
in English by `str`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Final

from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.recovery.campaigns import reading

# As many as a nudge's list of products takes.
MOST_IDS: Final = 500
# More than there are countries, or languages of a shop.
MOST_NAMES: Final = 300
LARGEST_NUMBER: Final = 1_000_000
# So many of a long list are named in a sentence.
TOLD: Final = 5

Read = Callable[[object, str], str]


@dataclass(frozen=True, slots=True)
class Between:
    """From one number to another, both included; None is no limit."""

    least: Decimal | None
    most: Decimal | None

    def takes(self, number: Decimal) -> bool:
        """Tell whether a number lies in between."""
        is_enough = self.least is None or number >= self.least
        return is_enough and (self.most is None or number <= self.most)

    def ends(self) -> list[tuple[str, Decimal]]:
        """Return the limits there are, by the names they have in the grammar."""
        both = (("from", self.least), ("to", self.most))
        return [(name, end) for name, end in both if end is not None]

    def write(self) -> dict[str, object]:
        """Return it as `number` reads it."""
        return {name: int(end) for name, end in self.ends()}

    def __str__(self) -> str:
        words = {"from": "at least", "to": "at most"}
        return " and ".join(f"{words[name]} {end:f}" for name, end in self.ends())


@dataclass(frozen=True, slots=True)
class Worth:
    """A range for each currency, sorted by its code."""

    ranges: tuple[tuple[str, Between], ...]

    def write(self) -> dict[str, object]:
        """Return it as `worth` reads it; amounts as texts, because they are money."""
        return {code: {name: f"{end:f}" for name, end in one.ends()} for code, one in self.ranges}

    def __str__(self) -> str:
        return " or ".join(f"{between} {currency}" for currency, between in self.ranges)


@dataclass(frozen=True, slots=True)
class Contents:
    """Some line is of `included` (where any are named), and no line is of `excluded`."""

    included: tuple[str, ...]
    excluded: tuple[str, ...]

    def write(self) -> dict[str, object]:
        """Return it as `contents` reads it."""
        lists = (("include", self.included), ("exclude", self.excluded))
        return {name: list(ids) for name, ids in lists if ids}

    def __str__(self) -> str:
        parts = [
            f"some of {listed(self.included)}" if self.included else "",
            f"nothing of {listed(self.excluded)}" if self.excluded else "",
        ]
        return " and ".join(filter(None, parts))


@dataclass(frozen=True, slots=True)
class Names:
    """One of these words."""

    words: tuple[str, ...]

    def write(self) -> list[str]:
        """Return it as `names` reads it."""
        return list(self.words)

    def __str__(self) -> str:
        return listed(self.words)


Wanted = Between | Worth | Contents | Names


def number(source: object, path: str) -> Between:
    """Read {"from": 1, "to": 5}."""
    return _between(source, path, _whole)


def worth(source: object, path: str) -> Worth:
    """Read {"EUR": {"from": "20", "to": "500.00"}, "PLN": {"from": "90"}}."""
    return Worth(
        tuple(
            (code, _between(between, f"{path}.{code}", reading.amount))
            for code, between in reading.currencies(source, path)
        )
    )


def contents(kind: str, source: object, path: str) -> Contents:
    """Read {"include": [ids], "exclude": [ids]}: global ids of this kind."""
    found = reading.table(source, path, known=("include", "exclude"))
    if not found:
        raise InvalidInput("Say include, exclude or both.", field=path)
    read = partial(reading.global_id, kind=kind)
    included, excluded = (
        reading.some(found[name], f"{path}.{name}", read, most=MOST_IDS) if name in found else ()
        for name in ("include", "exclude")
    )
    if set(included) & set(excluded):
        raise InvalidInput("What is included is not excluded.", field=path)
    return Contents(included, excluded)


def names(read: Read, source: object, path: str) -> Names:
    """Read ["PT", "ES"], each by `read`."""
    # The path ends with the list: the message quotes which of its entries is wrong.
    return Names(reading.some(source, path, lambda one, _: read(one, path), most=MOST_NAMES))


def listed(words: Iterable[str], join: str = "or") -> str:
    """Return words as a sentence names them; of many only the first."""
    every = [str(word) for word in words]
    if len(every) > TOLD:
        every[TOLD:] = [f"{len(every) - TOLD} more"]
    *first, last = every or [""]
    return f"{', '.join(first)} {join} {last}" if first else last


def _between(source: object, path: str, read: Callable[[object, str], Decimal]) -> Between:
    found = reading.table(source, path, known=("from", "to"))
    if not found:
        raise InvalidInput("Say from, to or both.", field=path)
    ends = {name: read(end, f"{path}.{name}") for name, end in found.items()}
    least, most = ends.get("from"), ends.get("to")
    if least is not None and most is not None and least > most:
        raise InvalidInput("It ends before it begins: nothing would ever match.", field=path)
    return Between(least, most)


def _whole(source: object, path: str) -> Decimal:
    return Decimal(reading.whole(source, path, least=1, most=LARGEST_NUMBER))
