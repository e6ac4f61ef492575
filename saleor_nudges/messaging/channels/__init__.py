"""get_channel(): the way a message leaves, by the name of its message channel."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from saleor_nudges import conf
from saleor_nudges.messaging.channels.base import Channel, Message
from saleor_nudges.models import MessageChannel


def get_channel(message_channel: MessageChannel) -> Channel:
    """Return the channel the settings name for it."""
    paths = {MessageChannel.EMAIL: conf.get().EMAIL_CHANNEL}
    channel: Channel = conf.load(paths[message_channel])()
    return channel


@contextmanager
def kept_open() -> Iterator[Callable[[MessageChannel], Channel]]:
    """Give out one channel by each name for many messages; let go of them at the end."""
    held: dict[MessageChannel, Channel] = {}

    def get(message_channel: MessageChannel) -> Channel:
        if message_channel not in held:
            held[message_channel] = get_channel(message_channel)
        return held[message_channel]

    try:
        yield get
    finally:
        for channel in held.values():
            channel.close()


__all__ = ["Channel", "Message", "get_channel", "kept_open"]
