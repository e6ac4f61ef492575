"""A draft on the shop's own pages, for staff: a link that holds it, and what such a page is told.

Nothing of a draft is stored, so nothing has to be cleaned up, and whoever looks counts nowhere.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from saleor_nudges import access
from saleor_nudges.exceptions import BadSignature, InvalidInput
from saleor_nudges.models import NudgeType, Shop
from saleor_nudges.nudges.configs import display_of, draft_of, settings_of
from saleor_nudges.nudges.preview import Preview, preview
from saleor_nudges.nudges.texts import named

# By this name the widget finds it in the page's address.
PARAMETER: Final = "nudges-preview"
# What every server and proxy on the way takes, with room for what they add.
LONGEST_LINK: Final = 6000
PREVIEW_ID: Final = "preview"
# A page that shows it has nothing to wait for.
AT_ONCE: Final[dict[str, Any]] = {"enabled": True, "initialDelay": 0}


def link(
    shop: Shop,
    channel: str,
    kind: NudgeType,
    changes: Mapping[str, Any],
    *,
    page: str,
    language: str,
    now: datetime,
) -> str:
    """Return the address of a page that shows a draft; raises InvalidInput if it cannot be shown.

    Words that the shop's rules refuse are shown on none of its pages, not even to staff.
    """
    parts = _page(page)
    _tried(shop, channel, kind, changes, language, now)
    token = access.preview_token(shop.pk, [channel, kind, dict(changes), language])
    others = [pair for pair in parts.query.split("&") if pair and not _is_ours(pair)]
    # Its letters need no quoting.
    query = "&".join([*others, f"{PARAMETER}={token}"])
    found = parts._replace(query=query).geturl()
    if len(found) > LONGEST_LINK:
        raise InvalidInput(
            f"A link has at most {LONGEST_LINK} characters, and this would have {len(found)}:"
            " try it with fewer languages or products.",
            field="input",
        )
    return found


def feed(shop: Shop, token: str, now: datetime) -> dict[str, Any]:
    """Return what a page with such a link is told; raises BadSignature, or InvalidInput."""
    try:
        channel, name, changes, language = access.read_preview(token, shop.pk)
        kind = NudgeType(name)
    except (ValueError, TypeError) as error:
        raise BadSignature("Another version made this preview: make a new link.") from error
    tried = _tried(shop, channel, kind, changes, language, now)
    return {
        # By a name of its own, so that it is never taken for one that was shown or closed before.
        "nudges": [(tried.body or {}) | {"id": PREVIEW_ID}],
        "display": display_of(settings_of(shop, channel)) | AT_ONCE,
        "pollAfter": None,
        "preview": True,
        "sample": tried.is_sample,
    }


def _tried(
    shop: Shop,
    channel: str,
    kind: NudgeType,
    changes: Mapping[str, Any],
    language: str,
    now: datetime,
) -> Preview:
    tried = preview(shop, draft_of(shop, channel, kind, changes), language, now)
    if tried.error:
        raise tried.error
    if tried.findings:
        raise InvalidInput(named(tried.findings), field=tried.findings[0].field)
    return tried


def _page(page: str) -> SplitResult:
    wrong = InvalidInput("A page's address begins with https:// or http://.", field="url")
    if not page.isprintable() or set(page) & set(" <>\"'\\^`{|}"):
        raise wrong
    try:
        parts = urlsplit(page)
        host = parts.hostname
    except ValueError as error:
        raise wrong from error
    if parts.scheme not in {"http", "https"} or not host or "@" in parts.netloc:
        raise wrong
    return parts


def _is_ours(pair: str) -> bool:
    return pair.partition("=")[0] == PARAMETER
