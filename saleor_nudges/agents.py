"""What a user agent says of itself: which device and browser it is, and whether a crawler."""

from functools import lru_cache
from typing import Final

from crawleruseragents import is_crawler

# Headers are free text: what is longer than any browser's is cut, and what repeats is remembered.
LONGEST: Final = 512
MARKS: Final = (
    ("ANDROID", ("android",)),
    ("IOS", ("iphone", "ipad", "ipod")),
    ("DESKTOP", ("windows nt", "macintosh", "x11", "cros")),
)
# Most of them also name those they are made from or want to be taken for: the first here counts.
BROWSERS: Final = (
    ("EDGE", ("edg/", "edga/", "edgios/", "edge/")),
    ("OPERA", ("opr/", "opera", "opt/")),
    ("SAMSUNG", ("samsungbrowser/",)),
    ("FIREFOX", ("firefox/", "fxios/")),
    ("CHROME", ("chrome/", "crios/", "chromium/")),
    ("SAFARI", ("safari/",)),
)


def device(user_agent: str) -> str:
    """Return DESKTOP, ANDROID, IOS or OTHER."""
    return _device(user_agent[:LONGEST])


def browser(user_agent: str) -> str:
    """Return CHROME, EDGE, FIREFOX, OPERA, SAFARI, SAMSUNG or OTHER."""
    return _browser(user_agent[:LONGEST])


def is_bot(user_agent: str) -> bool:
    """Tell whether this is a crawler by its own word; nobody unnamed is."""
    return bool(user_agent) and _is_bot(user_agent[:LONGEST])


@lru_cache(maxsize=4096)
def _device(user_agent: str) -> str:
    return _named(user_agent, MARKS)


@lru_cache(maxsize=4096)
def _browser(user_agent: str) -> str:
    return _named(user_agent, BROWSERS)


def _named(user_agent: str, known: tuple[tuple[str, tuple[str, ...]], ...]) -> str:
    text = user_agent.lower()
    for name, marks in known:
        if any(mark in text for mark in marks):
            return name
    return "OTHER"


@lru_cache(maxsize=4096)
def _is_bot(user_agent: str) -> bool:
    return bool(is_crawler(user_agent))
