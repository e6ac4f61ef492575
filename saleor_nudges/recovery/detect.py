"""Which checkouts have been silent long enough: each gets one row in the ledger."""

from django.db import transaction
from django.db.models.functions import Now

from saleor_nudges import conf, consent
from saleor_nudges.models import (
    Campaign,
    CampaignState,
    CampaignStep,
    CheckoutState,
    Send,
    SendState,
    Shop,
    TrackedCheckout,
)


def detect() -> int:
    """Enter what is due into the ledger, in every shop that sends; return how many rows."""
    active = (
        Campaign.objects.across_shops()
        .filter(state=CampaignState.ACTIVE, shop__in=Shop.objects.filter(consent.sending_bound()))
        .select_related("shop")
    )
    return sum(_detect(campaign) for campaign in active)


def count_due() -> int:
    """Return how many messages would be tried now."""
    waiting = TrackedCheckout.objects.across_shops().filter(
        state=CheckoutState.OPEN, next_due_at__lte=Now()
    )
    listed = Send.objects.across_shops().filter(state=SendState.DUE, due_at__lte=Now())
    return waiting.count() + listed.count()


def _detect(campaign: Campaign) -> int:
    step = CampaignStep.objects.of(campaign.shop_id).filter(campaign=campaign).first()
    if step is None:
        return 0
    total = 0
    while count := _detect_batch(campaign, step):
        total += count
    return total


def _detect_batch(campaign: Campaign, step: CampaignStep) -> int:
    with transaction.atomic():
        due = list(
            TrackedCheckout.objects.of(campaign.shop_id)
            .filter(channel=campaign.channel, state=CheckoutState.OPEN, next_due_at__lte=Now())
            .order_by("next_due_at")
            .select_for_update(skip_locked=True)[: conf.get().SEND_BATCH]
        )
        # Last changed before either was switched on: counted, never messaged.
        since = max(filter(None, (campaign.active_since, campaign.shop.sending_since)))
        rows = [_row(tracked, step) for tracked in due if tracked.changed_at > since]
        Send.objects.bulk_create(rows, ignore_conflicts=True)
        TrackedCheckout.objects.of(campaign.shop_id).filter(pk__in=[t.pk for t in due]).update(
            next_due_at=None
        )
    return len(due)


def _row(tracked: TrackedCheckout, step: CampaignStep) -> Send:
    return Send(
        shop_id=tracked.shop_id,
        channel=tracked.channel,
        checkout=tracked,
        cycle=tracked.cycle,
        step=step,
        step_number=step.number,
        person_id=tracked.person_id,
        message_channel=step.message_channel,
        due_at=tracked.next_due_at or tracked.changed_at,
    )
