"""A stream with Postgres behind it: what the first cannot take is spilled there, up to a bound."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from saleor_nudges import conf, telemetry
from saleor_nudges.exceptions import StreamFull, StreamUnavailable
from saleor_nudges.stream.base import Batch, Pack, Stream
from saleor_nudges.stream.postgres import PostgresStream

# How often it is asked how full it is; and, once it is away, whether it is back.
LOOK_SECONDS: Final = 1.0
RETRY_SECONDS: Final = 3.0
# How long the number of spilled events is believed.
COUNT_SECONDS: Final = 2.0


class SpillingStream(Stream):
    """Appends to `primary`; while that is away or full, to Postgres; past a bound to neither.

    Nothing here waits for a primary that is known to be away: a thread looks whether it is back.
    """

    def __init__(self, primary: Stream) -> None:
        super().__init__(primary.flow)
        self.primary = primary
        self.spill = PostgresStream(primary.flow)
        self.is_away = self.is_filled = False
        self._look_at = 0.0
        self._counted_at = 0.0
        self._is_spill_full = False

    def append_packs(self, packs: Sequence[Pack]) -> None:
        if self._takes():
            try:
                return self.primary.append_packs(packs)
            except StreamUnavailable:
                self._went_away()
        if self._must_count():
            self._is_spill_full = self.spill.holds(conf.get().SPILL_MOST_EVENTS)
        self._count_spilled(packs)
        self.spill.append_packs(packs)
        return None

    async def append_async(self, packs: Sequence[Pack]) -> None:
        if self._takes():
            try:
                return await self.primary.append_async(packs)
            except StreamUnavailable:
                self._went_away()
        if self._must_count():
            self._is_spill_full = await self.spill.holds_async(conf.get().SPILL_MOST_EVENTS)
        self._count_spilled(packs)
        await self.spill.append_async(packs)
        return None

    @contextmanager
    def batch(self, size: int, wait: float = 0.0) -> Iterator[Batch]:
        with self.spill.batch(size) as batch:
            if batch:
                yield batch
                return
        with self.primary.batch(size, wait) as batch:
            yield batch

    def pending(self) -> int:
        """Return how many wait; while the primary is away, how many of them were spilled."""
        return self.spill.pending() + int(self._of_primary(lambda stream: stream.pending()))

    def lag(self) -> float:
        return max(self.spill.lag(), self._of_primary(lambda stream: stream.lag()))

    def sources(self) -> Sequence[Stream]:
        """Return both, in turn: what fills the one must not keep the other from being emptied."""
        self._look_if_due()
        return (self.spill,) if self.is_away else (self.primary, self.spill)

    def look(self) -> None:
        """Ask the primary whether it is there, and has room."""
        try:
            self.is_filled = self.primary.is_full()
            self.is_away = False
        except StreamUnavailable:
            self._went_away()

    def _of_primary(self, ask: Callable[[Stream], float]) -> float:
        self._look_if_due()
        if not self.is_away:
            try:
                return ask(self.primary)
            except StreamUnavailable:
                self._went_away()
        return 0.0

    def _takes(self) -> bool:
        self._look_if_due()
        return not (self.is_away or self.is_filled)

    def _look_if_due(self) -> None:
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + (RETRY_SECONDS if self.is_away else LOOK_SECONDS)
            threading.Thread(target=self.look, daemon=True, name="nudges-stream").start()

    def _went_away(self) -> None:
        if not self.is_away:
            self.is_away = True
            self._look_at = time.monotonic() + RETRY_SECONDS
            telemetry.log(telemetry.Log.STREAM_AWAY, logging.WARNING, flow=self.flow)

    def _must_count(self) -> bool:
        now = time.monotonic()
        if now < self._counted_at + COUNT_SECONDS:
            return False
        self._counted_at = now
        return True

    def _count_spilled(self, packs: Sequence[Pack]) -> None:
        count = sum(pack.count for pack in packs)
        if self._is_spill_full:
            telemetry.SHED.labels(flow=self.flow).inc(count)
            raise StreamFull
        telemetry.SPILLED.labels(flow=self.flow).inc(count)
