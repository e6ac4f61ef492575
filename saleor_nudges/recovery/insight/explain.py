"""Why somebody was or was not written to: every gate in order, told in plain words.

Answers for people nothing was planned for too: what is not known of them is a gate of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from django.db.models import Q

from saleor_nudges import consent, crypto, people, reconcile
from saleor_nudges.events import Contact
from saleor_nudges.host import get_host
from saleor_nudges.models import (
    Attempt,
    Campaign,
    CampaignState,
    Cursor,
    LegalBasis,
    MessageChannel,
    RecoveryVoucher,
    SeenOrder,
    Send,
    SendState,
    Shop,
    TrackedCheckout,
)
from saleor_nudges.models.statements import database_now
from saleor_nudges.recovery import reasons
from saleor_nudges.recovery.giving import words
from saleor_nudges.recovery.planning import attempts, outages
from saleor_nudges.recovery.planning.planner import Outlook, planner
from saleor_nudges.recovery.reasons import Fate, Reason, Why
from saleor_nudges.recovery.watching import watch

# A sweep comes every few seconds, and says so twice a minute.
ALIVE: Final = timedelta(minutes=2)


class Gate(StrEnum):
    """What a message passes before it leaves, first to last."""

    ACTIVE = "ACTIVE"  # the shop is active, sending is on, a legal basis is chosen
    INSTALLATION = "INSTALLATION"  # this is where sending was switched on
    WORKER = "WORKER"  # a worker and beat have swept lately
    RECONCILED = "RECONCILED"  # the shop's orders are known up to now
    CAMPAIGN = "CAMPAIGN"  # a campaign of the channel is on
    TRACKED = "TRACKED"  # we know of a checkout
    OPEN = "OPEN"  # it is open, and nobody bought
    CONTACT = "CONTACT"  # we know whose it is
    CONSENT = "CONSENT"  # they may be written to
    SUPPRESSED = "SUPPRESSED"  # they did not say no
    PLANNED = "PLANNED"  # trigger, cap, hours, priority: what the plan says
    SENT = "SENT"  # what became of the messages so far


@dataclass(frozen=True, slots=True)
class Answer:
    """One gate: whether it is passed (None: not asked), and why, in words."""

    gate: Gate
    is_passed: bool | None
    text: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Every gate in order, the checkout they are about, and all that was tried about it."""

    answers: tuple[Answer, ...]
    checkout: TrackedCheckout | None = None
    attempts: tuple[Attempt, ...] = ()
    sends: tuple[Send, ...] = ()

    @property
    def first_failed(self) -> Answer | None:
        """The gate that keeps a message back, if one does."""
        return next((one for one in self.answers if one.is_passed is False), None)


def explain(shop: Shop, *, email: str = "", checkout: str = "", order: str = "") -> Explanation:
    """Return why the newest checkout of somebody was written about, or not.

    Named by an address, by a checkout (ours or Saleor's id) or by an order. Reads only.
    """
    tracked, note = _found(shop, email=email, checkout=checkout, order=order)
    answers = [*_of_shop(shop), _campaign(shop, tracked)]
    if tracked is None:
        answers.append(_no(Gate.TRACKED, note))
        return Explanation(tuple(answers))
    answers.append(_yes(Gate.TRACKED, f"Left {tracked.seen_at:%Y-%m-%d %H:%M} UTC."))
    answers += _of_checkout(shop, tracked)
    sends = Send.objects.of(shop).filter(checkout=tracked).order_by("id")
    kept = Attempt.objects.of(shop).filter(checkout=tracked).order_by("last_at")
    return Explanation(tuple(answers), tracked, tuple(kept), tuple(sends))


def _found(
    shop: Shop, *, email: str, checkout: str, order: str
) -> tuple[TrackedCheckout | None, str]:
    rows = TrackedCheckout.objects.of(shop).filter(parent__isnull=True)
    if checkout:
        named = Q(checkout=crypto.checkout_hash(checkout))
        if _is_uuid(checkout):
            named |= Q(pk=UUID(checkout))
        return rows.filter(named).first(), "No such checkout was ever seen with lines in it."
    if order:
        return _of_order(shop, order, rows)
    person = people.find(shop, Contact(email=email)) if email.strip() else None
    if person is None:
        return None, "Nobody of that address has left a checkout."
    theirs = rows.filter(person__in=watch.alike(shop, person.pk))
    # What is open is asked about sooner than what is over.
    newest = theirs.filter(state="OPEN").order_by("-seen_at").first()
    return newest or theirs.order_by("-seen_at").first(), "They have left no checkout with lines."


def _of_order(shop: Shop, order: str, rows: Any) -> tuple[TrackedCheckout | None, str]:
    seen = SeenOrder.objects.of(shop).filter(order_id=order).first()
    if seen is None:
        return None, "No such order was ever seen."
    own = rows.filter(checkout=seen.checkout).first() if seen.checkout else None
    theirs = rows.filter(person=seen.person_id) if seen.person_id else rows.none()
    return own or theirs.order_by("-seen_at").first(), "Its checkout was never seen with lines."


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _of_shop(shop: Shop) -> Iterator[Answer]:
    if not shop.is_active or shop.sending_since is None:
        yield _no(Gate.ACTIVE, "Sending is switched off.")
    elif shop.legal_basis == LegalBasis.NONE:
        yield _no(Gate.ACTIVE, "No legal basis is chosen.")
    else:
        yield _yes(Gate.ACTIVE, f"Sending is on since {shop.sending_since:%Y-%m-%d}.")
    is_here = shop.sending_installation == consent.installation()
    yield Answer(
        Gate.INSTALLATION,
        is_here if shop.sending_installation else None,
        "Sending was switched on here." if is_here else reasons.say(_why("INSTALLATION_CHANGED")),
    )
    yield _worker(shop)
    is_known = reconcile.is_caught_up(shop)
    yield Answer(
        Gate.RECONCILED,
        is_known,
        "The shop's orders are known." if is_known else reasons.say(_why("NOT_CAUGHT_UP")),
    )


def _worker(shop: Shop) -> Answer:
    last = Cursor.objects.of(shop).filter(kind=outages.ALIVE).first()
    if last is None:
        return _no(Gate.WORKER, "No worker has ever swept. Are worker and beat running?")
    ago = database_now() - last.position
    text = f"The last sweep was {int(ago.total_seconds())} s ago."
    return Answer(Gate.WORKER, ago < ALIVE, text)


def _campaign(shop: Shop, tracked: TrackedCheckout | None) -> Answer:
    active = Campaign.objects.of(shop).filter(state=CampaignState.ACTIVE)
    if tracked is not None:
        active = active.filter(channel=tracked.channel)
    names = ", ".join(active.order_by("priority", "id").values_list("name", flat=True)[:5])
    return Answer(Gate.CAMPAIGN, bool(names), names or reasons.say(_why("CAMPAIGN_OFF")))


def _of_checkout(shop: Shop, tracked: TrackedCheckout) -> Iterator[Answer]:
    state = str(tracked.get_state_display())
    yield Answer(Gate.OPEN, tracked.state == "OPEN", state)
    is_known = tracked.person_id is not None
    yield Answer(
        Gate.CONTACT,
        is_known,
        "We know whose it is." if is_known else reasons.say(_why("NO_CONTACT")),
    )
    yield from _of_person(tracked)
    yield _planned(shop, tracked)
    yield from _sent(tracked)


def _of_person(tracked: TrackedCheckout) -> Iterator[Answer]:
    rows = TrackedCheckout.objects.of(tracked.shop_id).filter(pk=tracked.pk)
    if tracked.person_id is None:
        yield Answer(Gate.CONSENT, None, "Nobody to ask about.")
        return
    agrees = rows.filter(consent.agrees(MessageChannel.EMAIL)).exists()
    told = "They may be written to." if agrees else reasons.say(_why("NO_CONSENT"))
    yield Answer(Gate.CONSENT, agrees, told)
    said_no = rows.filter(consent.is_suppressed(MessageChannel.EMAIL)).exists()
    told = reasons.say(_why("UNSUBSCRIBED")) if said_no else "They did not say no."
    yield Answer(Gate.SUPPRESSED, not said_no, told)


def _planned(shop: Shop, tracked: TrackedCheckout) -> Answer:
    now = database_now()
    outage = outages.lasting([shop.pk], now).get(shop.pk)
    outlook = planner(shop, [tracked], now, get_host(shop).product_cards, outage).outlook(tracked)
    if outlook.step is None:
        reason = outlook.reason or Reason.ALL_SENT
        return Answer(Gate.PLANNED, reason is Reason.ALL_SENT, reasons.say(Why(reason)))
    return _yes(Gate.PLANNED, _comes_next(outlook))


def _comes_next(outlook: Outlook) -> str:
    number = outlook.step.number if outlook.step else 0
    due = f"{outlook.due_at:%Y-%m-%d %H:%M} UTC"
    moved = next((one.why for one in reversed(outlook.kept) if one.step_number == number), None)
    told = f" ({reasons.say(moved)})" if moved else ""
    return f"Message {number} goes at {due}{told}."


def _sent(tracked: TrackedCheckout) -> Iterator[Answer]:
    rows = Send.objects.of(tracked.shop_id).filter(checkout=tracked).order_by("id")
    vouchers = RecoveryVoucher.objects.of(tracked.shop_id).filter(send__in=rows.values("pk"))
    given = {voucher.send_id: voucher for voucher in vouchers}
    for send in rows:
        is_out = send.state == SendState.SENT
        told = f"sent {send.sent_at:%Y-%m-%d %H:%M} UTC" if send.sent_at else _told(send)
        is_known = None if send.state in (SendState.DUE, SendState.CLAIMED) else is_out
        if (voucher := given.get(send.pk)) is not None:
            told = f"{told}; {words.told(voucher)}"
        yield Answer(Gate.SENT, is_known, f"Message {send.step_number}: {told}.")


def _told(send: Send) -> str:
    if send.reason in Reason.__members__:
        return reasons.say(Why(Reason[send.reason])).rstrip(".")
    return f"{send.get_state_display()} ({send.due_at:%Y-%m-%d %H:%M} UTC)"


def _yes(gate: Gate, text: str) -> Answer:
    return Answer(gate, is_passed=True, text=text)


def _no(gate: Gate, text: str) -> Answer:
    return Answer(gate, is_passed=False, text=text)


def _why(name: str) -> Why:
    return Why(Reason[name], fate=Fate.WAITS if Reason[name].fate is Fate.WAITS else None)


def tried(found: Explanation, language: str) -> list[str]:
    """Return what was tried about the checkout, in plain words, oldest first."""
    return [attempts.say(one, language) for one in found.attempts]
