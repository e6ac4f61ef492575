"""Parquet, with the extra of that name: smaller, and read by column.

Its table of contents comes last and knows every byte before it. So an interrupted writing begins
again, and what was uploaded must come out the same: a part that does not makes a new object.
"""

import tempfile
from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import islice
from typing import IO, Any, Final

from saleor_nudges.archive.bucket import need
from saleor_nudges.archive.parts import COLUMNS, PART_BYTES, Block, Part

RESUMES: Final = False
BLOCKS_PER_GROUP: Final = 20


def parts(blocks: Iterator[Block], number: int) -> Iterator[Part]:
    """Yield the parts of these rows, the first of them numbered `number`."""
    sink, part = _Sink(), Part(number)
    writer = _arrow("parquet").ParquetWriter(sink, _schema(), compression="zstd")
    while group := list(islice(blocks, BLOCKS_PER_GROUP)):
        writer.write_table(_table(block.text for block in group))
        for block in group:
            part.add(block)
        for body in sink.full_parts():
            yield _with(part, body)
            part = Part(part.number + 1)
    writer.close()
    yield _with(part, sink.rest())


def segments(file: IO[bytes], parts: list[dict[str, Any]], done: int) -> Iterator[Iterator[bytes]]:
    """Yield an object's rows, but those of `done` row groups, as CSV with headings each."""
    del parts  # cut by size, so no row begins there
    source = _arrow("parquet").ParquetFile(file)
    options = _arrow("csv").WriteOptions(quoting_style="all_valid")
    for number in range(done, source.num_row_groups):
        text = BytesIO()
        _arrow("csv").write_csv(source.read_row_group(number), text, options)
        yield iter([text.getvalue()])


class Counter:
    """Keeps what is read back on disk, because its table of contents comes last."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by lines()

    def feed(self, chunk: bytes) -> None:
        """Take some bytes of the part."""
        self._file.write(chunk)

    def end_part(self) -> None:
        """Say that a part is over: here that means nothing."""

    def lines(self) -> int:
        """Return how many rows the table of contents knows of."""
        with self._file as file:
            file.seek(0)
            try:
                return int(_arrow("parquet").ParquetFile(file).metadata.num_rows)
            except _arrow("lib").ArrowException as error:
                raise ValueError("its table of contents cannot be read") from error


class _Sink:
    """What the writer writes into: bytes that are not yet a part."""

    closed = False

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._position = 0

    def write(self, data: Any) -> int:
        self._bytes += data
        self._position += len(data)
        return len(data)

    def tell(self) -> int:
        return self._position

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        self.closed = True

    def full_parts(self) -> Iterator[bytes]:
        while len(self._bytes) >= PART_BYTES:
            body = bytes(self._bytes[:PART_BYTES])
            del self._bytes[:PART_BYTES]
            yield body

    def rest(self) -> bytes:
        return bytes(self._bytes)


def _with(part: Part, body: bytes) -> Part:
    part.body, part.lines = body, part.rows
    return part


def _table(texts: Iterable[bytes]) -> Any:
    csv = _arrow("csv")
    return csv.read_csv(
        BytesIO(b"".join(texts)),
        read_options=csv.ReadOptions(column_names=list(COLUMNS), use_threads=False),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=_schema(),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


def _schema() -> Any:
    lib = _arrow("lib")
    types = {"occurred_at": lib.timestamp("us", tz="UTC")}
    return lib.schema([(name, types.get(name, lib.string())) for name in COLUMNS])


def _arrow(module: str) -> Any:
    return need(f"pyarrow.{module}", "parquet")
