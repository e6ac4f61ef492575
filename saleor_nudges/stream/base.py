"""What a stream must do: keep entries, and hand them out in batches, at least once."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from saleor_nudges.events import Flow

# What is handed over in one piece: large enough to be fast, small enough to be a part of a batch.
PACK_ENTRIES: Final = 512
PACK_BYTES: Final = 256 * 1024


class Entry(msgspec.Struct, frozen=True, gc=False):
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


@dataclass(frozen=True, slots=True)
class Broken:
    """What a stream holds and nobody can read as an entry, as it is, and why not."""

    raw: bytes
    reason: str
    shop: UUID | None = None


class Batch(list[Entry]):
    """The entries somebody holds; beside them what could not be read."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        super().__init__(entries)
        self.broken: list[Broken] = []
        # How many workers have died over these very entries.
        self.deaths = 0

    def __bool__(self) -> bool:
        return len(self) > 0 or bool(self.broken)

    @property
    def held(self) -> int:
        """Return how many entries are held, those that cannot be read included."""
        return len(self) + len(self.broken)


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

    @abstractmethod
    async def append_async(self, packs: Sequence[Pack]) -> None:
        """Keep what is packed without holding up the event loop: for the hot requests only."""

    @abstractmethod
    def batch(self, size: int, wait: float = 0.0) -> AbstractContextManager[Batch]:
        """Hold up to `size` entries, oldest first, while the block runs in one transaction.

        Waits up to `wait` seconds for the first of them. What was appended together may be handed
        out together, so the last of it may exceed `size`. Leaving the block commits it and lets the
        entries go. If it raises, or the process dies, they are handed out again, so whoever reads
        must bear to see an entry twice. Raises StreamUnavailable when nothing can be read.
        """

    @abstractmethod
    def pending(self) -> int:
        """Return how many entries wait, those held by somebody included.

        Raises StreamUnavailable. Where many wait it may be an estimate.
        """

    @abstractmethod
    def lag(self) -> float:
        """Return for how many seconds the oldest entry has waited; 0 if none does."""

    def is_full(self) -> bool:
        """Tell whether the stream holds as much as it may; raises StreamUnavailable."""
        return False

    def sources(self) -> "Sequence[Stream]":
        """Return the streams a consumer must read, each for itself."""
        return (self,)


def pack(entries: Iterable[Entry]) -> list[Pack]:
    """Return the entries encoded, together by shop and channel, in the order they came."""
    groups: dict[tuple[int, str], list[Entry]] = {}
    group: list[Entry] = []
    shop = channel = None
    for entry in entries:
        # Most are of the same shop and channel as the last one.
        if entry.shop_id is not shop or entry.channel != channel:
            shop, channel = entry.shop_id, entry.channel
            group = groups.setdefault((shop.int, channel), [])
        group.append(entry)
    return [packed for group in groups.values() for packed in _packed(group)]


def _packed(group: Sequence[Entry]) -> Iterable[Pack]:
    shop, channel = group[0].shop_id, group[0].channel
    for start in range(0, len(group), PACK_ENTRIES):
        some = group[start : start + PACK_ENTRIES]
        whole = _encode(some)[1:-1]
        if len(whole) <= PACK_BYTES:
            yield Pack(shop, channel, whole, len(some))
        else:
            for parts in _pieces([_encode(entry) for entry in some]):
                yield Pack(shop, channel, b",".join(parts), len(parts))


def _pieces(parts: list[bytes]) -> Iterable[list[bytes]]:
    piece: list[bytes] = []
    size = 0
    for part in parts:
        if piece and size + len(part) > PACK_BYTES:
            yield piece
            piece, size = [], 0
        piece.append(part)
        size += len(part)
    yield piece


_encode = msgspec.json.Encoder().encode
_entries = msgspec.json.Decoder(list[Entry])
_pieces_of_json = msgspec.json.Decoder(list[msgspec.Raw])
_entry = msgspec.json.Decoder(Entry)


def unpack(entries: bytes) -> list[Entry]:
    """Return the entries of a pack; raises msgspec.DecodeError if it is not one of ours."""
    return _entries.decode(b"[" + entries + b"]")


def unpack_into(batch: Batch, entries: bytes, shop: UUID | None = None) -> int:
    """Add the entries of a pack to a batch, each bad one as it is; return how many there were."""
    try:
        found = unpack(entries)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _one_by_one(batch, entries, shop)
    batch += found
    return len(found)


def _one_by_one(batch: Batch, entries: bytes, shop: UUID | None) -> int:
    try:
        parts = _pieces_of_json.decode(b"[" + entries + b"]")
    except (msgspec.DecodeError, UnicodeDecodeError):
        batch.broken.append(Broken(entries, "It is no JSON of ours.", shop))
        return 1
    for part in parts:
        try:
            batch.append(_entry.decode(part))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            batch.broken.append(Broken(bytes(part), f"It is no entry of ours: {error}", shop))
    return len(parts)
