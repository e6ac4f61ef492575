"""Words that several of the nudges' types share."""

from collections.abc import Iterable

import graphene

from saleor_nudges.models import NudgeConsentMode, NudgeImage, NudgeLink, NudgeType, StockRule
from saleor_nudges.nudges.checking import DEVICES, ORDER_STATUSES
from saleor_nudges.nudges.kinds.base import PAGES, Scope
from saleor_nudges.nudges.rules import PACKS


def enum(name: str, words: Iterable[str]) -> graphene.Enum:
    """Return an enum of words that are their own values."""
    return graphene.Enum(name, [(word, word) for word in words])


NudgeTypeEnum = enum("NudgeTypeEnum", NudgeType.values)
NudgeCategoryEnum = enum(
    "NudgeCategoryEnum", ("RECENT_PURCHASE", "POPULARITY", "RECENT_SUMMARY", "FRICTION")
)
NudgePageEnum = enum("NudgePageEnum", PAGES)
NudgeDeviceEnum = enum("NudgeDeviceEnum", DEVICES)
NudgeDesktopPositionEnum = enum("NudgeDesktopPositionEnum", ("BOTTOM_LEFT", "BOTTOM_RIGHT"))
NudgeMobilePositionEnum = enum("NudgeMobilePositionEnum", ("TOP", "BOTTOM"))
NudgeThemeEnum = enum("NudgeThemeEnum", ("LIGHT", "DARK", "AUTO"))
NudgeImageEnum = enum("NudgeImageEnum", NudgeImage.values)
NudgeLinkEnum = enum("NudgeLinkEnum", NudgeLink.values)
NudgeStockRuleEnum = enum("NudgeStockRuleEnum", StockRule.values)
NudgeOrderStatusEnum = enum("NudgeOrderStatusEnum", ORDER_STATUSES)
NudgeConsentModeEnum = enum("NudgeConsentModeEnum", NudgeConsentMode.values)
NudgeClaimRulesEnum = enum("NudgeClaimRulesEnum", PACKS)
NudgeScopeEnum = enum("NudgeScopeEnum", map(str, Scope))
