"""The stream in a list, for tests and for reading how a stream behaves."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from saleor_nudges.events import Flow
from saleor_nudges.stream.base import Entry, Stream

WAITING: dict[Flow, list[Entry]] = {flow: [] for flow in Flow}


class MemoryStream(Stream):
    """Keeps what this process appended. Nothing outlives the process."""

    def append(self, entries: Sequence[Entry]) -> None:
        known = {entry.event_id for entry in WAITING[self.flow]}
        WAITING[self.flow].extend(entry for entry in entries if entry.event_id not in known)

    @contextmanager
    def batch(self, size: int) -> Iterator[list[Entry]]:
        held, WAITING[self.flow] = WAITING[self.flow][:size], WAITING[self.flow][size:]
        try:
            yield held
        except BaseException:
            WAITING[self.flow] = held + WAITING[self.flow]
            raise

    def pending(self) -> int:
        return len(WAITING[self.flow])


def forget_all() -> None:
    """Empty both streams."""
    for flow in Flow:
        WAITING[flow].clear()
