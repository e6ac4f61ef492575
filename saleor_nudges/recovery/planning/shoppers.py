"""What is known of the shoppers of some checkouts: read for all of them in a few statements."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from saleor_nudges import people
from saleor_nudges.events import Contact
from saleor_nudges.host import ProductCard
from saleor_nudges.models import (
    CheckoutState,
    Consent,
    Person,
    SeenOrder,
    Send,
    SendState,
    Shop,
    TrackedCheckout,
)
from saleor_nudges.recovery.campaigns.clauses import Facts
from saleor_nudges.recovery.message_channels import MessageChannel
from saleor_nudges.recovery.reasons import Reason
from saleor_nudges.recovery.rules.caps import Sent
from saleor_nudges.recovery.rules.plan import Cycle
from saleor_nudges.recovery.rules.stage import Blocker, Stage
from saleor_nudges.recovery.rules.zones import whereabouts

# What left, or may have left.
WRITTEN: Final = (SendState.SENDING, SendState.SENT, SendState.IN_DOUBT)
WAITING: Final = (SendState.DUE, SendState.CLAIMED)
# A step that ended so never goes in this cycle.
PASSED: Final = (SendState.CANCELLED, SendState.REFUSED)
# Why a message was put away only as the facts were then: asked again, it may go after all.
FOR_NOW: Final = (
    Reason.NEWER_CHECKOUT,
    Reason.OUTRANKED,
    Reason.COOLING_DOWN,
    Reason.CHANGED_MEANWHILE,
    Reason.TRIGGER_NOT_MET,
    Reason.NO_CAMPAIGN,
)
# Reminders and thanks of one cycle follow each other, but neither is a step of the other.
THANKS: Final = -1
HASHES: Final = ("email_hash", "user_hash", "phone_hash")

Cards = Callable[[str, Collection[str]], dict[str, ProductCard]]


@dataclass(frozen=True)
class Shoppers:
    """Everybody behind these checkouts of one shop. What nobody asks for is not read.

    `since` is how far back messages are looked for; `cards` returns the shop's products of a
    channel, by id.
    """

    shop: Shop
    checkouts: Sequence[TrackedCheckout]
    channels: Collection[str]
    since: datetime
    cards: Cards = field(repr=False)

    def sent(self, tracked: TrackedCheckout) -> tuple[Sent, ...]:
        """Return every message to the checkout's person, whoever of their rows it went to, and
        those about this checkout that went to somebody else before its contact was corrected.
        """
        alike, own = self.alike(tracked), str(tracked.pk)
        return tuple(one for person, one in self._written if person in alike or one.checkout == own)

    def own(self, tracked: TrackedCheckout) -> tuple[Sent, ...]:
        """Return the messages of this very cycle."""
        key = str(tracked.pk), tracked.cycle
        return tuple(one for _, one in self._written if (one.checkout, one.cycle) == key)

    def others(self, tracked: TrackedCheckout) -> tuple[Cycle, ...]:
        """Return the person's other checkouts about which they may still be written to."""
        return tuple(
            cycle
            for person in self.alike(tracked)
            for cycle in self._cycles.get(person, ())
            if cycle.checkout != str(tracked.pk)
        )

    def passed(self, tracked: TrackedCheckout, campaign: UUID) -> frozenset[int]:
        """Return the steps that ended unsent in this cycle of the checkout."""
        return frozenset(self._passed.get((tracked.pk, tracked.cycle, campaign), ()))

    def came_back(self, tracked: TrackedCheckout) -> bool:
        """Tell whether a link of this cycle's messages was used, by a person."""
        return (tracked.pk, tracked.cycle) in self._returned

    def zones(self, tracked: TrackedCheckout, now: datetime) -> tuple[str, ...]:
        """Return the zones the person may live in, likeliest first."""
        contact = self._contact(tracked)
        country = tracked.country or contact.country
        where = whereabouts(self.shop.timezone, now, phone=contact.phone, country=country)
        return where.zones

    def facts(self, tracked: TrackedCheckout, words: Collection[str]) -> Facts:
        """Return what conditions of these words may be asked about."""
        person = self._people.get(tracked.person_id) if tracked.person_id else None
        lines: list[dict[str, Any]] = tracked.lines
        is_sorted = not {"categories", "collections"}.isdisjoint(words)
        found = self._cards_of(tracked) if is_sorted else None
        asks_history, asks_consent = "history" in words, "consent" in words
        return Facts(
            total=tracked.total or None,
            currency=tracked.currency or None,
            lines=len(lines),
            items=sum(line["quantity"] for line in lines),
            products=frozenset(line["product_id"] for line in lines),
            categories=_all_of(found, lambda card: card.categories),
            collections=_all_of(found, lambda card: card.collections),
            has_account=bool(person and person["user_hash"]),
            has_bought=bool(self.alike(tracked) & self._buyers) if asks_history else None,
            country=tracked.country or None,
            language=tracked.language or None,
            device=tracked.device or None,
            stage=Stage(tracked.stage) if tracked.stage and tracked.is_stage_certain else None,
            blockers=frozenset(map(Blocker, tracked.blockers)),
            ruled_out=frozenset(map(Blocker, tracked.ruled_out)),
            agreed_to=self._agreed_to(tracked) if asks_consent else None,
        )

    def alike(self, tracked: TrackedCheckout) -> frozenset[UUID]:
        """Return all rows of the checkout's person: by address, account or phone."""
        return (
            self._groups.get(tracked.person_id, frozenset()) if tracked.person_id else frozenset()
        )

    @cached_property
    def _everybody(self) -> frozenset[UUID]:
        return frozenset(person for group in self._groups.values() for person in group)

    @cached_property
    def _people(self) -> dict[UUID, dict[str, Any]]:
        asked = {one.person_id for one in self.checkouts if one.person_id}
        rows = Person.objects.of(self.shop).filter(pk__in=asked).values("pk", *HASHES)
        return {row["pk"]: row for row in rows}

    @cached_property
    def _groups(self) -> dict[UUID, frozenset[UUID]]:
        """Return for each person all rows that share an address, an account or a phone with it."""
        holders: dict[tuple[str, str], set[UUID]] = defaultdict(set)
        same = Q(pk__in=[])
        for name in HASHES:
            values = {row[name] for row in self._people.values() if row[name]}
            same |= Q(**{f"{name}__in": values}) if values else Q()
        alike = Person.objects.of(self.shop).filter(same).values("pk", *HASHES)
        for row in [*self._people.values(), *alike]:
            for name in HASHES:
                if row[name]:
                    holders[name, row[name]].add(row["pk"])
        return {
            pk: frozenset({pk}).union(*(holders[n, row[n]] for n in HASHES if row[n]))
            for pk, row in self._people.items()
        }

    @cached_property
    def _written(self) -> list[tuple[UUID | None, Sent]]:
        asked = [one.pk for one in self.checkouts]
        rows = Send.objects.of(self.shop).filter(
            Q(person__in=self._everybody, marked_at__gte=self.since) | Q(checkout__in=asked),
            state__in=WRITTEN,
        )
        return [
            (
                row.person_id,
                Sent(
                    at=row.sent_at or row.marked_at or row.due_at,
                    message_channel=row.message_channel,
                    campaign=str(row.campaign_id),
                    checkout=str(row.checkout_id),
                    cycle=THANKS * row.cycle if row.order_id else row.cycle,
                    step=row.step_number,
                ),
            )
            for row in rows
        ]

    @cached_property
    def _cycles(self) -> dict[UUID, list[Cycle]]:
        live = Send.objects.across_shops().filter(
            checkout=OuterRef("pk"), state__in=(*WAITING, SendState.SENDING)
        )
        rows = TrackedCheckout.objects.of(self.shop).filter(
            Q(next_due_at__isnull=False) | Q(Exists(live)),
            person__in=self._everybody,
            state=CheckoutState.OPEN,
            parent__isnull=True,
            channel__in=self.channels,
        )
        found: dict[UUID, list[Cycle]] = defaultdict(list)
        for row in rows.only("pk", "person", "campaign", "cycle", "seen_at"):
            if row.person_id:
                cycle = Cycle(str(row.campaign_id or ""), str(row.pk), row.cycle, row.seen_at)
                found[row.person_id].append(cycle)
        return found

    @cached_property
    def _passed(self) -> dict[tuple[UUID, int, UUID], set[int]]:
        found: dict[tuple[UUID, int, UUID], set[int]] = defaultdict(set)
        for row in self._ledger.filter(state__in=PASSED).exclude(reason__in=FOR_NOW):
            found[row.checkout_id, row.cycle, row.campaign_id].add(row.step_number)
        return found

    @cached_property
    def _returned(self) -> set[tuple[UUID, int]]:
        rows = self._ledger.filter(returned_at__isnull=False)
        return set(rows.values_list("checkout_id", "cycle"))

    @property
    def _ledger(self) -> Any:
        asked = [one.pk for one in self.checkouts]
        return Send.objects.of(self.shop).filter(checkout__in=asked)

    @cached_property
    def _buyers(self) -> frozenset[UUID]:
        orders = SeenOrder.objects.of(self.shop).filter(person__in=self._everybody)
        return frozenset(orders.values_list("person_id", flat=True))

    @cached_property
    def _agreed(self) -> dict[UUID, frozenset[MessageChannel]]:
        """Return for each person the message channels for which their newest answer is yes."""
        newest: dict[tuple[UUID, str], bool] = {}
        answers = Consent.objects.of(self.shop).filter(person__in=list(self._people))
        for answer in answers.order_by("at", "id"):
            newest[answer.person_id, answer.message_channel] = answer.is_given
        found: dict[UUID, set[MessageChannel]] = defaultdict(set)
        for (person, channel), is_given in newest.items():
            if is_given:
                found[person].add(MessageChannel(channel))
        return {person: frozenset(channels) for person, channels in found.items()}

    def _agreed_to(self, tracked: TrackedCheckout) -> frozenset[MessageChannel]:
        return (
            self._agreed.get(tracked.person_id, frozenset()) if tracked.person_id else frozenset()
        )

    def _cards_of(self, tracked: TrackedCheckout) -> list[ProductCard] | None:
        """Return the checkout's products; None unless all are known."""
        known = self._cards.get(tracked.channel, {})
        asked = {line["product_id"] for line in tracked.lines}
        return [known[one] for one in asked] if asked <= known.keys() else None

    @cached_property
    def _cards(self) -> dict[str, dict[str, ProductCard]]:
        asked: dict[str, set[str]] = defaultdict(set)
        for one in self.checkouts:
            asked[one.channel] |= {line["product_id"] for line in one.lines}
        return {channel: self.cards(channel, ids) for channel, ids in asked.items()}

    def _contact(self, tracked: TrackedCheckout) -> Contact:
        # Opened only when asked for: each costs a decryption.
        return people.contact_of(self._sealed.get(tracked.person_id) if tracked.person_id else None)

    @cached_property
    def _sealed(self) -> dict[UUID, Person]:
        rows = Person.objects.of(self.shop).filter(pk__in=list(self._people))
        return {row.pk: row for row in rows}


def _all_of(
    cards: Sequence[ProductCard] | None, names: Callable[[ProductCard], Sequence[str]]
) -> frozenset[str] | None:
    return None if cards is None else frozenset(name for card in cards for name in names(card))


def longest(*spans: timedelta) -> timedelta:
    """Return the longest of some spans of time; none is nothing."""
    return max(spans, default=timedelta(0))
