"""What becomes of a claimed row: brought to its end, or given back for a later time.

Each touches the row only while its claim is ours; whoever slept past their lease changes nothing.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import F, QuerySet
from django.db.models.functions import Greatest, Now

from saleor_nudges import conf, telemetry
from saleor_nudges.models import CheckoutState, Send, SendState, TrackedCheckout, statements
from saleor_nudges.recovery.reasons import Reason
from saleor_nudges.recovery.sending.conditions import not_too_old

SOON, LATER = timedelta(seconds=5), timedelta(minutes=1)
# What fails so often before anything leaves will not do better by itself.
MOST_FAILURES: Final = 3
# Its checkout is looked at for what comes next, in the same statement. Nobody waits for the disk:
# what a crash of the database takes back is a message in doubt, for its mark is on the disk.
FINISH: Final = """
    WITH done AS (
        UPDATE saleor_nudges_send
        SET state = %s, reason = %s, lease_until = NULL,
            sent_at = CASE WHEN %s THEN statement_timestamp() ELSE sent_at END
        WHERE id = %s AND shop_id = %s AND fence = %s
        RETURNING checkout_id
    ), looked_at AS (
        UPDATE saleor_nudges_trackedcheckout AS tracked SET next_due_at = statement_timestamp()
        FROM done WHERE tracked.id = done.checkout_id AND tracked.state = %s
    )
    SELECT (SELECT count(*) FROM done), set_config('synchronous_commit', 'off', true)
"""


def mine(send: Send) -> QuerySet[Send]:
    """Return the row while this claim of it holds, else nothing."""
    return Send.objects.of(send.shop_id).filter(pk=send.pk, fence=send.fence)


def lease() -> Any:
    """Return until when a claim made now holds, by the database's clock."""
    return Now() + timedelta(seconds=conf.get().SEND_LEASE_SECONDS)


def finish(send: Send, state: SendState, reason: str) -> None:
    """Bring a row to its end, and have its checkout looked at for what comes next."""
    key = (send.pk, send.shop_id, send.fence)
    is_sent = state is SendState.SENT
    given = (state.value, str(reason), is_sent, *key, CheckoutState.OPEN.value)
    [(done, _)] = statements.run(FINISH, given, is_prepared=True)
    if done:
        telemetry.SENT.labels(state=state).inc()
        line = telemetry.Log.MESSAGE_SENT if is_sent else telemetry.Log.MESSAGE_HELD
        telemetry.log(line, send=send.pk, state=state, reason=reason)


def plan_on(checkouts: Iterable[UUID]) -> None:
    """Have the checkouts of finished messages looked at for what comes next."""
    rows = TrackedCheckout.objects.across_shops().filter(pk__in=list(checkouts))
    rows.filter(state=CheckoutState.OPEN).update(next_due_at=Now())


def defer(send: Send, due: datetime, reason: str) -> None:
    """Put off a message whose own time has moved."""
    mine(send).update(ready_at=due)
    put_off(send, Greatest(due, Now()), reason)


def put_off(send: Send, due: Any, reason: str) -> None:
    """Give a row back until `due`, a time or an expression; what is in doubt by now stays so."""
    held = mine(send).filter(state__in=(SendState.CLAIMED, SendState.SENDING))
    held.update(
        state=SendState.DUE,
        due_at=due,
        lease_until=None,
        reason=reason,
        person=send.checkout.person_id or send.person_id,
    )


def try_later(send: Send) -> None:
    """Something broke before anything left; what breaks every time is put aside."""
    if send.failures + 1 >= MOST_FAILURES:
        finish(send, SendState.CANCELLED, Reason.DEAD_LETTER)
    elif mine(send).filter(not_too_old()).exists():
        mine(send).update(failures=F("failures") + 1)
        put_off(send, Now() + LATER, Reason.TROUBLE)
    else:
        finish(send, SendState.CANCELLED, Reason.TROUBLE)
