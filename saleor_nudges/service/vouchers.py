"""Vouchers through the shop's API, with our token; put on as any guest would put one on."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from saleor_nudges.exceptions import HostUnavailable
from saleor_nudges.host.vouchers import MARK, NAME, NewVoucher
from saleor_nudges.manifest import FOR_VOUCHERS
from saleor_nudges.service import documents

Json = dict[str, Any]
Ask = Callable[[str, Json], Json]


def may_make(ask: Ask) -> bool:
    """Tell whether the shop has given the App the permission."""
    app = ask(documents.MAY, {})["app"] or {}
    return FOR_VOUCHERS in {one["code"] for one in app.get("permissions") or ()}


def make(ask: Ask, wanted: NewVoucher) -> None:
    """Make a voucher in three steps; what was begun before and not finished is gone on with.

    Until it is listed in its channel nobody can use it. Raises HostUnavailable.
    """
    channel = ask(documents.CHANNEL, {"slug": wanted.channel})["channel"]
    if not channel or channel["currencyCode"] != wanted.currency:
        raise HostUnavailable("The channel is gone, or in another currency.")
    found = _of(ask, wanted.code)
    key = found["id"] if found else _made(ask, wanted)
    if not (found and found["mark"]):
        mark = {"id": key, "input": [{"key": MARK, "value": "true"}]}
        _done(ask, documents.MARK_VOUCHER, mark, "updatePrivateMetadata")
    listing: Json = {
        "channelId": channel["id"],
        "discountValue": str(wanted.amount if wanted.percent is None else wanted.percent),
    }
    if wanted.floor:
        listing["minAmountSpent"] = str(wanted.floor)
    variables = {"id": key, "input": {"addChannels": [listing]}}
    _done(ask, documents.LIST_VOUCHER, variables, "voucherChannelListingUpdate")


def put(ask: Ask, checkout_id: str, code: str) -> bool:
    """Put a code on a checkout; False if the shop does not take it for this one.

    Nor does it stay on where it makes nothing cheaper: a promotion of the shop may give more, and
    Saleor drops that for a code.
    """
    about = {"id": checkout_id, "code": code}
    before = ask(documents.PRICED, {"id": checkout_id})["checkout"]
    if before is None or before["voucherCode"] == code:
        return before is not None
    if ask(documents.PUT_CODE, about)["checkoutAddPromoCode"]["errors"]:
        return False
    after = ask(documents.PRICED, {"id": checkout_id})["checkout"]
    if _total(after) < _total(before):
        return True
    _done(ask, documents.TAKE_CODE, about, "checkoutRemovePromoCode")
    return False


def end(ask: Ask, code: str) -> bool:
    """Delete a code that we made, with its voucher, unless it was used; tell whether it was."""
    if (voucher := _of(ask, code)) is None:
        return False
    # The shop counts it from the moment its order is being paid.
    if any(one["used"] or not one["isActive"] for one in _codes(voucher)):
        return True
    _done(ask, documents.DELETE_VOUCHER, {"id": voucher["id"]}, "voucherDelete")
    return False


def code_of(ask: Ask, checkout_id: str) -> str:
    """Return the code that is on a checkout; "" for none."""
    found = ask(documents.CODE_OF, {"id": checkout_id})["checkout"] or {}
    return str(found.get("voucherCode") or "")


def _made(ask: Ask, wanted: NewVoucher) -> str:
    asked = {
        "type": "ENTIRE_ORDER",
        "name": NAME,
        "addCodes": [wanted.code],
        "discountValueType": "FIXED" if wanted.percent is None else "PERCENTAGE",
        "usageLimit": 1,
        "singleUse": True,
        "applyOncePerCustomer": True,
        "endDate": wanted.ends_at.isoformat(),
    }
    made = _done(ask, documents.MAKE_VOUCHER, {"input": asked}, "voucherCreate")
    return str(made["voucher"]["id"])


def _of(ask: Ask, code: str) -> Json | None:
    """Return the voucher of exactly this one code."""
    for edge in ask(documents.VOUCHERS, {"code": code})["vouchers"]["edges"]:
        found: Json = edge["node"]
        if [one["code"] for one in _codes(found)] == [code]:
            return found
    return None


def _total(priced: Json) -> Decimal:
    return Decimal(str(priced["totalPrice"]["gross"]["amount"]))


def _codes(voucher: Json) -> list[Json]:
    return [edge["node"] for edge in voucher["codes"]["edges"]]


def _done(ask: Ask, query: str, variables: Json, field: str) -> Json:
    answer: Json = ask(query, variables)[field]
    if errors := answer["errors"]:
        # Only the error's name: its text could repeat the code.
        raise HostUnavailable(f"The shop answered {errors[0]['code']} to {field}.")
    return answer
