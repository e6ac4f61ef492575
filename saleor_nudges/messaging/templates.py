"""Subject, text and HTML of a message: the seller's own words, or ours."""

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from saleor_nudges import wording

# What a template may use; docs/templates.md describes each.
VARIABLES = (
    "shop",
    "first_name",
    "lines",
    "total",
    "voucher",
    "language",
    "return_url",
    "unsubscribe_url",
    "subject",
)

# By what the names of our own templates begin.
REMINDER, THANKS = "", "thanks_"


@dataclass(frozen=True, slots=True)
class Written:
    """A message in words."""

    subject: str
    text: str
    html: str


@lru_cache(maxsize=8)
def default(part: str, ours: str = REMINDER) -> str:
    """Return our own template for `subject`, `text` or `html` of a reminder or of thanks."""
    folder = files("saleor_nudges.messaging") / "defaults"
    return (folder / f"{ours}{part}.liquid").read_text(encoding="utf-8")


def write(
    subject: str, text: str, html: str, facts: dict[str, Any], ours: str = REMINDER
) -> Written:
    """Return the message; where the seller gave no template ours is used. Raises InvalidInput."""
    title = " ".join(wording.text(subject or default("subject", ours), facts).split())
    facts = facts | {"subject": title}
    return Written(
        subject=title,
        text=wording.text(text or default("text", ours), facts),
        html=wording.html(html or default("html", ours), facts),
    )
