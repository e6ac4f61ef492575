"""Which formats there are: CSV.gz, which every tool reads, and Parquet with its extra."""

from collections.abc import Iterator
from typing import IO, Any, Final, Protocol

from django.core.exceptions import ImproperlyConfigured

from saleor_nudges.archive import csvgz, parquet
from saleor_nudges.archive.parts import SCHEMA_VERSION, Block, Part


class Counter(Protocol):
    """What is fed an object that is read back, part by part. Raises ValueError when it is none."""

    def feed(self, chunk: bytes) -> None:
        """Take some bytes of the part."""

    def end_part(self) -> None:
        """Say that a part is over."""

    def lines(self) -> int:
        """Return what the lines of all parts must add up to."""


class Format(Protocol):
    """One way to write rows."""

    # Whether writing can begin in the middle; else it begins again and must come out the same.
    RESUMES: bool
    Counter: type[Counter]

    def parts(self, blocks: Iterator[Block], number: int) -> Iterator[Part]:
        """Yield the parts of these rows, the first of them numbered `number`."""

    def segments(
        self, file: IO[bytes], parts: list[dict[str, Any]], done: int
    ) -> Iterator[Iterator[bytes]]:
        """Yield an object's rows, but the first `done` segments, as CSV with headings each."""


FORMATS: Final[dict[str, Any]] = {"csv.gz": csvgz, "parquet": parquet}


def check_format(name: str) -> str:
    """Return the name of a format there is. Raises ImproperlyConfigured."""
    if name not in FORMATS:
        known = " or ".join(FORMATS)
        raise ImproperlyConfigured(f"ARCHIVE_FORMAT must be {known}, not {name!r}.")
    return name


def format_of(name: str) -> Format:
    """Return a format by its name."""
    found: Format = FORMATS[check_format(name)]
    return found


__all__ = ["FORMATS", "SCHEMA_VERSION", "Counter", "Format", "check_format", "format_of"]
