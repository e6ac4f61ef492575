"""A batch, sorted: which entries are events of ours, of which shop, and which cannot be read."""

from collections.abc import Iterator
from datetime import UTC, datetime
from operator import attrgetter
from uuid import UUID

from saleor_nudges.events import Event, Flow
from saleor_nudges.events.identity import smallest_at
from saleor_nudges.exceptions import InvalidEvent
from saleor_nudges.models import Shop
from saleor_nudges.models.partitions import oldest_kept
from saleor_nudges.stream import Batch, Entry
from saleor_nudges.stream.codec import decode

TOO_OLD = "It waited until it was older than what is kept."


class Sorted:
    """The events of a batch by shop; `refused` says by id why an entry cannot be taken in."""

    def __init__(self, batch: Batch, flow: Flow) -> None:
        self.broken = batch.broken
        # By id: what is in it twice is one.
        self.entries: dict[UUID, Entry] = {entry.id: entry for entry in batch}
        self.refused: dict[UUID, str] = {}
        self.hopeless: set[UUID] = set()
        self._events: dict[UUID, list[Event]] = {}
        # It was young enough when it came, and may have waited since.
        oldest = smallest_at(oldest_kept(flow, datetime.now(UTC))).int
        for entry in self.entries.values():
            if entry.id.int < oldest:
                self.refuse(entry.id, TOO_OLD, hopeless=True)
                continue
            try:
                self._events.setdefault(entry.shop_id, []).append(decode(entry))
            except InvalidEvent as error:
                self.refuse(entry.id, str(error))

    def refuse(self, event: UUID, reason: str, *, hopeless: bool = False) -> None:
        """Leave one out, with the reason; a hopeless one is never tried again."""
        self.refused[event] = reason
        if hopeless:
            self.hopeless.add(event)

    def refuse_all(self, reason: str) -> None:
        """Leave every one out, never to be tried again."""
        self._events.clear()
        for event in self.entries:
            self.refuse(event, reason, hopeless=True)

    def by_shop(self) -> Iterator[tuple[Shop, list[Event]]]:
        """Return the events of each shop there is, oldest first, always in the same order."""
        for shop in Shop.objects.filter(pk__in=self._events).order_by("pk"):
            yield shop, sorted(self._events[shop.pk], key=attrgetter("occurred_at"))
