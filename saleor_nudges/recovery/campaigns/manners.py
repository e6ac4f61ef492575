"""How often, and at which hours, people are written to: a shop's rules for all its campaigns."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.models import Shop
from saleor_nudges.recovery.campaigns import reading, steps
from saleor_nudges.recovery.message_channels import MessageChannel
from saleor_nudges.recovery.rules.caps import LONGEST, Cap
from saleor_nudges.recovery.rules.hours import Hours, clock_of, usual_hours

MOST_CAPS: Final = 10
MOST_MESSAGES: Final = 100
CAP_FIELDS: Final = ("limit", "seconds", "messageChannels")


def caps_of(shop: Shop) -> tuple[Cap, ...]:
    """Return how often one person may be written to."""
    return read_caps(shop.message_caps)


def hours_of(shop: Shop) -> dict[str, Hours]:
    """Return the hours of those message channels for which the seller has chosen some."""
    return read_hours(shop.message_hours)


def read_caps(source: object) -> tuple[Cap, ...]:
    """Read [{"limit": 2, "seconds": 86400, "messageChannels": ["SMS"]}]; raises InvalidInput."""
    listed = reading.row(source, "messageCaps", most=MOST_CAPS, least=0)
    return tuple(_cap(one, f"messageCaps[{place}]") for place, one in enumerate(listed))


def read_hours(source: object) -> dict[str, Hours]:
    """Read {"SMS": [{"opens": "09:00", "closes": "20:00"}]}; raises InvalidInput."""
    found = reading.table(source, "messageHours", known=tuple(MessageChannel))
    return {name: _hours(listed, f"messageHours.{name}") for name, listed in found.items()}


def check_zone(zone: str) -> str:
    """Return the name of a time zone that exists; raises InvalidInput."""
    return clock_of(zone, field="timezone").key


def check_steps(shop: Shop, sequence: steps.Sequence) -> None:
    """Raise InvalidInput for a step whose send window the hours of its channels never meet."""
    hours: Mapping[str, Hours] = hours_of(shop)
    for step in sequence.steps:
        field = f"steps[{step.number - 1}].sendWindow"
        window = Hours.of(step.windows, field=field)
        for channel in step.message_channels if step.windows else ():
            if not window & hours.get(channel, usual_hours(channel)):
                raise InvalidInput(f"{channel} is never sent at these hours.", field=field)


def _cap(source: object, path: str) -> Cap:
    found: dict[str, Any] = reading.table(source, path, known=CAP_FIELDS)
    known = tuple(MessageChannel)
    channels = found.get("messageChannels")
    return Cap(
        limit=reading.whole(found.get("limit"), f"{path}.limit", least=1, most=MOST_MESSAGES),
        window=reading.seconds(
            found.get("seconds"), f"{path}.seconds", least=timedelta(minutes=1), most=LONGEST
        ),
        message_channels=None
        if channels is None
        else frozenset(
            reading.some(
                channels,
                f"{path}.messageChannels",
                lambda one, here: reading.one_of(one, here, known),
                most=len(known),
            )
        ),
    )


def _hours(source: object, path: str) -> Hours:
    found = steps.windows(source, path)
    if not found:
        raise InvalidInput("Name the hours, or leave the message channel out.", field=path)
    return Hours.of(found, field=path)
