"""The campaigns of a shop as they are: those that are on, their steps, when each first looks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Q

from saleor_nudges import telemetry
from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.models import (
    Campaign,
    CampaignMode,
    CampaignState,
    CampaignStep,
    CheckoutState,
    Shop,
    StepKind,
    TrackedCheckout,
)
from saleor_nudges.recovery.campaigns import sandbox, steps

# What a campaign's own row holds of its sequence, by the grammar's names.
OWN: Final = {
    "trigger": "trigger",
    "exits": "exits",
    "coolDownSeconds": "cool_down_seconds",
    "priority": "priority",
}


@dataclass(frozen=True, slots=True)
class Running:
    """A campaign that is on, read: its sequence, and each step's row by number."""

    row: Campaign
    sequence: steps.Sequence
    rows: dict[int, CampaignStep]


def steps_of(campaign: Campaign) -> list[CampaignStep]:
    """Return a campaign's steps, first to last."""
    rows = CampaignStep.objects.of(campaign.shop_id).filter(campaign=campaign, is_retired=False)
    return list(rows.order_by("number"))


def running(shop: Shop, channels: Sequence[str] | None = None) -> list[Running]:
    """Return the campaigns that are on, those that go first before the others."""
    active = Campaign.objects.of(shop).filter(state=CampaignState.ACTIVE)
    if channels is not None:
        active = active.filter(channel__in=channels)
    rows = list(active.order_by("priority", "id"))
    held = CampaignStep.objects.of(shop).filter(campaign__in=rows, is_retired=False)
    by_campaign: dict[Any, list[CampaignStep]] = {row.pk: [] for row in rows}
    for step in held.order_by("number"):
        by_campaign[step.campaign_id].append(step)
    read_ones = (_readable(row, by_campaign[row.pk]) for row in rows)
    return [one for one in read_ones if one is not None]


def _readable(campaign: Campaign, rows: Sequence[CampaignStep]) -> Running | None:
    """Read a campaign; one that a newer or older version has written stops no other one."""
    try:
        return read(campaign, rows)
    except InvalidInput as error:
        telemetry.trouble(telemetry.Log.CAMPAIGN_UNREADABLE, campaign=campaign.pk, at=error.field)
        return None


def read(campaign: Campaign, rows: Sequence[CampaignStep]) -> Running:
    """Return a campaign as it is planned with."""
    sequence = steps.parse(source(campaign, rows))
    return Running(campaign, sequence, {row.number: row for row in rows})


def first_look(tracked: TrackedCheckout) -> datetime | None:
    """Return when a checkout that just changed may first be written about, if ever."""
    # Who came back by our link and left again is not written to again.
    if tracked.state != CheckoutState.OPEN or tracked.person_id is None or tracked.parent_id:
        return None
    active = Q(
        campaign__channel=tracked.channel,
        campaign__state=CampaignState.ACTIVE,
        campaign__mode=CampaignMode.AUTOMATED,
    )
    # The one it is in counts, though it is paused, or was started by hand.
    active |= Q(campaign=tracked.campaign_id) if tracked.campaign_id else Q()
    steps_there = CampaignStep.objects.of(tracked.shop_id).filter(
        active, is_retired=False, kind=StepKind.REMINDER
    )
    first = steps_there.order_by("delay_seconds").first()
    if first is None:
        return None
    return tracked.seen_at + sandbox.paced(timedelta(seconds=first.delay_seconds))


def source(campaign: Campaign, rows: Sequence[CampaignStep]) -> dict[str, Any]:
    """Return what the grammar reads of a campaign."""
    own = {name: getattr(campaign, column) for name, column in OWN.items()}
    return own | {"steps": [step_source(row) for row in rows]}


def step_source(row: CampaignStep) -> dict[str, Any]:
    """Return what the grammar reads of a step."""
    return {
        "kind": row.kind,
        "delaySeconds": row.delay_seconds,
        "messageChannels": row.message_channels,
        "condition": row.condition,
        "sendWindow": row.send_window,
        "voucher": row.voucher,
    }
