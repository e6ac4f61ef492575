"""What is sent to people who left a checkout: one campaign per channel, off until activated."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from saleor_nudges import consent, wording
from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.experiments import assign
from saleor_nudges.models import (
    Campaign,
    CampaignState,
    CampaignStep,
    CheckoutState,
    LegalBasis,
    Shop,
    TrackedCheckout,
)
from saleor_nudges.recovery.plan import Cycle, Rules, Shopper, Step, next_message

# "silent for 30 minutes", as the first message of every recovery tool there is.
FIRST_DELAY = timedelta(minutes=30)
# A test may wait a second; nobody wants to wait longer than a month.
LONGEST_LINE = 255
SHORTEST, LONGEST = timedelta(seconds=1), timedelta(days=30)


def campaign_of(shop: Shop, channel: str) -> Campaign:
    """Return the channel's campaign, with its one step, made as a draft when there is none."""
    with transaction.atomic():
        campaign, is_new = Campaign.objects.of(shop).get_or_create(
            shop=shop, channel=channel, defaults={"name": "Checkout left behind"}
        )
        if is_new:
            CampaignStep.objects.of(shop).create(
                shop=shop,
                campaign=campaign,
                number=1,
                delay_seconds=int(FIRST_DELAY.total_seconds()),
            )
    return campaign


def steps_of(campaign: Campaign) -> list[CampaignStep]:
    """Return a campaign's steps, first to last."""
    return list(
        CampaignStep.objects.of(campaign.shop_id).filter(campaign=campaign).order_by("number")
    )


def fields_of(campaign: Campaign) -> dict[str, Any]:
    """Return everything that `change` can change, as it is now."""
    step = steps_of(campaign)[0]
    own = ("subject", "text", "html", "delay_seconds")
    return {"name": campaign.name} | {field: getattr(step, field) for field in own}


def change(campaign: Campaign, changes: dict[str, Any]) -> None:
    """Change the name or the first step; raises InvalidInput and then changes nothing."""
    step = steps_of(campaign)[0]
    for field in ("subject", "text", "html"):
        if field in changes:
            wording.check(changes[field], field=field)
            if field == "subject":
                _short(changes[field], field)
            setattr(step, field, changes[field])
    if "delay_seconds" in changes:
        step.delay_seconds = _delay(changes["delay_seconds"])
    if "name" in changes:
        campaign.name = _short(changes["name"], "name")
    with transaction.atomic():
        campaign.save()
        step.save()
        _plan_again(campaign, step)


def activate(campaign: Campaign) -> None:
    """Switch a campaign on: what was left before the first time is never written about.

    After a pause it goes on with what waited; what was left during the pause was not planned.
    """
    _must_be_able_to_send(campaign.shop)
    campaign.state = CampaignState.ACTIVE
    campaign.active_since = campaign.active_since or timezone.now()
    campaign.save()


def pause(campaign: Campaign) -> None:
    """Switch a campaign off. Messages that are due wait, and are dropped when too old."""
    campaign.state = CampaignState.PAUSED
    campaign.save()


def first_due(tracked: TrackedCheckout) -> datetime | None:
    """Return when a checkout that just changed is to be written about, if ever."""
    # Who came back by our link and left again is not written to again.
    if tracked.state != CheckoutState.OPEN or tracked.person_id is None or tracked.parent_id:
        return None
    campaign = (
        Campaign.objects.of(tracked.shop_id)
        .filter(channel=tracked.channel, state=CampaignState.ACTIVE)
        .first()
    )
    if campaign is None:
        return None
    steps = [
        Step(step.number, timedelta(seconds=step.delay_seconds)) for step in steps_of(campaign)
    ]
    arm = assign(tracked.shop_id, tracked.person_id)
    cycle = Cycle(str(campaign.pk), str(tracked.pk), tracked.cycle, tracked.changed_at)
    # Every step is mail, which has no hours, so no clock of the person's is asked.
    shopper = Shopper(str(tracked.person_id), zones=("UTC",), arm=arm)
    return next_message(cycle, Rules(steps), shopper, tracked.changed_at).due_at


def _short(text: str, field: str) -> str:
    if len(text) > LONGEST_LINE:
        raise InvalidInput(f"At most {LONGEST_LINE} characters.", field=field)
    return text


def _delay(seconds: int) -> int:
    if not SHORTEST.total_seconds() <= seconds <= LONGEST.total_seconds():
        raise InvalidInput("A delay lies between a second and 30 days.", field="delaySeconds")
    return seconds


def _plan_again(campaign: Campaign, step: CampaignStep) -> None:
    TrackedCheckout.objects.of(campaign.shop_id).filter(
        channel=campaign.channel, state=CheckoutState.OPEN, next_due_at__isnull=False
    ).update(next_due_at=F("changed_at") + timedelta(seconds=step.delay_seconds))


def _must_be_able_to_send(shop: Shop) -> None:
    if shop.legal_basis == LegalBasis.NONE:
        raise InvalidInput("Choose a legal basis first.", field="legalBasis")
    if not shop.sender_email:
        raise InvalidInput("Say who sends first.", field="senderEmail")
    if "{checkout}" not in shop.checkout_url:
        raise InvalidInput("Say where the checkout's page is first.", field="checkoutUrl")
    if not consent.may_send_now(shop):
        raise InvalidInput("Switch sending on first.", field="isSendingEnabled")
