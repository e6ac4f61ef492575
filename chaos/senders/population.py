"""Many people who left a checkout behind, written into the tables as the engine would have them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import batched
from typing import Any, Final

from django.db import connection
from django.db.models import F

from chaos.senders import ground
from chaos.senders.host import CART, CHANNEL, email_of
from saleor_nudges import crypto, people
from saleor_nudges.events import Contact
from saleor_nudges.models import (
    Campaign,
    CampaignStep,
    Cursor,
    MessageChannel,
    Person,
    Send,
    Shop,
    TrackedCheckout,
)
from saleor_nudges.models.statements import database_now
from saleor_nudges.testing import make_shop, switch_on_recovery

DELAY: Final = timedelta(minutes=30)
# Last seen so long ago that the first message is due, and lately enough for it to be worth sending.
SILENT: Final = timedelta(hours=1)
BATCH: Final = 2000
LINES: Final[list[dict[str, Any]]] = [
    asdict(line) | {"unit_price": str(line.unit_price)} for line in CART.lines
]
# What carries a time that passes. What is planned in the future comes nearer by as much.
CLOCKS: Final = {
    "trackedcheckout": ("started_at", "changed_at", "seen_at", "next_due_at"),
    "send": ("due_at", "ready_at", "marked_at", "sent_at", "lease_until"),
    "campaign": ("active_since",),
    "shop": ("sending_since",),
}


@dataclass(frozen=True, slots=True)
class Leaver:
    """Somebody who left a checkout behind; nobody else has this number."""

    number: int
    shop: Shop
    user_id: str = ""
    prefix: str = "Checkout:"

    @property
    def email(self) -> str:
        """Return where they are written to."""
        return email_of(self.number)

    @property
    def checkout_id(self) -> str:
        """Return what their shop calls the checkout."""
        return f"{self.prefix}{self.number}"

    @property
    def contact(self) -> Contact:
        """Return what is known of them."""
        return Contact(email=self.email, user_id=self.user_id, first_name="Anna")


def a_shop(name: str, *steps: timedelta, **fields: Any) -> Shop:
    """Return a shop that sends after these delays, whose orders are known for a long time ahead."""
    shop = make_shop(f"https://{name}.example.com/graphql/", message_caps=[], **fields)
    since = database_now() - timedelta(days=30)
    switch_on_recovery(shop, since=since, steps=[_step(delay) for delay in steps or (DELAY,)])
    for step in CampaignStep.objects.of(shop):
        CampaignStep.objects.of(shop).filter(pk=step.pk).update(subject=f"Step {step.number}")
    keep_caught_up(shop, timedelta(days=3650))
    return shop


def keep_caught_up(shop: Shop, ahead: timedelta) -> None:
    """Say that a shop's orders are known, so far ahead; behind, when it is less than nothing."""
    now = database_now()
    defaults = {"position": now, "caught_up_at": now + ahead}
    Cursor.objects.of(shop).update_or_create(shop=shop, kind="orders", defaults=defaults)


def _step(delay: timedelta) -> dict[str, Any]:
    return {"delaySeconds": int(delay.total_seconds())}


def populate(
    leavers: Iterable[Leaver], *, in_ledger: bool, seen_at: datetime | None = None
) -> None:
    """Write them down: with their first message due in the ledger, or to be looked at now."""
    moment = seen_at or database_now() - SILENT
    key = crypto.new_person_key()
    campaigns: dict[Any, tuple[Campaign, CampaignStep]] = {}
    for some in batched(leavers, BATCH):
        for one in some:
            if one.shop.pk not in campaigns:
                campaigns[one.shop.pk] = _campaign(one.shop)
        _write(some, campaigns, key, moment, in_ledger=in_ledger)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _campaign(shop: Shop) -> tuple[Campaign, CampaignStep]:
    campaign = Campaign.objects.of(shop).get()
    return campaign, CampaignStep.objects.of(shop).get(campaign=campaign, number=1)


def _write(
    some: Sequence[Leaver],
    campaigns: dict[Any, tuple[Campaign, CampaignStep]],
    key: bytes,
    moment: datetime,
    *,
    in_ledger: bool,
) -> None:
    # One key for all of them: nobody is erased here, and making one takes as long as all the rest.
    persons = [_person(one, key) for one in some]
    Person.objects.bulk_create(persons)
    tracked = [
        _tracked(one, person, moment, in_ledger=in_ledger)
        for one, person in zip(some, persons, strict=True)
    ]
    TrackedCheckout.objects.bulk_create(tracked)
    if in_ledger:
        Send.objects.bulk_create([_due(one, *campaigns[one.shop_id]) for one in tracked])


def _person(one: Leaver, key: bytes) -> Person:
    return Person(
        shop=one.shop,
        email_hash=people.email_hash(one.email),
        user_hash=people.user_hash(one.user_id),
        sealed_key=key,
        sealed_contact=crypto.seal_for(key, asdict(one.contact)),
    )


def _tracked(one: Leaver, person: Person, moment: datetime, *, in_ledger: bool) -> TrackedCheckout:
    return TrackedCheckout(
        shop=one.shop,
        channel=CHANNEL,
        checkout=crypto.checkout_hash(one.checkout_id),
        sealed_checkout_id=crypto.seal(one.checkout_id),
        person=person,
        lines=LINES,
        total=CART.total,
        currency=CART.currency,
        started_at=moment,
        changed_at=moment,
        seen_at=moment,
        next_due_at=None if in_ledger else moment,
    )


def _due(tracked: TrackedCheckout, campaign: Campaign, step: CampaignStep) -> Send:
    due_at = tracked.seen_at + timedelta(seconds=step.delay_seconds)
    return Send(
        shop_id=tracked.shop_id,
        channel=CHANNEL,
        checkout=tracked,
        cycle=tracked.cycle,
        campaign=campaign,
        step=step,
        step_number=step.number,
        person_id=tracked.person_id,
        message_channel=MessageChannel.EMAIL,
        due_at=due_at,
        ready_at=due_at,
    )


def numbered(shops: Sequence[Shop], count: int, first: int = 0) -> Iterator[Leaver]:
    """Yield so many people, spread over the shops."""
    for number in range(first, first + count):
        yield Leaver(number, shops[number % len(shops)])


def let_pass(by: timedelta, *, beats: bool = False) -> None:
    """Let time pass: everything that has happened, or is planned, lies so much longer back.

    `beats` says that there were sweeps all the while, though nothing came of them.
    """
    ground.forget_in_redis()
    with connection.cursor() as cursor:
        for table, columns in CLOCKS.items():
            moved = ", ".join(
                f"{column} = {column} - %(by)s * interval '1 second'" for column in columns
            )
            cursor.execute(f"UPDATE saleor_nudges_{table} SET {moved}", {"by": by.total_seconds()})
    cursors = Cursor.objects.across_shops()
    # Until when orders are known stays as it is; so does the last sweep, where there were beats.
    past = cursors.filter(kind="outage") if beats else cursors.exclude(kind="orders")
    past.update(position=F("position") - by, caught_up_at=F("caught_up_at") - by)
