"""A piece's rows, in the order of their ids, from a connection of its own.

The rows come as the text Postgres makes of them. Only those with somebody behind them, marked in
the last column, are looked at one by one (`sealing`); both lie in one object, ordered by id.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from select import select
from typing import Any, Final
from uuid import UUID

from django.db import OperationalError, connection
from psycopg import sql
from psycopg.pq import ExecStatus

from saleor_nudges.archive.parts import Block
from saleor_nudges.archive.pieces import partition_of
from saleor_nudges.archive.sealing import UNMARKED, Marked, Sealer
from saleor_nudges.events.identity import smallest_at
from saleor_nudges.host import host_class
from saleor_nudges.models import EventArchive

# Rows are put together while the processor still has them at hand: holding a whole block of them
# one by one costs as much as all the rest.
ROWS_AT_HAND: Final = 256
# Counted in bytes, because a cart is many times as long as a view.
BLOCK_BYTES: Final = 1024 * 1024
ID_LENGTH: Final = 36
SELECT: Final = sql.SQL("""
    COPY (
        SELECT id, channel, kind, occurred_at, subject, person, data,
            CASE WHEN person IS NOT NULL OR data ?| ARRAY['user', 'checkout']
                THEN concat(person, '|', data ->> 'user', '|', data ->> 'checkout') END
        FROM {name} WHERE shop_id = {shop} AND id >= {begin} AND id < {end} ORDER BY id
    ) TO STDOUT (FORMAT csv)
""")


class Reader:
    """Holds the claim on one piece for as long as its transaction lasts: whoever is killed
    loses both at once, and there is no lease to wait for.
    """

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def claim(self, manifest: UUID) -> bool:
        """Claim a piece; return whether nobody else has."""
        found = self._raw.execute(
            "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 7))", [str(manifest)]
        )
        return bool(found.fetchone()[0])

    def blocks(self, manifest: EventArchive, after: str = "") -> Iterator[Block]:
        """Yield the rows of a piece that come after an id, or all of them.

        The next ones are read while the caller works on these.
        """
        statement = SELECT.format(
            name=sql.Identifier(partition_of(manifest).name),
            shop=manifest.shop_id,
            begin=UUID(int=UUID(after).int + 1) if after else smallest_at(manifest.start),
            end=smallest_at(manifest.end),
        )
        blocks = self._blocks(statement.as_bytes(self._raw), Sealer(manifest.shop_id))
        with ThreadPoolExecutor(1) as thread:
            try:
                coming = thread.submit(_next, blocks)
                while block := coming.result():
                    coming = thread.submit(_next, blocks)
                    yield block
            finally:
                thread.submit(_close)

    def _blocks(self, statement: bytes, sealer: Sealer) -> Iterator[Block]:
        for handfuls in _of_size(self._copied(statement)):
            text = sealer.seal([piece for handful in handfuls for piece in handful.pieces])
            rows = sum(handful.rows for handful in handfuls)
            yield Block(text, rows, handfuls[0].first_id, handfuls[-1].last_id)

    def _copied(self, statement: bytes) -> Iterator["_Handful"]:
        """Yield what a COPY answers.

        It asks libpq itself: psycopg's own loop costs as much for a row as Postgres does.
        """
        server = self._raw.pgconn
        _check(server.exec_(statement), ExecStatus.COPY_OUT)
        rows: list[memoryview] = []
        size = 1
        while size >= 0:
            size, row = server.get_copy_data(1)
            if size > 0:
                rows.append(row)
                if len(rows) == ROWS_AT_HAND:
                    yield _handful(rows)
                    rows.clear()
            elif size == 0:
                select([server.socket], [], [])
                server.consume_input()
        _check(server.get_result(), ExecStatus.COMMAND_OK)
        if rows:
            yield _handful(rows)


@dataclass(frozen=True, slots=True)
class _Handful:
    """Some rows: texts of many, and between them, each by itself, those that are marked."""

    pieces: list[bytes | Marked]
    rows: int
    size: int
    first_id: str
    last_id: str


def _of_size(handfuls: Iterator[_Handful]) -> Iterator[list[_Handful]]:
    """Yield handfuls together, as many as fill a block."""
    held: list[_Handful] = []
    for handful in handfuls:
        held.append(handful)
        if sum(one.size for one in held) >= BLOCK_BYTES:
            yield held
            held = []
    if held:
        yield held


def _handful(rows: list[memoryview]) -> _Handful:
    pieces: list[bytes | Marked] = []
    begin = 0
    for number, row in enumerate(rows):
        # The last byte but the line's end: a comma before nothing, or the end of a mark.
        if row[-2] != UNMARKED:
            pieces += [b"".join(rows[begin:number]), Marked(bytes(row))]
            begin = number + 1
    pieces.append(b"".join(rows[begin:]))
    size = sum(map(len, pieces))
    return _Handful(pieces, len(rows), size, _id(rows[0]), _id(rows[-1]))


@contextmanager
def reading() -> Iterator[Reader]:
    """Open a connection whose transaction lasts as long as the block, and changes nothing."""
    private = connection.copy()
    try:
        private.ensure_connection()
        raw: Any = private.connection
        raw.execute("BEGIN")
        # How times are written must not depend on how the server is set.
        raw.execute("SET LOCAL timezone TO 'UTC'")
        raw.execute("SET LOCAL datestyle TO 'ISO'")
        yield Reader(raw)
    finally:
        private.close()


def _next(blocks: Iterator[Block]) -> Block | None:
    # Whose rows they are is asked on this thread's own connection.
    with host_class().writing():
        return next(blocks, None)


def _close() -> None:
    connection.close()  # that of the thread this runs in


def _check(result: Any, wanted: ExecStatus) -> None:
    if result is None or result.status != wanted:
        raise OperationalError(result.get_error_message() if result else "the server went away")


def _id(row: Any) -> str:
    return bytes(row[:ID_LENGTH]).decode()
