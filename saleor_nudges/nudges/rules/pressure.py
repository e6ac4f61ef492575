"""Why to be quick, and what others think: refused where nobody has looked that up."""

from typing import Final

from saleor_nudges.nudges.kinds.base import Claim
from saleor_nudges.nudges.rules.base import Rule, needs
from saleor_nudges.nudges.rules.law import DEADLINE, MISLEADING, PRAISE, PRESSING, REVIEWS, SCARCITY

PRESSURE: Final = (
    Rule(
        "SCARCE",
        "It is said that few are left, and no stock is looked at.",
        {
            "en": r"only (?:a few |… )?(?:\w+ )?(?:left|remaining|available), "
            r"left in stock, # (?:\w+ )?(?:left|remaining|in stock|available), "
            "last (?:chance|ones?|items?|pieces?|few), selling out, sells? out, "
            "sold out, (?:almost|nearly) (?:gone|sold), running (?:out|low), "
            "(?:low|limited) stock, low in stock, stock is low, "
            "while (?:stocks?|supplies) last, few (?:left|remaining)",
            "de": "(?:nur )?noch (?:…|wenige), nur noch, letzte chance, die letzten, "
            "fast (?:weg|ausverkauft), ausverkauft, bald weg, "
            "geringer (?:lager)?bestand, begrenzter bestand, wenige übrig, "
            "solange der vorrat reicht",
            "pl": "został[oay]?(?: tylko)?, pozostał[oay]?, "
            r"ostatni(?:a|e|ch)? (?:szans\w*|sztuk\w*), kończy się zapas, "
            r"prawie wyprzedan\w*, wyprzedan\w*, ostatnia szansa, mał[oy] zapas\w*, "
            "do wyczerpania zapasów, na wyczerpaniu",
        },
        SCARCITY,
        needs(Claim.PRODUCT, Claim.STOCK),
    ),
    Rule(
        "HURRY",
        "It presses shoppers to be quick, and no stock is looked at that would give a reason.",
        {
            "en": "hurry(?: up)?, act (?:fast|now|quickly), be quick, "
            r"don'?t (?:miss|wait)\w*, before (?:it|they)(?:'s| is|'re| are) gone, "
            "selling fast, going fast",
            "de": r"beeil\w*, schnell sein, nicht verpassen, schnell zugreifen, zugreifen, "
            "bevor es weg ist",
            "pl": r"pospiesz się, pośpiesz się, nie przegap\w*, nie czekaj\w*, "
            r"szybko znika\w*, zanim znikn\w*",
        },
        PRESSING,
        needs(Claim.PRODUCT, Claim.STOCK),
    ),
    Rule(
        "NEVER_AGAIN",
        "It is said that it will not come back, and nobody knows what will be ordered.",
        {
            "en": r"never (?:back|again|return\w*), won'?t (?:be|come) (?:back|restocked), "
            "no restocks?, discontinued, (?:one|last) time only, "
            "once (?:it|they)'(?:s|re) gone",
            "de": "nie wieder, kommt nicht (?:wieder|zurück), wird nicht nachbestellt, "
            "kein nachschub, auslaufmodell",
            "pl": r"nigdy więcej, nie wróci, nie będzie (?:już )?dostaw\w*, wycofan\w*",
        },
        DEADLINE,
    ),
    Rule(
        "BEST",
        "It compares with all others, and nothing was compared.",
        {
            "en": r"best[ -]?sell(?:ers?|ing), number one, no\. one, "
            "top (?:sellers?|rated|picks?|choice), "
            "most (?:popular|bought|viewed|wanted|sold|ordered), top-rated, "
            "top-selling, cheapest, lowest price, best (?:price|deal|product)s?",
            "de": r"bestseller\w*, nummer eins, top-?seller\w*, meist\w*, beliebteste\w*, "
            r"spitzenreiter\w*, am (?:häufigsten|meisten), günstigste\w*, "
            "bester preis, das beste",
            "pl": r"bestseller\w*, numer jeden, najlepiej\w*, najpopularniejsz\w*, "
            "najczęściej, najchętniej, hit(?:em)?, hity, przebój, przeboje, "
            r"najtańsz\w*, najniższ\w* cen\w*, najlepsz\w*",
        },
        MISLEADING,
    ),
    Rule(
        "TREND",
        "It says that this rises or is liked above others, and nothing was compared.",
        {
            "en": "trending, favou?rites?, loved, must[ -]haves?, hot right, in demand, "
            "high demand",
            "de": r"im trend, trendet, lieblings\w*, geliebt\w*, gefragt\w*, "
            "hohe nachfrage, must-have",
            "pl": r"na topie, trend\w*, ulubion\w*, pokochan\w*, duże zainteresowanie, "
            "must-have",
        },
        PRAISE,
    ),
    Rule(
        "ENDORSED",
        "It speaks for others, and they have not said so.",
        {
            "en": "(?:recommended|trusted|approved|endorsed|loved) by, everyone, "
            "everybody, all (?:our )?(?:customers|buyers), recommends?",
            "de": r"empfohlen, empfehl\w*, jeder, jede, alle (?:kunden|käufer), "
            "vertrauen uns",
            "pl": r"polecan\w*, poleca\w*, rekomend\w*, wszyscy, każdy, zaufa\w*",
        },
        REVIEWS,
    ),
    Rule(
        "NEAR_YOU",
        "It says where the reader is; only where buyers were is known.",
        {
            "en": "near (?:you|me|here), nearby, "
            "(?:in )?your (?:area|city|town|country|region), around you, "
            "neighbou?rs?",
            "de": "in (?:deiner|ihrer|der) (?:nähe|stadt|gegend|region), "
            r"in deinem (?:land|ort), nachbar\w*",
            "pl": "w pobliżu, "
            "w (?:twoim|twojej|pana|pani) (?:mieście|okolicy|kraju|regionie), "
            r"sąsiad\w*, niedaleko",
        },
        MISLEADING,
    ),
)
