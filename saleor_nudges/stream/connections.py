"""A few Postgres connections per event loop, for the hot requests: they bypass Django's own."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final
from weakref import WeakKeyDictionary

import psycopg
from django.db import DEFAULT_DB_ALIAS
from django.db import connections as django_connections

from saleor_nudges.exceptions import StreamUnavailable

# Group commit asks for one or two at a time; more would only queue inside Postgres.
MOST: Final = 4
SECONDS: Final = 5.0

Connection = psycopg.AsyncConnection[Any]


class Pool:
    """The connections of one event loop. Each statement is a transaction of its own."""

    def __init__(self) -> None:
        self.free: list[Connection] = []
        self.places = asyncio.Semaphore(MOST)

    async def execute(self, statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Run a statement that may be run twice; return its rows; raises StreamUnavailable."""
        try:
            async with asyncio.timeout(SECONDS), self.places:
                while self.free:
                    # The server may have gone and come back since this one was used.
                    with suppress(psycopg.OperationalError):
                        return await self._run(self.free.pop(), statement, parameters)
                return await self._run(await _connect(), statement, parameters)
        except (psycopg.Error, TimeoutError, OSError) as error:
            raise StreamUnavailable from error

    async def _run(
        self, connection: Connection, statement: str, parameters: Sequence[Any]
    ) -> list[tuple[Any, ...]]:
        try:
            cursor = await connection.execute(statement, parameters)
            rows = await cursor.fetchall() if cursor.description else []
        except BaseException:
            # A statement that was given up halfway leaves a connection nobody can use.
            await asyncio.shield(connection.close())
            raise
        self.free.append(connection)
        return rows


_pools: WeakKeyDictionary[asyncio.AbstractEventLoop, Pool] = WeakKeyDictionary()


async def execute(statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run a statement on the database of Django's settings; see `Pool.execute`."""
    loop = asyncio.get_running_loop()
    if loop not in _pools:
        _pools[loop] = Pool()
    return await _pools[loop].execute(statement, parameters)


async def close() -> None:
    """Close what this event loop has opened, at its end."""
    if pool := _pools.pop(asyncio.get_running_loop(), None):
        for connection in pool.free:
            await connection.close()


async def _connect() -> Connection:
    settings = django_connections[DEFAULT_DB_ALIAS].get_connection_params()
    # These two are of Django's own way to connect; the rest is the driver's.
    for name in ("cursor_factory", "context"):
        settings.pop(name, None)
    settings.setdefault("connect_timeout", int(SECONDS))
    connection: Connection = await psycopg.AsyncConnection.connect(
        **settings, autocommit=True, cursor_factory=psycopg.AsyncClientCursor
    )
    return connection
