"""A voucher that the shop is to make for us."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

# What the shop's Dashboard calls it. A storefront shows it beside what is taken off.
NAME: Final = "Welcome back"
# The key of the shop's own private metadata by which it is known for ours.
MARK: Final = "saleor-nudges.recovery"


@dataclass(frozen=True, slots=True)
class NewVoucher:
    """One code for one order: single-use, once per customer, in one channel, until `ends_at`.

    Either `percent` or `amount` is taken off the goods, which must be worth `floor`, both in the
    channel's `currency`. The code is a secret: it stands in no log and in no error.
    """

    code: str = field(repr=False)
    channel: str
    currency: str
    ends_at: datetime
    percent: int | None = None
    amount: Decimal | None = None
    floor: Decimal = Decimal(0)
