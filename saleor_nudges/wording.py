"""A seller's words and our facts make a sentence: Liquid, with hard limits and nothing to call."""

import re
from functools import lru_cache
from typing import Any, Final

from liquid import Environment
from liquid.exceptions import LiquidError

from saleor_nudges.exceptions import InvalidInput

# A message of a seller is a page at most; a template that wants more is a mistake or an attack.
LONGEST_TEMPLATE: Final = 50_000
LONGEST_OUTPUT: Final = 200_000
LONGEST_NAME: Final = 40
NO_NAME: Final = re.compile(r"[\d/:@<>{}|\\\n]|\w\.\w")
# Reading a template takes time with the square of its tags; a long mail has a few dozen.
MOST_TAGS: Final = 1_000
# A range is counted out in full before any limit is asked, and no message needs one.
RANGE: Final = re.compile(r"{[{%][^}]*\.\.")


class _Limited(Environment):
    context_depth_limit = 10
    loop_iteration_limit = 1_000
    local_namespace_limit = 10_000
    output_stream_limit = LONGEST_OUTPUT


TEXT: Final = _Limited(autoescape=False)
HTML: Final = _Limited(autoescape=True)


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
