"""Workers whose clocks are wrong: the database's decides."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import time_machine

from chaos.senders import engine, judge
from chaos.senders.ground import Ground, left
from chaos.senders.judge import Judgement
from chaos.senders.population import Leaver, a_shop, let_pass, numbered, populate
from chaos.verdict import Bar, Result
from saleor_nudges.models import Shop
from saleor_nudges.models.statements import database_now

HOUR: Final = timedelta(hours=1)
# A clock that was set wrong by hand, and one that was never set.
SKEWS: Final = (-72 * HOUR, -2 * HOUR, 0 * HOUR, 2 * HOUR, 72 * HOUR)
# Due in an hour: a clock two hours ahead would say that it is.
LATER: Final = 4 * HOUR
# Then all hours are open, and everything is due.
AT_LAST: Final = 5 * HOUR


def played(ground: Ground, least: int = 15) -> Result:
    """Sweep by all these clocks at once: what is due goes, what is not does not, nor at night."""
    ground.clear()
    count, now = ground.count(4000, least), database_now()
    due = list(numbered([a_shop("due")], count))
    early = list(numbered([a_shop("early", LATER)], count, count))
    # Due by its delay, at an hour that comes in an hour and is there for four.
    night = a_shop("night", message_hours=_hours(now + HOUR, now + 4 * HOUR))
    nightly = list(numbered([night], count, 2 * count))
    populate(due[::2], in_ledger=True)
    populate(due[1::2], in_ledger=False)
    populate(early[::2], in_ledger=True, seen_at=now - LATER + HOUR)
    populate(early[1::2], in_ledger=False, seen_at=now - LATER + HOUR)
    populate(nightly[::2], in_ledger=True)
    populate(nightly[1::2], in_ledger=False)
    with ground.crew(*map(_by_a_clock, SKEWS)) as crew:
        crew.until(lambda: len(judge.in_file(ground.sink)) >= len(due), lambda: _arrived(ground))
        crew.rounds_more(2)
    too_early = _of(ground, early)
    at_night = _of(ground, nightly)
    let_pass(AT_LAST, beats=True)
    Shop.objects.filter(pk=night.pk).update(message_hours={})
    everybody = [*due, *early, *nightly]
    with ground.crew(*map(_by_a_clock, SKEWS)) as crew:
        crew.until(
            lambda: len(judge.in_file(ground.sink)) >= len(everybody) and not left(),
            lambda: _arrived(ground),
        )
    states = judge.ledger([one.email for one in everybody])
    wanted = [(one.email, 1) for one in everybody]
    found = Judgement.of(wanted, judge.in_file(ground.sink), states)
    return Result(
        id="clock-skew",
        what="no message early, none outside its hours, none lost",
        injected="clocks of workers off by 2 h, 3 days",
        posted=found.wanted,
        accepted=found.arrived,
        lost=found.lost,
        doubled=found.doubled,
        in_doubt=found.in_doubt,
        bars=(*found.bars(), Bar("too early", too_early), Bar("outside hours", at_night)),
    )


def _by_a_clock(skew: timedelta) -> Callable[[], None]:
    return partial(_sweep, skew, [])


def _sweep(skew: timedelta, travels: list[object]) -> None:
    if not travels:
        traveller = time_machine.travel(database_now() + skew, tick=True)
        traveller.start()
        travels.append(traveller)
    engine.sweep()


def _hours(opens: datetime, closes: datetime) -> dict[str, list[dict[str, str]]]:
    return {"EMAIL": [{"opens": f"{opens:%H:%M}", "closes": f"{closes:%H:%M}"}]}


def _arrived(ground: Ground) -> int:
    return judge.in_file(ground.sink).total()


def _of(ground: Ground, leavers: list[Leaver]) -> int:
    arrived = judge.in_file(ground.sink)
    return sum(arrived[one.email, 1] for one in leavers)
