"""A campaign's funnel: the same gates that explain one checkout, counted for all of them."""

from typing import Any

import graphene

from saleor_nudges.models import Campaign
from saleor_nudges.recovery.insight import funnel


class RecoveryFunnelRow(graphene.ObjectType):
    """How many checkouts or messages stand at one gate."""

    gate = graphene.String(required=True, description="What kept them, or became of them, a code.")
    text = graphene.String(required=True, description="The same in plain words.")
    count = graphene.Int(required=True, description="How many.")
    is_message = graphene.Boolean(
        required=True, description="Whether messages are counted rather than checkouts."
    )

    class Meta:
        description = "Represents how many checkouts or messages stand at one gate."


def funnel_of(campaign: Campaign) -> list[dict[str, Any]]:
    """Return the rows of a campaign's funnel, checkouts first."""
    return [
        {"gate": row.gate, "text": row.text, "count": row.count, "is_message": row.is_message}
        for row in funnel.of(campaign)
    ]
