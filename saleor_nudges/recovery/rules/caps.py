"""How often one person may be written to, whichever campaign and message channel it comes from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from saleor_nudges.exceptions import InvalidInput

# Longer than this nobody remembers, and the ledger need not be read.
LONGEST: Final = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that left, or may have left: one whose outcome is unknown counts.

    The keys say what it was about; the same words as in `plan.Cycle`.
    """

    at: datetime
    message_channel: str
    campaign: str = ""
    checkout: str = ""
    cycle: int = 1
    step: int = 1


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `limit` messages in any span of `window`, over all message channels or only some.

    Raises InvalidInput for a limit below one or a window outside ]0, 365 days].
    """

    limit: int
    window: timedelta
    message_channels: frozenset[str] | None = None

    def __post_init__(self) -> None:
        if self.limit < 1:
            raise InvalidInput("A cap lets at least one message go.", field="caps.limit")
        if not timedelta(0) < self.window <= LONGEST:
            raise InvalidInput("A cap counts over at most 365 days.", field="caps.window")
        if self.message_channels is not None and not self.message_channels:
            raise InvalidInput("A cap is for some message channel.", field="caps.messageChannels")

    def counts(self, message_channel: str) -> bool:
        """Tell whether a message channel counts towards this cap."""
        return self.message_channels is None or message_channel in self.message_channels


@dataclass(frozen=True, slots=True)
class Allowed:
    """When the next message may go, and the cap that says so; None if it may go when asked for."""

    at: datetime
    cap: Cap | None = None


def next_allowed(
    at: datetime, caps: Iterable[Cap], sent: Sequence[Sent], message_channel: str
) -> Allowed:
    """Return the first moment from `at` on at which no cap is broken by one message more.

    Whatever was sent later than `at` counts too. A moment after the answer is allowed as well.
    """
    answer = Allowed(at)
    for cap in caps:
        if cap.counts(message_channel):
            free = _free_at(cap, sent)
            if free is not None and free > answer.at:
                answer = Allowed(free, cap)
    return answer


def _free_at(cap: Cap, sent: Sequence[Sent]) -> datetime | None:
    """The window is half open: exactly its length after a message, that message is forgotten."""
    counted = sorted((one.at for one in sent if cap.counts(one.message_channel)), reverse=True)
    return counted[cap.limit - 1] + cap.window if len(counted) >= cap.limit else None
