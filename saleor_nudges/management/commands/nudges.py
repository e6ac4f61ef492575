"""`manage.py nudges <verb>`, and `saleor-nudges <verb>` of the App: for the person on call."""

import signal
import time
from argparse import ArgumentParser
from collections.abc import Callable
from threading import Event as Flag
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError

from saleor_nudges import consumers, doctor
from saleor_nudges.events import Flow
from saleor_nudges.host import host_class
from saleor_nudges.recovery import detect, send

# A dedicated consumer that found nothing looks again after this long: a batch's worth of waiting.
IDLE_SECONDS = 0.1


class Command(BaseCommand):
    """One command, many verbs; the same ones in both ways to run."""

    help = "Look after saleor-nudges: doctor, consume, sweep, clear-schema-cache, uninstall."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="verb")
        verbs.add_parser("doctor", help="Say what works and what does not.")
        consume = verbs.add_parser("consume", help="Consume events until told to stop.")
        consume.add_argument("--once", action="store_true", help="Stop when nothing waits.")
        sweep = verbs.add_parser("sweep", help="Send what is due, once.")
        sweep.add_argument("--dry-run", action="store_true", help="Only say how much is due.")
        verbs.add_parser("clear-schema-cache", help="Forget Saleor's stored introspection.")
        verbs.add_parser("uninstall", help="Remove our periodic tasks from Saleor's scheduler.")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002 - Django's signature
        with host_class().writing():
            self.VERBS[options["verb"]](self, options)

    def doctor(self, _options: dict[str, Any]) -> None:
        """Say what works; fail when something does not."""
        findings = doctor.examine()
        for finding in findings:
            self.stdout.write(f"{'ok  ' if finding.is_well else 'FAIL'}  {finding.what}")
        if not all(finding.is_well for finding in findings):
            raise CommandError("Something is not well; see above.")

    def consume(self, options: dict[str, Any]) -> None:
        """Consume both streams until SIGTERM, SIGINT or, with --once, until they are empty."""
        stop = Flag()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stop.set())
        total = 0
        while not stop.is_set():
            count = sum(consumers.consume_batch(flow) for flow in Flow)
            total += count
            if count:
                self.stdout.write(f"{total} events", ending="\n")
            elif options["once"]:
                break
            else:
                time.sleep(IDLE_SECONDS)

    def sweep(self, options: dict[str, Any]) -> None:
        """Send what is due."""
        if options["dry_run"]:
            self.stdout.write(f"{detect.count_due()} due; nothing was sent.")
            return
        detect.detect()
        self.stdout.write(f"{send.send_due()} sent.")

    def clear_schema_cache(self, _options: dict[str, Any]) -> None:
        """Forget the introspection Saleor keeps for a week, so that our fields are seen."""
        self.stdout.write(f"{doctor.clear_schema_cache()} cached answers removed.")

    def uninstall(self, _options: dict[str, Any]) -> None:
        """Remove what would call us after the package is gone."""
        self.stdout.write(f"{doctor.remove_periodic_tasks()} periodic tasks removed.")

    VERBS: ClassVar[dict[str, Callable[["Command", dict[str, Any]], None]]] = {
        "doctor": doctor,
        "consume": consume,
        "sweep": sweep,
        "clear-schema-cache": clear_schema_cache,
        "uninstall": uninstall,
    }
