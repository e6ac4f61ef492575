"""When the next message goes, or never. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from saleor_nudges.experiments import Arm


@dataclass(frozen=True, slots=True)
class Step:
    """One message of a campaign, counted from the shopper's last sign of life."""

    number: int
    after: timedelta


def next_message(
    steps: Sequence[Step], last_seen: datetime, sent: int, arm: Arm
) -> tuple[datetime, Step] | None:
    """Return when the next message is due and which it is; None when all are sent, or held out."""
    if arm.is_held_out or sent >= len(steps):
        return None
    step = steps[sent]
    return last_seen + step.after, step
