"""An order arrived: the voucher it was placed with, if it is one of ours."""

from typing import Final

from django.db.models import Q

from saleor_nudges.events import Cart
from saleor_nudges.models import RecoveryVoucher, SeenOrder, Shop, VoucherState

# What may still become of a voucher; of one that the shop calls used the order was not known yet.
OPEN: Final = (
    VoucherState.RESERVED,
    VoucherState.MINTED,
    VoucherState.VOIDING,
    VoucherState.VOID,
)


def note(shop: Shop, order: SeenOrder, cart: Cart | None) -> None:
    """Write down with which of our vouchers an order was placed, as far as the shop tells.

    A shop that does not tell is asked when the code is to be voided: it keeps what was used.
    """
    if cart is None or not cart.voucher:
        return
    unknown = Q(state__in=OPEN) | Q(state=VoucherState.USED, order__isnull=True)
    RecoveryVoucher.objects.of(shop).filter(unknown, code_hash=cart.voucher).update(
        state=VoucherState.USED, reason="", order=order, retry_at=None
    )
