"""Messages in a list, for tests and previews."""

from saleor_nudges.messaging.channels.base import Channel, Message

SENT: list[Message] = []
# What the next sends raise, first come first served; a test of an outage fills it.
TROUBLE: list[Exception] = []


class MemoryChannel(Channel):
    """Takes every message, unless told to be in trouble."""

    def send(self, message: Message) -> None:
        if TROUBLE:
            raise TROUBLE.pop(0)
        SENT.append(message)


def forget_all() -> None:
    """Empty the list."""
    SENT.clear()
    TROUBLE.clear()
