"""When the next message goes, or never, and why. Pure functions.

A plan holds for the facts it was given: ask again when one of them changes, and when it is due.
Whoever sends asks the same with the facts of that moment, so nothing is promised and then dropped:
asked again at the time it named, with the same facts, it names the same time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final

from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.experiments import EVERYONE, Arm
from saleor_nudges.recovery.message_channels import MessageChannel
from saleor_nudges.recovery.rules.caps import Cap, Sent, next_allowed
from saleor_nudges.recovery.rules.hours import (
    ALWAYS,
    Hours,
    Opening,
    is_open,
    next_open,
    usual_hours,
    utc,
)
from saleor_nudges.recovery.rules.smear import PATIENCE, Outage, is_too_old, smear

# Of the time planned between two messages, what is kept when the first of them went late.
KEPT: Final = 0.5


class Never(StrEnum):
    """Why nothing goes, as the facts are now; also why one step is passed over."""

    BEFORE_ACTIVATION = "BEFORE_ACTIVATION"  # last seen before the campaign was switched on
    NEWER_CHECKOUT = "NEWER_CHECKOUT"  # the shopper has another checkout, seen later
    OUTRANKED = "OUTRANKED"  # another campaign comes first for this checkout
    COOLING_DOWN = "COOLING_DOWN"  # this campaign wrote to them too lately to start again
    ALL_SENT = "ALL_SENT"  # no step is left
    NO_HOURS = "NO_HOURS"  # the step's window and the message channel's hours never meet
    CAPPED = "CAPPED"  # so many messages went that this one would come too late
    TOO_OLD = "TOO_OLD"  # it could have gone so long ago that nobody remembers the cart
    HELD_OUT = "HELD_OUT"  # everything else says yes, but an experiment keeps them unwritten to


class Waits(StrEnum):
    """Why a message goes later than its step says."""

    SPACING = "SPACING"  # the message before it went late
    QUIET_HOURS = "QUIET_HOURS"  # the hours of the message channel where the person is
    SEND_WINDOW = "SEND_WINDOW"  # the hours of the step
    CAP = "CAP"  # they have been written to as often as they may be
    OUTAGE = "OUTAGE"  # it was overdue when we came back, and so were others
    LATE = "LATE"  # its time is over, so it goes now


@dataclass(frozen=True, slots=True)
class Step:
    """One message of a campaign, counted from the shopper's last sign of life.

    `window` is the step's own send window; the hours of its message channel hold besides.
    """

    number: int
    after: timedelta
    message_channel: str = MessageChannel.EMAIL
    window: Hours = ALWAYS


@dataclass(frozen=True, slots=True)
class Cycle:
    """One checkout in one campaign: what is planned, and what it is weighed against.

    `last_seen` is the last sign of life in the checkout. The greater `priority` comes first.
    """

    campaign: str
    checkout: str
    number: int
    last_seen: datetime
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Rules:
    """What the seller has chosen. Raises InvalidInput for steps that do not ascend.

    `active_since` is the later of when sending and the campaign were switched on. `hours` are those
    of the message channels for which the seller has chosen some.
    """

    steps: Sequence[Step]
    active_since: datetime | None = None
    cool_down: timedelta = timedelta(0)
    caps: Sequence[Cap] = ()
    hours: Mapping[str, Hours] = field(default_factory=dict)
    patience: timedelta = PATIENCE

    def __post_init__(self) -> None:
        order = [(step.number, step.after) for step in self.steps]
        if not all(a < c and b < d for (a, b), (c, d) in pairwise(order)):
            raise InvalidInput("Each step comes later than the one before it.", field="steps")

    def hours_of(self, message_channel: str) -> Hours:
        """Return the hours in which a message channel may be used."""
        return self.hours.get(message_channel, usual_hours(message_channel))


@dataclass(frozen=True, slots=True)
class Shopper:
    """One person as far as planning goes.

    `key` is the person's id; `zones` are where their clocks may be, likeliest first
    (`zones.Whereabouts`). `sent` is every message to them, of any campaign, as far back as the
    longest cap and the cool-down reach. `others` are their other cycles that have steps left and
    whose checkouts are open; checkouts made from this one by our link are not among them.
    `passed` are the steps of this cycle that were put aside for good.
    """

    key: str
    zones: Sequence[str]
    arm: Arm = EVERYONE
    sent: Sequence[Sent] = ()
    others: Sequence[Cycle] = ()
    passed: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Delay:
    """One reason to go later: what stood at `since` goes at `until`."""

    reason: Waits
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Skipped:
    """A step that never goes, and why."""

    step: Step
    reason: Never


@dataclass(frozen=True, slots=True)
class Decision:
    """Either `due_at` and the `step`, or `never`.

    `delays` tell in order what moved it there. It may go until just before `closes_at` (None: any
    time) by the clocks of `zones`. `skipped` are the steps passed over on the way. Of a person who
    is held out, `held_out_at` is when it would have gone.
    """

    never: Never | None = None
    step: Step | None = None
    due_at: datetime | None = None
    closes_at: datetime | None = None
    zones: tuple[str, ...] = ()
    delays: tuple[Delay, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    held_out_at: datetime | None = None


def next_message(
    cycle: Cycle, rules: Rules, shopper: Shopper, now: datetime, outage: Outage | None = None
) -> Decision:
    """Return which message goes next and when, or why none does.

    `now` and all other times are aware; `outage` is the last one, while its messages still go.
    Raises InvalidInput for a `now` without a zone and for a zone that does not exist.
    """
    now = utc(now, field="now")
    never = _refused(cycle, rules, shopper)
    if never:
        return Decision(never)
    skipped: list[Skipped] = []
    for step in _left(cycle, rules, shopper):
        found = _Timing(cycle, rules, shopper, step).decide(now, outage)
        if not isinstance(found, Never):
            return _unless_held_out(replace(found, skipped=tuple(skipped)), shopper.arm)
        skipped.append(Skipped(step, found))
    return Decision(skipped[-1].reason if skipped else Never.ALL_SENT, skipped=tuple(skipped))


def _refused(cycle: Cycle, rules: Rules, shopper: Shopper) -> Never | None:
    if rules.active_since is not None and cycle.last_seen <= rules.active_since:
        return Never.BEFORE_ACTIVATION
    first = max((cycle, *shopper.others), key=_rank)
    if first.checkout != cycle.checkout:
        return Never.NEWER_CHECKOUT
    if first.campaign != cycle.campaign:
        return Never.OUTRANKED
    ours = [one.at for one in shopper.sent if one.campaign == cycle.campaign]
    is_started = bool(_own(cycle, shopper))
    if ours and not is_started and cycle.last_seen < max(ours) + rules.cool_down:
        return Never.COOLING_DOWN
    return None


def _rank(cycle: Cycle) -> tuple[datetime, str, int, str]:
    # The keys only break ties: of all a person's cycles exactly one comes first, whoever asks.
    return cycle.last_seen, cycle.checkout, cycle.priority, cycle.campaign


def _own(cycle: Cycle, shopper: Shopper) -> list[Sent]:
    """Return what was sent in this very cycle, first to last."""
    key = (cycle.campaign, cycle.checkout, cycle.number)
    ours = [one for one in shopper.sent if (one.campaign, one.checkout, one.cycle) == key]
    return sorted(ours, key=lambda one: one.step)


def _left(cycle: Cycle, rules: Rules, shopper: Shopper) -> Iterator[Step]:
    """Yield the steps after the last one sent: nobody gets an earlier one after a later one."""
    last = max((one.step for one in _own(cycle, shopper)), default=None)
    for step in rules.steps:
        if step.number not in shopper.passed and (last is None or step.number > last):
            yield step


def _unless_held_out(decision: Decision, arm: Arm) -> Decision:
    if not arm.is_held_out:
        return decision
    return replace(decision, never=Never.HELD_OUT, due_at=None, held_out_at=decision.due_at)


@dataclass(frozen=True, slots=True)
class _Timing:
    """Moves one step from its due time to when it may go, and writes down what moved it."""

    cycle: Cycle
    rules: Rules
    shopper: Shopper
    step: Step
    delays: list[Delay] = field(default_factory=list)

    def decide(self, now: datetime, outage: Outage | None) -> Decision | Never:
        planned = self._open(self._due())
        if planned is None:
            return Never.NO_HOURS
        channel = self.step.message_channel
        free = next_allowed(planned.at, self.rules.caps, self.shopper.sent, channel).at
        if is_too_old(planned.at, free, self.rules.patience):
            return Never.CAPPED
        ready = self._open(self._moved(Waits.CAP, planned.at, free)) or planned
        late = self._moved(Waits.OUTAGE, ready.at, smear(ready.at, self.shopper.key, outage))
        opening = self._open(self._moved(Waits.LATE, late, max(late, now))) or ready
        if is_too_old(ready.at, opening.at, self.rules.patience):
            return Never.TOO_OLD
        return self._decision(opening)

    def _due(self) -> datetime:
        due = self.cycle.last_seen + self.step.after
        own = _own(self.cycle, self.shopper)
        delay_of = {step.number: step.after for step in self.rules.steps}
        if not own or own[-1].step not in delay_of:
            return due
        distance = self.step.after - delay_of[own[-1].step]
        return self._moved(Waits.SPACING, due, max(due, own[-1].at + distance * KEPT))

    def _open(self, at: datetime) -> Opening | None:
        quiet = self.rules.hours_of(self.step.message_channel)
        opening = next_open(at, self.step.window & quiet, self.shopper.zones)
        if opening is not None and opening.at > at:
            is_quiet = not is_open(at, quiet, opening.zones)
            self._moved(Waits.QUIET_HOURS if is_quiet else Waits.SEND_WINDOW, at, opening.at)
        return opening

    def _moved(self, reason: Waits, since: datetime, until: datetime) -> datetime:
        if until > since:
            self.delays.append(Delay(reason, since, until))
        return until

    def _decision(self, opening: Opening) -> Decision:
        return Decision(
            step=self.step,
            due_at=opening.at,
            closes_at=opening.closes_at,
            zones=opening.zones,
            delays=tuple(self.delays),
        )
