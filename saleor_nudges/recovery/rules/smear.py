"""What could not go while we were away goes bit by bit afterwards, or not at all when too old."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final

from saleor_nudges.exceptions import InvalidInput

# Twelve times the usual rate after a day away; a provider's limits and ours bear that.
LONGEST_SPAN: Final = timedelta(hours=2)
# A message so long after its time is about a cart nobody remembers.
PATIENCE: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Outage:
    """No message could go from `began_at` until `ended_at`, aware times.

    What piled up goes over a span as long as the outage, at most two hours, so that a short one
    only doubles the usual rate. Raises InvalidInput for one that ends before it began.
    """

    began_at: datetime
    ended_at: datetime

    def __post_init__(self) -> None:
        if self.ended_at < self.began_at:
            raise InvalidInput("An outage ends after it began.", field="outage.endedAt")

    @property
    def span(self) -> timedelta:
        """How long it takes until everything overdue has gone."""
        return min(self.ended_at - self.began_at, LONGEST_SPAN)


def smear(due: datetime, person: str, outage: Outage | None) -> datetime:
    """Return when a person's overdue message goes; what was not overdue goes when it is due.

    The same person gets the same moment each time it is asked for, people are spread evenly, and
    another outage deals anew. Asked again with its own answer it answers the same.
    """
    if outage is None or due >= outage.ended_at:
        return due
    return outage.ended_at + outage.span * _share(person, outage)


def is_too_old(ready: datetime, at: datetime, patience: timedelta = PATIENCE) -> bool:
    """Tell whether a message that was ready to go then is not worth sending any more at `at`."""
    return at - ready > patience


def _share(person: str, outage: Outage) -> float:
    """Return a number in [0, 1[ that looks random."""
    salt = str(int(outage.ended_at.timestamp())).encode()
    digest = blake2b(person.encode(), digest_size=6, key=salt, person=b"nudges smear")
    return int.from_bytes(digest.digest()) / 2**48
