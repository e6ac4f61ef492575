"""Words that several of the nudges' types share."""

import graphene

from saleor_nudges.models import NudgeType
from saleor_nudges.nudges.base import PAGES

NudgeTypeEnum = graphene.Enum("NudgeTypeEnum", [(kind.name, kind.value) for kind in NudgeType])
NudgeCategoryEnum = graphene.Enum(
    "NudgeCategoryEnum",
    [(name, name) for name in ("RECENT_PURCHASE", "POPULARITY", "RECENT_SUMMARY", "FRICTION")],
)
NudgePageEnum = graphene.Enum("NudgePageEnum", [(page, page) for page in PAGES])
NudgeDeviceEnum = graphene.Enum(
    "NudgeDeviceEnum", [(name, name) for name in ("DESKTOP", "ANDROID", "IOS", "OTHER")]
)
NudgeDesktopPositionEnum = graphene.Enum(
    "NudgeDesktopPositionEnum", [(name, name) for name in ("BOTTOM_LEFT", "BOTTOM_RIGHT")]
)
NudgeMobilePositionEnum = graphene.Enum(
    "NudgeMobilePositionEnum", [(name, name) for name in ("TOP", "BOTTOM")]
)
NudgeThemeEnum = graphene.Enum(
    "NudgeThemeEnum", [(name, name) for name in ("LIGHT", "DARK", "AUTO")]
)
