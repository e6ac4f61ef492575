"""R9: five beats at once, no beat for six hours, workers that sleep for ten leases."""

import time
from collections import defaultdict
from datetime import timedelta
from typing import Final

from chaos.senders import engine, judge, moments
from chaos.senders.ground import Ground, left
from chaos.senders.judge import Judgement, Letter
from chaos.senders.population import (
    Leaver,
    a_shop,
    let_pass,
    numbered,
    populate,
)
from chaos.verdict import Bar, Result
from saleor_nudges.events.identity import uuid7
from saleor_nudges.models import CheckoutState, Send, SendState, TrackedCheckout
from saleor_nudges.models.statements import database_now

BEATS: Final = 5
STEPS: Final = (timedelta(minutes=30), timedelta(hours=3), timedelta(hours=6))
MISSED: Final = timedelta(hours=6)
# By so much the clock goes on between two looks at the sink, and for so long after the return.
STRIDE: Final = timedelta(minutes=30)
AFTERWARDS: Final = timedelta(hours=12)
# Of the time planned between two messages at least half is kept, as docs/campaigns.md has it.
KEPT: Final = 0.5
LEASES: Final = 10
WORST: Final = (moments.CLAIMED, moments.HELD, moments.MARKED, moments.TAKEN)
SELDOM: Final = 0.03


def at_once(ground: Ground, least: int = 60) -> Result:
    """Five beats in tight loops over the same checkouts, and one whose look is long out of date."""
    ground.clear()
    leavers = list(numbered([a_shop("beats")], ground.count(20_000, least)))
    populate(leavers, in_ledger=False)
    with ground.crew(*[engine.sweep] * BEATS) as crew:
        crew.until(lambda: not left() and not _waiting(), _moved)
        _enter_again()
        crew.until_done()
        crew.rounds_more(1)
    found = _judged(ground, leavers, [(one.email, 1) for one in leavers])
    rows = Send.objects.across_shops().count()
    return _result(
        *("beats at once", f"{BEATS} x sweep at once", found),
        Bar("entered twice", rows - len(leavers)),
    )


def missed(ground: Ground, least: int = 20) -> Result:
    """No beat for six hours: what is overdue comes one after the other, none is left out."""
    ground.clear()
    shop = a_shop("missed", *STEPS)
    leavers = list(numbered([shop], ground.count(2000, least)))
    half = len(leavers) // 2
    # Of one half the first message leaves before, of the other nothing does.
    now = database_now()
    populate(leavers[:half], in_ledger=False, seen_at=now - timedelta(minutes=40))
    populate(leavers[half:], in_ledger=False, seen_at=now - timedelta(minutes=10))
    _plan_for_later(leavers[half:])
    ground.turn(engine.sweep)
    came = {letter: timedelta(0) for letter in judge.in_file(ground.sink)}
    let_pass(MISSED)
    clock = MISSED
    while clock < MISSED + AFTERWARDS:
        ground.turn(engine.sweep)
        for letter in judge.in_file(ground.sink):
            came.setdefault(letter, clock)
        let_pass(STRIDE, beats=True)
        clock += STRIDE
    found = _judged(ground, leavers, [(one.email, step) for one in leavers for step in (1, 2, 3)])
    return _result(
        *("beats missed", f"no beat for {MISSED}", found),
        Bar("two steps at once", _too_close(came)),
    )


def asleep(ground: Ground, least: int = 60, leases: int = LEASES, often: float = SELDOM) -> Result:
    """Workers stopped (SIGSTOP) at the worst moments for ten leases, and let go.

    `often`: how likely at each of them; of few messages, so that hardly ever nobody sleeps.
    """
    ground.clear()
    leavers = list(numbered([a_shop("asleep")], ground.count(2000, least)))
    populate(leavers, in_ledger=True)
    slept, since, length = 0, dict[int, float](), leases * engine.lease_seconds()
    sleeps: moments.Plan = {moment: {moments.fall_asleep: often} for moment in WORST}
    with ground.crew(*[engine.send_due] * BEATS, moments_of=sleeps) as crew:

        def is_over() -> bool:
            nonlocal slept
            now = time.monotonic()
            for pid in crew.stopped():
                if now > since.setdefault(pid, now) + length:
                    crew.wake(pid)
                    del since[pid]
                    slept += 1
            return not left() and not since

        crew.until(is_over, lambda: (judge.in_file(ground.sink), slept, len(since)), length)
    found = _judged(ground, leavers, [(one.email, 1) for one in leavers])
    return _result(
        *("beats asleep", f"{slept} x SIGSTOP for {leases} leases", found),
        Bar("sleeps", slept, 1, at_least=True),
    )


def _waiting() -> int:
    rows = TrackedCheckout.objects.across_shops().filter(state=CheckoutState.OPEN)
    return rows.filter(next_due_at__isnull=False).count()


def _moved() -> tuple[int, ...]:
    sent = Send.objects.across_shops().filter(state=SendState.SENT).count()
    return _waiting(), left(), sent


def _enter_again() -> None:
    """Enter every message once more, as a sweep would that had looked before all others."""
    rows = list(Send.objects.across_shops())
    for row in rows:
        row.pk, row.state, row.fence, row.marked_at, row.sent_at = uuid7(), "DUE", 0, None, None
    Send.objects.bulk_create(rows, ignore_conflicts=True)


def _plan_for_later(leavers: list[Leaver]) -> None:
    """Have these looked at when their first message is due, not now."""
    people = [one.checkout_id for one in leavers]
    for row in TrackedCheckout.objects.across_shops().order_by("id")[len(people) :]:
        row.next_due_at = row.seen_at + STEPS[0]
        row.save(update_fields=["next_due_at"])


def _too_close(came: dict[Letter, timedelta]) -> int:
    """Count the messages that came sooner after the one before than half of what was planned."""
    mine: dict[str, dict[int, timedelta]] = defaultdict(dict)
    for (to, step), at in came.items():
        mine[to][step] = at
    wrong = 0
    for times in mine.values():
        for step in (2, 3):
            if step in times and step - 1 in times:
                planned = STEPS[step - 1] - STEPS[step - 2]
                # The sink is looked at once a stride, so each time may be one later than it was.
                wrong += times[step] - times[step - 1] < planned * KEPT - STRIDE
    return wrong


def _judged(ground: Ground, leavers: list[Leaver], wanted: list[Letter]) -> Judgement:
    states = judge.ledger([one.email for one in leavers])
    return Judgement.of(wanted, judge.in_file(ground.sink), states)


def _result(name: str, injected: str, found: Judgement, *bars: Bar) -> Result:
    return Result(
        id=name,
        what="exactly one message for each checkout and step; never two steps at once",
        injected=injected,
        posted=found.wanted,
        accepted=found.arrived,
        lost=found.lost,
        doubled=found.doubled,
        in_doubt=found.in_doubt,
        bars=(*found.bars(), *bars),
    )
