"""What a user agent says of itself: which device it is, and whether it is a crawler."""

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


def device(user_agent: str) -> str:
    """Return DESKTOP, ANDROID, IOS or OTHER."""
    return _device(user_agent[:LONGEST])


def is_bot(user_agent: str) -> bool:
    """Tell whether this is a crawler by its own word; nobody unnamed is."""
    return bool(user_agent) and _is_bot(user_agent[:LONGEST])


@lru_cache(maxsize=4096)
def _device(user_agent: str) -> str:
    text = user_agent.lower()
    for name, marks in MARKS:
        if any(mark in text for mark in marks):
            return name
    return "OTHER"


@lru_cache(maxsize=4096)
def _is_bot(user_agent: str) -> bool:
    return bool(is_crawler(user_agent))
