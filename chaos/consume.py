"""`saleor-nudges consume` with one more fold: one that fails, or takes the process with it.

CHAOS_LOG names the file it writes each event into that it was given and could not bear.
"""

import os
from collections.abc import Sequence
from typing import Any, Final

import django

POISON: Final = "chaos-poison"
PILL: Final = "chaos-pill"


def fold(_shop: Any, events: Sequence[Any]) -> None:
    """Raise at a poisonous event; end this very process at a pill."""
    for event in events:
        product = getattr(event, "product", "")
        if product not in (POISON, PILL):
            continue
        with open(os.environ["CHAOS_LOG"], "a", encoding="ascii") as log:  # noqa: PTH123
            log.write(f"{event.id.hex}\n")
        if product == PILL:
            os._exit(1)
        raise RuntimeError("this event is poison")


def main() -> None:
    """Put the fold behind ours and consume."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "saleor_nudges.service.settings")
    django.setup()
    from saleor_nudges import consumers
    from saleor_nudges.service.__main__ import main as command

    vars(consumers)["CONSUMERS"] = (*consumers.CONSUMERS, fold)
    command(["saleor-nudges", "consume"])


if __name__ == "__main__":
    main()
