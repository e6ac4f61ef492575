"""Connections to Redis: one client per process for those that may wait, one per event loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, Final
from weakref import WeakKeyDictionary

from redis import Redis
from redis import asyncio as redis_asyncio
from redis.cluster import RedisCluster

# A Redis that answers does so within milliseconds; who waits longer has better things to do.
SECONDS: Final = 1.0
MOST: Final = 8


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


Loops = WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, tuple[Any, asyncio.Semaphore]]]
_loops: Loops = WeakKeyDictionary()


@asynccontextmanager
async def async_client(url: str, *, is_cluster: bool) -> AsyncIterator[Any]:
    """Hold a place at the client of this event loop; raises redis' own errors or TimeoutError."""
    clients = _loops.setdefault(asyncio.get_running_loop(), {})
    if url not in clients:
        clients[url] = (_make(url, is_cluster=is_cluster), asyncio.Semaphore(MOST))
    found, places = clients[url]
    async with asyncio.timeout(2 * SECONDS), places:
        yield found


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


def is_cluster(found: Any) -> bool:
    """Tell whether this client speaks to a cluster."""
    return isinstance(found, redis_asyncio.RedisCluster)


def _make(url: str, *, is_cluster: bool) -> Any:
    if is_cluster:
        return redis_asyncio.RedisCluster.from_url(
            url,
            socket_timeout=SECONDS,
            socket_connect_timeout=SECONDS,
            cluster_error_retry_attempts=1,
        )
    return redis_asyncio.Redis.from_url(
        url, socket_timeout=SECONDS, socket_connect_timeout=SECONDS, max_connections=MOST
    )
