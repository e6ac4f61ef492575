"""Where the checkouts of a campaign's channel stand, and what became of its messages: counts."""

from collections import Counter
from dataclasses import dataclass

from django.db.models import Count, Q

from saleor_nudges.models import Campaign, CheckoutState, Send, SendState, TrackedCheckout
from saleor_nudges.recovery import reasons
from saleor_nudges.recovery.reasons import Reason, Why


@dataclass(frozen=True, slots=True)
class Row:
    """How many stand at one gate; `is_message` tells messages from checkouts."""

    gate: str
    text: str
    count: int
    is_message: bool = False


def of(campaign: Campaign) -> list[Row]:
    """Return the counts of one campaign: two statements, whatever their number."""
    return [*_checkouts(campaign), *_messages(campaign)]


def _checkouts(campaign: Campaign) -> list[Row]:
    rows = TrackedCheckout.objects.of(campaign.shop_id).filter(channel=campaign.channel)
    mine = rows.filter(Q(campaign=campaign) | Q(campaign__isnull=True))
    found: Counter[tuple[str, str]] = Counter()
    for row in mine.values("state", "reason").annotate(count=Count("pk")).order_by():
        found[_named(row["state"], row["reason"])] += row["count"]
    return [Row(gate, text, count) for (gate, text), count in found.most_common()]


def _named(state: str, reason: str) -> tuple[str, str]:
    if state != CheckoutState.OPEN:
        return state, CheckoutState(state).label
    if reason in Reason.__members__:
        return reason, reasons.say(Why(Reason[reason]))
    return "OPEN", CheckoutState.OPEN.label


def _messages(campaign: Campaign) -> list[Row]:
    rows = Send.objects.of(campaign.shop_id).filter(campaign=campaign)
    counted = rows.values("state", "reason").annotate(count=Count("pk")).order_by("state", "reason")
    return [
        Row(
            row["reason"] or row["state"],
            _told(row["state"], row["reason"]),
            row["count"],
            is_message=True,
        )
        for row in counted
    ]


def _told(state: str, reason: str) -> str:
    if reason in Reason.__members__:
        return reasons.say(Why(Reason[reason]))
    return str(SendState(state).label)
