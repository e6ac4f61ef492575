"""`nudges sweep`: send what is due, once; or go over one campaign, batch by batch."""

from argparse import ArgumentParser
from typing import Any, ClassVar

from django.core.management.base import CommandError, OutputWrapper

from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.host import host_class
from saleor_nudges.management.verbs.base import Verb
from saleor_nudges.management.verbs.shops import one_campaign, one_shop, shop_argument
from saleor_nudges.models import Campaign
from saleor_nudges.recovery.sending import detect, send, sweeping


class Sweep(Verb):
    """Enter due messages into the ledger and send them."""

    name: ClassVar[str] = "sweep"
    help: ClassVar[str] = "Send what is due, once."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only say how much is due.")
        parser.add_argument("--campaign", default="", help="Only this one: its name, or its id.")
        parser.add_argument("--cursor", default="", help="Where an interrupted sweep stood.")
        shop_argument(parser)

    def run(self, out: OutputWrapper, options: dict[str, Any]) -> None:
        if options["campaign"]:
            with host_class().writing():
                campaign = one_campaign(one_shop(options), options["campaign"])
                _go_over(out, campaign, options["cursor"], is_dry=options["dry_run"])
            if options["dry_run"]:
                return
        elif options["dry_run"]:
            out.write(f"{detect.count_due()} due; nothing was sent.")
            return
        else:
            detect.detect()
        out.write(f"{send.send_due()} sent.")


def _go_over(out: OutputWrapper, campaign: Campaign, cursor: str, *, is_dry: bool) -> None:
    """Go over a campaign's checkouts to the end, saying where it stands after each batch."""
    word = "would be entered" if is_dry else "entered"
    while True:
        try:
            swept = sweeping.sweep(campaign, sweeping.Wanted(), cursor=cursor, is_dry=is_dry)
        except InvalidInput as error:
            raise CommandError(str(error)) from error
        for step, count in sorted(swept.entered.items()):
            out.write(f"message {step}: {count} {word}")
        for reason, count in sorted(swept.kept.items()):
            out.write(f"{count} {reason}")
        for checkout in swept.errors:
            out.write(f"checkout {checkout} could not be looked at; the log says why")
        if not swept.cursor:
            return
        cursor = swept.cursor
        out.write(f"go on with --cursor {cursor}")
