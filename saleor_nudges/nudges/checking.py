"""What a seller may choose: every field of a configuration and of the settings, held to its limits.

Whatever is wrong raises InvalidInput with the field as GraphQL names it, and nothing is saved.
"""

import re
from base64 import b64decode
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.models import (
    NudgeConfig,
    NudgeConsentMode,
    NudgeImage,
    NudgeLink,
    NudgeSettings,
    StockRule,
)
from saleor_nudges.models.nudges import all_devices
from saleor_nudges.nudges.kinds.base import PAGES, Kind
from saleor_nudges.nudges.rules import PACKS

SHORTEST_WINDOW: Final = 60
LARGEST_NUMBER: Final = 1_000_000
MOST_IDS: Final = 500
LONGEST_ADDRESS: Final = 500
DEVICES: Final = tuple(all_devices())
# Orders in Saleor's other states are no purchases, whatever a seller says.
ORDER_STATUSES: Final = (
    "UNCONFIRMED",
    "UNFULFILLED",
    "PARTIALLY_FULFILLED",
    "FULFILLED",
    "PARTIALLY_RETURNED",
)
# As Saleor names what a global id is of.
LISTS: Final = {"products": "Product", "categories": "Category", "collections": "Collection"}
COLOR: Final = re.compile(r"#[0-9a-fA-F]{6}")

Check = Callable[[str, Any], None]


def wrong(message: str, field: str) -> InvalidInput:
    """Return the refusal of a field, by the name it has in GraphQL."""
    first, *others = field.split("_")
    return InvalidInput(message, field=first + "".join(word.capitalize() for word in others))


def check_config(kind: Kind, config: NudgeConfig, changed: Collection[str]) -> None:
    """Raise InvalidInput unless every field may be so, and the kind could be shown at all."""
    for field, check in CONFIG.items():
        check(field, getattr(config, field))
    _check_window(kind, config.window_seconds)
    if not 1 <= config.minimum <= kind.largest_minimum:
        raise wrong(f"A minimum lies between 1 and {kind.largest_minimum}.", "minimum")
    most = kind.most(config)
    if most is not None and config.minimum > most:
        named = "minimum" if "minimum" in changed else "maximum"
        raise wrong("The minimum is above the maximum: nothing would ever be shown.", named)
    if config.image == NudgeImage.CUSTOM and not config.image_url:
        raise wrong("Say which image.", "image_url")
    if config.link == NudgeLink.CUSTOM and not config.link_url:
        raise wrong("Say where it leads.", "link_url")
    if _is_all_excluded(config):
        raise wrong("All that is included is excluded: nothing would ever be shown.", "excluded")


def check_settings(settings: NudgeSettings) -> None:
    """Raise InvalidInput unless every field of a channel's settings may be so."""
    for field, check in SETTINGS.items():
        check(field, getattr(settings, field))


def check_packs(packs: Collection[str]) -> None:
    """Raise InvalidInput unless these are sets of rules there are, at least one."""
    _some_of(PACKS, "claim_rules", packs)


def check_channel(channel: str) -> None:
    """Raise InvalidInput unless this can be a channel's slug."""
    if not channel or len(channel) > 255 or "\0" in channel:
        raise InvalidInput("A channel's slug has 1 to 255 characters.", field="channel")


def _between(least: int, most: int, field: str, value: int) -> None:
    if not least <= value <= most:
        raise wrong(f"This lies between {least} and {most}.", field)


def _one_of(known: Collection[str], field: str, value: str) -> None:
    if value not in known:
        raise wrong(f"“{value}” is none of {', '.join(known)}.", field)


def _some_of(known: Collection[str], field: str, values: Collection[str]) -> None:
    if not values:
        raise wrong(f"Choose at least one of {', '.join(known)}.", field)
    _any_of(known, field, values)


def _any_of(known: Collection[str], field: str, values: Collection[str]) -> None:
    for value in values:
        _one_of(known, field, value)
    if len(set(values)) < len(values):
        raise wrong("Each may be named once.", field)


def _color(field: str, value: str) -> None:
    if value and not COLOR.fullmatch(value):
        raise wrong("A colour looks like #1a2b3c.", field)


def _maximum(field: str, value: int | None) -> None:
    if value is not None:
        _between(1, LARGEST_NUMBER, field, value)


def _address(field: str, value: str) -> None:
    if not value:
        return
    if len(value) > LONGEST_ADDRESS:
        raise wrong(f"An address has at most {LONGEST_ADDRESS} characters.", field)
    if not _is_https(value):
        raise wrong("An address begins with https:// and holds no blanks.", field)


def _is_https(value: str) -> bool:
    if not value.isprintable() or set(value) & set(" <>\"'\\^`{|}"):
        return False
    try:
        parts = urlsplit(value)
        return parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False


def _ids(field: str, value: Mapping[str, Collection[str]]) -> None:
    _any_of(LISTS, field, value.keys())
    for name, ids in value.items():
        if len(ids) > MOST_IDS:
            raise wrong(f"At most {MOST_IDS} {name}.", field)
        for one in ids:
            if not _is_global_id(one, LISTS[name]):
                raise wrong(f"“{one[:80]}” is no global id of one of the {name}.", field)


def _is_global_id(text: str, kind: str) -> bool:
    try:
        name, _, key = b64decode(text, validate=True).decode().partition(":")
    except ValueError:
        return False
    return name == kind and bool(re.fullmatch(r"[\w-]{1,64}", key, re.ASCII))


def _is_all_excluded(config: NudgeConfig) -> bool:
    included = {(name, one) for name in LISTS for one in config.included.get(name) or ()}
    excluded = {(name, one) for name in LISTS for one in config.excluded.get(name) or ()}
    return bool(included) and included <= excluded


def _check_window(kind: Kind, seconds: int) -> None:
    known = [int(window.total_seconds()) for window in kind.windows]
    if known and seconds not in known:
        listed = ", ".join(str(one) for one in known)
        raise wrong(f"This window has one of {listed} seconds.", "window_seconds")
    longest = int(kind.longest_window.total_seconds())
    if not known and not SHORTEST_WINDOW <= seconds <= longest:
        raise wrong(
            f"This window has {SHORTEST_WINDOW} to {longest} seconds"
            f" ({timedelta(seconds=longest).days} days).",
            "window_seconds",
        )


CONFIG: Final[dict[str, Check]] = {
    "priority": partial(_between, 0, 100),
    "maximum": _maximum,
    "stock_rule": partial(_one_of, StockRule.values),
    "cover_days": partial(_between, 1, 90),
    "pages": partial(_some_of, PAGES),
    "highlight_color": _color,
    "included": _ids,
    "excluded": _ids,
    "order_statuses": partial(_any_of, ORDER_STATUSES),
    "image": partial(_one_of, NudgeImage.values),
    "image_url": _address,
    "link": partial(_one_of, NudgeLink.values),
    "link_url": _address,
}
SETTINGS: Final[dict[str, Check]] = {
    "desktop_position": partial(_one_of, ("BOTTOM_LEFT", "BOTTOM_RIGHT")),
    "mobile_position": partial(_one_of, ("TOP", "BOTTOM")),
    "theme": partial(_one_of, ("LIGHT", "DARK", "AUTO")),
    "highlight_color": _color,
    "initial_delay": partial(_between, 0, 300),
    "gap": partial(_between, 1, 600),
    "duration": partial(_between, 2, 120),
    "max_per_page": partial(_between, 1, 20),
    "max_per_session": partial(_between, 1, 100),
    "devices": partial(_some_of, DEVICES),
    "consent_mode": partial(_one_of, NudgeConsentMode.values),
    "buyers_per_place": partial(_between, 2, 100),
}
