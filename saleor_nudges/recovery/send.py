"""Claim a due message, ask whether it may go, hand it to a channel, record the outcome.

At most once, whatever is killed when: a row is marked SENDING in the same statement that asks all
conditions, and a row that was marked is never handed over again. See `docs/adr/0001-decisions.md`.
"""

import logging
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from saleor_nudges import conf, crypto, telemetry
from saleor_nudges.exceptions import (
    DeliveryFailed,
    DeliveryRefused,
    HostUnavailable,
    InvalidInput,
)
from saleor_nudges.host import Checkout, get_host, host_class
from saleor_nudges.messaging.channels import Message, get_channel
from saleor_nudges.models import CheckoutState, MessageChannel, Send, SendState
from saleor_nudges.recovery import campaigns, message, watch
from saleor_nudges.recovery.conditions import Then, all_of, conditions

SOON, LATER = timedelta(seconds=5), timedelta(minutes=1)


def send_due() -> int:
    """Send what is due, batch after batch; return how many messages left."""
    with host_class().writing():
        give_up_on_the_doubtful()
        sent = 0
        while claimed := claim():
            sent += sum(deliver(send) for send in claimed)
    return sent


def claim() -> list[Send]:
    """Take due rows, and those whose worker died before marking; nobody else gets them."""
    settings = conf.get()
    free = Q(state=SendState.DUE, due_at__lte=Now()) | Q(
        state=SendState.CLAIMED, lease_until__lt=Now()
    )
    with transaction.atomic():
        rows = Send.objects.across_shops().filter(free).order_by("due_at")
        ids = list(
            rows.select_for_update(skip_locked=True).values_list("pk", flat=True)[
                : settings.SEND_BATCH
            ]
        )
        taken = Send.objects.across_shops().filter(pk__in=ids)
        taken.update(
            state=SendState.CLAIMED,
            fence=F("fence") + 1,
            lease_until=Now() + timedelta(seconds=settings.SEND_LEASE_SECONDS),
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
        prepared = message.prepare(send)
        if not _mark(send):
            return False
    except HostUnavailable as error:
        _put_off(send, SOON, error.code)
        return False
    except InvalidInput:
        telemetry.trouble(telemetry.Log.MESSAGE_HELD, send=send.pk)
        _finish(send, SendState.CANCELLED, "TEMPLATE")
        return False
    return _hand_over(send, prepared)


def _mark(send: Send) -> bool:
    """Ask everything and mark the row, while the host holds the checkout still."""
    with transaction.atomic():
        _one_at_a_time(send)
        checkout_id = crypto.unseal(bytes(send.checkout.sealed_checkout_id))
        with get_host(send.shop).holding(checkout_id) as checkout:
            if not _still_silent(send, checkout):
                return False
            mine = Send.objects.of(send.shop_id).filter(
                pk=send.pk, fence=send.fence, state=SendState.CLAIMED, lease_until__gt=Now()
            )
            marked = mine.filter(all_of(MessageChannel(send.message_channel))).update(
                state=SendState.SENDING, marked_at=Now(), reason=""
            )
    if not marked:
        _explain(send)
    return bool(marked)


def _one_at_a_time(send: Send) -> None:
    # Two checkouts of one person must not be judged side by side: both would find nothing sent.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [str(send.person_id)]
        )


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
        tracked.save()
        due = campaigns.first_due(tracked)
        if due is None:
            _finish(send, SendState.CANCELLED, "CHECKOUT_CLOSED")
            return False
        Send.objects.of(send.shop_id).filter(pk=send.pk, fence=send.fence).update(
            state=SendState.DUE,
            due_at=due + (LATER if checkout.payment_started else timedelta()),
            lease_until=None,
            reason="PAYMENT_STARTED" if checkout.payment_started else "CHECKOUT_CHANGED",
        )
        return False
    return True


def _explain(send: Send) -> None:
    """Find the first condition that does not hold, and do what it says."""
    row = Send.objects.of(send.shop_id).filter(pk=send.pk, fence=send.fence)
    for condition in conditions(MessageChannel(send.message_channel)):
        if not row.filter(condition.holds).exists():
            if condition.otherwise is Then.CANCEL:
                _finish(send, SendState.CANCELLED, condition.reason)
            else:
                _put_off(send, SOON, condition.reason)
            return
    _put_off(send, SOON, "CHANGED_MEANWHILE")


def _hand_over(send: Send, prepared: Message) -> bool:
    channel = get_channel(MessageChannel(send.message_channel))
    try:
        channel.send(prepared)
    except DeliveryRefused:
        _finish(send, SendState.REFUSED, "PROVIDER_REFUSED")
        return False
    except DeliveryFailed:
        _put_off(send, LATER, "PROVIDER_AWAY")
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
    mine = Send.objects.of(send.shop_id).filter(pk=send.pk, fence=send.fence)
    if mine.update(state=state, reason=reason, lease_until=None, **changes):
        telemetry.SENT.labels(state=state).inc()
        line = telemetry.Log.MESSAGE_SENT if state is SendState.SENT else telemetry.Log.MESSAGE_HELD
        telemetry.log(line, send=send.pk, state=state, reason=reason)


def _put_off(send: Send, by: timedelta, reason: str) -> None:
    mine = Send.objects.of(send.shop_id).filter(pk=send.pk, fence=send.fence)
    mine.update(state=SendState.DUE, due_at=Now() + by, lease_until=None, reason=reason)
