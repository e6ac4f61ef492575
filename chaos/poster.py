"""Shoppers who write down what they sent and what was acknowledged: the record of a row.

Nothing here asks our own tables or counters. A request that was not answered is sent again, twice
at the most, with the same ids, as a browser would; what was never acknowledged is in doubt.
"""

import http.client
import random
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from benchmarks import payloads
from benchmarks.stage import Stage

SHOPPERS: Final = 8
# Requests a second of each, with three events on average: as much as one process here can post.
RATE: Final = 60.0
# A peak of the mission's shop: 174 events a second of all shoppers together.
USUAL_RATE: Final = 174 / 3 / SHOPPERS
TRIES: Final = 3
PRODUCTS: Final = 20
PAUSE: Final = 0.1
# So many requests are sent once more, some while after they were acknowledged: a browser that
# never heard of it keeps them for the next page.
REPEATED: Final = 0.03
REMEMBERED: Final = 100
# Beside HTTP's own statuses: no answer is 0.
PARTLY: Final = 1


@dataclass(slots=True)
class Record:
    """Ids with their product: of everything posted, and of what was acknowledged, and when."""

    posted: dict[UUID, str] = field(default_factory=dict)
    acknowledged: dict[UUID, float] = field(default_factory=dict)
    refused: dict[int, int] = field(default_factory=dict)

    @property
    def in_doubt(self) -> int:
        """Return how many were posted and never acknowledged."""
        return len(self.posted) - len(self.acknowledged)


class Shopper(threading.Thread):
    """Posts views, one to five at a time, until told to stop."""

    def __init__(
        self, stage: Stage, port: int, record: Record, place: int, rate: float = RATE
    ) -> None:
        super().__init__(daemon=True)
        self.rate = rate
        self.path, self.port, self.record = stage.events_path, port, record
        self.visitor = stage.visitors[place]
        self.run_of_ids = payloads.Run()
        self.place, self.counter = place, 0
        self.earlier: deque[dict[UUID, str]] = deque(maxlen=REMEMBERED)
        self.chance = random.Random(place)
        self.over = threading.Event()
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)

    def run(self) -> None:
        """Post on and on."""
        while not self.over.wait(self.chance.expovariate(self.rate)):
            events = self.events()
            if self.post(events):
                self.earlier.append(events)
            if self.earlier and self.chance.random() < REPEATED:
                self.post(self.chance.choice(self.earlier))
        self.connection.close()

    def events(self) -> dict[UUID, str]:
        """Return the ids and products of a request nobody has sent yet."""
        found = {}
        for _ in range(self.chance.randint(1, 5)):
            self.counter += 1
            chosen = f"chaos-{self.chance.randrange(PRODUCTS)}"
            # One place per shopper: no two of them make the same id.
            found[self.run_of_ids.id(self.place, self.counter)] = chosen
        return found

    def post(self, events: dict[UUID, str]) -> bool:
        """Send a request until it is acknowledged or given up; write down what came of it."""
        self.record.posted.update(events)
        items = [payloads.viewed(str(event), product) for event, product in events.items()]
        body = payloads.body_of(self.visitor, items)
        for _ in range(TRIES):
            status = self._try(body)
            if status == 202:
                now = time.monotonic()
                for event in events:
                    self.record.acknowledged.setdefault(event, now)
                return True
            self.record.refused[status] = self.record.refused.get(status, 0) + 1
            if self.over.wait(PAUSE):
                break
        return False

    def _try(self, body: bytes) -> int:
        try:
            self.connection.request("POST", self.path, body, {"Content-Type": "text/plain"})
            answer = self.connection.getresponse()
            told = answer.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            return 0
        # A 202 that took only a part is no acknowledgement of the whole.
        is_whole = answer.status != 202 or b'"rejected":[]' in told.replace(b" ", b"")
        return answer.status if is_whole else PARTLY


@contextmanager
def posting(stage: Stage, port: int, rate: float = RATE) -> Iterator[Record]:
    """Let shoppers post while the block runs; the record is complete afterwards."""
    record = Record()
    crowd = [Shopper(stage, port, record, place, rate) for place in range(SHOPPERS)]
    for shopper in crowd:
        shopper.start()
    try:
        yield record
    finally:
        for shopper in crowd:
            shopper.over.set()
        for shopper in crowd:
            shopper.join(60)


class Asker(threading.Thread):
    """Asks for nudges all the time and counts the answers by status; 0 is no answer."""

    def __init__(self, stage: Stage, port: int) -> None:
        super().__init__(daemon=True)
        self.over = threading.Event()
        self.statuses: dict[int, int] = {}
        shop = stage.shop["public_id"]
        self.path = f"/v1/nudges?shop={shop}&channel={payloads.CHANNEL}&page=PRODUCT&product="
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)

    def run(self) -> None:
        """Ask on and on, of one product after the other."""
        number = 0
        while not self.over.wait(0.01):
            number += 1
            status = self._ask(f"{self.path}chaos-{number % PRODUCTS}")
            self.statuses[status] = self.statuses.get(status, 0) + 1
        self.connection.close()

    def _ask(self, path: str) -> int:
        try:
            self.connection.request("GET", path)
            answer = self.connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            return 0
        return answer.status

    @property
    def available(self) -> float:
        """Return which part of the answers was a 200."""
        total = sum(self.statuses.values())
        return self.statuses.get(200, 0) / total if total else 0.0


@contextmanager
def asking(stage: Stage, port: int) -> Iterator[Asker]:
    """Ask while the block runs."""
    asker = Asker(stage, port)
    asker.start()
    try:
        yield asker
    finally:
        asker.over.set()
        asker.join(30)
