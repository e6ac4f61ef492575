"""What the seller decided per channel: each kind's configuration, and how nudges look."""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Model

from saleor_nudges.models import NudgeConfig, NudgeSettings, NudgeType, Shop
from saleor_nudges.nudges import KINDS, defaults, shelf
from saleor_nudges.nudges.checking import (
    check_channel,
    check_config,
    check_packs,
    check_settings,
    wrong,
)
from saleor_nudges.nudges.kinds.measured import Measured
from saleor_nudges.nudges.rules import PACKS
from saleor_nudges.nudges.texts import check_texts, findings

# Whoever only switches a kind off need not repair it first.
SWITCHED_OFF: Final = {"is_enabled": False}
# What a number is counted by. Its minimum and maximum are asked again when it is told.
RULE: Final = frozenset({"window_seconds", "order_statuses", "stock_rule", "cover_days"})


@dataclass(frozen=True, slots=True)
class Change[R: Model]:
    """A row as it is now, and what of it was changed: the values before and after, by field."""

    row: R
    before: dict[str, Any]
    after: dict[str, Any]


def configs(shop: Shop, channel: str) -> dict[NudgeType, NudgeConfig]:
    """Return the configuration of every kind in one channel, the untouched ones included."""
    stored = {
        NudgeType(config.type): config
        for config in NudgeConfig.objects.of(shop).filter(channel=channel)
    }
    return {name: stored.get(name) or kind.default(shop, channel) for name, kind in KINDS.items()}


def change_config(
    shop: Shop, channel: str, kind: NudgeType, changes: Mapping[str, Any]
) -> NudgeConfig:
    """Change one kind in one channel; raises InvalidInput and then changes nothing."""
    return edit_config(shop, channel, kind, changes).row


def edit_config(
    shop: Shop,
    channel: str,
    kind: NudgeType,
    changes: Mapping[str, Any],
    *,
    is_restored: bool = False,
) -> Change[NudgeConfig]:
    """Change one kind in one channel; raises InvalidInput and then changes nothing.

    `is_restored`: every field but whether it is on goes back to what ships, before the changes.
    Two who change different fields at once lose nothing.
    """
    check_channel(channel)
    with transaction.atomic():
        config = _locked_config(shop, channel, kind)
        wanted = _wanted(config, changes, is_restored=is_restored)
        change = _apply(config, wanted)
        if change.after != SWITCHED_OFF:
            check_config(KINDS[kind], config, wanted.keys())
            check_texts(KINDS[kind], config, shop.claim_rules)
        config.save(update_fields=list(change.after))
        _count_again(shop, config, change)
        shelf.take_down(shop.pk, [(channel, "")])
    return change


def _count_again(shop: Shop, config: NudgeConfig, change: Change[NudgeConfig]) -> None:
    counted = KINDS[NudgeType(config.type)]
    if isinstance(counted, Measured) and not RULE.isdisjoint(change.after):
        counted.age(shop, config.channel)


def draft_of(
    shop: Shop,
    channel: str,
    kind: NudgeType,
    changes: Mapping[str, Any],
    *,
    is_restored: bool = False,
) -> NudgeConfig:
    """Return a kind as it would be after these changes; nothing is stored or checked."""
    check_channel(channel)
    config = copy(configs(shop, channel)[kind])
    _apply(config, _wanted(config, changes, is_restored=is_restored))
    return config


def settings_of(shop: Shop, channel: str) -> NudgeSettings:
    """Return how nudges look in one channel, with defaults where the seller has not said."""
    stored = NudgeSettings.objects.of(shop).filter(channel=channel).first()
    return stored or NudgeSettings(shop=shop, channel=channel)


def change_settings(shop: Shop, channel: str, changes: Mapping[str, Any]) -> NudgeSettings:
    """Change how nudges look in one channel; raises InvalidInput and then changes nothing."""
    return edit_settings(shop, channel, changes).row


def edit_settings(
    shop: Shop, channel: str, changes: Mapping[str, Any], *, is_restored: bool = False
) -> Change[NudgeSettings]:
    """Change how nudges look in one channel, likewise; the shop itself is not restored."""
    check_channel(channel)
    with transaction.atomic():
        settings = _locked_settings(shop, channel)
        wanted = (defaults.of_settings(shop, channel) if is_restored else {}) | dict(changes)
        change = _apply(settings, wanted)
        check_settings(settings)
        settings.save(update_fields=list(change.after))
        shelf.take_down(shop.pk, [(channel, "")])
    return change


def edit_shop(shop: Shop, changes: Mapping[str, Any]) -> Change[Shop]:
    """Change what holds for all channels of a shop, field by field, so that nothing else is lost.

    Raises InvalidInput if new `claim_rules` refuse words that stand in any channel.
    """
    if not changes:
        return Change(shop, {}, {})
    with transaction.atomic():
        stored = Shop.objects.select_for_update().get(pk=shop.pk)
        change = _apply(stored, changes)
        if "claim_rules" in change.after:
            check_packs(stored.claim_rules)
            stored.claim_rules = [pack for pack in PACKS if pack in stored.claim_rules]
            _check_standing_words(stored)
        stored.save(update_fields=list(change.after))
    for field in change.after:
        setattr(shop, field, getattr(stored, field))
    return change


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
        "devices": list(chosen.devices),
        "quietInCheckout": chosen.is_quiet_in_checkout,
        "consentMode": chosen.consent_mode,
        "capturesContact": chosen.captures_contact,
    }


def is_on(shop: Shop, now: datetime) -> bool:
    """Tell whether the seller lets us watch and show at all."""
    return bool(shop.is_active and shop.tracking_since and shop.tracking_since <= now)


def _locked_config(shop: Shop, channel: str, kind: NudgeType) -> NudgeConfig:
    NudgeConfig.objects.bulk_create([KINDS[kind].default(shop, channel)], ignore_conflicts=True)
    rows = NudgeConfig.objects.of(shop).select_for_update()
    return rows.get(channel=channel, type=kind)


def _locked_settings(shop: Shop, channel: str) -> NudgeSettings:
    new = NudgeSettings(shop=shop, channel=channel)
    NudgeSettings.objects.bulk_create([new], ignore_conflicts=True)
    return NudgeSettings.objects.of(shop).select_for_update().get(channel=channel)


def _wanted(
    config: NudgeConfig, changes: Mapping[str, Any], *, is_restored: bool
) -> dict[str, Any]:
    kind = KINDS[NudgeType(config.type)]
    wanted = defaults.of_kind(kind, config.shop, config.channel) if is_restored else {}
    wanted |= changes
    for field in {"texts", "headings"} & wanted.keys():
        texts = {language.lower(): text for language, text in wanted[field].items()}
        # Whoever writes nothing wants ours back.
        wanted[field] = {language: text for language, text in texts.items() if text.strip()}
    return wanted


def _apply[R: Model](row: R, wanted: Mapping[str, Any]) -> Change[R]:
    before = {field: getattr(row, field) for field in wanted}
    changed = [field for field in wanted if wanted[field] != before[field]]
    for field in changed:
        setattr(row, field, wanted[field])
    return Change(row, {f: before[f] for f in changed}, {f: wanted[f] for f in changed})


def _check_standing_words(shop: Shop) -> None:
    for config in NudgeConfig.objects.of(shop).order_by("channel", "type"):
        if found := findings(KINDS[NudgeType(config.type)], config, shop.claim_rules):
            where = f"{config.channel}, {config.type}, {found[0].field}"
            raise wrong(f"These rules refuse what stands in {where}: {found[0]}", "claim_rules")


__all__ = [
    "Change",
    "change_config",
    "change_settings",
    "check_channel",
    "configs",
    "display_of",
    "draft_of",
    "edit_config",
    "edit_settings",
    "edit_shop",
    "is_on",
    "settings_of",
]
