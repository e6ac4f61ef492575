"""New messages into the ledger: one row each, whoever enters it and however often."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from saleor_nudges.models import (
    CampaignStep,
    MessageChannel,
    Send,
    SendState,
    TrackedCheckout,
    statements,
)
from saleor_nudges.recovery.planning.shoppers import FOR_NOW

# New messages, all DUE; one that is there already stays as it is.
ENTER: Final = """
    INSERT INTO saleor_nudges_send (
        id, created_at, shop_id, channel, checkout_id, cycle, campaign_id, step_id, step_number,
        person_id, order_id, message_channel, due_at, ready_at, is_manual, lines, state, reason,
        fence, failures)
    SELECT id, now(), shop_id, channel, checkout_id, cycle, campaign_id, step_id, step_number,
        person_id, order_id, message_channel, due_at, ready_at, is_manual, NULLIF(lines, 'null'),
        'DUE', '', 0, 0
    FROM jsonb_to_recordset(%s::text::jsonb) AS entered(
        id uuid, shop_id uuid, channel text, checkout_id uuid, cycle int, campaign_id uuid,
        step_id uuid, step_number int, person_id uuid, order_id uuid, message_channel text,
        due_at timestamptz, ready_at timestamptz, is_manual boolean, lines jsonb)
    ON CONFLICT DO NOTHING
"""
ENTER_FIELDS: Final = (
    *("id", "shop_id", "channel", "checkout_id", "cycle", "campaign_id", "step_id", "step_number"),
    *("person_id", "order_id", "message_channel", "due_at", "ready_at", "is_manual", "lines"),
)


def enter(sends: Sequence[Send]) -> None:
    """Enter messages of one shop into the ledger; what only waited for better facts wakes up."""
    if not sends:
        return
    keys = {(one.checkout_id, one.cycle, one.campaign_id, one.step_number): one for one in sends}
    asleep = Send.objects.of(sends[0].shop_id).filter(
        checkout__in=[one.checkout_id for one in sends],
        state=SendState.CANCELLED,
        reason__in=FOR_NOW,
    )
    for row in asleep.select_for_update():
        fresh = keys.pop((row.checkout_id, row.cycle, row.campaign_id, row.step_number), None)
        if fresh is not None:
            row.state, row.reason, row.failures = SendState.DUE, "", 0
            row.due_at, row.ready_at, row.lines = fresh.due_at, fresh.ready_at, fresh.lines
            row.person_id, row.message_channel = fresh.person_id, fresh.message_channel
            row.is_manual = fresh.is_manual
            row.save()
    if keys:
        rows = [{name: getattr(one, name) for name in ENTER_FIELDS} for one in keys.values()]
        statements.run(ENTER, [msgspec.json.encode(rows).decode()])


def in_the_ledger(left: list[TrackedCheckout]) -> set[UUID]:
    """Return which of these checkouts of one shop have a message on its way already."""
    if not left:
        return set()
    live = (SendState.DUE, SendState.CLAIMED, SendState.SENDING)
    rows = Send.objects.of(left[0].shop_id).filter(checkout__in=left, state__in=live)
    return set(rows.values_list("checkout_id", flat=True))


def row(
    tracked: TrackedCheckout, step: CampaignStep, message_channel: MessageChannel, due_at: datetime
) -> Send:
    """Return a new row of the ledger, not saved."""
    return Send(
        shop_id=tracked.shop_id,
        channel=tracked.channel,
        checkout=tracked,
        cycle=tracked.cycle,
        campaign_id=step.campaign_id,
        step=step,
        step_number=step.number,
        person_id=tracked.person_id,
        message_channel=message_channel,
        due_at=due_at,
        ready_at=due_at,
    )
