"""What the widget itself says: its buttons, and why a nudge is shown, which its kind knows best."""

from functools import lru_cache
from typing import Any, Final

from saleor_nudges.nudges.hand import languages
from saleor_nudges.nudges.kinds import KINDS

# In the languages that every kind has words in.
LABELS: Final[dict[str, dict[str, str]]] = {
    "en": {
        "close": "Close",
        "withdrawn": "No longer true",
        "why": "Why am I seeing this?",
        "less": "No more of these",
        "off": "Nothing at all",
        "counted": "Counted at {time}.",
        "preview": "Preview",
    },
    "de": {
        "close": "Schließen",
        "withdrawn": "Stimmt nicht mehr",
        "why": "Warum sehe ich das?",
        "less": "Nichts mehr davon",
        "off": "Gar nichts mehr",
        "counted": "Gezählt um {time}.",
        "preview": "Vorschau",
    },
    "pl": {
        "close": "Zamknij",
        "withdrawn": "Już nieaktualne",
        "why": "Dlaczego to widzę?",
        "less": "Nie pokazuj takich",
        "off": "Nie pokazuj niczego",
        "counted": "Policzono o {time}.",
        "preview": "Podgląd",
    },
}


def of(code: str) -> dict[str, Any]:
    """Return the words in this language, else in its family, else in English."""
    return _of(next(name for name in languages(code) if name in LABELS))


@lru_cache(maxsize=len(LABELS))
def _of(language: str) -> dict[str, Any]:
    about = {str(name): kind.about[language] for name, kind in KINDS.items()}
    return {"language": language, **LABELS[language], "about": about}
