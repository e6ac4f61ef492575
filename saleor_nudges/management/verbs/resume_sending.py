"""`nudges resume-sending`: confirm that this installation is the one that sends."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any, ClassVar

from django.core.management.base import CommandError, OutputWrapper

from saleor_nudges import consent
from saleor_nudges.host import host_class
from saleor_nudges.management.verbs.base import Verb
from saleor_nudges.management.verbs.shops import one_shop, shop_argument
from saleor_nudges.models import Shop
from saleor_nudges.recovery.sending import ledger


class ResumeSending(Verb):
    """Bind sending to this installation, after a move or a restored database."""

    name: ClassVar[str] = "resume-sending"
    help: ClassVar[str] = "Confirm that this installation is the one that sends."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only say what would change.")
        shop_argument(parser)

    def run(self, out: OutputWrapper, options: dict[str, Any]) -> None:
        with host_class().writing():
            shop = one_shop(options)
            if shop.sending_since is None:
                raise CommandError("Sending is switched off; switch it on in the settings.")
            if shop.sending_installation == consent.installation():
                out.write("Sending is bound to this installation already.")
                return
            if options["dry_run"]:
                out.write("Sending would be bound to this installation; nothing was changed.")
                return
            # Who was written to meanwhile is not known here: what was left before is let be.
            ledger.forget(shop.pk)
            Shop.objects.filter(pk=shop.pk).update(
                sending_since=datetime.now(UTC), sending_installation=consent.installation()
            )
        out.write("Sending goes on here, with what is left behind from now on.")
