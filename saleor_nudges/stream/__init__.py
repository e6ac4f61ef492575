"""get_stream(): the stream the settings name, for one flow of events."""

from functools import lru_cache

from saleor_nudges import conf
from saleor_nudges.events import Flow
from saleor_nudges.stream import connections, redis_clients
from saleor_nudges.stream.base import Batch, Entry, Pack, Stream, pack
from saleor_nudges.stream.postgres import PostgresStream
from saleor_nudges.stream.spill import SpillingStream


def get_stream(flow: Flow) -> Stream:
    """Return the stream of one flow, as configured: Postgres, or one that spills there."""
    return _make(conf.get(), flow)


@lru_cache(maxsize=8)
def _make(settings: conf.Settings, flow: Flow) -> Stream:
    path = settings.COMMERCE_STREAM if flow is Flow.COMMERCE else settings.VIEWS_STREAM
    stream: Stream = conf.load(path)(flow)
    return stream if isinstance(stream, PostgresStream) else SpillingStream(stream)


async def close_async() -> None:
    """Close the connections the running event loop appended through, at its end."""
    await redis_clients.close()
    await connections.close()


__all__ = ["Batch", "Entry", "Pack", "Stream", "close_async", "get_stream", "pack"]
