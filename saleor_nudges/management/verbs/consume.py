"""`nudges consume`: a process that does nothing but read the streams."""

import gc
import logging
import random
import signal
from argparse import ArgumentParser
from threading import Event as Flag
from typing import Any, ClassVar, Final

from django.core.management.base import OutputWrapper
from django.db import close_old_connections

from saleor_nudges import consumers, telemetry
from saleor_nudges.events import Flow
from saleor_nudges.management.verbs.base import Verb

# How long one look waits for the first event: a batch's worth of waiting.
WAIT_SECONDS: Final = 0.1
# While something is away: at first so long, then twice as long each time, up to the second.
BACK_OFF_SECONDS: Final = (0.1, 5.0)


class Consume(Verb):
    """Consume both streams until SIGTERM, SIGINT or, with --once, until they are empty."""

    name: ClassVar[str] = "consume"
    help: ClassVar[str] = "Consume events until told to stop."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="Stop when nothing waits.")

    def run(self, out: OutputWrapper, options: dict[str, Any]) -> None:
        stop = Flag()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stop.set())
        # What is loaded by now stays: to look it through for garbage costs each batch a little.
        gc.freeze()
        total, pause = 0, BACK_OFF_SECONDS[0]
        while not stop.is_set():
            try:
                count = _consume_both()
            except Exception:
                if options["once"]:
                    raise
                _wait_for_better_times(stop, pause)
                pause = min(2 * pause, BACK_OFF_SECONDS[1])
                continue
            total, pause = total + count, BACK_OFF_SECONDS[0]
            if not count and options["once"]:
                break
        telemetry.log(telemetry.Log.DRAINED, count=total)
        out.write(f"{total} events")


def _consume_both() -> int:
    facts = consumers.consume_batch(Flow.COMMERCE)
    # Only who has nothing else to do may wait.
    views = consumers.consume_batch(Flow.VIEWS, wait=0.0 if facts else WAIT_SECONDS)
    return facts + views


def _wait_for_better_times(stop: Flag, seconds: float) -> None:
    telemetry.log(
        telemetry.Log.BATCH_FAILED, logging.ERROR, trouble=True, seconds=round(seconds, 1)
    )
    # The next batch asks for a new connection: this one may lead to a server that is gone.
    close_old_connections()
    # Many workers, one server that comes back: not all in the same moment.
    stop.wait(seconds * random.uniform(0.5, 1.0))  # noqa: S311 - not a secret
