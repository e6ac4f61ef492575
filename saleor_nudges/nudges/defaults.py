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
# Line drawings on a grid of 24, as the `d` of an SVG path, where a kind has none of its own.
ICONS: Final = {
    # A shopping bag.
    "RECENT_PURCHASE": "M6 8h12l1 12H5L6 8Zm3 0V7a3 3 0 0 1 6 0v1",
    # An eye.
    "POPULARITY": ("M2 12s4-7 10-7 10 7 10 7-4 7-10 7-10-7-10-7ZM12 9a3 3 0 1 1 0 6 3 3 0 0 1 0-6"),
    # A line that climbs.
    "RECENT_SUMMARY": "M3 17l6-6 4 4 8-8M15 7h6v6",
    # An hourglass.
    "FRICTION": "M7 3h10M7 21h10M8 3v4l4 5 4-5V3M8 21v-4l4-5 4 5v4",
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


def icon_of(kind: Kind) -> str:
    """Return a kind's drawing: its own, else its category's."""
    return kind.icon or ICONS[kind.category]


def _fields(row: Model) -> dict[str, Any]:
    names = [field.attname for field in row._meta.concrete_fields]
    return {name: getattr(row, name) for name in names if name not in NOT_RESTORED}
