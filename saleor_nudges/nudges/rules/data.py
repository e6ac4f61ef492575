"""What happened, and to what: refused where the data is of something else."""

from typing import Final

from saleor_nudges.nudges.kinds.base import Claim
from saleor_nudges.nudges.rules.base import Rule, needs
from saleor_nudges.nudges.rules.law import DEMAND, REVIEWS

DATA: Final = (
    Rule(
        "NOW",
        "It is said of this moment, and the data is of a time that has passed.",
        {
            "en": "right now, now, currently, at (?:this|the) moment, as we speak, "
            "this (?:minute|second), live",
            "de": "gerade, jetzt, momentan, derzeit, aktuell, "
            "in diesem (?:moment|augenblick), live",
            "pl": "teraz, obecnie, aktualnie, w tej chwili, w tym momencie, na żywo",
        },
        DEMAND,
        needs(Claim.LIVE),
    ),
    Rule(
        "THIS",
        "It is said of one product, and the number is of the whole shop.",
        {
            "en": r"th(?:is|ese)(?! (?:second|minute|moment|hour|morning|evening|day|week|weekend"
            r"|month|year|shop|store|site)\b)",
            "de": r"diese[srnm]?(?! (?:moment|augenblick|stunde|tag\w*|woche\w*|monat\w*|jahr\w*"
            r"|shop\w*|laden|seite)\b)",
            "pl": r"(?:ten|tę|ta|tego|tej|tym|te|tych)(?! (?:chwili|momencie|godzin\w*|dzień|dni\w*"
            r"|tydzień|tygodni\w*|miesiąc\w*|rok\w*|sklep\w*|stron\w*)\b)",
        },
        DEMAND,
        needs(Claim.PRODUCT),
    ),
    Rule(
        "BOUGHT",
        "It is said that somebody bought, and the data is not of orders.",
        {
            "en": "bought, buying, buys, purchased?, purchases, purchasing, sold(?! out), "
            "sales, ordered, orders, ordering, buyers?, checked out",
            "de": r"gekauft\w*, kauft(?:en|e)?, verkauft\w*, bestellt\w*, "
            r"bestellung(?:en)?, käufer\w*, käufe, einkäufe",
            "pl": r"kupi(?:ł|ła|ło|li|ły|ono|one|ony), kupują, kupuje, kupion\w*, zakup\w*, "
            r"sprzeda(?:no|ne|ny|na|ż\w*), zamówi(?:ł|ła|ło|li|ły|ono), zamówie\w*, "
            r"nabyw\w*, kupując\w*",
        },
        DEMAND,
        needs(Claim.ORDERS),
    ),
    Rule(
        "CARTED",
        "It is said that somebody put it into a cart, and the data is not of carts.",
        {
            "en": r"added (?:\S+ )?to (?:\w+ )?(?:cart|basket|bag)s?, "
            r"in (?:… |\w+ )?(?:carts|baskets|bags), carted",
            "de": "in (?:den|einen|ihren|seinen|die) (?:warenkorb|warenkörbe) gelegt, "
            r"in \S* ?warenkörben, liegt in \S+ warenkörben",
            "pl": r"(?:doda(?:ł|ła|ło|li|ły|no)|trafi(?:ł|ła|ło|ły)) \S* ?do koszyk\w*, "
            "w koszykach",
        },
        DEMAND,
        needs(Claim.CARTS),
    ),
    Rule(
        "LOOKED",
        "It is said that somebody looked, and the data is not of visitors.",
        {
            "en": "view(?:s|ed|ers?|ing), watch(?:ed|ing|ers?), look(?:ed|ing|s)? at, "
            "browsing, browsed, visitors?, visited, visiting, seen by, have seen, "
            "saw this, interested in",
            "de": r"angesehen, angeschaut, besucher\w*, sehen sich, sieht sich, "
            r"schauen sich, schaut sich, betrachte\w*, gesehen, interessier\w*",
            "pl": r"ogląda\w*, obejrza\w*, przegląda\w*, odwiedz\w*, patrz\w*, zobaczył\w*, "
            r"widział\w*, wyświetl\w*",
        },
        DEMAND,
        needs(Claim.VISITORS),
    ),
    Rule(
        "PEOPLE",
        "It counts people, and what was counted is not people.",
        {
            "en": "people, persons, shoppers, customers, users, others",
            "de": r"personen, leute, menschen, kund(?:en|innen), andere, nutzer\w*",
            "pl": r"os(?:oby|ób|obom|obami), ludzi\w*, klienci, klientów, klientki, "
            "klientek, inn(?:i|ych), użytkowni(?:cy|ków)",
        },
        DEMAND,
        needs(Claim.PEOPLE),
    ),
    Rule(
        "REVIEWED",
        "It is said of a review, and the data holds none.",
        {
            "en": "review(?:s|ed|ers?)?, rat(?:ed|ings?), stars?, testimonials?",
            "de": r"bewert\w*, rezension\w*, stern(?:e|en)?, kundenmeinung\w*",
            "pl": r"ocen\w*, opini\w*, recenz\w*, gwiazd\w*",
        },
        REVIEWS,
        needs(Claim.REVIEWS),
    ),
    Rule(
        "VERIFIED",
        "It is said that it was checked, and nobody has looked up the purchase.",
        {
            "en": "verified, verifies, confirmed, authenticated",
            "de": r"geprüft\w*, verifiziert\w*, bestätigt\w*",
            "pl": r"zweryfikowan\w*, sprawdzon\w*, potwierdzon\w*",
        },
        REVIEWS,
        needs(Claim.VERIFIED),
    ),
)
