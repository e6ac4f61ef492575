"""Claim a due message, ask whether it may go, hand it to a channel, record the outcome.

At most once, whatever is killed when: a row is marked SENDING in the same statement that asks all
conditions, and a row that was marked is never handed over again. See `docs/adr/0001-decisions.md`.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Greatest, Now
from django.db.models.lookups import GreaterThan

from saleor_nudges import conf, crypto, people, telemetry
from saleor_nudges.exceptions import (
    DeliveryFailed,
    DeliveryRefused,
    DeliveryStopped,
    HostUnavailable,
    InvalidInput,
)
from saleor_nudges.host import Checkout, get_host, host_class
from saleor_nudges.host.looks import CheckoutLook
from saleor_nudges.messaging.channels import Channel, Message, get_channel
from saleor_nudges.models import CheckoutState, MessageChannel, Send, SendState, TrackedCheckout
from saleor_nudges.models.statements import database_now
from saleor_nudges.recovery.campaigns import sandbox
from saleor_nudges.recovery.planning import attempts, planner
from saleor_nudges.recovery.planning.planner import Outlook
from saleor_nudges.recovery.reasons import Fate, Reason
from saleor_nudges.recovery.sending import breaker, detect, ledger, message
from saleor_nudges.recovery.sending.conditions import Then, all_of, conditions, not_too_old
from saleor_nudges.recovery.watching import cycles, watch

# A sweep is woken every few seconds; one that takes longer stands in its followers' way.
LONGEST_SWEEP = 20.0
# The host's checkout is held while we ask, so nobody waits longer than this for a row of ours.
SHORT_WAIT = "SET LOCAL lock_timeout = '200ms'"
SOON, LATER = timedelta(seconds=5), timedelta(minutes=1)
# What fails so often before anything leaves will not do better by itself.
MOST_FAILURES: Final = 3
# Nobody switches these on by the second, and each look costs the shop a question.
SWITCHED_OFF: Final = (Reason.CAMPAIGN_OFF, Reason.SENDING_OFF, Reason.INSTALLATION_CHANGED)
NO_LOOKS: Final[Mapping[UUID, CheckoutLook]] = {}


def send_due(*, seconds: float = LONGEST_SWEEP) -> int:
    """Send what is due, batch after batch; return how many messages left.

    Gives back what it claimed when the time is up: a provider that hangs must not keep a worker.
    """
    limit = time.monotonic() + seconds
    sent = 0
    with host_class().writing():
        give_up_on_the_doubtful()
        while time.monotonic() < limit and (claimed := claim()):
            looks = _looks(claimed)
            for send in claimed:
                if time.monotonic() < limit:
                    sent += deliver(send, looks)
                else:
                    _put_off(send, Now(), "")
    return sent


def claim() -> list[Send]:
    """Take due rows, and those whose worker died before marking; nobody else gets them."""
    free = Q(state=SendState.DUE, due_at__lte=Now()) | Q(
        state=SendState.CLAIMED, lease_until__lt=Now()
    )
    with transaction.atomic():
        rows = Send.objects.across_shops().filter(breaker.is_closed(), free).order_by("due_at")
        ids = list(
            rows.select_for_update(skip_locked=True).values_list("pk", flat=True)[
                : conf.get().SEND_BATCH
            ]
        )
        taken = Send.objects.across_shops().filter(pk__in=ids)
        taken.update(
            state=SendState.CLAIMED,
            fence=F("fence") + 1,
            lease_until=_lease(),
        )
        together = ("shop", "person", "checkout", "step", "campaign")
        return list(taken.select_related(*together).order_by("due_at"))


def give_up_on_the_doubtful() -> int:
    """A worker died between the mark and the outcome: shown as in doubt, never repeated."""
    lost = Send.objects.across_shops().filter(state=SendState.SENDING, lease_until__lt=Now())
    with transaction.atomic():
        held = dict(lost.select_for_update(skip_locked=True).values_list("pk", "checkout_id"))
        doubtful = Send.objects.across_shops().filter(pk__in=held)
        count = doubtful.update(state=SendState.IN_DOUBT, reason=Reason.WORKER_LOST)
        _plan_on(held.values())
    if count:
        telemetry.SENT.labels(state=SendState.IN_DOUBT).inc(count)
        telemetry.log(telemetry.Log.MESSAGE_IN_DOUBT, logging.WARNING, count=count)
    return count


def _looks(claimed: Sequence[Send]) -> dict[UUID, CheckoutLook]:
    """Ask each shop where the checkouts stand; of one that does not answer nothing is known."""
    by_shop: dict[UUID, list[TrackedCheckout]] = defaultdict(list)
    for send in claimed:
        send.checkout.shop = send.shop
        by_shop[send.shop_id].append(send.checkout)
    found: dict[UUID, CheckoutLook] = {}
    for rows in by_shop.values():
        try:
            found |= detect.looks_of(rows[0].shop, rows)
        except HostUnavailable:
            telemetry.log(telemetry.Log.HOST_UNAVAILABLE, logging.WARNING, shop=rows[0].shop.key)
        except Exception:
            # Whatever one shop does, the messages of the others go.
            telemetry.trouble(telemetry.Log.LOOK_FAILED, shop=rows[0].shop.key)
    return found


class _Unwritable(Exception):
    """The message's template cannot be filled."""


def deliver(send: Send, looks: Mapping[UUID, CheckoutLook] = NO_LOOKS) -> bool:
    """Bring one claimed row to its end, or give it back; tell whether a message left.

    `looks` are where the checkouts stand, by our own names of them, as far as the shop was asked.
    """
    try:
        send.lines = detect.stand(send.checkout, looks.get(send.checkout_id))
        if send.lines == []:
            _put_off(send, Now() + detect.STOCK_AGAIN, Reason.OUT_OF_STOCK)
            return False
        channel = get_channel(MessageChannel(send.message_channel))
        prepared = _mark(send)
    except HostUnavailable as error:
        _put_off(send, Now() + SOON, Reason[error.code])
        return False
    except _Unwritable:
        telemetry.trouble(telemetry.Log.MESSAGE_HELD, send=send.pk)
        _finish(send, SendState.CANCELLED, Reason.TEMPLATE)
        return False
    except InvalidInput:
        # A rule of the shop or of another campaign cannot be read; the message is not to blame.
        telemetry.trouble(telemetry.Log.MESSAGE_HELD, send=send.pk)
        _put_off(send, Now() + LATER, Reason.TROUBLE)
        return False
    except OperationalError:
        # Somebody else holds what we must hold; that is no fault of the message.
        _put_off(send, Now() + SOON, Reason.CHANGED_MEANWHILE)
        return False
    except Exception:
        # Nothing was marked, so nothing left; one broken row must not hold up the others.
        telemetry.trouble(telemetry.Log.MESSAGE_HELD, send=send.pk)
        _try_later(send)
        return False
    return prepared is not None and _hand_over(send, channel, prepared)


def _mark(send: Send) -> Message | None:
    """Ask everything and mark the row, while the host holds the checkout still."""
    with transaction.atomic():
        now = _one_at_a_time(send)
        if not _is_still_theirs(send):
            return None
        prepared = _written(send)
        outlook = planner.again(send, now)
        checkout_id = crypto.unseal(bytes(send.checkout.sealed_checkout_id))
        with get_host(send.shop).holding(checkout_id) as checkout:
            if not _still_silent(send, checkout):
                return None
            marked = outlook.is_for(send, now) and _mine(send).filter(
                _still_open(outlook), state=SendState.CLAIMED, lease_until__gt=Now()
            ).filter(all_of(MessageChannel(send.message_channel))).update(
                state=SendState.SENDING,
                marked_at=Now(),
                lease_until=_lease(),
                reason="",
                lines=send.lines,
            )
    if not marked:
        _explain(send, outlook)
        return None
    ledger.note(send.shop_id, now)
    return prepared


def _written(send: Send) -> Message:
    try:
        return message.prepare(send)
    except InvalidInput as error:
        raise _Unwritable from error


def _still_open(outlook: Outlook) -> Q:
    # The hours may close between the question and the mark.
    if outlook.closes_at is None:
        return Q()
    return Q(GreaterThan(Value(outlook.closes_at), Now()))


def _is_still_theirs(send: Send) -> bool:
    """Read the checkout as it is now, and hold it; a corrected address is written to instead."""
    send.checkout = (
        TrackedCheckout.objects.of(send.shop_id).select_for_update().get(pk=send.checkout_id)
    )
    if send.checkout.person_id in (None, send.person_id):
        return True
    _put_off(send, Now(), Reason.CONTACT_CHANGED)
    return False


def _one_at_a_time(send: Send) -> datetime:
    """Wait for our turn with this person; return the database's time then."""
    # Two checkouts of one person must not be judged side by side: both would find nothing sent.
    # Whoever shares an address, an account or a phone is the same person here too.
    alike = watch.alike(send.shop, send.person_id) if send.person_id else ()
    keys = sorted(str(row["pk"]) for row in alike) or [str(send.person_id)]
    with connection.cursor() as cursor:
        for key in keys:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
        cursor.execute(SHORT_WAIT)
    return database_now()


def _still_silent(send: Send, checkout: Checkout | None) -> bool:
    tracked = send.checkout
    if checkout is None:
        if tracked.state == CheckoutState.OPEN:
            tracked.state = CheckoutState.GONE
            tracked.save(update_fields=["state"])
            cycles.look_again_at_others(tracked)
        _finish(send, SendState.CANCELLED, Reason.CHECKOUT_GONE)
        return False
    if checkout.changed_at > tracked.changed_at or checkout.payment_started:
        # We have missed news of it; look again and count the silence from there.
        watch.look(
            tracked,
            checkout.cart,
            max(checkout.changed_at, tracked.changed_at),
            payment_started=checkout.payment_started,
        )
        person = people.resolve(send.shop, checkout.contact)
        watch.confirm(tracked, person.pk if person else None)
        tracked.save()
        due = _silent_until(send)
        if tracked.state != CheckoutState.OPEN:
            _finish(send, SendState.CANCELLED, Reason.CHECKOUT_CLOSED)
        elif checkout.payment_started and not _mine(send).filter(not_too_old()).exists():
            _finish(send, SendState.CANCELLED, Reason.TOO_OLD)
        elif checkout.payment_started:
            _put_off(send, Greatest(due, Now() + LATER), Reason.PAYMENT_STARTED)
        else:
            _defer(send, due, Reason.CHECKOUT_CHANGED)
        return False
    return True


def _explain(send: Send, outlook: Outlook) -> None:
    """Find the first condition that does not hold, and do what it says."""
    row = _mine(send)
    for condition in conditions(MessageChannel(send.message_channel)):
        if not row.filter(condition.holds).exists():
            if condition.otherwise is Then.CANCEL:
                _finish(send, SendState.CANCELLED, condition.reason)
            elif condition.reason == Reason.CHECKOUT_CHANGED:
                _defer(send, _silent_until(send), condition.reason)
            else:
                pause = LATER if condition.reason in SWITCHED_OFF else SOON
                _put_off(send, Now() + pause, condition.reason)
            return
    _do_as_planned(send, outlook)


def _do_as_planned(send: Send, outlook: Outlook) -> None:
    """Every condition holds, but the plan is another one by now."""
    attempts.keep([(send.checkout, kept) for kept in outlook.kept], database_now())
    if outlook.step is not None and outlook.step.pk == send.step_id and outlook.due_at:
        _defer(send, outlook.due_at, outlook.reason or Reason.CHANGED_MEANWHILE)
        return
    passed = {one.step_number: one.why.reason for one in outlook.kept}
    reason = passed.get(send.step_number) or outlook.reason or Reason.CHANGED_MEANWHILE
    if outlook.step is None and reason.fate is Fate.WAITS:
        _put_off(send, Now() + LATER, reason)
    else:
        _finish(send, SendState.CANCELLED, reason)


def _try_later(send: Send) -> None:
    """Something broke before anything left; what breaks every time is put aside."""
    if send.failures + 1 >= MOST_FAILURES:
        _finish(send, SendState.CANCELLED, Reason.DEAD_LETTER)
    elif _mine(send).filter(not_too_old()).exists():
        _mine(send).update(failures=F("failures") + 1)
        _put_off(send, Now() + LATER, Reason.TROUBLE)
    else:
        _finish(send, SendState.CANCELLED, Reason.TROUBLE)


def _hand_over(send: Send, channel: Channel, prepared: Message) -> bool:
    try:
        channel.send(prepared)
    except DeliveryRefused:
        _finish(send, SendState.REFUSED, Reason.PROVIDER_REFUSED)
        return False
    except DeliveryFailed as error:
        _put_off(send, Now() + LATER, Reason.PROVIDER_AWAY)
        breaker.failed(send, for_long=isinstance(error, DeliveryStopped))
        return False
    except Exception:
        # Whatever it was, it may have left.
        telemetry.trouble(telemetry.Log.MESSAGE_IN_DOUBT, send=send.pk)
        _finish(send, SendState.IN_DOUBT, Reason.OUTCOME_UNKNOWN)
        return False
    _finish(send, SendState.SENT, "")
    return True


def _finish(send: Send, state: SendState, reason: str) -> None:
    changes = {"sent_at": Now()} if state is SendState.SENT else {}
    with transaction.atomic():
        done = _mine(send).update(state=state, reason=reason, lease_until=None, **changes)
        if done:
            _plan_on([send.checkout_id])
    if done:
        telemetry.SENT.labels(state=state).inc()
        line = telemetry.Log.MESSAGE_SENT if state is SendState.SENT else telemetry.Log.MESSAGE_HELD
        telemetry.log(line, send=send.pk, state=state, reason=reason)


def _plan_on(checkouts: Iterable[UUID]) -> None:
    """Have the checkouts of finished messages looked at for what comes next."""
    rows = TrackedCheckout.objects.across_shops().filter(pk__in=list(checkouts))
    rows.filter(state=CheckoutState.OPEN).update(next_due_at=Now())


def _defer(send: Send, due: datetime, reason: str) -> None:
    """Put off a message whose own time has moved."""
    _mine(send).update(ready_at=due)
    _put_off(send, Greatest(due, Now()), reason)


def _put_off(send: Send, due: Any, reason: str) -> None:
    # What is in doubt by now stays so, whatever its worker says later.
    held = _mine(send).filter(state__in=(SendState.CLAIMED, SendState.SENDING))
    held.update(
        state=SendState.DUE,
        due_at=due,
        lease_until=None,
        reason=reason,
        person=send.checkout.person_id or send.person_id,
    )


def _mine(send: Send) -> QuerySet[Send]:
    return Send.objects.of(send.shop_id).filter(pk=send.pk, fence=send.fence)


def _silent_until(send: Send) -> datetime:
    return send.checkout.seen_at + sandbox.paced(timedelta(seconds=send.step.delay_seconds))


def _lease() -> Any:
    return Now() + timedelta(seconds=conf.get().SEND_LEASE_SECONDS)
