"""A seller's words and our facts make a sentence: Liquid, with hard limits and nothing to call."""

import re
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, Final

from liquid import Environment
from liquid.exceptions import FilterArgumentError, LiquidError, OutputStreamLimitError

from saleor_nudges.exceptions import InvalidInput

# A message of a seller is a page at most; a template that wants more is a mistake or an attack.
LONGEST_TEMPLATE: Final = 50_000
LONGEST_OUTPUT: Final = 200_000
LONGEST_NAME: Final = 40
LONGEST_LANGUAGE: Final = 35
NO_NAME: Final = re.compile(r"[\d/:@<>{}|\\\n]|\w\.\w")
# Reading a template takes time with the square of its tags; a long mail has a few dozen.
MOST_TAGS: Final = 1_000
# A range is counted out in full before any limit is asked, and no message needs one.
RANGE: Final = re.compile(r"{[{%][^}]*\.\.")
# What a nudge's one sentence needs: to print a fact, to say something else without it, and to
# find the plural (in Polish by the last digit of the number, hence `assign` and `modulo`).
SENTENCE_TAGS: Final = frozenset({"content", "output", "illegal", "if", "unless", "assign"})
PRINTING: Final = ("capitalize", "default", "downcase", "escape", "strip", "upcase")
SENTENCE_FILTERS: Final = frozenset({*PRINTING, "truncate", "truncatewords", "modulo"})


class _Limited(Environment):
    context_depth_limit = 10
    loop_iteration_limit = 1_000
    local_namespace_limit = 10_000
    output_stream_limit = LONGEST_OUTPUT

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        self.filters = {name: _bounded(name, work) for name, work in self.filters.items()}


class _Small(_Limited):
    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        self.tags = {name: self.tags[name] for name in SENTENCE_TAGS}
        self.filters = {name: self.filters[name] for name in SENTENCE_FILTERS}


def _bounded(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
    """Return a filter whose result is never larger than what may be printed.

    A dozen filters in a row, each of which makes its text ten times as long, would fill the memory
    before anything is printed.
    """

    @wraps(work)
    def bounded(*arguments: Any, **named: Any) -> Any:
        _must_fit(_grown(name, arguments))
        try:
            result = work(*arguments, **named)
        except (ArithmeticError, ValueError) as error:
            raise FilterArgumentError(f"{name}: {error}", token=None) from error
        _must_fit(_size(result))
        return result

    return bounded


def _grown(name: str, arguments: tuple[Any, ...]) -> int:
    """Return how large the result of those filters is that multiply one argument by another."""
    if name == "replace" and len(arguments) > 2:
        text, old, new = (str(argument) for argument in arguments[:3])
        return text.count(old) * len(new)
    if name == "join" and len(arguments) > 1 and isinstance(arguments[0], list | tuple):
        return len(arguments[0]) * len(str(arguments[1]))
    if name == "times":
        return sum(_size(argument) for argument in arguments)
    return 0


def _size(value: Any) -> int:
    if isinstance(value, str | bytes | list | tuple | dict):
        return len(value)
    return value.bit_length() if isinstance(value, int) else 0


def _must_fit(size: int) -> None:
    if size > LONGEST_OUTPUT:
        raise OutputStreamLimitError(f"more than {LONGEST_OUTPUT} characters", token=None)


TEXT: Final = _Limited(autoescape=False)
HTML: Final = _Limited(autoescape=True)
SENTENCE: Final = _Small(autoescape=False)


def text(template: str, facts: dict[str, Any]) -> str:
    """Return plain text; raises InvalidInput with the line that is wrong."""
    return _render(template, facts, html=False)


def html(template: str, facts: dict[str, Any]) -> str:
    """Return HTML in which every fact is escaped; raises InvalidInput."""
    return _render(template, facts, html=True)


def plain_name(text: str) -> str:
    """Return the name of a person or city, or nothing if it is none: strangers write it.

    Anybody can put a stranger's address into a checkout, and an advertisement where the name goes.
    """
    return text if len(text) <= LONGEST_NAME and not NO_NAME.search(text) else ""


def excerpt(text: str, longest: int) -> str:
    """Return the beginning of a text in one line, cut between words, at most so many characters."""
    line = " ".join(text.split())
    if len(line) <= longest:
        return line
    cut = line[:longest]
    whole, _, _ = cut.rpartition(" ")
    return f"{(whole or cut[:-1]).rstrip(' ,;:.-')}…"


def check(template: str, *, field: str) -> None:
    """Raise InvalidInput, naming the field, unless the template can be read."""
    if len(template) > LONGEST_TEMPLATE:
        raise InvalidInput(f"A text may have {LONGEST_TEMPLATE} characters.", field=field)
    if template.count("{") > MOST_TAGS:
        raise InvalidInput(f"A text may have {MOST_TAGS} tags.", field=field)
    if RANGE.search(template):
        raise InvalidInput("A text may not hold a range such as (1..9).", field=field)
    try:
        TEXT.from_string(template)
    except LiquidError as error:
        raise InvalidInput(f"The text is not valid Liquid: {error}", field=field) from error


def _render(template: str, facts: dict[str, Any], *, html: bool) -> str:
    try:
        return str(_parsed(template, html=html).render(**_known(facts))).strip()
    except LiquidError as error:
        raise InvalidInput(f"The text could not be made: {error}", field="text") from error


def _known(value: Any) -> Any:
    # In Liquid an empty text is true; a seller who writes {% if name %} means "if there is one".
    if isinstance(value, dict):
        return {key: _known(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_known(item) for item in value]
    return None if value == "" else value


@lru_cache(maxsize=1_000)
def _parsed(template: str, *, html: bool) -> Any:
    return (HTML if html else TEXT).from_string(template)
