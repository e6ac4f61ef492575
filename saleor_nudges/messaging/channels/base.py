"""What a message channel must do: send one message, and say truly what became of it."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field


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

    @abstractmethod
    def send(self, message: Message) -> None:
        """Hand the message to the provider; returning means it was taken.

        Raises DeliveryRefused (never again), DeliveryFailed (nothing left; may be tried again) or
        DeliveryUnknown (may have left; never again). Whatever else it raises counts as unknown.
        """
