"""What a seller starts from and can come back to: one place says which fields that is.

A kind's own words, window, numbers and pages stand in its file; what its category shares is here.
"""

from typing import Any, Final

from django.db.models import Model

from saleor_nudges.models import NudgeConfig, NudgeSettings, Shop
from saleor_nudges.nudges.kinds.base import Kind

# Where the seller has named no colour, neither for the kind nor for the channel. Each is readable
# on white and on black.
COLORS: Final = {
    "RECENT_PURCHASE": "#16803c",
    "POPULARITY": "#2f6fde",
    "RECENT_SUMMARY": "#8250df",
    "FRICTION": "#b35900",
}
# Who a row is of, and whether the kind is on, is not how it is shaped.
NOT_RESTORED: Final = frozenset({"id", "created_at", "shop_id", "channel", "type", "is_enabled"})


def of_kind(kind: Kind, shop: Shop, channel: str) -> dict[str, Any]:
    """Return every field of a kind's configuration that can be restored, as it ships."""
    return _fields(kind.default(shop, channel))


def of_settings(shop: Shop, channel: str) -> dict[str, Any]:
    """Return every field of a channel's settings that can be restored, as it ships."""
    return _fields(NudgeSettings(shop=shop, channel=channel))


def highlight_of(config: NudgeConfig, settings: NudgeSettings, category: str) -> str:
    """Return a kind's colour: its own, else the channel's, else its category's."""
    return config.highlight_color or settings.highlight_color or COLORS[category]


def _fields(row: Model) -> dict[str, Any]:
    names = [field.attname for field in row._meta.concrete_fields]
    return {name: getattr(row, name) for name in names if name not in NOT_RESTORED}
