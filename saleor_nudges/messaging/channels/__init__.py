"""get_channel(): the way a message leaves, by the name of its message channel."""

from saleor_nudges import conf
from saleor_nudges.messaging.channels.base import Channel, Message
from saleor_nudges.models import MessageChannel


def get_channel(message_channel: MessageChannel) -> Channel:
    """Return the channel the settings name for it."""
    paths = {MessageChannel.EMAIL: conf.get().EMAIL_CHANNEL}
    channel: Channel = conf.load(paths[message_channel])()
    return channel


__all__ = ["Channel", "Message", "get_channel"]
