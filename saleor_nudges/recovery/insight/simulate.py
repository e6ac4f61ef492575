"""Run a campaign over the stored history: what would have gone, when, and what not and why.

Nothing is sent and nothing is written. Of a checkout its last sign of life is known, not the ones
before; who came back and left again counts once. Consent is what it is today.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from saleor_nudges.host import get_host
from saleor_nudges.models import CheckoutState, SeenOrder, TrackedCheckout
from saleor_nudges.recovery.campaigns import Running, manners, triggers
from saleor_nudges.recovery.planning.planner import NO_ZONE, plan_steps
from saleor_nudges.recovery.planning.shoppers import Shoppers
from saleor_nudges.recovery.reasons import Reason
from saleor_nudges.recovery.rules.caps import Sent
from saleor_nudges.recovery.rules.plan import Cycle, Decision, Rules, Shopper, Step, next_message

# Read at a time; beside it only who would have been written to is held.
BATCH: Final = 500
MOST_DAYS: Final = 365


@dataclass
class Simulated:
    """What a campaign would have done.

    `sent` counts messages by step number, `kept` those that would not have gone by reason. `days`
    counts the messages of each day (ISO dates). `checkouts` are all that were looked at, and
    `recovered` those bought later than a first message would have gone: what it could have helped.
    """

    checkouts: int = 0
    sent: Counter[int] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)
    days: Counter[str] = field(default_factory=Counter)
    recovered: int = 0


def simulate(
    one: Running,
    now: datetime,
    days: int,
    told: Callable[[int], None] = lambda _: None,
) -> Simulated:
    """Run a campaign, in whatever state, over the checkouts last seen in so many days.

    `told` is called with the number looked at so far, batch by batch.
    """
    found = Simulated()
    # Of each person all messages: a cap counts them whichever checkout they were about.
    written: dict[UUID, list[Sent]] = {}
    for batch in _batches(one, now - timedelta(days=days), now):
        shoppers = Shoppers(one.row.shop, batch, set(), now, get_host(one.row.shop).product_cards)
        orders = _orders(batch)
        for tracked in batch:
            found.checkouts += 1
            _run(one, tracked, shoppers, orders, written, now, found)
        told(found.checkouts)
    return found


def _batches(one: Running, since: datetime, now: datetime) -> Iterator[list[TrackedCheckout]]:
    """Read the checkouts first to last, a batch at a time."""
    rows = TrackedCheckout.objects.of(one.row.shop_id).filter(
        channel=one.row.channel, parent__isnull=True, seen_at__gte=since, seen_at__lt=now
    )
    last: UUID | None = None
    while True:
        left = rows.filter(pk__gt=last) if last else rows
        batch = list(left.order_by("pk")[:BATCH])
        if not batch:
            return
        yield batch
        last = batch[-1].pk


def _orders(batch: list[TrackedCheckout]) -> dict[UUID, datetime]:
    """Return when the checkout of each row became an order, where it did."""
    tokens = {row.checkout: row.pk for row in batch}
    orders = SeenOrder.objects.of(batch[0].shop_id).filter(checkout__in=tokens)
    return {tokens[order.checkout]: order.placed_at for order in orders}


def _run(
    one: Running,
    tracked: TrackedCheckout,
    shoppers: Shoppers,
    orders: dict[UUID, datetime],
    written: dict[UUID, list[Sent]],
    now: datetime,
    found: Simulated,
) -> None:
    refused = _refused(one, tracked, shoppers)
    if refused is not None:
        found.kept[refused] += 1
        return
    person = tracked.person_id or tracked.pk
    sent, bought_at = written.setdefault(person, []), orders.get(tracked.pk)
    begun = len(sent)
    at = tracked.seen_at
    while True:
        decision = _decision(one, tracked, shoppers, sent, at)
        if decision.step is None or decision.due_at is None:
            if decision.never and decision.never.name != Reason.ALL_SENT:
                found.kept[decision.never.name] += 1
            break
        if bought_at is not None and bought_at <= decision.due_at:
            found.kept[Reason.ORDERED] += 1
            break
        if decision.due_at > now:
            break
        at = decision.due_at
        _went(one, tracked, decision.step, at, sent, found)
    if bought_at is not None and len(sent) > begun and sent[begun].at < bought_at:
        found.recovered += 1


def _refused(one: Running, tracked: TrackedCheckout, shoppers: Shoppers) -> str | None:
    if tracked.person_id is None:
        return Reason.NO_CONTACT
    if tracked.state == CheckoutState.EMPTIED:
        return Reason.CHECKOUT_CLOSED
    words = set(triggers.words(one.sequence.trigger))
    if not triggers.holds(one.sequence.trigger, shoppers.facts(tracked, words)):
        return Reason.TRIGGER_NOT_MET
    return None


def _decision(
    one: Running, tracked: TrackedCheckout, shoppers: Shoppers, sent: list[Sent], at: datetime
) -> Decision:
    shop = one.row.shop
    rules = Rules(
        steps=plan_steps(one, None, tracked.seen_at),
        cool_down=one.sequence.cool_down,
        caps=manners.caps_of(shop),
        hours=manners.hours_of(shop),
    )
    is_timed = any(
        step.window.closed or rules.hours_of(step.message_channel).closed for step in rules.steps
    )
    zones = shoppers.zones(tracked, at) if is_timed else NO_ZONE
    shopper = Shopper(key=str(tracked.person_id), zones=zones, sent=tuple(sent))
    cycle = Cycle(str(one.row.pk), str(tracked.pk), tracked.cycle, tracked.seen_at)
    return next_message(cycle, rules, shopper, at)


def _went(
    one: Running,
    tracked: TrackedCheckout,
    step: Step,
    at: datetime,
    sent: list[Sent],
    found: Simulated,
) -> None:
    found.sent[step.number] += 1
    found.days[at.date().isoformat()] += 1
    sent.append(
        Sent(
            at,
            step.message_channel,
            str(one.row.pk),
            str(tracked.pk),
            tracked.cycle,
            step.number,
        )
    )
