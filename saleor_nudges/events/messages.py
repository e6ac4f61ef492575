"""What people answer: consent given or withdrawn, whether they may be named, links followed."""

from dataclasses import dataclass
from typing import ClassVar

from saleor_nudges.events.base import Contact, Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentFact(Fact):
    """A person's answer for one message channel, and where it was given."""

    message_channel: str
    source: str
    contact: Contact | None = None

    @property
    def subject(self) -> str:
        return self.revision


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentGiven(ConsentFact):
    """A person agreed to be written to."""

    kind: ClassVar[str] = "consent_given"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentWithdrawn(ConsentFact):
    """A person said no."""

    kind: ClassVar[str] = "consent_withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeaturingFact(Fact):
    """A person's answer to whether their name and place may be said of what they bought."""

    source: str
    contact: Contact | None = None

    @property
    def subject(self) -> str:
        return self.revision


@dataclass(frozen=True, slots=True, kw_only=True)
class FeaturingAllowed(FeaturingFact):
    """A person does not mind, or no longer does."""

    kind: ClassVar[str] = "featuring_allowed"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeaturingRefused(FeaturingFact):
    """A person wants to stay unnamed."""

    kind: ClassVar[str] = "featuring_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageClicked(Fact):
    """A link in a message was followed by POST, so by a person and not by a mail scanner."""

    kind: ClassVar[str] = "message_clicked"
    send: str

    @property
    def subject(self) -> str:
        return self.send
