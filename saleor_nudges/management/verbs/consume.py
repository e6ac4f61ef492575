"""`nudges consume`: a process that does nothing but read the streams."""

import signal
import time
from argparse import ArgumentParser
from threading import Event as Flag
from typing import Any, ClassVar

from django.core.management.base import OutputWrapper

from saleor_nudges import consumers
from saleor_nudges.events import Flow
from saleor_nudges.management.verbs.base import Verb

# A dedicated consumer that found nothing looks again after this long: a batch's worth of waiting.
IDLE_SECONDS = 0.1


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
        total = 0
        while not stop.is_set():
            count = sum(consumers.consume_batch(flow) for flow in Flow)
            total += count
            if count:
                out.write(f"{total} events", ending="\n")
            elif options["once"]:
                break
            else:
                time.sleep(IDLE_SECONDS)
