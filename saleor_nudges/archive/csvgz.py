"""CSV.gz: every part is a gzip member of its own, so writing goes on at any part's beginning.

A part ends with the block that fills it. Blocks are counted from the part's beginning and a member
carries no time, so the same rows make the same bytes, however often the writing was interrupted.
"""

import zlib
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from typing import IO, Any, Final

from saleor_nudges.archive.bucket import CHUNK
from saleor_nudges.archive.parts import COLUMNS, PART_BYTES, Block, Part

RESUMES: Final = True
HEADINGS: Final = (",".join(COLUMNS) + "\n").encode()
GZIP: Final = 31  # zlib's word for: with gzip's head and tail
LEVEL: Final = 1


@lru_cache(maxsize=1)
def compressor() -> Any:
    """Return ISA-L's zlib, five times as fast, or else Python's own."""
    try:
        return import_module("isal.isal_zlib")
    except ImportError:
        return zlib


def parts(blocks: Iterator[Block], number: int) -> Iterator[Part]:
    """Yield the parts of these rows, the first of them numbered `number`."""
    writer = None
    for block in blocks:
        writer = writer or _Writer(number)
        writer.add(block)
        if len(writer.body) >= PART_BYTES:
            yield writer.close()
            writer, number = None, number + 1
    if writer:
        yield writer.close()


def segments(file: IO[bytes], parts: list[dict[str, Any]], done: int) -> Iterator[Iterator[bytes]]:
    """Yield an object's rows, but those of the first `done` parts, as CSV with headings each."""
    file.seek(sum(part["bytes"] for part in parts[:done]))
    for part in parts[done:]:
        yield _unpacked(file, part["bytes"], headings=part["number"] > 1)


class Counter:
    """Unpacks what is read back and counts its lines."""

    def __init__(self) -> None:
        self._lines = 0
        self._unpack = compressor().decompressobj(GZIP)

    def feed(self, chunk: bytes) -> None:
        """Take some bytes of the part."""
        try:
            self._lines += self._unpack.decompress(chunk).count(b"\n")
        except (zlib.error, compressor().error) as error:
            raise ValueError("a part cannot be unpacked") from error

    def end_part(self) -> None:
        """Say that a part is over."""
        if not self._unpack.eof:
            raise ValueError("a part is cut short")
        self._unpack = compressor().decompressobj(GZIP)

    def lines(self) -> int:
        """Return how many lines there were."""
        return self._lines


class _Writer:
    """One part being made."""

    def __init__(self, number: int) -> None:
        self.part = Part(number)
        self.body = bytearray()
        self._pack = compressor().compressobj(LEVEL, zlib.DEFLATED, GZIP)
        if number == 1:
            self._write(HEADINGS)

    def add(self, block: Block) -> None:
        self._write(block.text)
        self.part.add(block)

    def close(self) -> Part:
        self.body += self._pack.flush()
        self.part.body = self.body
        return self.part

    def _write(self, text: bytes) -> None:
        self.body += self._pack.compress(text)
        self.part.lines += text.count(b"\n")


def _unpacked(file: IO[bytes], size: int, *, headings: bool) -> Iterator[bytes]:
    if headings:
        yield HEADINGS
    unpack = compressor().decompressobj(GZIP)
    while size > 0:
        chunk = file.read(min(CHUNK, size))
        size -= len(chunk)
        yield unpack.decompress(chunk)
