"""Ask everything about one message and mark it, while the host holds its checkout still.

What comes back marked is handed over, once. What may not go is brought to its end or given back
here, with its reason.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Q, Value
from django.db.models.functions import Greatest, Now
from django.db.models.lookups import GreaterThan

from saleor_nudges import crypto, people
from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.host import Checkout, get_host
from saleor_nudges.messaging.channels import Message
from saleor_nudges.models import CheckoutState, MessageChannel, Send, SendState, TrackedCheckout
from saleor_nudges.models.statements import database_now
from saleor_nudges.recovery.campaigns import sandbox
from saleor_nudges.recovery.giving import promising
from saleor_nudges.recovery.planning import attempts, planner
from saleor_nudges.recovery.planning.planner import Outlook
from saleor_nudges.recovery.reasons import Fate, Reason
from saleor_nudges.recovery.sending import ledger, message
from saleor_nudges.recovery.sending.conditions import (
    Then,
    all_of,
    conditions,
    not_too_old,
    of_thanks,
)
from saleor_nudges.recovery.sending.outcomes import (
    LATER,
    SOON,
    defer,
    finish,
    lease,
    mine,
    put_off,
)
from saleor_nudges.recovery.watching import cycles, watch
from saleor_nudges.recovery.way_back import links

# The host's checkout is held while we ask, so nobody waits longer than this for a row of ours.
SHORT_WAIT: Final = "SET LOCAL lock_timeout = '200ms'"
# Nobody switches these on by the second, and each look costs the shop a question.
SWITCHED_OFF: Final = (Reason.CAMPAIGN_OFF, Reason.SENDING_OFF, Reason.INSTALLATION_CHANGED)


class Unwritable(Exception):
    """The message's template cannot be filled."""


def mark(send: Send) -> Message | None:
    """Return the message of a claimed row that is marked now; None if it may not go.

    Raises Unwritable, HostUnavailable (the checkout is busy, or the shop does not answer) and
    OperationalError (somebody holds a row we must hold); then nothing is marked.
    """
    with transaction.atomic():
        now = _one_at_a_time(send)
        if not _is_still_theirs(send):
            return None
        prepared = _written(send, now)
        outlook = planner.thanks_again(send, now) if send.order else planner.again(send, now)
        with _holding(send) as is_silent:
            if not is_silent:
                return None
            marked = outlook.is_for(send, now) and _mark(send, outlook)
    if not marked:
        _explain(send, outlook)
        return None
    ledger.note(send.shop_id, now)
    return prepared


@contextmanager
def _holding(send: Send) -> Iterator[bool]:
    """Hold the host's checkout still; tell whether nobody did anything there meanwhile."""
    if send.order:
        # It became an order: nobody can do anything there any more.
        yield True
        return
    checkout_id = crypto.unseal(bytes(send.checkout.sealed_checkout_id))
    with get_host(send.shop).holding(checkout_id) as checkout:
        yield _still_silent(send, checkout)


def _mark(send: Send, outlook: Outlook) -> int:
    claimed = mine(send).filter(state=SendState.CLAIMED, lease_until__gt=Now())
    return claimed.filter(_still_open(outlook) & _may_go(send)).update(
        state=SendState.SENDING,
        marked_at=Now(),
        lease_until=lease(),
        reason="",
        lines=send.lines,
        **_way_back(send),
    )


def _may_go(send: Send) -> Q:
    return all_of(MessageChannel(send.message_channel), is_thanks=send.order is not None)


def _way_back(send: Send) -> dict[str, Any]:
    return {} if send.order else links.way_back(send)


def mark_again(send: Send) -> Message | None:
    """Return the message of a row that was marked and claimed anew; None if it is to stay in doubt.

    It was planned when it was marked; only the conditions are asked again, as then.
    """
    with transaction.atomic():
        now = _one_at_a_time(send)
        with _holding(send) as is_silent:
            held = mine(send).filter(_may_go(send))
            may_go = is_silent and held.update(lease_until=lease(), **_way_back(send))
    if not may_go:
        finish(send, SendState.IN_DOUBT, Reason.WORKER_LOST)
        return None
    return _written(send, now)


def _written(send: Send, now: datetime) -> Message:
    try:
        return message.prepare(send, promising.promise(send, now))
    except InvalidInput as error:
        raise Unwritable from error


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
    put_off(send, Now(), Reason.CONTACT_CHANGED)
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
        finish(send, SendState.CANCELLED, Reason.CHECKOUT_GONE)
        return False
    if not (checkout.changed_at > tracked.changed_at or checkout.payment_started):
        return _is_known(send, checkout)
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
    _wait_for_silence(send, checkout)
    return False


def _is_known(send: Send, checkout: Checkout) -> bool:
    """Take in what the shop says of the person, before it is asked whether they have bought."""
    if people.holds(send.person, checkout.contact):
        return True
    person = people.resolve(send.shop, checkout.contact)
    if person is None or person.pk == send.person_id:
        return True
    watch.confirm(send.checkout, person.pk)
    send.checkout.save()
    put_off(send, Now(), Reason.CONTACT_CHANGED)
    return False


def _wait_for_silence(send: Send, checkout: Checkout) -> None:
    due = _silent_until(send)
    if send.checkout.state != CheckoutState.OPEN:
        finish(send, SendState.CANCELLED, Reason.CHECKOUT_CLOSED)
    elif checkout.payment_started and not mine(send).filter(not_too_old()).exists():
        finish(send, SendState.CANCELLED, Reason.TOO_OLD)
    elif checkout.payment_started:
        put_off(send, Greatest(due, Now() + LATER), Reason.PAYMENT_STARTED)
    else:
        defer(send, due, Reason.CHECKOUT_CHANGED)


def _explain(send: Send, outlook: Outlook) -> None:
    """Find the first condition that does not hold, and do what it says."""
    row, asked = mine(send), of_thanks if send.order else conditions
    for condition in asked(MessageChannel(send.message_channel)):
        if not row.filter(condition.holds).exists():
            if condition.otherwise is Then.CANCEL:
                finish(send, SendState.CANCELLED, condition.reason)
            elif condition.reason == Reason.CHECKOUT_CHANGED:
                defer(send, _silent_until(send), condition.reason)
            else:
                pause = LATER if condition.reason in SWITCHED_OFF else SOON
                put_off(send, Now() + pause, condition.reason)
            return
    _do_as_planned(send, outlook)


def _do_as_planned(send: Send, outlook: Outlook) -> None:
    """Every condition holds, but the plan is another one by now."""
    attempts.keep([(send.checkout, kept) for kept in outlook.kept], database_now())
    if outlook.step is not None and outlook.step.pk == send.step_id and outlook.due_at:
        defer(send, outlook.due_at, outlook.reason or Reason.CHANGED_MEANWHILE)
        return
    passed = {one.step_number: one.why.reason for one in outlook.kept}
    reason = passed.get(send.step_number) or outlook.reason or Reason.CHANGED_MEANWHILE
    if outlook.step is None and reason.fate is Fate.WAITS:
        put_off(send, Now() + LATER, reason)
    else:
        finish(send, SendState.CANCELLED, reason)


def _silent_until(send: Send) -> datetime:
    return send.checkout.seen_at + sandbox.paced(timedelta(seconds=send.step.delay_seconds))
