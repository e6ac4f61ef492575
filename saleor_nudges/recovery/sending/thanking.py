"""Enter the thank-yous that are due: a shopper who came back and bought is written to once more."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models.functions import Now

from saleor_nudges import conf
from saleor_nudges.host import get_host
from saleor_nudges.models import SeenOrder, Send, Shop, TrackedCheckout
from saleor_nudges.models.statements import database_now
from saleor_nudges.recovery.campaigns import steps
from saleor_nudges.recovery.planning import attempts
from saleor_nudges.recovery.planning.planner import Kept, Planner, planner
from saleor_nudges.recovery.reasons import Fate, Reason, Why
from saleor_nudges.recovery.rules.smear import PATIENCE, Outage
from saleor_nudges.recovery.sending import entering
from saleor_nudges.recovery.watching import thanks

# A campaign that is off is switched on by hand.
AGAIN: Final = timedelta(minutes=10)


def enter_due(shop: Shop, outage: Outage | None) -> int:
    """Enter what is due into the ledger, or write down why not; return how many were entered.

    At most one batch: what is left is due still when the next sweep comes.
    """
    with transaction.atomic():
        due = SeenOrder.objects.of(shop).filter(thanks_due_at__lte=Now())
        held = due.order_by("thanks_due_at").select_for_update(skip_locked=True)
        orders = list(held[: conf.get().SEND_BATCH])
        found = {order.pk: tracked for order in orders if (tracked := thanks.won_back(order))}
        now, rows = database_now(), list(found.values())
        plans = planner(shop, rows, now, get_host(shop).product_cards, outage)
        return sum(_enter(order, found.get(order.pk), plans) for order in orders)


def _enter(order: SeenOrder, tracked: TrackedCheckout | None, plans: Planner) -> int:
    entered, order.thanks_due_at = 0, None
    if tracked is not None and not order.is_void:
        outlook = plans.thanks(tracked, order)
        attempts.keep([(tracked, kept) for kept in outlook.kept], plans.now)
        if outlook.step is None or outlook.due_at is None or outlook.message_channel is None:
            reason = outlook.reason or Reason.ALL_SENT
            attempts.keep([(tracked, Kept(0, Why(reason, plans.now)))], plans.now)
            order.thanks_due_at = _later(order, reason, plans.now)
        elif outlook.due_at > plans.now:
            order.thanks_due_at = outlook.due_at
        else:
            send = entering.row(tracked, outlook.step, outlook.message_channel, outlook.due_at)
            send.order = order
            entering.enter([send])
            after = timedelta(seconds=outlook.step.delay_seconds)
            order.thanks_due_at = thanks.due_at(order, tracked, after=after)
            entered = Send.objects.of(order.shop_id).filter(pk=send.pk).count()
    order.save(update_fields=["thanks_due_at"])
    return entered


def _later(order: SeenOrder, reason: Reason, now: datetime) -> datetime | None:
    """Return when to ask again of what only waits, until nobody would remember the order."""
    is_young = order.placed_at > now - steps.LONGEST_DELAY - PATIENCE
    return now + AGAIN if reason.fate is Fate.WAITS and is_young else None
