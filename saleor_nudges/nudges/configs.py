"""What the seller decided per channel: each kind's configuration, and how nudges look."""

from datetime import datetime
from typing import Any

from saleor_nudges import wording
from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.models import NudgeConfig, NudgeSettings, NudgeType, Shop
from saleor_nudges.nudges import KINDS, shelf
from saleor_nudges.nudges.base import PAGES

SHORTEST_WINDOW = 60
POSITIONS = {
    "desktop_position": ("BOTTOM_LEFT", "BOTTOM_RIGHT"),
    "mobile_position": ("TOP", "BOTTOM"),
}
THEMES = ("LIGHT", "DARK", "AUTO")
# Seconds and counts a seller may choose between.
RANGES = {
    "initial_delay": (0, 300),
    "gap": (1, 600),
    "duration": (2, 120),
    "max_per_page": (1, 20),
    "max_per_session": (1, 100),
}


def configs(shop: Shop, channel: str) -> dict[NudgeType, NudgeConfig]:
    """Return the configuration of every kind in one channel, the untouched ones included."""
    stored = {
        NudgeType(config.type): config
        for config in NudgeConfig.objects.of(shop).filter(channel=channel)
    }
    return {name: stored.get(name) or kind.default(shop, channel) for name, kind in KINDS.items()}


def change_config(
    shop: Shop, channel: str, kind: NudgeType, changes: dict[str, Any]
) -> NudgeConfig:
    """Change one kind in one channel; raises InvalidInput and then changes nothing."""
    check_channel(channel)
    config = configs(shop, channel)[kind]
    for field, value in changes.items():
        _check_config(kind, field, value)
        setattr(config, field, value)
    config.save()
    shelf.take_down(shop.pk, [(channel, "")])
    return config


def settings_of(shop: Shop, channel: str) -> NudgeSettings:
    """Return how nudges look in one channel, with defaults where the seller has not said."""
    stored = NudgeSettings.objects.of(shop).filter(channel=channel).first()
    return stored or NudgeSettings(shop=shop, channel=channel)


def change_settings(shop: Shop, channel: str, changes: dict[str, Any]) -> NudgeSettings:
    """Change how nudges look in one channel; raises InvalidInput and then changes nothing."""
    check_channel(channel)
    settings = settings_of(shop, channel)
    for field, value in changes.items():
        _check_settings(field, value)
        setattr(settings, field, value)
    settings.save()
    shelf.take_down(shop.pk, [(channel, "")])
    return settings


def check_channel(channel: str) -> None:
    """Raise InvalidInput unless this can be a channel's slug."""
    if not channel or len(channel) > 255:
        raise InvalidInput("A channel's slug has 1 to 255 characters.", field="channel")


def display_of(chosen: NudgeSettings) -> dict[str, Any]:
    """Return how a storefront shows nudges, as the widget reads it; times in seconds."""
    return {
        "position": {"desktop": chosen.desktop_position, "mobile": chosen.mobile_position},
        "theme": chosen.theme,
        "highlight": chosen.highlight_color or None,
        "initialDelay": chosen.initial_delay,
        "gap": chosen.gap,
        "duration": chosen.duration,
        "maxPerPage": chosen.max_per_page,
        "maxPerSession": chosen.max_per_session,
    }


def is_on(shop: Shop, now: datetime) -> bool:
    """Tell whether the seller lets us watch and show at all."""
    return bool(shop.is_active and shop.tracking_since and shop.tracking_since <= now)


def _check_config(kind: NudgeType, field: str, value: Any) -> None:
    if field == "pages" and not set(value) <= set(PAGES):
        raise InvalidInput(f"A page is one of {', '.join(PAGES)}.", field="pages")
    longest = int(KINDS[kind].longest_window.total_seconds())
    if field == "window_seconds" and not SHORTEST_WINDOW <= value <= longest:
        raise InvalidInput(
            f"This window has {SHORTEST_WINDOW} to {longest} seconds.", field="windowSeconds"
        )
    if field == "minimum" and not 1 <= value <= 1_000_000:
        raise InvalidInput("A minimum is at least 1.", field="minimum")
    if field == "texts":
        for text in value.values():
            wording.check(text, field="texts")


def _check_settings(field: str, value: Any) -> None:
    if field in POSITIONS and value not in POSITIONS[field]:
        raise InvalidInput(f"A position is one of {', '.join(POSITIONS[field])}.", field=field)
    if field == "theme" and value not in THEMES:
        raise InvalidInput(f"A theme is one of {', '.join(THEMES)}.", field=field)
    if field == "highlight_color" and value and not _is_color(value):
        raise InvalidInput("A colour looks like #1a2b3c.", field="highlightColor")
    if field in RANGES and not RANGES[field][0] <= value <= RANGES[field][1]:
        least, most = RANGES[field]
        raise InvalidInput(f"This lies between {least} and {most}.", field=field)


def _is_color(value: str) -> bool:
    digits = value.removeprefix("#")
    return (
        len(digits) == 6
        and value.startswith("#")
        and all(c in "0123456789abcdefABCDEF" for c in digits)
    )
