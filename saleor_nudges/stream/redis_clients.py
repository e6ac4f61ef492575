"""Connections to Redis: one client per process for those that may wait, one per event loop."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote
from weakref import WeakKeyDictionary

from redis import Redis
from redis import asyncio as redis_asyncio
from redis import exceptions as redis_exceptions
from redis.cluster import RedisCluster

try:
    from hiredis import pack_command

    is_fast = True
except ImportError:  # pragma: no cover - Saleor's environment has none
    is_fast = False

# A Redis that answers does so within milliseconds; who waits longer has better things to do.
SECONDS: Final = 1.0
MOST: Final = 8
# What a Redis that is away, or not as we need it, makes of a command.
TROUBLE: Final = (redis_exceptions.RedisError, redis_exceptions.RedisClusterException)


@lru_cache(maxsize=8192)
def quoted(name: str) -> str:
    """Return what others named as a part of a key: no part can be taken for two, or for none."""
    return quote(name, safe="=")


@lru_cache(maxsize=4)
def client(url: str, *, is_cluster: bool) -> "Redis | RedisCluster":
    """Return the client of this process; raises redis' own errors."""
    if is_cluster:
        found: RedisCluster = RedisCluster.from_url(
            url,
            socket_timeout=2 * SECONDS,
            socket_connect_timeout=SECONDS,
            cluster_error_retry_attempts=1,
        )
        return found
    return Redis.from_url(url, socket_timeout=2 * SECONDS, socket_connect_timeout=SECONDS)


Command = Sequence[Any]


class Lines:
    """The connections of one event loop to one server.

    redis-py's client spends longer on a command than its connection does, and whoever
    appends for everybody who waits sends one after the other.
    """

    def __init__(self, url: str) -> None:
        self.pool: Any = redis_asyncio.ConnectionPool.from_url(url, socket_connect_timeout=SECONDS)
        self.free: list[Any] = []

    async def execute(self, commands: Sequence[Command]) -> list[Any]:
        """Send commands together and return their replies; they may be sent a second time."""
        while self.free:
            # The server may have gone and come back since this one was used.
            with suppress(redis_exceptions.ConnectionError):
                return await self._execute(self.free.pop(), commands)
        return await self._execute(self.pool.make_connection(), commands)

    async def aclose(self) -> None:
        """Close what is not in use."""
        while self.free:
            await self.free.pop().disconnect()

    async def _execute(self, connection: Any, commands: Sequence[Command]) -> list[Any]:
        try:
            await connection.send_packed_command(_packed(connection, commands))
            replies = [await connection.read_response() for _ in commands]
        except BaseException:
            # Replies that nobody has read would be taken for those of the next command.
            await connection.disconnect(nowait=True)
            raise
        self.free.append(connection)
        return replies


def _packed(connection: Any, commands: Sequence[Command]) -> Any:
    if not is_fast:
        return connection.pack_commands(commands)
    # The client's own way to write a command takes longer than Redis takes to obey it.
    return b"".join(map(pack_command, map(tuple, commands)))


class Nodes:
    """The same for a cluster: its client knows which node each command is for."""

    def __init__(self, url: str) -> None:
        self.client = redis_asyncio.RedisCluster.from_url(
            url,
            socket_timeout=SECONDS,
            socket_connect_timeout=SECONDS,
            cluster_error_retry_attempts=1,
        )

    async def execute(self, commands: Sequence[Command]) -> list[Any]:
        """Send commands side by side and return their replies."""
        return list(await asyncio.gather(*(self.client.execute_command(*one) for one in commands)))

    async def aclose(self) -> None:
        """Close every connection."""
        await self.client.aclose()


Loops = WeakKeyDictionary[
    asyncio.AbstractEventLoop, dict[str, tuple[Lines | Nodes, asyncio.Semaphore]]
]
_loops: Loops = WeakKeyDictionary()


async def execute(url: str, commands: Sequence[Command], *, is_cluster: bool) -> list[Any]:
    """Send commands from this event loop, in any order; raises redis' errors or TimeoutError."""
    clients = _loops.setdefault(asyncio.get_running_loop(), {})
    if url not in clients:
        made = Nodes(url) if is_cluster else Lines(url)
        clients[url] = (made, asyncio.Semaphore(MOST))
    found, places = clients[url]
    async with asyncio.timeout(2 * SECONDS), places:
        return await found.execute(commands)


def server(url: str, *, is_cluster: bool) -> dict[str, Any]:
    """Return what Redis says of itself, by the names of its INFO; raises redis' own errors."""
    found: Any = client(url, is_cluster=is_cluster)
    if is_cluster:
        return dict(found.info(target_nodes=found.get_default_node()))
    return dict(found.info())


async def close() -> None:
    """Close what this event loop has opened, at its end."""
    for found, _ in _loops.pop(asyncio.get_running_loop(), {}).values():
        await found.aclose()
