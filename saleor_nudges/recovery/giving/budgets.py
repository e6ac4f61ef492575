"""How much a day may give away: taken and given back by one statement each, side by side."""

from decimal import Decimal
from typing import Any, Final

from django.db import connection
from django.db.models import F

from saleor_nudges.events.identity import uuid7
from saleor_nudges.models import RecoveryVoucher, VoucherBudget

# Whoever comes second waits for the first one's row, and is then judged by what is in it.
TAKE: Final = """
    INSERT INTO saleor_nudges_voucherbudget AS budget (
        id, created_at, shop_id, currency, day, given)
    SELECT %(id)s, now(), %(shop)s, %(currency)s, %(day)s, %(worth)s
    WHERE %(worth)s <= %(most)s
    ON CONFLICT (shop_id, currency, day) DO UPDATE SET given = budget.given + excluded.given
    WHERE budget.given + excluded.given <= %(most)s
"""


def take(given: RecoveryVoucher, most: Decimal) -> bool:
    """Take a voucher's worth from its day; False, and nothing taken, if `most` does not reach."""
    values: dict[str, Any] = {
        "id": uuid7(),
        "shop": given.shop_id,
        "currency": given.currency,
        "day": given.day,
        "worth": given.worth,
        "most": most,
    }
    with connection.cursor() as cursor:
        cursor.execute(TAKE, values)
        return bool(cursor.rowcount)


def give_back(given: RecoveryVoucher) -> None:
    """Give a voucher's worth back to its day: nothing was, or will be, given off."""
    day = VoucherBudget.objects.of(given.shop_id).filter(currency=given.currency, day=given.day)
    day.update(given=F("given") - given.worth)
