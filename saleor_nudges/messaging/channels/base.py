"""What a message channel must do: send one message, and say truly what became of it."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one person. `key` names it: a provider that honours keys sends it once."""

    key: str
    to: str
    sender: str
    subject: str
    text: str
    html: str = ""
    headers: dict[str, str] = field(default_factory=dict)


class Channel(ABC):
    """One way for messages to leave."""

    # The provider takes each message's key only once, for a day at least: what is in doubt may be
    # handed over again.
    honours_keys: ClassVar[bool] = False

    @abstractmethod
    def send(self, message: Message) -> None:
        """Hand the message to the provider; returning means it was taken.

        Raises DeliveryRefused (never again), DeliveryFailed (nothing left; may be tried again) or
        DeliveryUnknown (may have left; never again). Whatever else it raises counts as unknown.
        """

    def close(self) -> None:  # noqa: B027 - most keep nothing open
        """Let go of what was kept open from one message to the next."""
