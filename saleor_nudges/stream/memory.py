"""The stream in a list, for tests and for reading how a stream behaves."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from saleor_nudges.events import Flow
from saleor_nudges.stream.base import Batch, Entry, Pack, Stream, unpack

WAITING: dict[Flow, list[Entry]] = {flow: [] for flow in Flow}


class MemoryStream(Stream):
    """Keeps what this process appended. Nothing outlives the process."""

    def append_packs(self, packs: Sequence[Pack]) -> None:
        known = {entry.id for entry in WAITING[self.flow]}
        found = [entry for pack in packs for entry in unpack(pack.entries)]
        WAITING[self.flow].extend(entry for entry in found if entry.id not in known)

    async def append_async(self, packs: Sequence[Pack]) -> None:
        self.append_packs(packs)

    @contextmanager
    def batch(self, size: int, wait: float = 0.0) -> Iterator[Batch]:  # noqa: ARG002
        held, WAITING[self.flow] = WAITING[self.flow][:size], WAITING[self.flow][size:]
        try:
            yield Batch(held)
        except BaseException:
            WAITING[self.flow] = held + WAITING[self.flow]
            raise

    def pending(self) -> int:
        return len(WAITING[self.flow])

    def lag(self) -> float:
        times = [entry.occurred_at for entry in WAITING[self.flow]]
        return (datetime.now(UTC) - min(times)).total_seconds() if times else 0.0


def forget_all() -> None:
    """Empty both streams."""
    for flow in Flow:
        WAITING[flow].clear()
