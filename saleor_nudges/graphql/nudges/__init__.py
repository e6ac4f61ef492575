"""Nudges: what storefronts read and report, what sellers configure; a file for each noun."""

import graphene

from saleor_nudges.graphql.nudges.config import ConfigQueries, NudgeConfigUpdate
from saleor_nudges.graphql.nudges.evidence import EvidenceQueries
from saleor_nudges.graphql.nudges.feed import FeedQueries, NudgeFeed
from saleor_nudges.graphql.nudges.preview import NudgePreviewLinkCreate, PreviewQueries
from saleor_nudges.graphql.nudges.settings import NudgeSettingsUpdate, SettingsQueries
from saleor_nudges.graphql.nudges.tracking import NudgeEventsTrack, NudgeSessionCreate


class NudgeQueries(SettingsQueries, ConfigQueries, PreviewQueries, EvidenceQueries, FeedQueries):
    """What can be asked about nudges."""


class NudgeMutations(graphene.ObjectType):
    """What can be changed about nudges."""

    nudge_config_update = NudgeConfigUpdate.Field(
        description="Changes one kind of nudge in a channel. Requires MANAGE_SETTINGS."
    )
    nudge_settings_update = NudgeSettingsUpdate.Field(
        description="Changes how nudges look in a channel. Requires MANAGE_SETTINGS."
    )
    nudge_preview_link_create = NudgePreviewLinkCreate.Field(
        description=NudgePreviewLinkCreate._meta.description
    )
    nudge_session_create = NudgeSessionCreate.Field(
        description="Gives an anonymous visitor a token, or renews one."
    )
    nudge_events_track = NudgeEventsTrack.Field(
        description="Reports what a storefront saw. One bad event costs no other."
    )


__all__ = ["NudgeFeed", "NudgeMutations", "NudgeQueries"]
