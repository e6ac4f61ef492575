"""R5: nobody is written to whose purchase, or whose no, was known before the message was marked.

Which came first is not a matter of clocks: the statement that marks a message writes down what it
could see (a trigger keeps its snapshot), and the harness keeps the transaction of each capture.
"""

import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from django.db import connection

from chaos.senders import engine, judge, moments
from chaos.senders.ground import LIVE, Crew, Ground, hurry
from chaos.senders.host import GONE, SIGNED_UP, user_of
from chaos.senders.news import NEWS, Fate, capture_in_one
from chaos.senders.population import Leaver, a_shop, keep_caught_up, numbered, populate
from chaos.verdict import Bar, Result
from saleor_nudges import crypto
from saleor_nudges.models import DeadLetter, Send, SendState, Shop

SENDERS: Final = 2
CONSUMERS: Final = 2
FULL: Final = 100_000
KILLED: Final = ", readers killed"
PER_ROUND, PER_SHOP = 200, 8
# One shop of each round whose orders are not known: nobody may be written to there.
BEHIND: Final = timedelta(hours=-1)
# News wait for so long, at most, until somebody reads them.
LONGEST_WAIT: Final = 0.05
HURRY_SECONDS: Final = 0.1
LOOK_SECONDS: Final = 0.004
QUIET_SECONDS: Final = 10.0
MOMENTS: Final[dict[str, Any]] = {
    moments.CLAIMED: {moments.dawdle: 1.0},
    moments.HELD: {moments.dawdle: 1.0},
    moments.MARKED: {moments.dawdle: 1.0},
}
# So seldom that hardly anything is put aside because three died over it.
DEATHS: Final[dict[str, Any]] = {moments.READ: {moments.die: 0.2}}
# What the marking statement itself could see: such a function has its caller's snapshot.
WATCH: Final = """
    ALTER TABLE saleor_nudges_send ADD COLUMN IF NOT EXISTS chaos_snapshot text;
    CREATE OR REPLACE FUNCTION chaos_keep_snapshot() RETURNS trigger LANGUAGE plpgsql STABLE AS $$
    BEGIN NEW.chaos_snapshot := pg_current_snapshot()::text; RETURN NEW; END $$;
    CREATE OR REPLACE TRIGGER chaos_marked BEFORE UPDATE ON saleor_nudges_send FOR EACH ROW
    WHEN (NEW.state = 'SENDING' AND OLD.state <> 'SENDING')
    EXECUTE FUNCTION chaos_keep_snapshot();
"""
STATES: Final = """
    SELECT tracked.checkout, send.state FROM saleor_nudges_send AS send
    JOIN saleor_nudges_trackedcheckout AS tracked ON tracked.id = send.checkout_id
"""
MARKED: Final = """
    SELECT tracked.checkout,
        pg_visible_in_snapshot(news.xid::xid8, chaos_snapshot::pg_snapshot)
    FROM saleor_nudges_send AS send
    JOIN saleor_nudges_trackedcheckout AS tracked ON tracked.id = send.checkout_id
    JOIN unnest(%s::text[], %s::text[]) AS news(checkout, xid)
        ON news.checkout = tracked.checkout
    WHERE chaos_snapshot IS NOT NULL
"""


class When(StrEnum):
    """At which moment of a message the news of its person are captured."""

    BEFORE = "before"  # while it waits
    CLAIMED = "claimed"  # while a worker asks whether it may go
    AFTER = "after"  # once it is decided


@dataclass(slots=True)
class Story:
    """One person, what they do, and when it is captured; `xid` is the transaction that did."""

    leaver: Leaver
    fate: Fate
    when: When
    is_doubled: bool = False
    is_reordered: bool = False
    xid: str = ""

    @property
    def checkout(self) -> str:
        """Return the checkout as our tables name it."""
        return crypto.checkout_hash(self.leaver.checkout_id)

    def happen(self) -> None:
        """Capture the news of it, by whatever roads they come."""
        for step in NEWS[self.fate](self.leaver, is_reordered=self.is_reordered):
            xid = capture_in_one(step)
            self.xid = xid if step.stops else self.xid
            if self.is_doubled:
                capture_in_one(step)


@dataclass(slots=True)
class Tally:
    """What the rounds came to."""

    people: int = 0
    marked_after: int = 0
    marked_before: int = 0
    stopped: int = 0
    wrong: int = 0
    lost: int = 0
    doubled: int = 0
    left: int = 0
    put_aside: int = 0
    # Of those marked after the capture.
    fates: list[str] = field(default_factory=list)
    struck: dict[str, int] = field(default_factory=dict)


def played(ground: Ground, least: int = 120, *, kills: bool = False, seed: int = 0) -> Result:
    """Play so many stories in rounds; the seed of their choice is in the row.

    `kills`: meanwhile those who read the news are killed, so that older news may wait for longer.
    """
    seed = seed or random.randrange(1, 10**6)
    chance, tally = random.Random(seed), Tally()
    wanted = ground.count(FULL // 10 if kills else FULL, least)
    while tally.people < wanted:
        _round(ground, chance, tally, min(PER_ROUND, wanted - tally.people), kills=kills)
    return Result(
        id="interleavings killed" if kills else "interleavings",
        what="no message marked after its person's purchase, or no, was captured",
        injected=f"{tally.people} interleavings, seed {seed}{KILLED if kills else ''}",
        posted=tally.people,
        accepted=tally.marked_before + tally.stopped,
        lost=tally.lost,
        doubled=tally.doubled,
        bars=(
            Bar("marked after the capture", tally.marked_after),
            Bar("wrongly written to", tally.wrong),
            Bar("lost", tally.lost),
            Bar("sent twice", tally.doubled),
            Bar("left waiting", tally.left),
            Bar("marked before the capture", tally.marked_before, 1, at_least=True),
            Bar("stopped by it", tally.stopped, 1, at_least=True),
        ),
        detail={
            "struck": tally.struck,
            "seed": seed,
            "put_aside": tally.put_aside,
            "fates": tally.fates,
        },
    )


def _round(ground: Ground, chance: random.Random, tally: Tally, count: int, *, kills: bool) -> None:
    ground.clear()
    with connection.cursor() as cursor:
        cursor.execute(WATCH)
    shops = [a_shop(f"race-{number}") for number in range(max(count // PER_SHOP, 2))]
    keep_caught_up(shops[0], BEHIND)
    stories = [_story(one, chance) for one in numbered(shops, count, tally.people)]
    # Whom the ledger comes to first must not depend on when they were written down.
    populate(chance.sample([one.leaver for one in stories], len(stories)), in_ledger=True)
    works = [engine.send_due] * SENDERS + [_consume_late] * CONSUMERS
    with ground.crew(*works, moments_of=MOMENTS | DEATHS if kills else MOMENTS) as crew:
        _Strikes(stories, shops[0], chance).run(crew)
        crew.rounds_more(1)
    _count(ground, stories, shops[0], tally)


def _story(leaver: Leaver, chance: random.Random) -> Story:
    fate = chance.choice(list(Fate))
    when = chance.choice(list(When))
    prefix = {Fate.GONE: GONE, Fate.BECOMES_CUSTOMER: SIGNED_UP}.get(fate, leaver.prefix)
    user = user_of(leaver.number) if fate is Fate.BUYS_BY_ACCOUNT else ""
    return Story(
        Leaver(leaver.number, leaver.shop, user, prefix),
        fate,
        when,
        is_doubled=chance.random() < 0.2,
        is_reordered=chance.random() < 0.2,
    )


def _consume_late() -> None:
    time.sleep(random.random() * LONGEST_WAIT)
    engine.consume()


class _Strikes:
    """Has each story happen at its moment. Where a message stands is only a hint when to strike."""

    def __init__(self, stories: Sequence[Story], behind: Shop, chance: random.Random) -> None:
        self.waiting = {one.checkout: one for one in stories}
        # Those of the shop that is behind never get further; their stories happen last of all.
        self.idle = {one.checkout for one in stories if one.leaver.shop.pk == behind.pk}
        self.chance = chance
        self.changed = self.hurried = time.monotonic()
        self.seen: object = None

    def run(self, crew: Crew) -> None:
        """Go on until all have happened and every message is decided, or nothing moves."""
        while time.monotonic() < self.changed + QUIET_SECONDS:
            states = _states()
            self._strike(self._of(states, SendState.CLAIMED), When.CLAIMED)
            self._strike(self._of(states, SendState.DUE)[:2], When.BEFORE)
            decided = [one for one in self.waiting.values() if _is_decided(states, one)]
            self._strike(decided, *When)
            if all(key in self.idle for key, state in states.items() if state in LIVE):
                break
            crew.tend()
            self._hurry()
            self._look(states)
        self._strike(list(self.waiting.values()), *When)

    def _of(self, states: dict[str, str], state: str) -> list[Story]:
        found = [self.waiting[key] for key in self.waiting if states.get(key) == state]
        return self.chance.sample(found, len(found))

    def _strike(self, stories: Iterable[Story], *when: When) -> None:
        for story in stories:
            if story.when in when:
                story.happen()
                del self.waiting[story.checkout]

    def _hurry(self) -> None:
        time.sleep(LOOK_SECONDS)
        if time.monotonic() > self.hurried + HURRY_SECONDS:
            self.hurried = time.monotonic()
            hurry()

    def _look(self, states: dict[str, str]) -> None:
        if (now := (len(self.waiting), states)) != self.seen:
            self.seen, self.changed = now, time.monotonic()


def _states() -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(STATES)
        return dict(cursor.fetchall())


def _is_decided(states: dict[str, str], story: Story) -> bool:
    return states.get(story.checkout) not in (SendState.DUE, SendState.CLAIMED)


def _count(ground: Ground, stories: Sequence[Story], behind: Shop, tally: Tally) -> None:
    arrived = judge.in_file(ground.sink)
    told = [one for one in stories if one.xid]
    with connection.cursor() as cursor:
        cursor.execute(MARKED, [[one.checkout for one in told], [one.xid for one in told]])
        marked = dict(cursor.fetchall())
    fates = [str(one.fate) for one in told if marked.get(one.checkout)]
    tally.fates += fates
    tally.people += len(stories)
    tally.marked_after += len(fates)
    tally.marked_before += len(marked) - len(fates)
    tally.doubled += sum(times - 1 for times in arrived.values())
    for story in stories:
        came = arrived[story.leaver.email, 1] > 0
        may_not = story.fate is Fate.GONE or story.leaver.shop.pk == behind.pk
        tally.wrong += came and may_not
        tally.stopped += bool(story.xid) and not came
        tally.lost += not came and not may_not and not story.xid
        name = f"{story.fate} {story.when}"
        tally.struck[name] = tally.struck.get(name, 0) + 1
    live = Send.objects.across_shops().filter(state__in=LIVE)
    tally.put_aside += DeadLetter.objects.across_shops().count()
    tally.left += live.exclude(shop=behind).count()
