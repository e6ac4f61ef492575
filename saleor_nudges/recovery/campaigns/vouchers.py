"""What a step may give away: how much, for how long, and the limits that keep it from costing much.

The rule only; codes are minted when a message goes, and never stand in one.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.recovery.campaigns import reading

SHORTEST_LIFE, LONGEST_LIFE = timedelta(hours=1), timedelta(days=90)
# Who gets a voucher each time they leave a checkout, leaves a checkout to get one.
USUAL_REST: Final = timedelta(days=90)
SHORTEST_REST, LONGEST_REST = timedelta(days=1), timedelta(days=3650)
# With more there would be nothing to pay.
MOST_PERCENT: Final = 99
FIELDS: Final = ("percent", "amount", "expiresSeconds", "dailyBudget", "floor", "oncePerSeconds")

Amounts = tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True, slots=True)
class Voucher:
    """Single-use, once per customer, for a checkout in a currency of `daily_budget` only.

    Either `percent` or `amount` by currency is given off. `expires` counts from the message.
    `daily_budget`: in each currency, at most so much is given off by all codes of a day. `floor`:
    a checkout worth less gets none. `once_per`: a person gets the next one at least so much later.
    """

    expires: timedelta
    daily_budget: Amounts
    percent: int | None = None
    amount: Amounts = ()
    floor: Amounts = ()
    once_per: timedelta = USUAL_REST

    def worth(self, total: Decimal, currency: str) -> Decimal | None:
        """Return what a checkout of this total would be given off; None if it gets no voucher."""
        if currency not in dict(self.daily_budget) or total < dict(self.floor).get(currency, 0):
            return None
        if self.percent is not None:
            return total * self.percent / 100
        return dict(self.amount).get(currency)


def parse(source: object, path: str) -> Voucher | None:
    """Return the rule that a JSON-like object holds; None for none. Raises InvalidInput."""
    if source is None:
        return None
    found = reading.table(source, path, known=FIELDS)
    amounts = {
        name: reading.by_currency(found[name], f"{path}.{name}") if name in found else ()
        for name in ("amount", "dailyBudget", "floor")
    }
    percent = found.get("percent")
    rest = found.get("oncePerSeconds", int(USUAL_REST.total_seconds()))
    life = f"{path}.expiresSeconds"
    voucher = Voucher(
        expires=reading.seconds(
            found.get("expiresSeconds"), life, least=SHORTEST_LIFE, most=LONGEST_LIFE
        ),
        daily_budget=amounts["dailyBudget"],
        percent=None
        if percent is None
        else reading.whole(percent, f"{path}.percent", least=1, most=MOST_PERCENT),
        amount=amounts["amount"],
        floor=amounts["floor"],
        once_per=reading.seconds(
            rest, f"{path}.oncePerSeconds", least=SHORTEST_REST, most=LONGEST_REST
        ),
    )
    _check(voucher, path)
    return voucher


def dump(voucher: Voucher) -> dict[str, Any]:
    """Return a rule as `parse` reads it, fit for JSON."""
    amounts = (
        ("amount", voucher.amount),
        ("dailyBudget", voucher.daily_budget),
        ("floor", voucher.floor),
    )
    percent = {} if voucher.percent is None else {"percent": voucher.percent}
    return {
        **percent,
        **{name: {code: f"{given:f}" for code, given in held} for name, held in amounts if held},
        "expiresSeconds": int(voucher.expires.total_seconds()),
        "oncePerSeconds": int(voucher.once_per.total_seconds()),
    }


def _check(voucher: Voucher, path: str) -> None:
    if (voucher.percent is None) == (not voucher.amount):
        raise InvalidInput("Say percent or amount, one of them.", field=path)
    budget, floor = dict(voucher.daily_budget), dict(voucher.floor)
    if not budget:
        raise InvalidInput("Say how much may be given away a day.", field=f"{path}.dailyBudget")
    for code, given in voucher.amount:
        here = f"{path}.amount.{code}"
        if not given:
            raise InvalidInput("Nothing off is no voucher.", field=here)
        if given > budget.get(code, Decimal(0)):
            raise InvalidInput("The daily budget does not reach for one.", field=here)
        if given >= floor.get(code, Decimal(0)):
            raise InvalidInput("The floor lies above it, or the goods are free.", field=here)
