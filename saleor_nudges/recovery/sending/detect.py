"""Look at the checkouts that are due: each gets its next message into the ledger, or a reason."""

import logging
import math
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from cryptography.fernet import InvalidToken
from django.db import DatabaseError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from saleor_nudges import conf, consent, crypto, facts, reconcile, telemetry
from saleor_nudges.capture import capture
from saleor_nudges.exceptions import HostUnavailable, InvalidInput
from saleor_nudges.host import Checkout, get_host
from saleor_nudges.host.looks import CheckoutLook
from saleor_nudges.models import (
    Campaign,
    CampaignState,
    CheckoutState,
    Send,
    SendState,
    Shop,
    TrackedCheckout,
    statements,
)
from saleor_nudges.models.statements import database_now
from saleor_nudges.recovery.planning import attempts, outages
from saleor_nudges.recovery.planning.planner import Kept, Planner, planner
from saleor_nudges.recovery.reasons import Reason, Why
from saleor_nudges.recovery.rules.smear import Outage
from saleor_nudges.recovery.sending import entering, ledger, thanking
from saleor_nudges.recovery.watching import cycles, standing

# What could not be looked at is looked at again.
LATER: Final = timedelta(minutes=1)
# What is sold out is looked at again; a shop's stock does not change by the minute.
STOCK_AGAIN: Final = timedelta(minutes=10)
# What a look changes, of a whole batch: held already, by whoever looks.
LOOKED_AT: Final = """
    UPDATE saleor_nudges_trackedcheckout AS tracked
    SET next_due_at = found.next_due_at, reason = found.reason, campaign_id = found.campaign_id,
        stage = found.stage, is_stage_certain = found.is_stage_certain, country = found.country,
        blockers = found.blockers, ruled_out = found.ruled_out
    FROM jsonb_to_recordset(%s::text::jsonb) AS found(
        id uuid, next_due_at timestamptz, reason text, campaign_id uuid, stage text,
        is_stage_certain boolean, country text, blockers jsonb, ruled_out jsonb)
    WHERE tracked.id = found.id
"""
LOOKED_AT_FIELDS: Final = (
    *("id", "next_due_at", "reason", "campaign_id"),
    *("stage", "is_stage_certain", "country", "blockers", "ruled_out"),
)


def detect(*, seconds: float = math.inf) -> int:
    """Look at what is due in every shop that sends; return how many messages were entered.

    Batch by batch in turns, so that a shop with much to look at holds up no other, until nothing
    is left or the time is up. A shop that is not caught up is left alone: who bought there
    meanwhile is not known.
    """
    limit, now = time.monotonic() + seconds, database_now()
    shops = [shop for shop in _sending() if not ledger.stop_if_behind(shop)]
    outages.beat(now)
    lasting = outages.note([shop.pk for shop in shops], now)
    total = 0
    while shops and time.monotonic() < limit:
        with_more = []
        for shop in shops:
            count, is_over = _one_batch(shop, lasting.get(shop.pk))
            total += count
            if not is_over:
                with_more.append(shop)
        shops = with_more
    return total


def _one_batch(shop: Shop, outage: Outage | None) -> tuple[int, bool]:
    """Return how many messages were entered, and whether the shop has had its last turn."""
    try:
        entered, is_over = _detect_batch(shop, outage)
        return entered + (thanking.enter_due(shop, outage) if is_over else 0), is_over
    except HostUnavailable:
        telemetry.log(telemetry.Log.HOST_UNAVAILABLE, logging.WARNING, shop=shop.key)
    except Exception:
        telemetry.trouble(telemetry.Log.SWEEP_FAILED, shop=shop.key)
    return 0, True


def count_due() -> int:
    """Return how many messages would be tried now."""
    waiting = TrackedCheckout.objects.across_shops().filter(
        state=CheckoutState.OPEN, next_due_at__lte=Now()
    )
    listed = Send.objects.across_shops().filter(state=SendState.DUE, due_at__lte=Now())
    return waiting.count() + listed.count()


def _sending() -> list[Shop]:
    active = Campaign.objects.across_shops().filter(state=CampaignState.ACTIVE)
    return list(
        Shop.objects.filter(consent.sending_bound(), pk__in=active.values("shop"))
        .filter(pk__in=reconcile.caught_up(reconcile.ORDERS).values("shop"))
        .order_by("pk")
    )


def _detect_batch(shop: Shop, outage: Outage | None) -> tuple[int, bool]:
    """Return how many messages were entered, and whether nothing is left to look at."""
    # The shop is asked before any row is held: it may take its time.
    asked = list(_due(shop).order_by("next_due_at")[: conf.get().SEND_BATCH])
    if not asked:
        return 0, True
    present, looks = as_they_are_now(shop, asked)
    with transaction.atomic():
        due = _due(shop).filter(pk__in=[tracked.pk for tracked in asked])
        held = list(due.select_for_update(skip_locked=True, of=("self",)))
        left = [one for one in held if one.pk not in present or _is_left(one, present[one.pk])]
        plans = planner(shop, left, database_now(), get_host(shop).product_cards, outage)
        entered = _write(left, plans, looks)
    # Others have the rest in hand.
    return entered, not held


def _due(shop: Shop) -> QuerySet[TrackedCheckout]:
    active = Campaign.objects.of(shop).filter(state=CampaignState.ACTIVE)
    return TrackedCheckout.objects.of(shop).filter(
        channel__in=active.values("channel"), state=CheckoutState.OPEN, next_due_at__lte=Now()
    )


def as_they_are_now(
    shop: Shop, due: Sequence[TrackedCheckout]
) -> tuple[dict[UUID, Checkout | None], dict[UUID, CheckoutLook]]:
    """Read checkouts of one shop from it, None for what it no longer has, and where each stands."""
    ids = _ids(due)
    found = get_host(shop).checkouts(ids.values()) if ids else {}
    present = {pk: found.get(checkout_id) for pk, checkout_id in ids.items()}
    return present, looks_of(shop, due)


def looks_of(shop: Shop, due: Sequence[TrackedCheckout]) -> dict[UUID, CheckoutLook]:
    """Ask one shop where its checkouts stand; what it no longer has is left out."""
    ids = _ids(due)
    looks = get_host(shop).looks(ids.values()) if ids else {}
    return {pk: looks[checkout_id] for pk, checkout_id in ids.items() if checkout_id in looks}


def _ids(due: Sequence[TrackedCheckout]) -> dict[UUID, str]:
    """Return the shop's own names of checkouts, by ours."""
    ids: dict[UUID, str] = {}
    for tracked in due:
        # What none of today's keys opens is left out: it is held when it is to be sent.
        with suppress(InvalidToken):
            ids[tracked.pk] = crypto.unseal(bytes(tracked.sealed_checkout_id))
    return ids


def _is_left(tracked: TrackedCheckout, checkout: Checkout | None) -> bool:
    """Tell whether a checkout still waits for its shopper; what we have missed of it is taken in.

    One that was changed is planned from that change on: it is looked at once more before it is
    written about.
    """
    if checkout is None:
        mine = TrackedCheckout.objects.of(tracked.shop_id).filter(pk=tracked.pk)
        mine.update(state=CheckoutState.GONE, next_due_at=None, reason=Reason.CHECKOUT_GONE)
        cycles.look_again_at_others(tracked)
        return False
    if checkout.changed_at > tracked.changed_at:
        try:
            capture(facts.full_checkout(tracked.shop, checkout))
        except InvalidInput:
            # A time that lies outside all we keep; the checkout is planned all the same.
            telemetry.trouble(telemetry.Log.SWEEP_FAILED, checkout=tracked.pk)
        tracked.seen_at = max(tracked.seen_at, checkout.changed_at)
    return True


@dataclass
class _Found:
    """What a batch came to."""

    sends: list[Send] = field(default_factory=list)
    kept: list[tuple[TrackedCheckout, Kept]] = field(default_factory=list)
    ended: list[TrackedCheckout] = field(default_factory=list)


def _write(left: list[TrackedCheckout], plans: Planner, looks: Mapping[UUID, CheckoutLook]) -> int:
    found = _Found()
    waiting = entering.in_the_ledger(left)
    for tracked in left:
        if tracked.pk in waiting:
            # Whoever sends it plans on from there.
            tracked.next_due_at = None
        else:
            _plan(tracked, plans, found, looks.get(tracked.pk))
    entering.enter(found.sends)
    attempts.keep(found.kept, plans.now)
    if left:
        statements.run(LOOKED_AT, [msgspec.json.encode(list(map(_looked_at, left))).decode()])
        cycles.look_again_at_others(*found.ended)
    return len(found.sends)


def _looked_at(tracked: TrackedCheckout) -> dict[str, Any]:
    return {name: getattr(tracked, name) for name in LOOKED_AT_FIELDS}


def _plan(
    tracked: TrackedCheckout, plans: Planner, found: _Found, look: CheckoutLook | None
) -> None:
    """Plan for one checkout; whatever is wrong with it keeps no other one back."""
    try:
        lines = stand(tracked, look)
        outlook = plans.outlook(tracked)
    except (HostUnavailable, DatabaseError):
        raise
    except Exception:
        telemetry.trouble(telemetry.Log.MESSAGE_HELD, checkout=tracked.pk)
        tracked.reason, tracked.next_due_at = Reason.TROUBLE, plans.now + LATER
        found.kept.append((tracked, Kept(0, Why(Reason.TROUBLE, plans.now))))
        return
    if outlook.running is not None:
        tracked.campaign = outlook.running.row
    tracked.reason = outlook.reason or ("" if outlook.step else Reason.ALL_SENT)
    found.kept += [(tracked, kept) for kept in outlook.kept]
    if outlook.step is None or outlook.due_at is None or outlook.message_channel is None:
        tracked.next_due_at = None
        found.kept.append((tracked, Kept(0, Why(Reason[tracked.reason], plans.now))))
        if tracked.reason != Reason.NEWER_CHECKOUT:
            found.ended.append(tracked)
    elif outlook.due_at > plans.now:
        tracked.next_due_at = outlook.due_at
        tracked.reason = tracked.reason or Reason.NOT_DUE
    elif lines == []:
        tracked.next_due_at, tracked.reason = plans.now + STOCK_AGAIN, Reason.OUT_OF_STOCK
        why = Why(Reason.OUT_OF_STOCK, plans.now)
        found.kept.append((tracked, Kept(outlook.step.number, why)))
    else:
        tracked.next_due_at = None
        send = entering.row(tracked, outlook.step, outlook.message_channel, outlook.due_at)
        send.lines = lines
        found.sends.append(send)


def stand(tracked: TrackedCheckout, look: CheckoutLook | None) -> list[dict[str, Any]] | None:
    """Write down where a checkout stands, and return its lines that can still be bought.

    None where that is not known: the shop was not asked, or what is known of it is older than what
    the shop says. Does not save.
    """
    if look is None or look.changed_at > tracked.changed_at:
        return None
    standing.note(tracked, look)
    return standing.buyable(tracked.lines, look)
