"""`nudges sweep`: send what is due, once."""

from argparse import ArgumentParser
from typing import Any, ClassVar

from django.core.management.base import OutputWrapper

from saleor_nudges.management.verbs.base import Verb
from saleor_nudges.recovery import detect, send


class Sweep(Verb):
    """Enter due messages into the ledger and send them."""

    name: ClassVar[str] = "sweep"
    help: ClassVar[str] = "Send what is due, once."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only say how much is due.")

    def run(self, out: OutputWrapper, options: dict[str, Any]) -> None:
        if options["dry_run"]:
            out.write(f"{detect.count_due()} due; nothing was sent.")
            return
        detect.detect()
        out.write(f"{send.send_due()} sent.")
