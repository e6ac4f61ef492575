"""What happened between us and one shopper: what they did, what we decided, and what we sent.

Everything that is kept about a person, whoever of their rows it is kept with, newest first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from django.db.models import Q, QuerySet

from saleor_nudges import people
from saleor_nudges.events import Contact
from saleor_nudges.models import (
    Attempt,
    Consent,
    FreshCheckout,
    Person,
    SeenOrder,
    Send,
    SendState,
    Shop,
    Suppression,
    TrackedCheckout,
)
from saleor_nudges.recovery import reasons
from saleor_nudges.recovery.planning import attempts
from saleor_nudges.recovery.reasons import Reason, Why
from saleor_nudges.recovery.watching import watch

# Of each kind of row at most so many are read: nobody reads on for longer.
LONGEST: Final = 500
UNDECIDED: Final = (SendState.DUE, SendState.CLAIMED)


class EntryKind(StrEnum):
    """What an entry tells of."""

    CHECKOUT_STARTED = "CHECKOUT_STARTED"
    LAST_SEEN = "LAST_SEEN"  # the last sign of life of a checkout
    KEPT_BACK = "KEPT_BACK"  # a message that did not go when it was looked at
    MESSAGE_SENT = "MESSAGE_SENT"
    MESSAGE_ENDED = "MESSAGE_ENDED"  # refused, cancelled or in doubt
    MESSAGE_WAITS = "MESSAGE_WAITS"
    CAME_BACK = "CAME_BACK"  # by the link of a message
    ORDERED = "ORDERED"
    CONSENT_GIVEN = "CONSENT_GIVEN"
    CONSENT_WITHDRAWN = "CONSENT_WITHDRAWN"
    SUPPRESSED = "SUPPRESSED"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened at `at`, told in plain words; `checkout` is the one it is about."""

    at: datetime
    kind: EntryKind
    text: str
    checkout: TrackedCheckout | None = None

    @property
    def place(self) -> str:
        """Where it stands in its timeline: what is older compares as less."""
        about = self.checkout.pk.hex if self.checkout else ""
        return f"{self.at.isoformat()}|{self.kind}|{about}|{self.text}"


def timeline(shop: Shop, persons: Sequence[Any]) -> list[Entry]:
    """Return everything there is about these rows of one person, newest first. Reads only."""
    about = Q(person__in=persons)
    checkouts = _newest(TrackedCheckout.objects.of(shop).filter(about), "seen_at")
    by_id = {one.pk: one for one in checkouts}
    found = [
        *_of_checkouts(checkouts),
        *_of_attempts(shop, by_id),
        *_of_messages(shop, about, by_id),
        *_of_orders(shop, about, by_id),
        *_of_answers(shop, persons),
    ]
    return sorted(found, key=lambda entry: entry.place, reverse=True)


def persons_of(shop: Shop, *, email: str = "", user: str = "", order: str = "") -> list[Any]:
    """Return the ids of all rows of the person with this address, account or order."""
    if order:
        seen = SeenOrder.objects.of(shop).filter(order_id=order).first()
        known = seen.person_id if seen else None
    else:
        person = people.find(shop, Contact(email=email.strip(), user_id=user))
        known = person.pk if person else None
    return [] if known is None else [row["pk"] for row in watch.alike(shop, known)]


def _of_checkouts(checkouts: Sequence[TrackedCheckout]) -> Iterator[Entry]:
    for one in checkouts:
        by_link = " by the link of a message" if one.parent_id else ""
        yield Entry(one.started_at, EntryKind.CHECKOUT_STARTED, f"Started{by_link}.", one)
        told = f"Last seen with {len(one.lines)} lines. {one.get_state_display()}"
        yield Entry(one.seen_at, EntryKind.LAST_SEEN, told, one)


def _of_attempts(shop: Shop, by_id: dict[Any, TrackedCheckout]) -> Iterator[Entry]:
    rows = _newest(Attempt.objects.of(shop).filter(checkout__in=list(by_id)), "last_at")
    for one in rows:
        number = f"Message {one.step_number}: " if one.step_number else ""
        times = f" ({one.times} times)" if one.times > 1 else ""
        told = f"{number}{attempts.say(one)}{times}"
        yield Entry(one.last_at, EntryKind.KEPT_BACK, told, by_id[one.checkout_id])


def _of_messages(shop: Shop, about: Q, by_id: dict[Any, TrackedCheckout]) -> Iterator[Entry]:
    theirs = Send.objects.of(shop).filter(about | Q(checkout__in=list(by_id)))
    for send in _newest(theirs.select_related("checkout", "campaign"), "due_at"):
        what = "Thanks" if send.order_id else "Message"
        name = f"{what} {send.step_number} of “{send.campaign.name}”"
        at = send.sent_at or send.marked_at or send.due_at
        yield Entry(at, _kind_of(send), f"{name}: {_became(send)}", send.checkout)
        if send.returned_at:
            told = f"Came back by the link of message {send.step_number}."
            yield Entry(send.returned_at, EntryKind.CAME_BACK, told, send.checkout)


def _kind_of(send: Send) -> EntryKind:
    if send.state in UNDECIDED:
        return EntryKind.MESSAGE_WAITS
    is_sent = send.state == SendState.SENT
    return EntryKind.MESSAGE_SENT if is_sent else EntryKind.MESSAGE_ENDED


def _became(send: Send) -> str:
    if send.reason in Reason.__members__:
        return reasons.say(Why(Reason[send.reason]))
    if send.state in UNDECIDED:
        return f"due {send.due_at:%Y-%m-%d %H:%M} UTC."
    by = f" by {send.message_channel.lower()}" if send.state == SendState.SENT else ""
    return f"{send.state.lower().replace('_', ' ')}{by}."


def _of_orders(shop: Shop, about: Q, by_id: dict[Any, TrackedCheckout]) -> Iterator[Entry]:
    checkouts = {one.checkout: one for one in by_id.values()}
    opened = FreshCheckout.objects.of(shop).filter(checkout__in=list(by_id))
    by_link = set(opened.values_list("checkout_id", flat=True))
    for order in _newest(SeenOrder.objects.of(shop).filter(about), "placed_at"):
        own = checkouts.get(order.checkout)
        after = " after coming back by our link" if own and own.pk in by_link else ""
        void = " It was cancelled or refunded." if order.is_void else ""
        told = f"Placed order {order.order_id}{after}.{void}"
        yield Entry(order.placed_at, EntryKind.ORDERED, told, own)


def _of_answers(shop: Shop, persons: Sequence[Any]) -> Iterator[Entry]:
    for answer in _newest(Consent.objects.of(shop).filter(person__in=persons), "at"):
        kind = EntryKind.CONSENT_GIVEN if answer.is_given else EntryKind.CONSENT_WITHDRAWN
        said = "Agreed to" if answer.is_given else "Said no to"
        yield Entry(answer.at, kind, f"{said} {answer.message_channel} ({answer.source}).")
    hashes = Person.objects.of(shop).filter(pk__in=persons).values("email_hash")
    for row in _newest(Suppression.objects.of(shop).filter(address_hash__in=hashes), "created_at"):
        told = f"Nothing by {row.message_channel} any more: {row.reason.lower()}."
        yield Entry(row.created_at, EntryKind.SUPPRESSED, told)


def _newest(rows: QuerySet[Any], by: str) -> list[Any]:
    return list(rows.order_by(f"-{by}")[:LONGEST])
