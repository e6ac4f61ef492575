"""`nudges simulate`: what a campaign would have done over the stored history."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from django.core.management.base import CommandError, OutputWrapper

from saleor_nudges.host import host_class
from saleor_nudges.management.verbs.base import Verb
from saleor_nudges.management.verbs.shops import one_campaign, one_shop, shop_argument
from saleor_nudges.recovery import campaigns
from saleor_nudges.recovery.insight import simulate as simulating

MOST_DAYS: Final = 365


class Simulate(Verb):
    """Run a campaign, a draft too, over the past; nothing is sent and nothing is written."""

    name: ClassVar[str] = "simulate"
    help: ClassVar[str] = "Say what a campaign would have done in the last days."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--campaign", required=True, help="Its name, or its id.")
        parser.add_argument("--days", type=int, default=30, help="How far back; 30 if not said.")
        shop_argument(parser)

    def run(self, out: OutputWrapper, options: dict[str, Any]) -> None:
        if not 1 <= options["days"] <= MOST_DAYS:
            raise CommandError(f"--days is 1 to {MOST_DAYS}.")
        with host_class().writing():
            campaign = one_campaign(one_shop(options), options["campaign"])
            one = campaigns.read(campaign, campaigns.steps_of(campaign))
            found = simulating.simulate(
                one,
                datetime.now(UTC),
                options["days"],
                lambda count: out.write(f"{count} checkouts looked at …"),
            )
        out.write(f"{found.checkouts} checkouts in {options['days']} days.")
        for step, count in sorted(found.sent.items()):
            out.write(f"message {step}: {count} would have gone")
        for reason, count in found.kept.most_common():
            out.write(f"{count} not: {reason}")
        out.write(f"{found.recovered} were bought later than a first message would have gone.")
