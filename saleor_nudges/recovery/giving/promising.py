"""At the mark: whether a message gives something away, noted in our ledger. No shop is asked."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final
from uuid import UUID

from babel.numbers import get_currency_precision
from django.db import connection, transaction

from saleor_nudges import conf, people
from saleor_nudges.models import (
    CheckoutState,
    RecoveryVoucher,
    SeenOrder,
    Send,
    TrackedCheckout,
    VoucherState,
)
from saleor_nudges.recovery.campaigns import vouchers
from saleor_nudges.recovery.campaigns.vouchers import Voucher
from saleor_nudges.recovery.giving import budgets
from saleor_nudges.recovery.rules.deserving import LATELY, ONLY_WITH, History, Refusal, refusal
from saleor_nudges.recovery.rules.hours import clock_of

# The same lock by which a message is marked: two checkouts of one person are judged in turn.
HOLD_PERSON: Final = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
# What was promised, whatever became of it.
HAD: Final = (
    VoucherState.RESERVED,
    VoucherState.MINTED,
    VoucherState.USED,
    VoucherState.VOIDING,
    VoucherState.VOID,
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a step gives away, and whom it would be for."""

    rule: Voucher
    alike: Sequence[UUID]
    worth: Decimal | None
    now: datetime


def promise(send: Send, now: datetime) -> RecoveryVoucher | None:
    """Return what this message gives away, its worth taken from the day's budget; None: nothing.

    Call it before the message is written, in the transaction of the mark or in one of its own:
    what is not sent after all is taken back by `voiding.work`. Asked again for the same message it
    is the same voucher. Raises InvalidInput for a rule that cannot be read.
    """
    if send.step.voucher is None or (rule := vouchers.parse(send.step.voucher, "voucher")) is None:
        return None
    with transaction.atomic():
        alike = _hold_person(send)
        known = RecoveryVoucher.objects.of(send.shop_id).filter(send=send)
        kept = known.select_for_update().first()
        if kept is not None and kept.state != VoucherState.WITHHELD:
            return _again(kept, rule, now)
        # Why there was none then need not be why there is none now.
        known.delete()
        worth = _worth(rule, _goods(send), send.checkout.currency)
        return _decide(send, _Asked(rule, alike, worth, now))


def _hold_person(send: Send) -> list[UUID]:
    if send.person_id is None:
        return []
    alike = [row["pk"] for row in people.alike(send.shop, send.person_id)]
    with connection.cursor() as cursor:
        for key in sorted(map(str, alike)):
            cursor.execute(HOLD_PERSON, [key])
    return alike


def _again(kept: RecoveryVoucher, rule: Voucher, now: datetime) -> RecoveryVoucher | None:
    """Return what was reserved when the message was tried before; its time begins anew."""
    if kept.state != VoucherState.RESERVED:
        return None
    kept.expires_at = _expires(rule, now)
    kept.save(update_fields=["expires_at"])
    return kept


def _decide(send: Send, asked: _Asked) -> RecoveryVoucher | None:
    rule, currency = asked.rule, send.checkout.currency
    day = _day(send, asked.now)
    given = RecoveryVoucher(
        shop=send.shop,
        channel=send.channel,
        send=send,
        person_id=send.person_id,
        state=VoucherState.RESERVED,
        percent=rule.percent,
        worth=asked.worth or Decimal(0),
        currency=currency,
        floor=dict(rule.floor).get(currency, Decimal(0)),
        day=day,
        expires_at=_expires(rule, asked.now),
    )
    why = _refusal(send, asked) or _unless_in_budget(given, rule)
    if why is not None:
        given.state, given.reason, given.worth = VoucherState.WITHHELD, why, Decimal(0)
    given.save(force_insert=True)
    return None if why else given


def _refusal(send: Send, asked: _Asked) -> Refusal | None:
    if send.person_id is None:
        return Refusal.NO_PERSON
    if send.checkout.currency not in dict(asked.rule.daily_budget):
        return Refusal.CURRENCY
    if not asked.worth:
        return Refusal.FLOOR
    if send.checkout.voucher:
        return Refusal.HAS_CODE
    return refusal(_history(send, asked), asked.now, asked.rule.once_per)


def _unless_in_budget(given: RecoveryVoucher, rule: Voucher) -> Refusal | None:
    most = dict(rule.daily_budget)[given.currency]
    return None if budgets.take(given, most) else Refusal.BUDGET


def _goods(send: Send) -> Decimal:
    """Return what the goods are worth that can still be bought; one without a price is nothing.

    Saleor holds a voucher's least spending against the goods alone, and takes it off them alone.
    """
    lines = send.checkout.lines if send.lines is None else send.lines
    return sum((Decimal(line["unit_price"]) * line["quantity"] for line in lines), Decimal(0))


def _worth(rule: Voucher, goods: Decimal, currency: str) -> Decimal | None:
    worth = rule.worth(goods, currency) if goods and currency else None
    if worth is None:
        return None
    return worth.quantize(Decimal(1).scaleb(-get_currency_precision(currency)), ROUND_HALF_UP)


def _history(send: Send, asked: _Asked) -> History:
    """Return what is known of the person; what is not needed is not read."""
    had = RecoveryVoucher.objects.of(send.shop_id).filter(person__in=asked.alike, state__in=HAD)
    newest = had.order_by("-id").values_list("created_at", flat=True).first()
    if newest is None or asked.now < newest + asked.rule.once_per:
        return History(last_at=newest)
    return History(
        newest, _with_ours(send.shop_id, asked.alike), _left(send, asked.alike, asked.now)
    )


def _with_ours(shop: UUID, alike: Collection[UUID]) -> tuple[bool, ...]:
    orders = SeenOrder.objects.of(shop).filter(person__in=alike, is_void=False)
    newest = list(orders.order_by("-placed_at", "-id").values_list("pk", flat=True)[:ONLY_WITH])
    used = RecoveryVoucher.objects.of(shop).filter(order__in=newest)
    with_ours = set(used.values_list("order_id", flat=True))
    return tuple(order in with_ours for order in newest)


def _left(send: Send, alike: Collection[UUID], now: datetime) -> int:
    others = TrackedCheckout.objects.of(send.shop_id).filter(
        person__in=alike, parent__isnull=True, started_at__gt=now - LATELY
    )
    return others.exclude(pk=send.checkout_id).exclude(state=CheckoutState.ORDERED).count()


def _day(send: Send, now: datetime) -> date:
    # By the shop's own clock: a seller's budget is for the day they see.
    return now.astimezone(clock_of(send.shop.timezone)).date()


def _expires(rule: Voucher, now: datetime) -> datetime:
    # Nobody could use it any longer than the way to it.
    return now + min(rule.expires, timedelta(days=conf.get().LINK_DAYS))
