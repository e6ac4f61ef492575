"""Claim a due message, ask whether it may go, hand it to a channel, record the outcome.

At most once, whatever is killed when: a row is marked SENDING in the same statement that asks all
conditions, and a row that was marked is never handed over again. See `docs/adr/0001-decisions.md`.
"""

import logging
import time
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Greatest, Now

from saleor_nudges import conf, crypto, people, telemetry
from saleor_nudges.exceptions import (
    DeliveryFailed,
    DeliveryRefused,
    HostUnavailable,
    InvalidInput,
)
from saleor_nudges.host import Checkout, get_host, host_class
from saleor_nudges.messaging.channels import Channel, Message, get_channel
from saleor_nudges.models import CheckoutState, MessageChannel, Send, SendState, TrackedCheckout
from saleor_nudges.recovery import message, watch
from saleor_nudges.recovery.conditions import Then, all_of, conditions, not_too_old

# A sweep is woken every few seconds; one that takes longer stands in its followers' way.
LONGEST_SWEEP = 20.0
# The host's checkout is held while we ask, so nobody waits longer than this for a row of ours.
SHORT_WAIT = "SET LOCAL lock_timeout = '200ms'"
SOON, LATER = timedelta(seconds=5), timedelta(minutes=1)


def send_due(*, seconds: float = LONGEST_SWEEP) -> int:
    """Send what is due, batch after batch; return how many messages left.

    Gives back what it claimed when the time is up: a provider that hangs must not keep a worker.
    """
    limit = time.monotonic() + seconds
    sent = 0
    with host_class().writing():
        give_up_on_the_doubtful()
        while time.monotonic() < limit and (claimed := claim()):
            for send in claimed:
                if time.monotonic() < limit:
                    sent += deliver(send)
                else:
                    _put_off(send, Now(), "")
    return sent


def claim() -> list[Send]:
    """Take due rows, and those whose worker died before marking; nobody else gets them."""
    free = Q(state=SendState.DUE, due_at__lte=Now()) | Q(
        state=SendState.CLAIMED, lease_until__lt=Now()
    )
    with transaction.atomic():
        rows = Send.objects.across_shops().filter(free).order_by("due_at")
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
        return list(taken.select_related("shop", "person", "checkout", "step").order_by("due_at"))


def give_up_on_the_doubtful() -> int:
    """A worker died between the mark and the outcome: shown as in doubt, never repeated."""
    lost = Send.objects.across_shops().filter(state=SendState.SENDING, lease_until__lt=Now())
    count = lost.update(state=SendState.IN_DOUBT, reason="WORKER_LOST")
    if count:
        telemetry.SENT.labels(state=SendState.IN_DOUBT).inc(count)
        telemetry.log(telemetry.Log.MESSAGE_IN_DOUBT, logging.WARNING, count=count)
    return count


def deliver(send: Send) -> bool:
    """Bring one claimed row to its end, or give it back; tell whether a message left."""
    try:
        channel = get_channel(MessageChannel(send.message_channel))
        prepared = _mark(send)
    except HostUnavailable as error:
        _put_off(send, Now() + SOON, error.code)
        return False
    except InvalidInput:
        telemetry.trouble(telemetry.Log.MESSAGE_HELD, send=send.pk)
        _finish(send, SendState.CANCELLED, "TEMPLATE")
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
        _one_at_a_time(send)
        if not _is_still_theirs(send):
            return None
        prepared = message.prepare(send)
        checkout_id = crypto.unseal(bytes(send.checkout.sealed_checkout_id))
        with get_host(send.shop).holding(checkout_id) as checkout:
            if not _still_silent(send, checkout):
                return None
            mine = _mine(send).filter(state=SendState.CLAIMED, lease_until__gt=Now())
            marked = mine.filter(all_of(MessageChannel(send.message_channel))).update(
                state=SendState.SENDING, marked_at=Now(), lease_until=_lease(), reason=""
            )
    if not marked:
        _explain(send)
        return None
    return prepared


def _is_still_theirs(send: Send) -> bool:
    """Read the checkout as it is now, and hold it; a corrected address is written to instead."""
    send.checkout = (
        TrackedCheckout.objects.of(send.shop_id).select_for_update().get(pk=send.checkout_id)
    )
    if send.checkout.person_id in (None, send.person_id):
        return True
    _put_off(send, Now(), "CONTACT_CHANGED")
    return False


def _one_at_a_time(send: Send) -> None:
    # Two checkouts of one person must not be judged side by side: both would find nothing sent.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [str(send.person_id)]
        )
        cursor.execute(SHORT_WAIT)


def _still_silent(send: Send, checkout: Checkout | None) -> bool:
    tracked = send.checkout
    if checkout is None:
        if tracked.state == CheckoutState.OPEN:
            tracked.state = CheckoutState.GONE
            tracked.save(update_fields=["state"])
        _finish(send, SendState.CANCELLED, "CHECKOUT_GONE")
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
            _finish(send, SendState.CANCELLED, "CHECKOUT_CLOSED")
        elif checkout.payment_started:
            _put_off(send, Greatest(due, Now() + LATER), "PAYMENT_STARTED")
        else:
            _put_off(send, due, "CHECKOUT_CHANGED")
        return False
    return True


def _explain(send: Send) -> None:
    """Find the first condition that does not hold, and do what it says."""
    row = _mine(send)
    for condition in conditions(MessageChannel(send.message_channel)):
        if not row.filter(condition.holds).exists():
            if condition.otherwise is Then.CANCEL:
                _finish(send, SendState.CANCELLED, condition.reason)
            else:
                _put_off(send, Greatest(_silent_until(send), Now() + SOON), condition.reason)
            return
    _put_off(send, Now() + SOON, "CHANGED_MEANWHILE")


def _try_later(send: Send) -> None:
    if _mine(send).filter(not_too_old()).exists():
        _put_off(send, Now() + LATER, "TROUBLE")
    else:
        _finish(send, SendState.CANCELLED, "TROUBLE")


def _hand_over(send: Send, channel: Channel, prepared: Message) -> bool:
    try:
        channel.send(prepared)
    except DeliveryRefused:
        _finish(send, SendState.REFUSED, "PROVIDER_REFUSED")
        return False
    except DeliveryFailed:
        _put_off(send, Now() + LATER, "PROVIDER_AWAY")
        return False
    except Exception:
        # Whatever it was, it may have left.
        telemetry.trouble(telemetry.Log.MESSAGE_IN_DOUBT, send=send.pk)
        _finish(send, SendState.IN_DOUBT, "OUTCOME_UNKNOWN")
        return False
    _finish(send, SendState.SENT, "")
    return True


def _finish(send: Send, state: SendState, reason: str) -> None:
    changes = {"sent_at": Now()} if state is SendState.SENT else {}
    if _mine(send).update(state=state, reason=reason, lease_until=None, **changes):
        telemetry.SENT.labels(state=state).inc()
        line = telemetry.Log.MESSAGE_SENT if state is SendState.SENT else telemetry.Log.MESSAGE_HELD
        telemetry.log(line, send=send.pk, state=state, reason=reason)


def _put_off(send: Send, due: Any, reason: str) -> None:
    _mine(send).update(
        state=SendState.DUE,
        due_at=due,
        lease_until=None,
        reason=reason,
        person=send.checkout.person_id or send.person_id,
    )


def _mine(send: Send) -> QuerySet[Send]:
    return Send.objects.of(send.shop_id).filter(pk=send.pk, fence=send.fence)


def _silent_until(send: Send) -> datetime:
    return send.checkout.changed_at + timedelta(seconds=send.step.delay_seconds)


def _lease() -> Any:
    return Now() + timedelta(seconds=conf.get().SEND_LEASE_SECONDS)
