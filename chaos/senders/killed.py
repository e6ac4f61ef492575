"""R1: `kill -9` of children of a real Celery worker while it sends; Celery alone beside it."""

import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, Final

from redis import Redis

from chaos.senders import judge, sinks
from chaos.senders.alone import EARLY, LATE
from chaos.senders.ground import Ground, left, progress
from chaos.senders.judge import Judgement
from chaos.senders.pool import Pool, pool
from chaos.senders.population import Leaver, a_shop, numbered, populate
from chaos.senders.sinks import Sink
from chaos.verdict import Bar, Result
from saleor_nudges.service.celery import app as ours

FULL, LEAST = 100_000, 100
KILLS, LEAST_KILLS = 1000, 3
# Killed in the middle of a message, a sender leaves it in doubt: so often, and no more (R1).
DOUBT_PER_KILL: Final = 0.4
SWEEP: Final = "saleor_nudges.tasks.sweep"
QUEUE: Final = "saleor-nudges"
# So many wake-ups wait at a time, for whoever is free.
WAKE_UPS: Final = 6
QUIET_SECONDS: Final = 20.0
PLAIN: Final = "saleor_nudges.messaging.channels.mail.MailChannel"
KEYED: Final = "chaos.senders.channels.KeyedChannel"
# Longer than a whole batch takes on a busy machine; what the dead held waits for so long.
TOLD: Final = {"NUDGES_SEND_LEASE_SECONDS": "6", "NUDGES_SEND_BATCH": "20", "EMAIL_TIMEOUT": "3"}


def rows(ground: Ground) -> list[Result]:
    """Play the row against both sinks, then Celery alone, killed as often."""
    return [
        _ours(ground, "senders-killed", "smtp", PLAIN),
        _ours(ground, "senders-killed key", "keyed", KEYED),
        _alone(ground, EARLY),
        _alone(ground, LATE),
    ]


def _ours(ground: Ground, name: str, kind: str, channel: str) -> Result:
    count, most = ground.count(FULL, LEAST), ground.count(KILLS, LEAST_KILLS)
    with ExitStack() as stack:
        leavers = _populate(ground, count)
        sink = stack.enter_context(sinks.running(kind, ground.folder))
        told = {
            **TOLD,
            "EMAIL_URL": f"smtp://127.0.0.1:{sink.port}",
            "CHAOS_PORT": str(sink.port),
            "NUDGES_EMAIL_CHANNEL": channel,
        }
        log = ground.folder / f"{name.replace(' ', '-')}.log"
        worker = pool("saleor_nudges.service.celery", QUEUE, log, told, ground.chance)
        running = stack.enter_context(worker)

        def wake() -> None:
            if running.waiting() < WAKE_UPS:
                ours.send_task(SWEEP, queue=QUEUE)

        _kill(running, sink, count, most, wake, lambda: left() == 0, progress)
        found = _judged(leavers, sink)
        repeats = sink.repeats()
    honours = kind == "keyed"
    doubt = () if honours else (_doubt(found, running.kills),)
    return Result(
        id=name,
        what="nobody written to twice; each message that may be lost is in doubt",
        injected=f"{running.kills} x kill -9 of a pool child",
        posted=found.wanted,
        accepted=found.arrived,
        lost=found.lost,
        doubled=found.doubled,
        in_doubt=found.in_doubt,
        bars=(
            *found.bars(honours_keys=honours),
            *doubt,
            Bar("kills", running.kills, most, at_least=True),
        ),
        detail={"repeats": repeats},
    )


def _doubt(found: Judgement, kills: int) -> Bar:
    return Bar("in doubt per kill", round(found.in_doubt / max(kills, 1), 3), DOUBT_PER_KILL)


def _alone(ground: Ground, queue: str) -> Result:
    count, most = ground.count(FULL, LEAST), ground.count(KILLS, LEAST_KILLS)
    Redis.from_url(os.environ["CELERY_BROKER_URL"]).flushdb()
    with ExitStack() as stack:
        sink = stack.enter_context(sinks.running("smtp", ground.folder))
        told = {"CHAOS_PORT": str(sink.port)}
        log = ground.folder / f"celery-{queue}.log"
        recipients = [f"shopper-{number}@example.com" for number in range(count)]
        _enqueue(queue, recipients)
        running = stack.enter_context(pool("chaos.senders.alone", queue, log, told, ground.chance))
        _kill(running, sink, count, most, lambda: None, lambda: False, lambda: 0)
        arrived = sink.arrivals()
    lost = sum(not arrived[to] for to in recipients)
    doubled = sum(times - 1 for times in arrived.values())
    return Result(
        id=f"celery {queue}",
        what="a yardstick: one task per message, and nothing else",
        injected=f"{running.kills} x kill -9 of a pool child",
        posted=count,
        accepted=len(arrived),
        lost=lost,
        doubled=doubled,
        why=f"a yardstick: Celery alone, acknowledged {queue}, lost {lost}, doubled {doubled}",
    )


def _kill(
    running: Pool,
    sink: Sink,
    count: int,
    most: int,
    wake: Any,
    is_over: Any,
    moving: Any,
) -> None:
    """Kill until all is over, or nothing has moved for long."""
    seen, changed, looked, over = None, time.monotonic(), 0.0, False

    def is_on() -> bool:
        nonlocal seen, changed, looked, over
        now = time.monotonic()
        # Counting a large ledger takes its time.
        if now > looked + 0.5:
            looked, over = now, is_over()
            if (state := (sink.size(), running.waiting(), moving())) != seen:
                seen, changed = state, now
        return not over and now < changed + QUIET_SECONDS

    line = len(f"first {'0' * 32} shopper-{count // 2}@example.com\n")
    # So that all kills have come when four fifths have been sent.
    running.kill_while(is_on, sink, max(line, line * count * 4 // 5 // most), most, wake)


def _populate(ground: Ground, count: int) -> list[Leaver]:
    ground.clear()
    leavers = list(numbered([a_shop("killed")], count))
    populate(leavers, in_ledger=True)
    return leavers


def _judged(leavers: Sequence[Leaver], sink: Sink) -> Judgement:
    emails = [one.email for one in leavers]
    arrived = judge.first_steps(sink.arrivals())
    return Judgement.of([(to, 1) for to in emails], arrived, judge.ledger(emails))


def _enqueue(queue: str, recipients: Sequence[str]) -> None:
    # Here and not above: it reads its broker from the environment when it is imported.
    from chaos.senders import alone

    for to in recipients:
        alone.app.send_task(queue, (to,), queue=queue)
