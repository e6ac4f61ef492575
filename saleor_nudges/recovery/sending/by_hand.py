"""Messages that the seller asks for: the next step of a campaign, now, under the same refusals."""

from collections.abc import Iterable

from django.db import transaction

from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.models import (
    Campaign,
    CampaignState,
    CheckoutState,
    Send,
    StepKind,
    TrackedCheckout,
)
from saleor_nudges.models.statements import database_now
from saleor_nudges.recovery import campaigns
from saleor_nudges.recovery.planning.planner import message_channel
from saleor_nudges.recovery.planning.shoppers import FOR_NOW, PASSED, WAITING, WRITTEN
from saleor_nudges.recovery.sending import entering


def send_now(tracked: TrackedCheckout, campaign: Campaign) -> Send:
    """Enter the next message about a checkout into the ledger, due now; raises InvalidInput.

    Whether it may go is asked when it is sent, as of any other: only nobody waits for silence. A
    message that waits for its time goes now instead.
    """
    if campaign.state != CampaignState.ACTIVE or campaign.channel != tracked.channel:
        raise InvalidInput("Name a campaign of its channel that is on.", field="campaign")
    with transaction.atomic():
        held = TrackedCheckout.objects.of(tracked.shop_id).select_for_update().get(pk=tracked.pk)
        _must_be_reachable(held)
        ledger = Send.objects.of(held.shop_id).filter(checkout=held, cycle=held.cycle)
        if waiting := ledger.filter(state__in=WAITING).first():
            return _hurried(waiting)
        send = _next(held, campaign, ledger.filter(state__in=(*WRITTEN, *PASSED)))
        entering.enter([send])
        send = ledger.get(campaign=campaign, step_number=send.step_number)
        held.campaign, held.next_due_at = campaign, None
        held.save(update_fields=["campaign", "next_due_at"])
    return send


def _must_be_reachable(tracked: TrackedCheckout) -> None:
    if tracked.state != CheckoutState.OPEN:
        raise InvalidInput("It is not open any more.", field="checkout")
    if tracked.parent_id is not None:
        raise InvalidInput("A link of ours has opened it already.", field="checkout")
    if tracked.person_id is None:
        raise InvalidInput("Nobody knows whose it is.", field="checkout")


def _hurried(send: Send) -> Send:
    now = database_now()
    mine = Send.objects.of(send.shop_id).filter(pk=send.pk, state="DUE")
    mine.update(is_manual=True, due_at=now, ready_at=now)
    send.is_manual, send.due_at = True, now
    return send


def _next(tracked: TrackedCheckout, campaign: Campaign, gone: Iterable[Send]) -> Send:
    own = list(gone)
    written = [row for row in own if row.state in WRITTEN]
    if any(row.campaign_id != campaign.pk for row in written):
        raise InvalidInput("Another campaign writes about it already.", field="campaign")
    taken = {
        row.step_number
        for row in own
        if row.campaign_id == campaign.pk and row.reason not in FOR_NOW
    }
    last = max((row.step_number for row in written), default=0)
    left = (
        step
        for step in campaigns.steps_of(campaign)
        if step.number > last and step.number not in taken and step.kind == StepKind.REMINDER
    )
    if (step := next(left, None)) is None:
        raise InvalidInput("All its messages have gone.", field="campaign")
    now = database_now()
    send = entering.row(tracked, step, message_channel(step.message_channels), now)
    send.is_manual = True
    return send
