"""Try everything without writing to a shopper: all messages go to the testers, and sooner."""

from datetime import timedelta
from uuid import UUID

from saleor_nudges import conf


def is_on() -> bool:
    """Tell whether messages go to testers only."""
    return bool(conf.get().SANDBOX_RECIPIENTS)


def recipient(address: str, person: UUID | None) -> str:
    """Return where a message to this address really goes: the same tester for the same person."""
    testers = conf.get().SANDBOX_RECIPIENTS
    if not testers:
        return address
    return testers[(person.int if person else 0) % len(testers)]


def marked(subject: str, address: str) -> str:
    """Return a subject that says whom the message would have gone to, by the first letter only."""
    if not is_on():
        return subject
    name, _, domain = address.partition("@")
    return f"[Sandbox, for {name[:1]}…@{domain}] {subject}"


def paced(delay: timedelta) -> timedelta:
    """Return how long a delay lasts here: while testing, an hour may last a minute."""
    return delay / max(conf.get().SANDBOX_TIME_FACTOR, 1.0) if is_on() else delay
