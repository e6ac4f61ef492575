"""Who gets a voucher: nobody who had one lately, and nobody who leaves checkouts to get one."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

# One order with a voucher is what it is for; two in a row, and they wait for the next one.
ONLY_WITH: Final = 2
# Somebody who had one and leaves a checkout more than once a week is not forgetful.
LEFT_OFTEN: Final = 3
LATELY: Final = timedelta(days=30)


class Refusal(StrEnum):
    """Why a step's voucher was not given."""

    NO_PERSON = "NO_PERSON"  # nobody is known by whom one could be counted
    CURRENCY = "CURRENCY"  # there is no budget in this currency
    FLOOR = "FLOOR"  # the goods are worth too little, or their price is not known
    HAS_CODE = "HAS_CODE"  # a code is in the checkout already, and Saleor takes one only
    HAD_ONE = "HAD_ONE"  # they had one within `oncePerSeconds`
    ONLY_WITH = "ONLY_WITH"  # their last orders were all placed with a voucher of ours
    LEAVES_OFTEN = "LEAVES_OFTEN"  # they had one, and leave checkout after checkout since
    BUDGET = "BUDGET"  # the day's budget does not reach


@dataclass(frozen=True, slots=True)
class History:
    """What is known of a person, whoever of their rows it is written at.

    `last_at`: when a message last promised them one; None for never. `with_ours`: for each of their
    orders that stand, newest first, whether it was placed with a voucher of ours. `left`: how many
    other checkouts they started LATELY and did not buy from by themselves.
    """

    last_at: datetime | None = None
    with_ours: tuple[bool, ...] = ()
    left: int = 0


def refusal(history: History, now: datetime, once_per: timedelta) -> Refusal | None:
    """Return why a person gets none now; None if they may have one.

    Who never had one is refused for nothing they did: they cannot be after what they do not know.
    Each refusal ends by itself: with time, with an order placed without a voucher, or once fewer
    checkouts are left.
    """
    if history.last_at is None:
        return None
    if now < history.last_at + once_per:
        return Refusal.HAD_ONE
    newest = history.with_ours[:ONLY_WITH]
    if len(newest) == ONLY_WITH and all(newest):
        return Refusal.ONLY_WITH
    return Refusal.LEAVES_OFTEN if history.left >= LEFT_OFTEN else None
