"""`nudges recount`: count a window again from the stored events."""

import time
from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

from django.core.management.base import CommandError, OutputWrapper

from saleor_nudges import tasks
from saleor_nudges.counts import jobs
from saleor_nudges.counts.tally import KINDS
from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.host import host_class
from saleor_nudges.management.verbs.base import Verb
from saleor_nudges.models import Shop

# How often the command looks how far the others are while it has nothing to do itself.
LOOK_SECONDS = 1.0


class Recount(Verb):
    """Plan a recount, call the workers, lend a hand, and say how far it is."""

    name: ClassVar[str] = "recount"
    help: ClassVar[str] = "Count a window again from the stored events."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", dest="start", type=_time, required=True, metavar="TIME")
        parser.add_argument("--to", dest="end", type=_time, metavar="TIME", help="Default: now.")
        parser.add_argument("--shop", default="", help="Only this shop, by its key.")
        parser.add_argument("--channel", default="", help="Only this channel, by its slug.")
        parser.add_argument("--kind", choices=KINDS, help="Only this kind of event.")
        parser.add_argument("--dry-run", action="store_true", help="Only say what differs.")

    def run(self, out: OutputWrapper, options: dict[str, Any]) -> None:
        with host_class().writing():
            run = _plan(options)
            tasks.recount_with(jobs.progress(run).jobs)
            told = ""
            while not (now := jobs.progress(run)).is_over:
                if not jobs.work(run, seconds=0):
                    time.sleep(LOOK_SECONDS)
                if (line := _told(jobs.progress(run))) != told:
                    out.write(line)
                    told = line
        out.write(f"{now.differing} rows {'differ' if options['dry_run'] else 'were put right'}.")
        if now.failed:
            raise CommandError(f"{now.failed} of {now.jobs} jobs failed; the log says why.")


def _plan(options: dict[str, Any]) -> UUID:
    shops = Shop.objects.filter(key=options["shop"]) if options["shop"] else Shop.objects.all()
    if not shops:
        raise CommandError("There is no such shop." if options["shop"] else "There is no shop.")
    try:
        return jobs.plan(
            shops,
            options["start"],
            options["end"] or datetime.now(UTC),
            kinds=[options["kind"]] if options["kind"] else KINDS,
            channel=options["channel"],
            dry_run=options["dry_run"],
        )
    except InvalidInput as error:
        raise CommandError(str(error)) from error


def _told(now: jobs.Progress) -> str:
    return f"{now.done} of {now.jobs} jobs, {now.events} events, {now.differing} rows differ"


def _time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no time like 2026-05-01T12:00.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
