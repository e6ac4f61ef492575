"""Plan what comes next for checkouts that were left behind: which campaign, which message, when.

`plan` decides; here it is given what is known now. Whoever looks at what is due asks, and whoever
marks a message asks again, in the transaction that marks it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from saleor_nudges.experiments import assign
from saleor_nudges.host import get_host
from saleor_nudges.models import (
    CampaignMode,
    CampaignStep,
    CheckoutState,
    MessageChannel,
    SeenOrder,
    Send,
    Shop,
    TrackedCheckout,
)
from saleor_nudges.recovery import campaigns, message_channels
from saleor_nudges.recovery.campaigns import Running, manners, sandbox, triggers
from saleor_nudges.recovery.campaigns.clauses import Verdict
from saleor_nudges.recovery.campaigns.steps import Exit, Kind
from saleor_nudges.recovery.campaigns.steps import Step as SequenceStep
from saleor_nudges.recovery.planning import outages
from saleor_nudges.recovery.planning.shoppers import THANKS, Cards, Shoppers, longest
from saleor_nudges.recovery.reasons import Reason, Why
from saleor_nudges.recovery.rules.caps import Cap
from saleor_nudges.recovery.rules.hours import Hours
from saleor_nudges.recovery.rules.plan import Cycle, Decision, Rules, Shopper, Step, next_message
from saleor_nudges.recovery.rules.smear import Outage

# Where no hours are kept any clock will do.
NO_ZONE: Final = ("UTC",)


@dataclass(frozen=True, slots=True)
class Kept:
    """A step that does not go now, and why."""

    step_number: int
    why: Why


@dataclass(frozen=True, slots=True)
class Outlook:
    """What comes next for one checkout.

    Either a message, `step` at `due_at` by `message_channel` until just before `closes_at` (None:
    any time), or nothing, for `reason`. `kept` tells of every step that was passed over or moved.
    """

    reason: Reason | None = None
    running: Running | None = None
    step: CampaignStep | None = None
    message_channel: MessageChannel | None = None
    due_at: datetime | None = None
    closes_at: datetime | None = None
    kept: tuple[Kept, ...] = ()

    def is_for(self, send: Send, now: datetime) -> bool:
        """Tell whether this very message is the one to go now."""
        is_due = self.due_at is not None and self.due_at <= now
        return is_due and self.step is not None and self.step.pk == send.step_id


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans for some checkouts of one shop, as it is at `now`."""

    shop: Shop
    now: datetime
    running: Sequence[Running]
    shoppers: Shoppers
    caps: Sequence[Cap] = ()
    hours: Mapping[str, Hours] = field(default_factory=dict)
    outage: Outage | None = None

    def outlook(self, tracked: TrackedCheckout, *, of: Send | None = None) -> Outlook:
        """Return what comes next for one of the checkouts.

        `of` is the message that is about to be marked, if one is: its campaign is the checkout's,
        and one that the seller has asked for waits for no silence.
        """
        if tracked.state != CheckoutState.OPEN:
            return Outlook(Reason.CHECKOUT_CLOSED)
        if tracked.person_id is None:
            return Outlook(Reason.NO_CONTACT)
        if tracked.parent_id is not None:
            # Who came back by our link and left again is not written to again.
            return Outlook(Reason.NO_CAMPAIGN)
        chosen = self._chosen(tracked, of)
        if isinstance(chosen, Reason):
            return Outlook(chosen)
        asked_for = of if of is not None and of.is_manual else None
        return self._ended(tracked, chosen) or self._next(tracked, chosen, asked_for)

    def _chosen(self, tracked: TrackedCheckout, of: Send | None) -> Running | Reason:
        if of is not None and of.is_manual:
            asked = (one for one in self.running if one.row.pk == of.campaign_id)
            return next(asked, Reason.CAMPAIGN_OFF)
        if self._is_started(tracked):
            own = (one for one in self.running if one.row.pk == tracked.campaign_id)
            return next(own, Reason.CAMPAIGN_OFF)
        here = [one for one in self.running if one.row.channel == tracked.channel]
        automated = [one for one in here if one.row.mode == CampaignMode.AUTOMATED]
        for one in automated:
            if self._judge(tracked, one) is Verdict.YES:
                return one
        return Reason.TRIGGER_NOT_MET if automated else Reason.NO_CAMPAIGN

    def _is_started(self, tracked: TrackedCheckout) -> bool:
        """Tell whether this cycle is some campaign's already: a message of it was written."""
        return tracked.campaign_id is not None and bool(self.shoppers.own(tracked))

    def _judge(self, tracked: TrackedCheckout, one: Running) -> Verdict:
        words = set(triggers.words(one.sequence.trigger))
        return triggers.judge(one.sequence.trigger, self.shoppers.facts(tracked, words))

    def _ended(self, tracked: TrackedCheckout, one: Running) -> Outlook | None:
        if not self._is_started(tracked):
            return None
        first = min(sent.at for sent in self.shoppers.own(tracked))
        happened = {
            Exit.TRIGGER_ENDED: self._judge(tracked, one) is Verdict.NO,
            Exit.CLICKED: self.shoppers.came_back(tracked),
            Exit.CHANGED: tracked.changed_at > first,
        }
        if one.sequence.exit_by([name for name, is_so in happened.items() if is_so]):
            return Outlook(Reason.SEQUENCE_ENDED, one)
        return None

    def thanks(self, tracked: TrackedCheckout, order: SeenOrder) -> Outlook:
        """Return which thank-you comes next for the order that a checkout became, if any does."""
        if tracked.person_id is None:
            return Outlook(Reason.NO_CONTACT)
        own = (one for one in self.running if one.row.pk == tracked.campaign_id)
        if (one := next(own, None)) is None:
            return Outlook(Reason.CAMPAIGN_OFF)
        return self._first(
            tracked, one, lambda passed: self._thanks(tracked, one, passed, order.placed_at)
        )

    def _next(self, tracked: TrackedCheckout, one: Running, asked_for: Send | None) -> Outlook:
        return self._first(
            tracked, one, lambda passed: self._decision(tracked, one, passed, asked_for)
        )

    def _first(
        self, tracked: TrackedCheckout, one: Running, decide: Callable[[frozenset[int]], Decision]
    ) -> Outlook:
        """Return what comes first of what is wanted: a step's own condition is asked when due."""
        passed, kept = set(self.shoppers.passed(tracked, one.row.pk)), list[Kept]()
        while True:
            decision = decide(frozenset(passed))
            number = decision.step.number if decision.step else 0
            is_now = decision.due_at is not None and decision.due_at <= self.now
            if not is_now or self._is_wanted(tracked, one.sequence.steps[number - 1]):
                break
            passed.add(number)
            kept.append(Kept(number, Why(Reason.STEP_CONDITION_NOT_MET, self.now)))
        return _outlook(one, decision, [*kept, *_kept(decision, self.now)], self.now)

    def _is_wanted(self, tracked: TrackedCheckout, step: SequenceStep) -> bool:
        words = set(triggers.words(step.condition))
        return triggers.holds(step.condition, self.shoppers.facts(tracked, words))

    def _decision(
        self,
        tracked: TrackedCheckout,
        one: Running,
        passed: frozenset[int],
        asked_for: Send | None,
    ) -> Decision:
        rules = self._rules(one, plan_steps(one, asked_for, tracked.seen_at))
        cycle = Cycle(str(one.row.pk), str(tracked.pk), tracked.cycle, tracked.seen_at)
        shopper = self._shopper(tracked, rules, passed, self.shoppers.others(tracked))
        return next_message(cycle, rules, shopper, self.now, self.outage)

    def _thanks(
        self, tracked: TrackedCheckout, one: Running, passed: frozenset[int], at: datetime
    ) -> Decision:
        """Return which thank-you comes next for an order placed `at`."""
        steps = [_plan_step(step) for step in one.sequence.of_kind(Kind.THANK_YOU)]
        # They have just been written to, by this very campaign; and bought.
        rules = replace(self._rules(one, steps), cool_down=timedelta(0))
        cycle = Cycle(str(one.row.pk), str(tracked.pk), THANKS * tracked.cycle, at)
        shopper = self._shopper(tracked, rules, passed, ())
        return next_message(cycle, rules, shopper, self.now, self.outage)

    def _rules(self, one: Running, steps: Sequence[Step]) -> Rules:
        return Rules(
            steps=steps,
            active_since=_active_since(self.shop, one),
            cool_down=one.sequence.cool_down,
            caps=self.caps,
            hours=self.hours,
        )

    def _shopper(
        self,
        tracked: TrackedCheckout,
        rules: Rules,
        passed: frozenset[int],
        others: Sequence[Cycle],
    ) -> Shopper:
        return Shopper(
            key=str(tracked.person_id),
            zones=self._zones(tracked, rules),
            arm=assign(self.shop.pk, tracked.person_id),
            sent=self.shoppers.sent(tracked),
            others=others,
            passed=passed,
        )

    def _zones(self, tracked: TrackedCheckout, rules: Rules) -> Sequence[str]:
        """Where the person's clock plays no part, what is sealed about them stays closed."""
        is_timed = any(
            step.window.closed or rules.hours_of(step.message_channel).closed
            for step in rules.steps
        )
        return self.shoppers.zones(tracked, self.now) if is_timed else NO_ZONE


def planner(
    shop: Shop,
    checkouts: Sequence[TrackedCheckout],
    now: datetime,
    cards: Cards,
    outage: Outage | None = None,
) -> Planner:
    """Return a planner for checkouts of one shop. `now` is the database's."""
    running = campaigns.running(shop)
    caps, hours = manners.caps_of(shop), manners.hours_of(shop)
    cool_downs = [one.sequence.cool_down for one in running]
    back = longest(*(cap.window for cap in caps), *cool_downs)
    channels = {one.row.channel for one in running}
    shoppers = Shoppers(shop, checkouts, channels, now - back, cards)
    return Planner(shop, now, running, shoppers, caps, hours, outage)


def again(send: Send, now: datetime) -> Outlook:
    """Return what comes next for the checkout of a message that is about to be marked."""
    shop, tracked = send.shop, send.checkout
    outage = outages.lasting([shop.pk], now).get(shop.pk)
    plans = planner(shop, [tracked], now, get_host(shop).product_cards, outage)
    return plans.outlook(tracked, of=send)


def thanks_again(send: Send, now: datetime) -> Outlook:
    """Return what comes next for the order of a thank-you that is about to be marked."""
    shop, tracked = send.shop, send.checkout
    if send.order is None:
        return Outlook(Reason.ALL_SENT)
    outage = outages.lasting([shop.pk], now).get(shop.pk)
    plans = planner(shop, [tracked], now, get_host(shop).product_cards, outage)
    return plans.thanks(tracked, send.order)


def plan_steps(one: Running, asked_for: Send | None, seen_at: datetime) -> list[Step]:
    """Return the steps to plan with: all, or the one the seller asked for, from then on."""
    if asked_for is None:
        return [_plan_step(step) for step in one.sequence.of_kind(Kind.REMINDER)]
    after = max(asked_for.ready_at - seen_at, timedelta(0))
    wanted = (step for step in one.sequence.steps if step.number == asked_for.step_number)
    return [replace(_plan_step(step), after=after) for step in wanted]


def _plan_step(step: SequenceStep) -> Step:
    window = Hours.of(step.windows) if step.windows else None
    delay = sandbox.paced(step.delay)
    planned = Step(step.number, delay, message_channel(step.message_channels))
    return replace(planned, window=window) if window is not None else planned


def message_channel(wanted: Collection[str]) -> MessageChannel:
    """Return the first of a step's message channels that is set up."""
    known = (MessageChannel(one) for one in wanted if one in MessageChannel.values)
    return next(known, MessageChannel.EMAIL)


def _active_since(shop: Shop, one: Running) -> datetime | None:
    return max(filter(None, (one.row.active_since, shop.sending_since)), default=None)


def _outlook(one: Running, decision: Decision, kept: Sequence[Kept], now: datetime) -> Outlook:
    if decision.step is None or decision.due_at is None:
        reason = Reason[decision.never.name] if decision.never else Reason.ALL_SENT
        return Outlook(reason, one, kept=tuple(kept))
    last = decision.delays[-1].reason if decision.delays and decision.due_at > now else None
    return Outlook(
        reason=Reason[last.name] if last else None,
        running=one,
        step=one.rows[decision.step.number],
        message_channel=MessageChannel(decision.step.message_channel),
        due_at=decision.due_at,
        closes_at=decision.closes_at,
        kept=tuple(kept),
    )


def _kept(decision: Decision, now: datetime) -> list[Kept]:
    """Return why steps do not go now; of one that goes, nobody asks what moved it."""
    found = [Kept(one.step.number, Why(Reason[one.reason.name])) for one in decision.skipped]
    if decision.step is not None:
        zone = ZoneInfo(decision.zones[0]) if decision.zones else None
        channel = message_channels.MessageChannel(decision.step.message_channel)
        found += [
            Kept(
                decision.step.number,
                Why(Reason[one.reason.name], one.since, one.until, zone, channel),
            )
            for one in decision.delays
            if one.until > now
        ]
    return found
