"""`nudges dead-letters`: what could not be taken in, why, and back into the stream."""

from argparse import ArgumentParser
from typing import Any, ClassVar, Final

from django.core.management.base import CommandError, OutputWrapper

from saleor_nudges import telemetry
from saleor_nudges.consumers import dead_letters
from saleor_nudges.management.verbs.base import Verb

# More than fits on a screen; narrow it down.
MOST_LISTED: Final = 200


class DeadLetters(Verb):
    """List the events that were put aside, or give them back to their stream."""

    name: ClassVar[str] = "dead-letters"
    help: ClassVar[str] = "List the events that were put aside, or requeue them."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=("list", "requeue"))
        parser.add_argument("--shop", default="", help="Only of the shop with this key.")
        parser.add_argument("--kind", default="", help="Only of this kind.")
        parser.add_argument("--id", type=int, nargs="+", default=[], help="Only these letters.")
        parser.add_argument("--all", action="store_true", help="requeue: all there are.")
        parser.add_argument("--dry-run", action="store_true", help="requeue: only say how many.")

    def run(self, out: OutputWrapper, options: dict[str, Any]) -> None:
        narrow = {"shop": options["shop"], "kind": options["kind"], "ids": options["id"]}
        if options["what"] == "list":
            _list(out, narrow)
            return
        if not (any(narrow.values()) or options["all"]):
            raise CommandError("Say which: --id, --shop, --kind, or --all.")
        letters = dead_letters.listed(**narrow)
        if options["dry_run"]:
            out.write(f"{letters.count()} would go back; nothing was changed.")
            return
        went, unread = dead_letters.requeue(letters.iterator(chunk_size=1000))
        out.write(f"{went} went back into the stream, {unread} cannot be read and stay.")


def _list(out: OutputWrapper, narrow: dict[str, Any]) -> None:
    # What an event says may be personal: its names and its reason are enough to decide.
    letters = dead_letters.listed(**narrow)
    for letter in letters[:MOST_LISTED]:
        out.write(
            f"{letter.pk}  {letter.flow}  {letter.kind or 'unreadable'}  {letter.event_id}"
            f"  shop {letter.shop_id}  {letter.tries} tries, {dead_letters.when(letter.retry_at)}"
            f"  {telemetry.redact(letter.reason)}"
        )
    count = letters.count()
    shown = f"; the first {MOST_LISTED} are shown" if count > MOST_LISTED else ""
    out.write(f"{count} put aside{shown}.")
