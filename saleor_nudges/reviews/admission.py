"""How often reviews may be written: per visitor and account, per address, per shop."""

import time
from typing import Final
from uuid import UUID

from saleor_nudges import conf, telemetry
from saleor_nudges.exceptions import TooMany
from saleor_nudges.limits import Limit
from saleor_nudges.reviews.authors import Author

# Who comes home with five things may write about all of them at once.
AT_ONCE: Final = 5
# An office is many people behind one address, and a shop is all of them.
PER_ADDRESS, PER_SHOP = 10, 500


class Gate:
    """The limits of this process at one rate: what one author may write a second."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.authors = Limit(rate, AT_ONCE)
        self.addresses = Limit(rate * PER_ADDRESS, AT_ONCE * PER_ADDRESS)
        self.shops = Limit(rate * PER_SHOP, AT_ONCE * PER_SHOP)

    def admit(self, shop: UUID, author: Author, address: str) -> None:
        """Let one review in; raises TooMany."""
        if author.visitor:
            _ask(self.authors, author.visitor, "visitor")
        if author.user:
            _ask(self.authors, (shop, author.user), "visitor")
        if address:
            _ask(self.addresses, address, "address")
        _ask(self.shops, shop, "shop")


def admit(shop: UUID, author: Author, address: str) -> None:
    """Let one review in by the limits in force; raises TooMany. No address: it is not known."""
    global _gate
    rate = conf.get().LIMIT_REVIEWS
    if _gate is None or _gate.rate != rate:
        _gate = Gate(rate)
    _gate.admit(shop, author, address)


_gate: Gate | None = None


def _ask(limit: Limit, key: object, who: str) -> None:
    if wait := limit.wait(key, time.monotonic()):
        telemetry.REFUSED.labels(door=who, code=TooMany.code).inc()
        raise TooMany(wait=wait)
