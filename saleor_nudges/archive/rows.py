"""A piece's rows, in the order of their ids, from a connection of its own.

The rows come as the text Postgres makes of them. Only those with somebody behind them, marked in
the last column, are looked at one by one (`sealing`); both lie in one object, ordered by id.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from select import select
from typing import Any, Final
from uuid import UUID

from django.db import OperationalError, connection
from psycopg import sql
from psycopg.pq import ExecStatus

from saleor_nudges.archive.parts import Block
from saleor_nudges.archive.pieces import partition_of
from saleor_nudges.archive.sealing import Sealer
from saleor_nudges.events.identity import smallest_at
from saleor_nudges.host import host_class
from saleor_nudges.models import EventArchive

ROWS_PER_BLOCK: Final = 8000
ID_LENGTH: Final = 36
SELECT: Final = sql.SQL("""
    COPY (
        SELECT id, channel, kind, occurred_at, subject, person, data,
            CASE WHEN person IS NOT NULL OR data ?| ARRAY['user', 'checkout'] THEN 1 END
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
                thread.submit(connection.close)

    def _blocks(self, statement: bytes, sealer: Sealer) -> Iterator[Block]:
        for rows in self._copied(statement):
            yield Block(sealer.seal(rows), len(rows), _id(rows[0]), _id(rows[-1]))

    def _copied(self, statement: bytes) -> Iterator[list[memoryview]]:
        """Yield what a COPY answers, so many rows at once.

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
                if len(rows) == ROWS_PER_BLOCK:
                    yield rows
                    rows = []
            elif size == 0:
                select([server.socket], [], [])
                server.consume_input()
        _check(server.get_result(), ExecStatus.COMMAND_OK)
        if rows:
            yield rows


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


def _check(result: Any, wanted: ExecStatus) -> None:
    if result is None or result.status != wanted:
        raise OperationalError(result.get_error_message() if result else "the server went away")


def _id(row: Any) -> str:
    return bytes(row[:ID_LENGTH]).decode()
