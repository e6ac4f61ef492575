"""What an object is made of: blocks of rows go in, parts to upload come out."""

from dataclasses import dataclass, field
from typing import Final

# The columns of every object, in this order. `sealed` holds what was personal of a row, or
# nothing. The shop is in the object's name.
COLUMNS: Final = ("id", "channel", "kind", "occurred_at", "subject", "person", "data", "sealed")
SCHEMA_VERSION: Final = 1
# S3 wants 5 MiB of every part but the last.
PART_BYTES: Final = 5 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows, in the order of their ids, as CSV the way Postgres writes it."""

    text: bytes
    rows: int
    first_id: str
    last_id: str


@dataclass(slots=True)
class Part:
    """One part of an object. `lines` is what can be counted again when it is read back."""

    number: int
    body: bytes | bytearray = b""
    rows: int = 0
    lines: int = 0
    ids: list[str] = field(default_factory=list)

    def add(self, block: Block) -> None:
        """Count the rows of a block in."""
        self.rows += block.rows
        self.ids = [*self.ids[:1], block.last_id] if self.ids else [block.first_id, block.last_id]
