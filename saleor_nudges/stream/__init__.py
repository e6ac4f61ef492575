"""get_stream(): the stream the settings name, for one flow of events."""

from saleor_nudges import conf
from saleor_nudges.events import Flow
from saleor_nudges.stream.base import Entry, Stream


def get_stream(flow: Flow) -> Stream:
    """Return the stream of one flow, as configured."""
    settings = conf.get()
    path = settings.COMMERCE_STREAM if flow is Flow.COMMERCE else settings.VIEWS_STREAM
    stream: Stream = conf.load(path)(flow)
    return stream


__all__ = ["Entry", "Stream", "get_stream"]
