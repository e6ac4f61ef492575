"""Take rows of the ledger, so that nobody else does; and those whose worker died over them."""

import logging
from collections.abc import Collection
from typing import Final

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from saleor_nudges import conf, telemetry
from saleor_nudges.models import MessageChannel, Send, SendState
from saleor_nudges.recovery.reasons import Reason
from saleor_nudges.recovery.sending import breaker
from saleor_nudges.recovery.sending.conditions import not_too_old
from saleor_nudges.recovery.sending.outcomes import lease, plan_on

TOGETHER: Final = ("shop", "person", "checkout", "step", "campaign", "order")


def claim() -> list[Send]:
    """Take due rows, and those whose worker died before marking; nobody else gets them."""
    free = Q(state=SendState.DUE, due_at__lte=Now()) | Q(
        state=SendState.CLAIMED, lease_until__lt=Now()
    )
    rows = Send.objects.across_shops().filter(breaker.is_closed(), free)
    return _taken(rows, state=SendState.CLAIMED)


def claim_doubtful(honouring: Collection[MessageChannel]) -> list[Send]:
    """Take rows whose worker died after marking, of providers that take each key only once."""
    if not honouring:
        return []
    rows = _doubtful().filter(breaker.is_closed(), message_channel__in=honouring)
    return _taken(rows)


def give_up_on_the_doubtful(honouring: Collection[MessageChannel] = ()) -> int:
    """A worker died between the mark and the outcome: shown as in doubt, never repeated.

    Of providers that take each key only once, only what is too old to be handed over again.
    """
    hopeless = _doubtful().exclude(not_too_old(), message_channel__in=honouring)
    with transaction.atomic():
        rows = hopeless.select_for_update(skip_locked=True)
        held = dict(rows.values_list("pk", "checkout_id"))
        rows = Send.objects.across_shops().filter(pk__in=held)
        count = rows.update(state=SendState.IN_DOUBT, reason=Reason.WORKER_LOST)
        plan_on(held.values())
    if count:
        telemetry.SENT.labels(state=SendState.IN_DOUBT).inc(count)
        telemetry.log(telemetry.Log.MESSAGE_IN_DOUBT, logging.WARNING, count=count)
    return count


def _doubtful() -> QuerySet[Send]:
    return Send.objects.across_shops().filter(state=SendState.SENDING, lease_until__lt=Now())


def _taken(rows: QuerySet[Send], **changes: SendState) -> list[Send]:
    """Claim the first of these rows that nobody else holds."""
    with transaction.atomic():
        free = rows.order_by("due_at").select_for_update(skip_locked=True)
        ids = list(free.values_list("pk", flat=True)[: conf.get().SEND_BATCH])
        taken = Send.objects.across_shops().filter(pk__in=ids)
        taken.update(fence=F("fence") + 1, lease_until=lease(), **changes)
        return list(taken.select_related(*TOGETHER).order_by("due_at"))
