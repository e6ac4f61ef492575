"""What is said of a voucher: in a message, and to the seller. Never its code."""

from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from babel import Locale, UnknownLocaleError
from babel.dates import format_datetime
from babel.numbers import get_currency_precision

from saleor_nudges.models import RecoveryVoucher, VoucherState
from saleor_nudges.recovery.rules.deserving import Refusal
from saleor_nudges.recovery.rules.hours import clock_of

FALLBACK: Final = "en"
# With its zone: the reader's clock may be another one.
MOMENT: Final = "d MMMM y, HH:mm z"


class Trouble(StrEnum):
    """Why a voucher is not on a checkout it was promised for."""

    SHOP = "SHOP"  # the shop could not be asked, or did not let us
    NOT_TAKEN = "NOT_TAKEN"  # the shop does not take it for what is in the checkout


class End(StrEnum):
    """Why a voucher is over that nobody used."""

    EXPIRED = "EXPIRED"  # its time is up
    ORDERED = "ORDERED"  # they bought without it
    ERASED = "ERASED"  # the person was erased


WHY: Final[dict[str, str]] = {
    Refusal.NO_PERSON: "nobody is known to count it by",
    Refusal.CURRENCY: "no budget in this currency",
    Refusal.FLOOR: "the goods are worth too little",
    Refusal.HAS_CODE: "a code is in the checkout already",
    Refusal.HAD_ONE: "they had one lately",
    Refusal.ONLY_WITH: "their last orders all had one",
    Refusal.LEAVES_OFTEN: "they leave checkout after checkout",
    Refusal.BUDGET: "the day's budget did not reach",
    Trouble.SHOP: "the shop did not make it or take it; the next tap tries again",
    Trouble.NOT_TAKEN: "the shop does not take it for what is in the fresh checkout",
    End.EXPIRED: "its time is up",
    End.ORDERED: "they bought without it",
    End.ERASED: "they were erased",
}
STANDS: Final[dict[str, str]] = {
    VoucherState.WITHHELD: "no voucher",
    VoucherState.RESERVED: "a voucher is promised",
    VoucherState.MINTED: "a voucher lies in the shop",
    VoucherState.USED: "its voucher was used",
    VoucherState.VOIDING: "its voucher is being voided",
    VoucherState.VOID: "its voucher is over",
}


def facts(given: RecoveryVoucher | None, timezone: str, language: str) -> dict[str, Any] | str:
    """Return what a template may say of one: `off`, `percent`, `amount`, `floor` and `expires`.

    "" for none: in a template that is false, as every empty value. The time is said by the clock
    of `timezone`, in the language.
    """
    if given is None:
        return ""
    amount = "" if given.percent is not None else money(given.worth, given.currency)
    return {
        "off": amount or f"{given.percent} %",
        "percent": given.percent or "",
        "amount": amount,
        "floor": money(given.floor, given.currency) if given.floor else "",
        "expires": format_datetime(
            given.expires_at,
            "d MMMM y, HH:mm z",
            tzinfo=clock_of(timezone),
            locale=_known(language),
        ),
    }


def money(amount: Decimal, currency: str) -> str:
    """Return an amount with its currency."""
    return f"{amount:.{get_currency_precision(currency)}f} {currency}"


def told(given: RecoveryVoucher) -> str:
    """Return where a voucher stands, in words for the seller."""
    why = WHY.get(given.reason, "")
    worth = f" of {money(given.worth, given.currency)}" if given.worth else ""
    return f"{STANDS[given.state]}{worth}{f' ({why})' if why else ''}"


def _known(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale.parse(FALLBACK)
