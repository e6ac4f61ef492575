"""Where Saleor's checkouts stand, by the functions with which Saleor completes them.

No app is asked, though Saleor would: there is no plugin manager through which it could be. What
Saleor writes down by the way is taken back, so that a look leaves no trace.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from inspect import signature
from typing import Any, Final

from django.db import DatabaseError, transaction
from saleor.checkout.fetch import fetch_checkout_info, fetch_checkout_lines
from saleor.checkout.utils import get_voucher_discount_for_checkout
from saleor.core.exceptions import InsufficientStock
from saleor.discount import DiscountType, VoucherType
from saleor.discount.models import NotApplicable
from saleor.payment import TransactionEventType, TransactionKind
from saleor.warehouse.availability import check_stock_and_preorder_quantity_bulk

from saleor_nudges import telemetry
from saleor_nudges.host import CheckoutLook, LineLook, PaymentOutcome, PaymentTry
from saleor_nudges.host.base import look_of
from saleor_nudges.plugin import catalogue, delivery, rows
from saleor_nudges.plugin.delivery import Delivery
from saleor_nudges.plugin.facts import global_id

# What Saleor's words for the steps of a payment say of the try; the others say nothing of it.
BY_EVENT: Final = {
    TransactionEventType.AUTHORIZATION_SUCCESS: PaymentOutcome.SUCCEEDED,
    TransactionEventType.CHARGE_SUCCESS: PaymentOutcome.SUCCEEDED,
    TransactionEventType.AUTHORIZATION_FAILURE: PaymentOutcome.REFUSED,
    TransactionEventType.CHARGE_FAILURE: PaymentOutcome.REFUSED,
    TransactionEventType.AUTHORIZATION_REQUEST: PaymentOutcome.OPEN,
    TransactionEventType.CHARGE_REQUEST: PaymentOutcome.OPEN,
    TransactionEventType.AUTHORIZATION_ACTION_REQUIRED: PaymentOutcome.OPEN,
    TransactionEventType.CHARGE_ACTION_REQUIRED: PaymentOutcome.OPEN,
}
# Payments as they were before transactions: which of their steps are a try, and how it ended.
BY_KIND: Final = {
    TransactionKind.AUTH: PaymentOutcome.SUCCEEDED,
    TransactionKind.CAPTURE: PaymentOutcome.SUCCEEDED,
    TransactionKind.CONFIRM: PaymentOutcome.SUCCEEDED,
    TransactionKind.EXTERNAL: PaymentOutcome.SUCCEEDED,
    TransactionKind.PENDING: PaymentOutcome.OPEN,
    TransactionKind.ACTION_TO_CONFIRM: PaymentOutcome.OPEN,
    TransactionKind.CAPTURE_FAILED: PaymentOutcome.REFUSED,
}
VOUCHER: Final = DiscountType.VOUCHER
# Since 3.23 a shop may let every warehouse of a channel count.
KNOWS_ZONES: Final = (
    "include_shipping_zones" in signature(check_stock_and_preorder_quantity_bulk).parameters
)


def of(keys: Collection[str]) -> list[CheckoutLook]:
    """Return where these checkouts stand: some thirty queries each."""
    found = rows.checkouts().prefetch_related("payment_transactions__events").filter(pk__in=keys)
    is_up_to_apps = delivery.is_up_to_apps()
    return [_look(row, is_up_to_apps=is_up_to_apps) for row in found]


def _look(row: Any, *, is_up_to_apps: bool) -> CheckoutLook:
    plain = look_of(rows.checkout_of(row))
    try:
        with _leaving_no_trace():
            return _whole(row, plain, is_up_to_apps=is_up_to_apps)
    except DatabaseError:
        raise
    except Exception:
        # Whatever one checkout makes Saleor stumble over, the others are looked at.
        telemetry.trouble(telemetry.Log.LOOK_FAILED)
        return plain


@contextmanager
def _leaving_no_trace() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def _whole(row: Any, plain: CheckoutLook, *, is_up_to_apps: bool) -> CheckoutLook:
    lines, not_for_sale = fetch_checkout_lines(row)
    info = fetch_checkout_info(row, lines, manager=None)
    info.allow_sync_webhooks = False
    way = delivery.of(row, info, is_up_to_apps=is_up_to_apps)
    needs_delivery = any(line.product_type.is_shipping_required for line in lines)
    address = row.shipping_address_id if needs_delivery else row.billing_address_id
    left = dict.fromkeys(not_for_sale, 0) | _left(info, lines, way.chosen, not_for_sale)
    return replace(
        plain,
        lines=tuple(_line(row, info, line, left) for line in lines),
        has_address=address is not None,
        needs_delivery=needs_delivery,
        has_delivery=way.is_offered,
        delivery_methods=way.count,
        payments=tuple(_payments(row)),
        voucher_counts=_voucher_counts(row, info, lines, way),
    )


def _line(row: Any, info: Any, line: Any, left: dict[int, int]) -> LineLook:
    return LineLook(
        variant_id=global_id("ProductVariant", line.variant.pk),
        quantity=line.line.quantity,
        unit_price=_unit_price(row, info, line),
        is_available=line.variant.pk not in left,
        left=left.get(line.variant.pk),
    )


def _unit_price(row: Any, info: Any, line: Any) -> Decimal | None:
    """Return the price of one as Saleor would work it out now, where that can be told."""
    paid, pieces = line.line.total_price_gross_amount, line.line.quantity
    if not (rows.is_priced(row) and paid and pieces):
        return None
    unit: Decimal = paid / pieces
    before, now = _list_price_then(line), line.variant_discounted_price.amount
    if before == now:
        return unit
    # What a code or a discount of the whole takes off the new price, only Saleor can tell.
    if not before or row.voucher_code or info.discounts:
        return None
    return Decimal(unit * now / before)


def _list_price_then(line: Any) -> Decimal:
    """Return what one cost, before tax and codes, when Saleor last worked the price out."""
    off = sum((one.amount_value for one in line.discounts if one.type != VOUCHER), Decimal(0))
    price: Decimal = line.line.undiscounted_unit_price_amount - off / line.line.quantity
    return price


def _left(
    info: Any, lines: Sequence[Any], chosen: Any, not_for_sale: Collection[int]
) -> dict[int, int]:
    """Return how many pieces there are of each variant of which more are in the checkout."""
    pieces: dict[Any, int] = {}
    for line in lines:
        if line.variant.pk not in not_for_sale:
            pieces[line.variant] = pieces.get(line.variant, 0) + line.line.quantity
    left: dict[int, int] = {}
    for variant, wanted in pieces.items():
        limit = variant.quantity_limit_per_customer
        if limit and wanted > limit:
            left[variant.pk] = pieces[variant] = limit
    # Apart, because Saleor stops at the first kind of which there is too little.
    for is_preorder in (False, True):
        some = {key: n for key, n in pieces.items() if key.is_preorder_active() is is_preorder}
        for variant, there in _short(info, some, lines, chosen).items():
            left[variant] = min(there, left.get(variant, there))
    return left


def _short(info: Any, pieces: dict[Any, int], lines: Sequence[Any], chosen: Any) -> dict[int, int]:
    zones = {"include_shipping_zones": catalogue.counts_by_zone()} if KNOWS_ZONES else {}
    try:
        check_stock_and_preorder_quantity_bulk(
            list(pieces),
            info.get_country(),
            list(pieces.values()),
            info.channel.slug,
            global_quantity_limit=None,
            delivery_method_info=chosen,
            additional_filter_lookup=chosen.get_warehouse_filter_lookup(),
            existing_lines=lines,
            replace=True,
            check_reservations=True,
            **zones,
        )
    except InsufficientStock as error:
        return {item.variant.pk: max(item.available_quantity, 0) for item in error.items}
    return {}


def _voucher_counts(row: Any, info: Any, lines: Sequence[Any], way: Delivery) -> bool | None:
    """Tell whether the code that is in is accepted; None where there is none, or not yet."""
    if not (row.voucher_code and lines):
        return None
    voucher = info.voucher
    if voucher is None:
        return False
    # It waits for a way to send things; where that is chosen, it is checked with it.
    if voucher.type == VoucherType.SHIPPING and not way.is_offered:
        return None
    address = row.shipping_address or row.billing_address
    try:
        get_voucher_discount_for_checkout(None, voucher, info, lines, address)
    except NotApplicable:
        return False
    return True


def _payments(row: Any) -> Iterator[PaymentTry]:
    for transaction_ in row.payment_transactions.all():
        yield from _or_begun(transaction_.created_at, _events(transaction_))
    for payment in row.payments.all():
        yield from _or_begun(payment.created_at, _steps(payment))


def _or_begun(created_at: Any, tries: Iterable[PaymentTry]) -> Iterable[PaymentTry]:
    return list(tries) or [PaymentTry(created_at, PaymentOutcome.OPEN)]


def _events(transaction_: Any) -> Iterator[PaymentTry]:
    for event in transaction_.events.all():
        if outcome := BY_EVENT.get(event.type):
            yield PaymentTry(event.created_at, outcome)


def _steps(payment: Any) -> Iterator[PaymentTry]:
    for step in payment.transactions.all():
        if outcome := BY_KIND.get(step.kind):
            if not step.is_success:
                outcome = PaymentOutcome.REFUSED
            elif step.action_required:
                outcome = PaymentOutcome.OPEN
            yield PaymentTry(step.created_at, outcome)
