"""Vouchers in Saleor's own tables. Its mutations would ask who is signed in: nobody is, here."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import transaction
from saleor.channel.models import Channel
from saleor.discount import DiscountValueType, VoucherType
from saleor.discount.models import Voucher, VoucherChannelListing, VoucherCode
from saleor.plugins.manager import get_plugins_manager

from saleor_nudges import telemetry
from saleor_nudges.exceptions import HostUnavailable
from saleor_nudges.host.vouchers import MARK, NAME, NewVoucher


def make(wanted: NewVoucher) -> None:
    """Make a voucher, as `voucherCreate` and `voucherChannelListingUpdate` would.

    One whose code exists is left as it is. Raises HostUnavailable where the channel is gone, or is
    in another currency by now.
    """
    if VoucherCode.objects.filter(code=wanted.code).exists():
        return
    channel = Channel.objects.filter(slug=wanted.channel, currency_code=wanted.currency).first()
    if channel is None:
        raise HostUnavailable("The channel is gone, or in another currency.")
    is_percent = wanted.percent is not None
    with transaction.atomic():
        voucher = Voucher.objects.create(
            type=VoucherType.ENTIRE_ORDER,
            name=NAME,
            usage_limit=1,
            single_use=True,
            apply_once_per_customer=True,
            end_date=wanted.ends_at,
            discount_value_type=(
                DiscountValueType.PERCENTAGE if is_percent else DiscountValueType.FIXED
            ),
            private_metadata={MARK: "true"},
        )
        code = VoucherCode.objects.create(voucher=voucher, code=wanted.code)
        VoucherChannelListing.objects.create(
            voucher=voucher,
            channel=channel,
            currency=wanted.currency,
            discount_value=wanted.percent if is_percent else wanted.amount,
            min_spent_amount=wanted.floor or None,
        )
    _tell("voucher_codes_created", [code])
    _tell("voucher_created", voucher, wanted.code)


def end(code: str) -> bool:
    """Delete a code that we made, with its voucher, unless it was used; tell whether it was."""
    with transaction.atomic():
        ours = VoucherCode.objects.filter(code=code, voucher__private_metadata__has_key=MARK)
        row = ours.select_for_update(of=("self",)).select_related("voucher").first()
        if row is None:
            return False
        # Saleor counts it from the moment its order is being paid.
        if row.used or not row.is_active:
            return True
        voucher, key = row.voucher, row.voucher.pk
        voucher.delete()
    # As Saleor does: who is told of it still asks for its key.
    voucher.pk = key
    _tell("voucher_deleted", voucher, code)
    return False


def _tell(event: str, *about: Any) -> None:
    """Tell the shop's apps, once it is committed, as Saleor's own mutations do."""
    transaction.on_commit(partial(_quietly, event, about))


def _quietly(event: str, about: tuple[Any, ...]) -> None:
    # The voucher stands, and its shopper goes on, whoever could not be told.
    try:
        tell: Callable[..., Any] = getattr(get_plugins_manager(allow_replica=False), event)
        tell(*about)
    except Exception as error:
        # Only the error's kind: its text could repeat the code.
        telemetry.log(telemetry.Log.VOUCHER_FAILED, error=type(error).__name__)
