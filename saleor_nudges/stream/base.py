"""What a stream must do: keep entries, and hand them out in batches, at least once."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from saleor_nudges.events import Flow


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as it waits: open fields as JSON, personal ones sealed."""

    event_id: UUID
    shop: UUID
    channel: str
    kind: str
    payload: dict[str, Any]
    sealed: bytes | None = None


class Stream(ABC):
    """A buffer between those who see something happen and those who count it."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow

    @abstractmethod
    def append(self, entries: Sequence[Entry]) -> None:
        """Keep the entries. On return they survive us; raises StreamUnavailable if they do not."""

    @abstractmethod
    def batch(self, size: int) -> AbstractContextManager[list[Entry]]:
        """Hold up to `size` entries, oldest first, while the block runs in one transaction.

        Leaving the block commits it and lets the entries go. If it raises, or the process dies,
        they are handed out again, so whoever reads must bear to see an entry twice.
        """

    @abstractmethod
    def pending(self) -> int:
        """Return how many entries wait, those held by somebody included."""
