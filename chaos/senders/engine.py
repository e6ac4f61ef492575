"""The engine's doors, named in one place."""

from saleor_nudges import conf, tasks
from saleor_nudges.recovery.sending import send


def sweep() -> None:
    """Look at what is due and send it, as beat wakes it."""
    tasks.sweep()


def send_due() -> None:
    """Send what is in the ledger and due."""
    send.send_due()


def consume() -> None:
    """Take in the news that wait."""
    tasks.drain()


def lease_seconds() -> int:
    """Return for how long a claim is respected."""
    return conf.get().SEND_LEASE_SECONDS
