"""Leave a provider alone that fails again and again; what waits for it goes when it is back."""

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.functions import Concat, Now

from saleor_nudges import telemetry
from saleor_nudges.models import Cursor, Send, SendState
from saleor_nudges.models.statements import database_now
from saleor_nudges.recovery.reasons import Reason

# So many messages of a shop wait for the same provider before it is left alone.
MOST_WAITING: Final = 5
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(minutes=30)
PAUSED: Final = "paused:"


def is_closed() -> Q:
    """Return the condition on a row of the ledger that its provider is not being left alone."""
    paused = Cursor.objects.across_shops().filter(
        shop=OuterRef("shop"),
        kind=Concat(Value(PAUSED), OuterRef("message_channel")),
        caught_up_at__gt=Now(),
    )
    return ~Q(Exists(paused))


def failed(send: Send, *, for_long: bool = False) -> None:
    """Note that a message did not leave; `for_long` where nobody expects the next one to."""
    waiting = Send.objects.of(send.shop_id).filter(
        message_channel=send.message_channel,
        state=SendState.DUE,
        reason__in=(Reason.PROVIDER_AWAY, Reason.PROVIDER_PAUSED),
    )
    if not for_long and waiting.count() < MOST_WAITING:
        return
    until = _pause(send, LONGEST_PAUSE if for_long else None)
    waiting.update(reason=Reason.PROVIDER_PAUSED)
    telemetry.log(
        telemetry.Log.PROVIDER_PAUSED, channel=send.message_channel, until=until.isoformat()
    )


def _pause(send: Send, span: timedelta | None) -> datetime:
    """Pause twice as long as the last time, if that was lately; return until when."""
    now, kind = database_now(), f"{PAUSED}{send.message_channel}"
    row, is_new = Cursor.objects.of(send.shop_id).get_or_create(
        shop_id=send.shop_id, kind=kind, defaults={"position": now}
    )
    ended = None if is_new else row.caught_up_at
    if ended is not None and ended > now:
        return ended
    last = ended - row.position if ended else timedelta(0)
    is_lately = ended is not None and now - ended < 2 * last + FIRST_PAUSE
    usual = min(2 * last, LONGEST_PAUSE) if is_lately else FIRST_PAUSE
    until = now + (span or max(usual, FIRST_PAUSE))
    Cursor.objects.of(send.shop_id).filter(pk=row.pk).update(position=now, caught_up_at=until)
    return until
