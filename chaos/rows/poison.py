"""Events that cannot be read, that no fold can bear, that kill whoever reads them."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from benchmarks.stage import PYTHON, NotReady, Stage, wait_until
from chaos.consume import PILL, POISON
from chaos.poster import Record, Shopper, posting
from chaos.verdict import Bar, Result, result, settled, stored_views
from chaos.world import World, progress

COMMAND: Final = (*PYTHON, "chaos.consume")
MOST_TRIES: Final = 3
LONGEST_WAIT: Final = 5.0
# One in a hundred.
SHARE: Final = 0.01
QUARANTINE_SECONDS: Final = 90.0
LETTERS: Final = "SELECT event_id, tries FROM saleor_nudges_deadletter"


def poison(world: World) -> list[Result]:
    """One event in a hundred is poison: nonsense in the stream, or more than a fold can bear."""
    what = "poison put aside in <= 3 tries; nothing behind it waits > 5 s"
    return [_played(world, "poison", what, POISON, world.count(200, 15))]


def pill(world: World) -> list[Result]:
    """An event ends each process that folds it."""
    what = "a pill that kills its reader put aside after 3; the rest goes on"
    return [_played(world, "pill", what, PILL, world.count(5, 1))]


@dataclass(slots=True)
class Bad:
    """The poison that went in: ids we chose, and how many pieces of nonsense have none."""

    ids: set[UUID] = field(default_factory=set)
    nonsense: int = 0


def _played(world: World, name: str, what: str, product: str, count: int) -> Result:
    stage, log = world.stage, world.folder / f"{name}.log"
    log.unlink(missing_ok=True)
    with world.open(command=COMMAND, CHAOS_LOG=str(log)) as (web, readers):
        bad = Bad()
        with posting(stage, web.port) as record, waiting_times(stage, record) as waits:
            poisoner = Poisoner(stage, web.port, product)
            for _ in range(count):
                # Of a hundred events one is bad.
                progress(record, round(1 / SHARE))
                bad.ids |= poisoner.one()
                if product == POISON:
                    bad.nonsense += _put_nonsense(stage)
            _wait_for_quarantine(stage, bad)
            progress(record, 100)
            poisoner.connection.close()
        verdict, _ = settled(stage, record)
        letters = _letters(stage)
    seen = Counter(log.read_text().split()) if log.exists() else Counter[str]()
    longest = max(waits.seconds, default=0.0)
    tries = [letters[one] for one in bad.ids & letters.keys()]
    return result(
        *(name, what, f"{count} bad events, {bad.nonsense} entries of nonsense", record, verdict),
        Bar("bad events", len(bad.ids), 1, at_least=True),
        Bar("put aside", len(bad.ids & letters.keys()), len(bad.ids), at_least=True),
        Bar("most tries", max(tries, default=0), MOST_TRIES),
        # Whoever shares a batch with a pill waits for three deaths and as many starts.
        *([] if product == PILL else [Bar("longest wait s", round(longest, 2), LONGEST_WAIT)]),
        dead_letters=len(letters),
        times_folded=max(seen.values(), default=0),
        longest_wait_seconds=round(longest, 2),
        consumers_died=readers.ended,
    )


class Poisoner(Shopper):
    """Posts one poisonous event at a time, through the door like everybody."""

    def __init__(self, stage: Stage, port: int, product: str) -> None:
        super().__init__(stage, port, Record(), place=15)
        self.product = product

    def one(self) -> set[UUID]:
        """Post one; return its id if it was acknowledged."""
        self.counter += 1
        event = self.run_of_ids.id(self.place, self.counter)
        return {event} if self.post({event: self.product}) else set()


def _put_nonsense(stage: Stage) -> int:
    """Append to each stream what no version of ours has written; return how many entries."""
    client, count = stage.redis(), 0
    for name in client.scan_iter(_type="stream"):
        client.xadd(name, {"entry": b"\xff\x00 not an entry"})
        client.xadd(name, {"nonsense": b"{}"})
        count += 2
        break
    client.close()
    return count


def _letters(stage: Stage) -> dict[UUID, int]:
    with stage.connect() as connection:
        return {event: int(tries) for event, tries in connection.execute(LETTERS)}


def _wait_for_quarantine(stage: Stage, bad: Bad) -> None:
    with suppress(NotReady):
        wait_until(lambda: bad.ids <= _letters(stage).keys(), seconds=QUARANTINE_SECONDS)


@dataclass(slots=True)
class Waits:
    """How long each good event took from its acknowledgement until it was stored."""

    seconds: list[float] = field(default_factory=list)


@contextmanager
def waiting_times(stage: Stage, record: Record) -> Iterator[Waits]:
    """Look at what is stored all the while the block runs."""
    waits, over, known = Waits(), threading.Event(), set[Any]()

    def look() -> None:
        while not over.wait(0.1):
            stored = set(stored_views(stage)) - known
            now = time.monotonic()
            known.update(stored)
            acknowledged = dict(record.acknowledged)
            waits.seconds += [now - acknowledged[one] for one in stored if one in acknowledged]
        # What is not there by now has waited as well.
        now, acknowledged = time.monotonic(), dict(record.acknowledged)
        waits.seconds += [now - at for one, at in acknowledged.items() if one not in known]

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield waits
    finally:
        over.set()
        watcher.join(30)
