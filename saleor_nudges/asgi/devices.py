"""On what the sender of a beacon looks at the shop, and which site led them there."""

import re
from typing import Final
from urllib.parse import urlsplit

from saleor_nudges import agents
from saleor_nudges.beacons import Sender

HOST_NAME: Final = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
LONGEST_HOST_NAME: Final = 255
# Of an address that a page names as its referrer, so much is read.
LONGEST_ADDRESS: Final = 2048


def noted(sender: Sender, agent: str, referrer: object) -> Sender:
    """Return the sender with what is known of both; of nobody without a checkout is any asked."""
    if not sender.checkout:
        return sender
    return sender._replace(
        device=agents.device(agent) if agent else "",
        browser=agents.browser(agent) if agent else "",
        referrer=host_of(referrer),
    )


def host_of(referrer: object) -> str:
    """Return the host name in an address, and nothing else of it; what is none is nothing."""
    if not (isinstance(referrer, str) and referrer):
        return ""
    address = referrer[:LONGEST_ADDRESS]
    try:
        name = urlsplit(address if "//" in address else f"//{address}").hostname or ""
    except ValueError:
        return ""
    return name if HOST_NAME.fullmatch(name) and len(name) <= LONGEST_HOST_NAME else ""
