"""The campaigns that ship: a seller changes one, or switches it on as it is.

All write by email, give nothing away, thank nobody, and are for everybody.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from saleor_nudges.recovery.campaigns.steps import Sequence, Step


@dataclass(frozen=True, slots=True)
class Preset:
    """A sequence with a name to choose it by, and what the seller reads of it."""

    name: str
    title: str
    sequence: Sequence


def _after(*delays: timedelta) -> Sequence:
    return Sequence(tuple(Step(number, delay) for number, delay in enumerate(delays, start=1)))


PRESETS: Final = {
    preset.name: preset
    for preset in (
        # While the cart is warm, the day after, and once more before it is forgotten.
        Preset(
            "THREE_STEPS",
            "After 30 minutes, a day, and three days",
            _after(timedelta(minutes=30), timedelta(days=1), timedelta(days=3)),
        ),
        Preset(
            "FIRST_SECOND",
            "After 24 and 48 hours",
            _after(timedelta(hours=24), timedelta(hours=48)),
        ),
        # What recovery plugins for other open shops come with.
        Preset(
            "UNHURRIED",
            "After an hour, a day, and five days",
            _after(timedelta(hours=1), timedelta(days=1), timedelta(days=5)),
        ),
    )
}
# The draft that every new channel gets.
SHIPPED: Final = PRESETS["THREE_STEPS"]
