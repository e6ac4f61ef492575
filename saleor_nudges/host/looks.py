"""What a shop tells of a checkout when somebody asks where it stands.

Everything that is None was not asked, or the shop does not know it: it is never a no.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class PaymentOutcome(StrEnum):
    """What became of one try to pay."""

    OPEN = "OPEN"  # begun, waits for the bank or for the shopper
    REFUSED = "REFUSED"
    SUCCEEDED = "SUCCEEDED"


@dataclass(frozen=True, slots=True)
class PaymentTry:
    """One try to pay, at an aware time."""

    at: datetime
    outcome: PaymentOutcome


@dataclass(frozen=True, slots=True)
class LineLook:
    """One line: its variant's global id, pieces, gross price of one, whether it can be bought so.

    `left` is how many pieces of the variant can be bought, told where that is fewer than are in.
    """

    variant_id: str
    quantity: int
    unit_price: Decimal | None = None
    is_available: bool | None = None
    left: int | None = None


@dataclass(frozen=True, slots=True)
class CheckoutLook:
    """A checkout as it stands now. `id` is a bearer secret.

    `has_address`: where it is sent to; of the bill, where nothing is sent. `has_delivery`: a method
    or a place to fetch it is chosen *and* is still offered. `delivery_methods`: how many methods
    and places can be chosen. `voucher`: a keyed name of the code that is in, never the code; ""
    for none. `voucher_counts`: whether that code is accepted for this checkout as it is now.
    """

    id: str
    changed_at: datetime
    lines: tuple[LineLook, ...]
    currency: str = ""
    # Of the delivery address, else of that of the bill.
    country: str = ""
    has_contact: bool | None = None
    has_address: bool | None = None
    needs_delivery: bool | None = None
    has_delivery: bool | None = None
    delivery_methods: int | None = None
    payments: tuple[PaymentTry, ...] | None = None
    voucher: str | None = None
    voucher_counts: bool | None = None
