"""Words of strangers as plain text: no HTML, no control characters, no links to follow."""

import html
import re
import unicodedata
from typing import Final

from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.models.reviews import LONGEST_TITLE

LONGEST_TEXT: Final = 5_000
LONGEST_NAME: Final = 60
# What stands where a link was; the same in every language.
NO_LINK: Final = "[…]"

# Control, surrogate, private and unassigned characters; and format characters but for the two
# joiners, without which Persian and many emoji fall apart.
DROPPED: Final = frozenset({"Cc", "Cs", "Co", "Cn", "Cf"})
KEPT: Final = frozenset("\n\u200c\u200d")
# Escaped tags may be escaped again; what is still not plain after so often is an attack.
MOST_LAYERS: Final = 8

SCRIPT: Final = re.compile(r"<(script|style)\b[^<>]*>.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
TAG: Final = re.compile(r"<[a-zA-Z/!?][^<>]*>")
OPENING: Final = re.compile(r"<(?=[a-zA-Z/!?])")
# With a scheme, or with www, or a name in one of the zones that advertise: "great.It works" is no
# link. A word is looked at from its beginning only, so that a long one costs no more than once.
LINK: Final = re.compile(
    r"(?<![\w.@+-])(?:"
    r"(?:[a-z][a-z0-9+-]{1,20}://|www\.|(?:mailto|javascript|data|tel):)\S+"
    r"|(?:[\w.+-]{1,64}@)?(?:[\w-]{1,63}\.){1,8}"
    r"(?:com|net|org|info|biz|xyz|top|shop|store|online|site|club|link|click|io|ru|cn)\b"
    r"(?:[/?#:]\S*)?"
    r")",
    re.IGNORECASE,
)
SPACES: Final = re.compile(r"[^\S\n]+")
BLANK_LINES: Final = re.compile(r"\s*\n\s*\n\s*")


def text(value: str, *, field: str = "text") -> str:
    """Return a review's or a reply's text, at most LONGEST_TEXT long; raises InvalidInput."""
    cleaned = _plain(value, LONGEST_TEXT, field)
    lines = (SPACES.sub(" ", line).strip() for line in cleaned.split("\n"))
    return BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()


def title(value: str) -> str:
    """Return a review's title, in one line; raises InvalidInput."""
    return _one_line(_plain(value, LONGEST_TITLE, "title"))


def author(value: str, *, field: str = "authorName") -> str:
    """Return the name somebody writes under, in one line; raises InvalidInput."""
    return _one_line(_plain(value, LONGEST_NAME, field))


def _plain(value: str, most: int, field: str) -> str:
    _check_length(value, most, field)
    found = value.replace("\r\n", "\n").replace("\r", "\n")
    found = unicodedata.normalize("NFC", _without_html(found, field))
    found = OPENING.sub("< ", LINK.sub(NO_LINK, found))
    _check_length(found, most, field)
    return found


def _without_html(value: str, field: str) -> str:
    for _ in range(MOST_LAYERS):
        readable = "".join(map(_character, html.unescape(value)))
        plainer = TAG.sub(" ", SCRIPT.sub(" ", readable))
        if plainer == value:
            return value
        value = plainer
    raise InvalidInput("This is not plain text.", field=field)


def _character(one: str) -> str:
    if one in KEPT:
        return one
    if one == "\t":
        return " "
    return "" if unicodedata.category(one) in DROPPED else one


def _one_line(value: str) -> str:
    return " ".join(value.split())


def _check_length(value: str, most: int, field: str) -> None:
    if len(value) > most:
        raise InvalidInput(f"This may have {most} characters, not {len(value)}.", field=field)
