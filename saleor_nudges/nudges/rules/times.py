"""When it happened: refused where the window is longer, or nothing is known of that time."""

from typing import Final

from saleor_nudges.nudges.rules.base import DAY, HOUR, Rule
from saleor_nudges.nudges.rules.law import DEADLINE, DEMAND, MISLEADING

TIMES: Final = (
    Rule(
        "LAST_MINUTES",
        "The window is longer than the time that is said.",
        {
            "en": r"just (?:\w+(?:ed|ught|ld|ut)|now), moments? ago, minutes? ago, "
            "(?:last|past) (?:few )?minutes?",
            "de": "soeben, eben erst, gerade eben, vor (?:wenigen|ein paar) minuten, "
            "(?:letzten|vergangenen) minuten?",
            "pl": "właśnie, przed chwilą, (?:kilka|parę) minut temu, przed momentem, "
            r"ostatnich minut\w*",
        },
        DEMAND,
        within=HOUR,
    ),
    Rule(
        "LAST_HOUR",
        "The window is longer than the time that is said.",
        {
            "en": "(?:last|past|this) hour, (?:an )?hour ago, within the hour",
            "de": "(?:letzten?|vergangenen?|diese[rn]?) stunde, vor einer stunde",
            "pl": "(?:ostatniej|ostatnią|tej|tę) godzin[yęie]+, godzinę temu",
        },
        DEMAND,
        within=HOUR,
    ),
    Rule(
        "TODAY",
        "The window is longer than the time that is said.",
        {
            "en": "today, (?:last|past|this) (?:day|few hours), hours ago, daily",
            "de": r"heute, heutig\w*, (?:letzten|vergangenen) (?:tag|stunden), vor stunden, "
            "täglich",
            "pl": r"dzisiaj, dziś, dzisiejsz\w*, ostatni(?:ch|ego)? (?:doby|dnia|godzin), "
            "dziennie",
        },
        DEMAND,
        within=DAY,
    ),
    Rule(
        "THIS_WEEK",
        "The window is longer than the time that is said.",
        {
            "en": "(?:last|past|this) (?:week|few days), days ago, weekly",
            "de": "(?:letzten?|vergangenen?|diese[rn]?) (?:woche|tagen?), vor tagen, wöchentlich",
            "pl": "(?:tym|ostatnim|zeszłym) tygodniu, ostatni(?:ego tygodnia|ch dni), tygodniowo",
        },
        DEMAND,
        within=7 * DAY,
    ),
    Rule(
        "THIS_MONTH",
        "The window is longer than the time that is said.",
        {
            "en": "(?:last|past|this) (?:month|few weeks), weeks ago, monthly",
            "de": "(?:letzten?|vergangenen?|diese[nm]) (?:monat|wochen), vor wochen, monatlich",
            "pl": "(?:tym|ostatnim|zeszłym) miesiącu, ostatni(?:ego miesiąca|ch tygodni), "
            "miesięcznie",
        },
        DEMAND,
        within=31 * DAY,
    ),
    Rule(
        "OTHER_TIME",
        "Numbers are of a time that ends now; nothing is known of this one.",
        {
            "en": "yesterday, tonight, tomorrow, "
            "this (?:morning|afternoon|evening|weekend|year|season), "
            "(?:last|past) (?:night|year|weekend), all time, ever, always",
            "de": "gestern, heute (?:abend|nacht|morgen), morgen, wochenende, "
            "(?:dieses|letztes) jahr, jemals, immer",
            "pl": r"wczoraj, dziś (?:rano|wieczorem), jutro, weekend\w*, "
            "(?:tym|zeszłym) roku, kiedykolwiek, zawsze",
        },
        MISLEADING,
    ),
    Rule(
        "ENDS",
        "It names an end, and nothing we know of ends.",
        {
            "en": "ends? (?:in|soon|today|tonight|at), ending (?:soon|today), "
            "limited[ -]time, "
            "(?:offer|deal|sale|discount|promotion)s? (?:ends?|expires?|closes?), "
            "expir(?:es|ing), time is running out, today only, only today, "
            "(?:hours|minutes|days) left, last day, countdown, limited offer, "
            "flash sale, final hours",
            "de": "endet, läuft (?:bald )?ab, "
            "(?:zeitlich )?begrenzte[sr]? (?:zeit|angebot), zeitlich begrenzt, "
            "nur (?:heute|für kurze zeit), kurze zeit, letzter tag, countdown, "
            "(?:stunden|minuten|tage) übrig, nur noch (?:heute|kurze zeit)",
            "pl": r"kończy się, wygasa, ograniczon\w+ (?:czas\w*|ofert\w*), "
            r"ofert\w+ (?:kończy|ważna), tylko dziś, tylko dzisiaj, ostatni dzień, "
            r"odliczani\w*, krótki czas, czas ucieka",
        },
        DEADLINE,
    ),
)
