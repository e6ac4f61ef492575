"""How many: a number is counted, not typed, and stands alone."""

from typing import Final

from saleor_nudges.nudges.rules.base import ANY, Rule
from saleor_nudges.nudges.rules.law import MISLEADING
from saleor_nudges.nudges.sentences import FACT, NUMBER, RATING

# Reviews have one to five stars: “4/5” and “4 of 5” type no number of ours.
OF_FIVE: Final = "".join(
    f"(?<!{RATING}{between})"
    for between in ("/", " / ", " of ", " out of ", " von ", " z ", " na ")
)

NUMBERS: Final = (
    Rule(
        "NUMBER_WORD",
        "A number that was typed is no number that was counted. Say {{ count }}.",
        {
            "en": "dozens?, hundreds?, thousands?, millions?, countless, "
            "(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty"
            "|fifty) (?:people|others|visitors|customers|shoppers|orders|carts|left|times)",
            "de": r"dutzend\w*, hundert\w*, tausend\w*, million\w*, "
            "(?:zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|zwanzig)"
            " (?:personen|leute|kunden|besucher|stück|bestellungen)",
            "pl": r"tuzin\w*, dziesiątki, setki, setek, tysiąc\w*, tysięcy, milion\w*, "
            "kilkanaście, kilkadziesiąt, "
            r"(?:dwie|trzy|cztery|pięć|sześć|siedem|osiem|dziewięć|dziesięć)"
            r" (?:osób|osoby|sztuk\w*|zamówie\w*)",
        },
        MISLEADING,
    ),
    Rule(
        "MORE_THAN",
        "The number is what was counted: it is not known to be more.",
        {
            "en": "(?:over|more than|above) #",
            "de": "(?:über|mehr als) #",
            "pl": "(?:ponad|więcej niż) #",
        },
        MISLEADING,
    ),
    Rule(
        "GLUED",
        "The number is not alone: with this beside it, it reads as another number.",
        {
            ANY: rf"{NUMBER}(?:[\w%‰€$£{NUMBER}{FACT}]|[.,' ]?(?:k|m|mio|tsd|tys)\b)"
            rf"|\S*[\w.,€$£#-]{NUMBER}|{FACT}{NUMBER}|{RATING}[\w{NUMBER}{FACT}{RATING}]",
        },
        MISLEADING,
    ),
    Rule(
        "DIGIT",
        "A number that was typed is no number that was counted. Say {{ count }}, {{ window }} "
        "or {{ product }}.",
        {
            ANY: rf"\S*(?:[^\D5]|{OF_FIVE}5|5(?=\d))\S*",
        },
        MISLEADING,
    ),
)
