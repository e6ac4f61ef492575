"""What a stream must do: keep entries, and hand them out in batches, at least once."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from saleor_nudges.events import Flow


class Entry(msgspec.Struct, frozen=True):
    """An event as it waits, in the shape in which it is stored; personal fields are sealed."""

    id: UUID
    shop_id: UUID
    channel: str
    kind: str
    occurred_at: datetime
    subject: str = ""
    person: UUID | None = None
    data: dict[str, Any] = {}
    sealed: bytes | None = None


@dataclass(frozen=True, slots=True)
class Pack:
    """Entries of one shop and channel, already encoded: JSON objects with commas between them."""

    shop: UUID
    channel: str
    entries: bytes
    count: int


class Stream(ABC):
    """A buffer between those who see something happen and those who count it."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow

    def append(self, entries: Sequence[Entry]) -> None:
        """Keep the entries. On return they survive us; raises StreamUnavailable if they do not."""
        self.append_packs(pack(entries))

    @abstractmethod
    def append_packs(self, packs: Sequence[Pack]) -> None:
        """Keep what is packed, all or nothing as far as an acknowledgement goes; see `append`."""

    async def append_async(self, packs: Sequence[Pack]) -> None:
        """Keep what is packed without holding up the event loop: for the hot requests only."""
        raise NotImplementedError

    @abstractmethod
    def batch(self, size: int, wait: float = 0.0) -> AbstractContextManager[list[Entry]]:
        """Hold up to `size` entries, oldest first, while the block runs in one transaction.

        Waits up to `wait` seconds for the first of them. Leaving the block commits it and lets the
        entries go. If it raises, or the process dies, they are handed out again, so whoever reads
        must bear to see an entry twice.
        """

    @abstractmethod
    def pending(self) -> int:
        """Return how many entries wait, those held by somebody included."""


def pack(entries: Iterable[Entry]) -> list[Pack]:
    """Return the entries encoded, together by shop and channel, in the order they came."""
    groups: dict[tuple[UUID, str], list[bytes]] = {}
    for entry in entries:
        groups.setdefault((entry.shop_id, entry.channel), []).append(msgspec.json.encode(entry))
    return [
        Pack(shop, channel, b",".join(parts), len(parts))
        for (shop, channel), parts in groups.items()
    ]


_entries = msgspec.json.Decoder(list[Entry])


def unpack(entries: bytes) -> list[Entry]:
    """Return the entries of a pack; raises msgspec.DecodeError if it is not one of ours."""
    return _entries.decode(b"[" + entries + b"]")
