"""Which checkouts have been silent long enough: each gets one row in the ledger."""

import logging
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from cryptography.fernet import InvalidToken
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from saleor_nudges import conf, consent, crypto, facts, reconcile, telemetry
from saleor_nudges.capture import capture
from saleor_nudges.exceptions import HostUnavailable
from saleor_nudges.host import Checkout, get_host
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
    """Enter what is due into the ledger, in every shop that sends; return how many were due.

    A shop that is not caught up is left alone: who bought there meanwhile is not known.
    """
    active = (
        Campaign.objects.across_shops()
        .filter(state=CampaignState.ACTIVE, shop__in=Shop.objects.filter(consent.sending_bound()))
        .filter(shop__in=reconcile.caught_up(reconcile.ORDERS).values("shop"))
        .select_related("shop")
    )
    total, away = 0, set[UUID]()
    for campaign in active:
        try:
            total += 0 if campaign.shop_id in away else _detect(campaign)
        except HostUnavailable:
            away.add(campaign.shop_id)
            telemetry.log(telemetry.Log.HOST_UNAVAILABLE, logging.WARNING, shop=campaign.shop.key)
    return total


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
    # The shop is asked before any row is held: it may take its time.
    asked = list(_due(campaign).order_by("next_due_at")[: conf.get().SEND_BATCH])
    present = _as_they_are_now(campaign.shop, asked)
    with transaction.atomic():
        due = _due(campaign).filter(pk__in=[tracked.pk for tracked in asked])
        held = list(due.select_for_update(skip_locked=True))
        left = [t for t in held if t.pk not in present or _is_left(t, present[t.pk], step)]
        # Last changed before either was switched on: counted, never messaged.
        since = max(filter(None, (campaign.active_since, campaign.shop.sending_since)))
        rows = [_row(tracked, step) for tracked in left if tracked.changed_at > since]
        Send.objects.bulk_create(rows, ignore_conflicts=True)
        TrackedCheckout.objects.of(campaign.shop_id).filter(pk__in=[t.pk for t in left]).update(
            next_due_at=None
        )
    return len(held)


def _due(campaign: Campaign) -> QuerySet[TrackedCheckout]:
    return TrackedCheckout.objects.of(campaign.shop_id).filter(
        channel=campaign.channel, state=CheckoutState.OPEN, next_due_at__lte=Now()
    )


def _as_they_are_now(shop: Shop, due: list[TrackedCheckout]) -> dict[UUID, Checkout | None]:
    """Read the checkouts from the shop, in batches; None for what it no longer has."""
    ids: dict[UUID, str] = {}
    for tracked in due:
        # What none of today's keys opens is left out: it is held when it is to be sent.
        with suppress(InvalidToken):
            ids[tracked.pk] = crypto.unseal(bytes(tracked.sealed_checkout_id))
    found = get_host(shop).checkouts(ids.values()) if ids else {}
    return {pk: found.get(checkout_id) for pk, checkout_id in ids.items()}


def _is_left(tracked: TrackedCheckout, checkout: Checkout | None, step: CampaignStep) -> bool:
    """Tell whether a checkout still waits for its shopper; what we have missed of it is taken in.

    One that was changed and is silent for long enough by now is due all the same: it is looked at
    once more before it is written about.
    """
    mine = TrackedCheckout.objects.of(tracked.shop_id).filter(pk=tracked.pk)
    if checkout is None:
        mine.update(state=CheckoutState.GONE, next_due_at=None)
        return False
    if checkout.changed_at <= tracked.changed_at:
        return True
    capture(facts.full_checkout(tracked.shop, checkout))
    due_at = checkout.changed_at + timedelta(seconds=step.delay_seconds)
    mine.update(next_due_at=due_at)
    return mine.filter(next_due_at__lte=Now()).exists()


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
