"""How often somebody may ask: one number per key, in this process."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Limit:
    """At most `rate` a second in the long run, and `burst` at once; a rate of 0 is no limit.

    The generic cell rate algorithm (ITU-T I.371): per key only the moment at which it will have
    paid for everything it took. Every process counts for itself.
    """

    rate: float
    burst: float
    most_keys: int = 100_000
    _paid_at: dict[object, float] = field(default_factory=dict)

    def wait(self, key: object, now: float, cost: float = 1.0) -> float:
        """Take `cost` at `now` (seconds) and return 0, or take nothing and return what to wait."""
        if not self.rate:
            return 0.0
        paid_at = self._paid_at.get(key)
        if paid_at is None and len(self._paid_at) >= self.most_keys:
            self._forget(now)
        start = now
        if paid_at is not None and paid_at > now:
            start = paid_at
            # What is larger than a whole burst may pass once everything before it is paid.
            if (too_early := start + (cost - self.burst) / self.rate - now) > 0.0:
                return too_early
        self._paid_at[key] = start + cost / self.rate
        return 0.0

    def _forget(self, now: float) -> None:
        # Whoever has paid is as good as new; an invented crowd must not fill the memory.
        self._paid_at = {key: at for key, at in self._paid_at.items() if at > now}
        if len(self._paid_at) >= self.most_keys:
            self._paid_at.clear()
