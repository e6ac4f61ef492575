"""What a rule is: words, what must be known before they may be said, and by whose law.

Words are regular expressions, separated by a comma and a blank, over a sentence in small letters.
In them `#` stands where the number will stand, and `…` where the number or another fact will.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from saleor_nudges.nudges.kinds.base import Claim
from saleor_nudges.nudges.sentences import FACT, NUMBER

# Of no language: one regular expression as it stands, with no ends of words around it.
ANY: Final = ""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# Said to the reader, of no data: “Buy now”, where a sentence begins.
CALLS: Final = {
    "en": r"(?:buy|order|shop|see|look|discover|get (?:it|yours)) now",
    "de": r"jetzt (?:kaufen|bestellen|ansehen|anschauen|entdecken|sichern|shoppen)",
    "pl": r"(?:kup|zamów|zobacz|sprawdź) teraz",
}
NUMBER_HERE, SOMETHING_HERE = "#", "…"


@dataclass(frozen=True, slots=True)
class Rule:
    """Words of one kind, by language, and what must be known before they may be said.

    Refused unless everything in `needs` is known; where `needs` and `within` are both None nothing
    can carry them. `within`: the window must be no longer. `sources` says by whose rule, per pack.
    """

    name: str
    reason: str
    words: Mapping[str, str]
    sources: Mapping[str, str]
    needs: frozenset[Claim] | None = None
    within: timedelta | None = field(default=None, kw_only=True)


def expression(words: str, language: str) -> str:
    """Return a rule's words as one regular expression over a sentence."""
    if language == ANY:
        return words
    found = words.replace(SOMETHING_HERE, f"[{NUMBER}{FACT}]").replace(NUMBER_HERE, NUMBER)
    return rf"(?<!\w)(?:{found.replace(', ', '|')})(?!\w)"


def needs(*needed: Claim) -> frozenset[Claim]:
    """Return what a rule needs."""
    return frozenset(needed)
