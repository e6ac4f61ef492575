"""A sweep by hand over one campaign: a batch at a time, counted, or only tried."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import DatabaseError, transaction

from saleor_nudges import conf, consent, reconcile, telemetry
from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.host import get_host
from saleor_nudges.models import Campaign, CheckoutState, Send, TrackedCheckout
from saleor_nudges.models.statements import database_now
from saleor_nudges.recovery import reasons
from saleor_nudges.recovery.planning import outages
from saleor_nudges.recovery.planning.planner import Outlook, planner
from saleor_nudges.recovery.reasons import Why
from saleor_nudges.recovery.sending import entering

LARGEST_BATCH: Final = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which messages a sweep is for; nothing named is all. `delays` are in seconds."""

    delays: Collection[int] = ()
    message_channels: Collection[str] = ()

    def takes(self, outlook: Outlook) -> bool:
        """Tell whether the sweep is for the message that comes next."""
        step = outlook.step
        is_delay = not self.delays or (step is not None and step.delay_seconds in self.delays)
        channels = self.message_channels
        return is_delay and (not channels or outlook.message_channel in channels)


@dataclass
class Swept:
    """What one batch came to: messages entered per step, and how many were kept back and why.

    `cursor` is where to go on, empty when nothing is left. `errors` name checkouts of ours.
    """

    entered: dict[int, int] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    cursor: str = ""


def sweep(
    campaign: Campaign,
    wanted: Wanted,
    *,
    cursor: str = "",
    size: int | None = None,
    is_dry: bool = False,
) -> Swept:
    """Look at the next batch of a campaign's checkouts, due or not; raises InvalidInput.

    What is due and wanted is entered into the ledger, from where it is sent as always; `is_dry`
    enters nothing. In order of our own ids, so that nothing new is missed and nothing comes twice.
    """
    size = _size(size)
    _must_send(campaign)
    rows = TrackedCheckout.objects.of(campaign.shop_id).filter(
        channel=campaign.channel, state=CheckoutState.OPEN, person__isnull=False
    )
    if cursor:
        rows = rows.filter(pk__gt=_position(cursor))
    batch = list(rows.order_by("pk")[: size + 1])
    swept = Swept(cursor=str(batch[size - 1].pk) if len(batch) > size else "")
    with transaction.atomic():
        _look(campaign, batch[:size], wanted, swept, is_dry=is_dry)
    return swept


def _look(
    campaign: Campaign, batch: list[TrackedCheckout], wanted: Wanted, swept: Swept, *, is_dry: bool
) -> None:
    held = TrackedCheckout.objects.of(campaign.shop_id).filter(pk__in=[one.pk for one in batch])
    if not is_dry:
        # What a worker holds is in its hands.
        held = held.select_for_update(skip_locked=True, of=("self",))
    found = list(held.order_by("pk"))
    now = database_now()
    outage = outages.lasting([campaign.shop_id], now).get(campaign.shop_id)
    cards = get_host(campaign.shop).product_cards
    plans = planner(campaign.shop, found, now, cards, outage)
    waiting = entering.in_the_ledger(found)
    sends = []
    for tracked in found:
        outlook = _outlook(plans.outlook, tracked, swept)
        if outlook is None or outlook.running is None or outlook.running.row.pk != campaign.pk:
            continue
        if tracked.pk in waiting or not wanted.takes(outlook):
            continue
        sends += _sends(tracked, outlook, swept, now)
    if not is_dry and sends:
        entering.enter(sends)
        entered = TrackedCheckout.objects.of(campaign.shop_id)
        entered.filter(pk__in=[send.checkout_id for send in sends]).update(
            next_due_at=None, campaign=campaign
        )


def _outlook(
    ask: Callable[[TrackedCheckout], Outlook], tracked: TrackedCheckout, swept: Swept
) -> Outlook | None:
    """Ask about one checkout; whatever is wrong with it keeps no other one back."""
    try:
        return ask(tracked)
    except DatabaseError:
        raise
    except Exception:
        telemetry.trouble(telemetry.Log.MESSAGE_HELD, checkout=tracked.pk)
        swept.errors.append(str(tracked.pk))
        return None


def _sends(tracked: TrackedCheckout, outlook: Outlook, swept: Swept, now: datetime) -> list[Send]:
    """Count what comes next, and return its row of the ledger if it is due."""
    step, due_at, channel = outlook.step, outlook.due_at, outlook.message_channel
    if step is None or due_at is None or channel is None or due_at > now:
        reason = outlook.reason or reasons.Reason.NOT_DUE
        told = reasons.say(Why(reason))
        swept.kept[told] = swept.kept.get(told, 0) + 1
        return []
    swept.entered[step.number] = swept.entered.get(step.number, 0) + 1
    return [entering.row(tracked, step, channel, due_at)]


def _size(size: int | None) -> int:
    size = conf.get().SEND_BATCH if size is None else size
    if not 1 <= size <= LARGEST_BATCH:
        raise InvalidInput(f"A batch has 1 to {LARGEST_BATCH} checkouts.", field="batchSize")
    return size


def _position(cursor: str) -> UUID:
    try:
        return UUID(cursor)
    except ValueError as error:
        raise InvalidInput("This is not a cursor.", field="cursor") from error


def _must_send(campaign: Campaign) -> None:
    if not consent.may_send_now(campaign.shop):
        raise InvalidInput("Switch sending on first.", field="isSendingEnabled")
    if not reconcile.is_caught_up(campaign.shop):
        raise InvalidInput("The shop's orders are not read up to now.", field="campaign")
