"""Typed addresses at the door: only where the seller wants them, and not many of one visitor."""

import time
from collections.abc import Collection, Iterable
from typing import Final

from saleor_nudges.beacons import Taken, rejection
from saleor_nudges.capture import capture
from saleor_nudges.events import CheckoutContactKnown
from saleor_nudges.exceptions import InvalidEvent
from saleor_nudges.limits import Limit
from saleor_nudges.models import NudgeSettings, Shop

# A form is filled in a few times; nobody types an address a minute for long.
_per_visitor: Final = Limit(rate=1 / 60, burst=5)


def take(shop: Shop, taken: Taken) -> Taken:
    """Keep the typed addresses of a batch, sealed, and say which were not wanted.

    Raises StreamUnavailable; then nothing of the batch is kept, and sending it again is right.
    """
    wanted = _wanted(shop, {event.channel for event in taken.contacts.values()})
    kept, rejected = {}, list(taken.rejected)
    for index, event in taken.contacts.items():
        try:
            _check(event, taken, wanted)
        except InvalidEvent as error:
            rejected.append(rejection(index, error))
        else:
            kept[index] = event
    capture(*kept.values())
    rejected.sort(key=lambda one: one["index"])
    return taken._replace(rejected=rejected, contacts=kept)


def _wanted(shop: Shop, channels: Iterable[str]) -> set[str]:
    found = NudgeSettings.objects.of(shop).filter(channel__in=channels, captures_contact=True)
    return set(found.values_list("channel", flat=True))


def _check(event: CheckoutContactKnown, taken: Taken, wanted: Collection[str]) -> None:
    if event.channel not in wanted:
        raise InvalidEvent("This shop takes none before the form is sent.", field="kind")
    if _per_visitor.wait(taken.visitor, time.monotonic()):
        raise InvalidEvent("So many addresses are nobody's own.", field="kind")
