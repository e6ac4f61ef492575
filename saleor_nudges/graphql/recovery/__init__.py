"""Recovery: campaigns, the checkouts that were left behind, and why nothing was sent."""

import graphene

from saleor_nudges.graphql.recovery.campaigns import CampaignMutations, CampaignQueries
from saleor_nudges.graphql.recovery.checkouts import CheckoutMutations, CheckoutQueries
from saleor_nudges.graphql.recovery.insight import InsightMutations, InsightQueries
from saleor_nudges.graphql.recovery.timeline import TimelineQueries


class RecoveryQueries(
    CampaignQueries, CheckoutQueries, InsightQueries, TimelineQueries, graphene.ObjectType
):
    """What can be asked about recovery."""


class RecoveryMutations(
    CampaignMutations, CheckoutMutations, InsightMutations, graphene.ObjectType
):
    """What can be changed about recovery."""
