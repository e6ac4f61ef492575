"""Reads what a seller's form or a stored row holds, and names the very place that is wrong.

Everything here takes a value of any kind whatever, as JSON gives it, and the path at which it
stands, such as `steps[0].delaySeconds`; it returns a checked value or raises InvalidInput with
that path as its field. Nothing else is ever raised.
"""

import re
from base64 import b64decode
from collections.abc import Callable, Collection, Mapping
from datetime import time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from babel import Locale
from babel.numbers import list_currencies

from saleor_nudges.exceptions import InvalidInput

# As much of a wrong value as is told back.
QUOTED: Final = 40
# What Saleor's and our own columns hold: 16 digits before the point, 4 after it.
AMOUNT: Final = re.compile(r"\d{1,16}(?:\.\d{1,4})?", re.ASCII)
LARGEST_AMOUNT: Final = 10**16
CLOCK: Final = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d", re.ASCII)
# As storefronts write it: a language, then a script, a region or a variant.
LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8}){0,3}", re.ASCII)
KEY: Final = re.compile(r"[\w-]{1,64}", re.ASCII)
# Unicode's list holds more than countries: unions, parts of countries, and codes for tests.
NO_COUNTRIES: Final = frozenset(
    {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"}
)


def quoted(value: object) -> str:
    """Return the beginning of a value, fit to stand in a message."""
    if not isinstance(value, str):
        return "that"
    text = "".join(one if one.isprintable() else "?" for one in value[:QUOTED])
    return f"“{text}”"


def table(value: object, path: str, *, known: Collection[str] = ()) -> dict[str, Any]:
    """Return an object as a dict; with `known`, no other names may stand in it."""
    if not isinstance(value, Mapping):
        raise InvalidInput("This is an object, in braces.", field=path)
    for name in value:
        if not isinstance(name, str) or (known and name not in known):
            listed = f"; there are {', '.join(known)}" if known else ""
            raise InvalidInput(f"Nothing is called {quoted(name)} here{listed}.", field=path)
    return dict(value)


def row(value: object, path: str, *, most: int, least: int = 1) -> list[Any]:
    """Return a list of at least and at most so many values."""
    if not isinstance(value, list | tuple):
        raise InvalidInput("This is a list, in brackets.", field=path)
    if not least <= len(value) <= most:
        raise InvalidInput(f"This list has {least} to {most} entries.", field=path)
    return list(value)


def whole(value: object, path: str, *, least: int, most: int) -> int:
    """Return a whole number; a fraction, a text or a yes is none."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise InvalidInput(f"This is a whole number from {least} to {most}.", field=path)
    return int(value)


def seconds(value: object, path: str, *, least: timedelta, most: timedelta) -> timedelta:
    """Return a length of time that is given in seconds."""
    shortest, longest = int(least.total_seconds()), int(most.total_seconds())
    return timedelta(seconds=whole(value, path, least=shortest, most=longest))


def amount(value: object, path: str) -> Decimal:
    """Return an amount of money: a text such as "19.90", or a whole number."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < LARGEST_AMOUNT:
        return Decimal(value)
    if isinstance(value, str) and AMOUNT.fullmatch(value):
        return Decimal(value)
    # A number with a fraction was rounded in binary before anybody could look at it.
    raise InvalidInput('An amount is written as a text, such as "19.90".', field=path)


def clock(value: object, path: str) -> time:
    """Return a time of day, written 00:00 to 23:59."""
    if not isinstance(value, str) or not CLOCK.fullmatch(value):
        raise InvalidInput("A time of day is written 00:00 to 23:59.", field=path)
    return time.fromisoformat(value)


def one_of[T: str](value: object, path: str, known: Collection[T]) -> T:
    """Return the one of the known words that this is."""
    for word in known:
        if isinstance(value, str) and value == word:
            return word
    raise InvalidInput(f"{quoted(value)} is none of {', '.join(known)}.", field=path)


def some[T: str](
    value: object, path: str, read: Callable[[object, str], T], *, most: int
) -> tuple[T, ...]:
    """Return a list of different words, at least one, each read by `read`."""
    found = tuple(read(one, path) for one in row(value, path, most=most))
    if len(set(found)) < len(found):
        raise InvalidInput("Each may be named once.", field=path)
    return found


def by_currency(value: object, path: str) -> tuple[tuple[str, Decimal], ...]:
    """Return amounts by currency, sorted by its code; at least one."""
    return tuple((code, amount(worth, f"{path}.{code}")) for code, worth in currencies(value, path))


def currencies(value: object, path: str) -> list[tuple[str, Any]]:
    """Return what an object holds for each currency, sorted by its code; at least one."""
    found = table(value, path)
    if not found:
        raise InvalidInput("Name a currency.", field=path)
    for code in found:
        if code not in list_currencies():
            raise InvalidInput(f"{quoted(code)} is no currency such as EUR.", field=path)
    return sorted(found.items())


def country(value: object, path: str) -> str:
    """Return a country's code of two capital letters."""
    if not isinstance(value, str) or value not in countries():
        raise InvalidInput(f"{quoted(value)} is no country such as PT.", field=path)
    return value


@lru_cache(maxsize=1)
def countries() -> frozenset[str]:
    """Return the codes of all countries and territories."""
    known = {str(code) for code in Locale("en").territories}
    return frozenset(code for code in known if len(code) == 2) - NO_COUNTRIES


def language(value: object, path: str) -> str:
    """Return a language's code in small letters."""
    if not isinstance(value, str) or not LANGUAGE.fullmatch(value):
        raise InvalidInput(f"{quoted(value)} is no language such as de or pt-br.", field=path)
    return value


def global_id(value: object, path: str, kind: str) -> str:
    """Return a global id of Saleor's, of this kind."""
    if isinstance(value, str) and _is_global_id(value, kind):
        return value
    raise InvalidInput(f"{quoted(value)} is no global id of a {kind}.", field=path)


def _is_global_id(text: str, kind: str) -> bool:
    try:
        name, _, key = b64decode(text, validate=True).decode().partition(":")
    except ValueError:
        return False
    return name == kind and bool(KEY.fullmatch(key))
