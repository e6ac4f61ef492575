"""What is not needed any more is over: given back to its day's budget, or taken out of the shop."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Case, Q, QuerySet, Value, When
from django.db.models.functions import Now

from saleor_nudges import crypto, telemetry
from saleor_nudges.exceptions import HostUnavailable
from saleor_nudges.host import get_host
from saleor_nudges.models import (
    CheckoutState,
    FreshCheckout,
    RecoveryVoucher,
    SeenOrder,
    SendState,
    VoucherState,
)
from saleor_nudges.models.statements import database_now
from saleor_nudges.recovery.giving import budgets
from saleor_nudges.recovery.giving.words import End

# A run that is killed has done a few; the others wait for the next, a minute later.
AT_ONCE: Final = 100
NOT_GOING: Final = (SendState.DUE, SendState.CANCELLED, SendState.REFUSED)
BOUGHT: Final = (CheckoutState.ORDERED, CheckoutState.RECOVERED)
# The shop itself takes no code after its end: trying again is for tidiness, so ever more rarely.
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=6)
# Ten doublings are more than the longest pause.
MOST_DOUBLED: Final = 10


def work() -> int:
    """End what is over; return how many vouchers ended. Each in a transaction of its own."""
    return sum((_each(take_back), _each(end), void()))


def take_back() -> bool:
    """Forget one voucher whose message has not left; False if there is none."""
    with transaction.atomic():
        # The message is held too, and so read anew: one that a sender has taken up since is left
        # alone.
        waiting = RecoveryVoucher.objects.across_shops().filter(
            state__in=(VoucherState.WITHHELD, VoucherState.RESERVED),
            sealed_code__isnull=True,
            send__state__in=NOT_GOING,
        )
        held = waiting.select_for_update(of=("self", "send"), skip_locked=True)
        given = held.select_related("send").first()
        if given is None:
            return False
        given.delete()
        budgets.give_back(given)
    return True


def end() -> bool:
    """End one voucher that is not needed any more; False if there is none."""
    with transaction.atomic():
        rows = RecoveryVoucher.objects.across_shops().filter(
            _is_over(), state__in=(VoucherState.RESERVED, VoucherState.MINTED)
        )
        given = rows.annotate(why=_why()).select_for_update(of=("self",), skip_locked=True).first()
        if given is None:
            return False
        given.reason = given.why
        if given.sealed_code is None:
            given.state = VoucherState.VOID
            budgets.give_back(given)
        else:
            given.state, given.retry_at = VoucherState.VOIDING, database_now()
        given.save(update_fields=["state", "reason", "retry_at"])
    return True


def void() -> int:
    """Take codes that are over out of their shops; return how many are done."""
    away: set[UUID] = set()
    done = 0
    for key in list(_due().values_list("pk", flat=True)[:AT_ONCE]):
        done += _void(key, away)
    return done


def _each(step: Callable[[], bool]) -> int:
    count = 0
    while count < AT_ONCE and step():
        count += 1
    return count


def _is_over() -> Q:
    # A promise is kept until its day, though they unsubscribed (to say no must cost nothing) or
    # began anew. Whoever bought needs it no more.
    return (
        Q(expires_at__lte=Now())
        | Q(send__checkout__state__in=BOUGHT)
        | Q(person__isnull=True)
        | Q(person__erased_at__isnull=False)
    )


def _why() -> Case:
    return Case(
        When(expires_at__lte=Now(), then=Value(End.EXPIRED)),
        When(send__checkout__state__in=BOUGHT, then=Value(End.ORDERED)),
        default=Value(End.ERASED),
    )


def _due() -> QuerySet[RecoveryVoucher]:
    rows = RecoveryVoucher.objects.across_shops().filter(
        state=VoucherState.VOIDING, retry_at__lte=Now(), shop__is_active=True
    )
    return rows.order_by("retry_at")


def _void(key: UUID, away: set[UUID]) -> bool:
    """Take one code out of its shop; tell whether that is done. A shop in `away` is not asked."""
    with transaction.atomic():
        held = _due().filter(pk=key).select_for_update(of=("self",), skip_locked=True)
        given = held.select_related("shop").first()
        if given is None or given.shop_id in away:
            return False
        code = crypto.unseal(bytes(given.sealed_code or b""))
        try:
            # In a savepoint: what fails in our own database is tried again like any other failure.
            with transaction.atomic():
                is_used = get_host(given.shop).end_voucher(code)
        except Exception as error:
            if isinstance(error, HostUnavailable):
                away.add(given.shop_id)
            _try_later(given, error)
            return False
        given.state = VoucherState.USED if is_used else VoucherState.VOID
        given.reason, given.retry_at = "" if is_used else given.reason, None
        given.order = _order_of(given) if is_used else None
        given.save(update_fields=["state", "reason", "retry_at", "order"])
    return True


def _order_of(given: RecoveryVoucher) -> SeenOrder | None:
    """Return the order of a checkout that the message's link opened: only there was the code."""
    fresh = FreshCheckout.objects.of(given.shop_id).filter(send=given.send_id)
    orders = SeenOrder.objects.of(given.shop_id).filter(
        checkout__in=fresh.values("checkout__checkout")
    )
    return orders.order_by("placed_at").first()


def _try_later(given: RecoveryVoucher, error: Exception) -> None:
    # Only the error's kind: its text could repeat the code.
    telemetry.log(
        telemetry.Log.VOUCHER_FAILED,
        logging.WARNING,
        send=given.send_id,
        error=type(error).__name__,
    )
    pause = min(FIRST_PAUSE * 2 ** min(given.failures, MOST_DOUBLED), LONGEST_PAUSE)
    given.failures += 1
    given.retry_at = database_now() + pause
    given.save(update_fields=["failures", "retry_at"])
