"""Who may ask how often: per visitor, per address, per shop."""

import time
from functools import lru_cache
from typing import Final
from uuid import UUID

from prometheus_client import Counter

from saleor_nudges import conf, telemetry
from saleor_nudges.exceptions import TooMany
from saleor_nudges.limits import Limit

# So many seconds' worth may come at once.
BURST_SECONDS: Final = 10


class Guard:
    """The limits of one process, as configured; see docs/settings.md."""

    def __init__(self, settings: conf.Settings) -> None:
        self.settings = settings
        self.proxies = settings.TRUSTED_PROXIES
        self.visitors = _limit(settings.LIMIT_VISITOR)
        self.addresses = _limit(settings.LIMIT_ADDRESS)
        self.sessions = _limit(settings.LIMIT_SESSIONS)
        # A shop's limit is what this process can bear: a second's worth at once, not ten.
        self.shops = Limit(settings.LIMIT_SHOP, max(settings.LIMIT_SHOP, 1.0))

    def address(self, peer: str, forwarded: str) -> str:
        """Return who really asks; nothing if that cannot be known."""
        if self.proxies < 0:
            return ""
        if self.proxies == 0:
            return peer
        hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
        return hops[-self.proxies] if len(hops) >= self.proxies else peer

    def admit_address(self, address: str, door: str) -> None:
        """Let a request of this address in; raises TooMany."""
        if address:
            limit = self.sessions if door == "session" else self.addresses
            _ask(limit, (door == "session", address), 1.0, "address")

    def admit_shop(self, shop: UUID) -> None:
        """Let a request for this shop in; raises TooMany."""
        if self.shops.rate:
            _ask(self.shops, shop, 1.0, "shop")

    def admit_visitor(self, visitor: UUID, events: int) -> None:
        """Let so many events of this visitor in; raises TooMany."""
        if self.visitors.rate:
            _ask(self.visitors, visitor, float(events), "visitor")


def in_force() -> Guard:
    """Return the limits of this process, as the settings in force have them."""
    global _made
    settings = conf.get()
    if _made is None or _made.settings is not settings:
        _made = Guard(settings)
    return _made


_made: Guard | None = None


def _limit(rate: float) -> Limit:
    return Limit(rate, max(rate * BURST_SECONDS, 1.0))


def _ask(limit: Limit, key: object, cost: float, who: str) -> None:
    wait = limit.wait(key, time.monotonic(), cost)
    if wait:
        _refusals(who).inc()
        raise TooMany(wait=wait)


@lru_cache(maxsize=8)
def _refusals(who: str) -> Counter:
    return telemetry.REFUSED.labels(door=who, code=TooMany.code)
