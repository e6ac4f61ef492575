"""Keep why a message did not go, so that whoever asks is told in plain words."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from saleor_nudges.models import Attempt, TrackedCheckout, statements
from saleor_nudges.recovery import reasons, spoken
from saleor_nudges.recovery.message_channels import MessageChannel
from saleor_nudges.recovery.planning.planner import Kept
from saleor_nudges.recovery.reasons import Reason, Why

UPSERT = """
    INSERT INTO saleor_nudges_attempt (
        id, created_at, shop_id, channel, checkout_id, cycle, campaign_id, step_number, reason,
        at, last_at, times, until, zone, message_channel)
    SELECT id, now(), shop_id, channel, checkout_id, cycle, campaign_id, step_number, reason,
        at, at, 1, until, zone, message_channel
    FROM jsonb_to_recordset(%s::text::jsonb) AS kept(
        id uuid, shop_id uuid, channel text, checkout_id uuid, cycle int, campaign_id uuid,
        step_number int, reason text, at timestamptz, until timestamptz, zone text,
        message_channel text)
    -- In one order for all, so that two workers never wait for each other.
    ORDER BY checkout_id, step_number, reason
    ON CONFLICT (checkout_id, cycle, step_number, reason) DO UPDATE
    SET last_at = excluded.last_at, until = excluded.until, zone = excluded.zone,
        times = saleor_nudges_attempt.times + 1
"""


def keep(found: Sequence[tuple[TrackedCheckout, Kept]], now: datetime) -> None:
    """Write down why steps did not go; a reason that was there already is counted on."""
    rows = {_key(tracked, kept): _row(tracked, kept, now) for tracked, kept in found}
    if rows:
        statements.run(UPSERT, [msgspec.json.encode(list(rows.values())).decode()])


def say(attempt: Attempt, language: str | None = spoken.FALLBACK) -> str:
    """Return an attempt's reason in plain words."""
    channel = attempt.message_channel
    why = Why(
        reason=Reason[attempt.reason],
        at=attempt.last_at,
        until=attempt.until,
        zone=ZoneInfo(attempt.zone) if attempt.zone else None,
        message_channel=MessageChannel(channel) if channel else None,
    )
    return reasons.say(why, language or spoken.FALLBACK)


def _key(tracked: TrackedCheckout, kept: Kept) -> tuple[object, ...]:
    # A statement may touch each row once.
    return tracked.pk, tracked.cycle, kept.step_number, kept.why.reason


def _row(tracked: TrackedCheckout, kept: Kept, now: datetime) -> dict[str, object]:
    why = kept.why
    return {
        "id": Attempt._meta.pk.get_default(),
        "shop_id": tracked.shop_id,
        "channel": tracked.channel,
        "checkout_id": tracked.pk,
        "cycle": tracked.cycle,
        "campaign_id": tracked.campaign_id,
        "step_number": kept.step_number,
        "reason": why.reason.name,
        "at": why.at or now,
        "until": why.until,
        "zone": str(why.zone or ""),
        "message_channel": why.message_channel or "",
    }
