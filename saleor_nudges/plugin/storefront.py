"""A fresh checkout through Saleor's own public API, as any storefront would open it."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from saleor.graphql.api import backend, schema
from saleor.graphql.context import get_context_value

from saleor_nudges.events import Line
from saleor_nudges.exceptions import HostUnavailable, NotFound

# Saleor's own limit of a page; no shopper has so many lines.
MOST_LINES: Final = 100
BUYABLE: Final = """
query NudgesBuyable($ids: [ID!], $channel: String!, $first: Int!) {
  productVariants(first: $first, channel: $channel, ids: $ids) {
    edges { node { id quantityAvailable } }
  }
}
"""
CREATE: Final = """
mutation NudgesCheckoutCreate($input: CheckoutCreateInput!) {
  checkoutCreate(input: $input) { checkout { id } errors { field code } }
}
"""
ADD: Final = """
mutation NudgesCheckoutLinesAdd($id: ID!, $lines: [CheckoutLineInput!]!) {
  checkoutLinesAdd(id: $id, lines: $lines) { checkout { id } errors { field code } }
}
"""
PUT_CODE: Final = """
mutation NudgesCheckoutAddPromoCode($id: ID!, $code: String!) {
  checkoutAddPromoCode(id: $id, promoCode: $code) { checkout { id } errors { field code } }
}
"""
TAKE_CODE: Final = """
mutation NudgesCheckoutRemovePromoCode($id: ID!, $code: String!) {
  checkoutRemovePromoCode(id: $id, promoCode: $code) { checkout { id } errors { field code } }
}
"""
PRICED: Final = """
query NudgesPriced($id: ID!) {
  checkout(id: $id) { voucherCode totalPrice { gross { amount } } }
}
"""


class _RefusedError(Exception):
    """Saleor has answered with errors: what it may have begun is undone."""


def buyable(channel: str, lines: Sequence[Line]) -> dict[str, int]:
    """Return how many pieces of each variant any shopper could buy now."""
    amounts: dict[str, int] = {}
    for line in lines[:MOST_LINES]:
        amounts[line.variant_id] = amounts.get(line.variant_id, 0) + line.quantity
    variables = {"ids": list(amounts), "channel": channel, "first": MOST_LINES}
    try:
        edges = (_run(BUYABLE, variables).get("productVariants") or {}).get("edges") or ()
    except _RefusedError:
        raise HostUnavailable("The shop does not say what it sells now.") from None
    left = {edge["node"]["id"]: edge["node"]["quantityAvailable"] for edge in edges}
    found = {
        key: amount if left[key] is None else min(amount, left[key])
        for key, amount in amounts.items()
        if key in left
    }
    return {key: amount for key, amount in found.items() if amount > 0}


def open_checkout(
    channel: str, lines: Sequence[Line], language: str, metadata: Mapping[str, str]
) -> str:
    """Return the global id of a new checkout with what of the lines can be bought.

    Raises NotFound if nothing is left, HostUnavailable if Saleor opens none.
    """
    amounts = buyable(channel, lines)
    if not amounts:
        raise NotFound("None of the products can be bought any more.")
    wanted = [{"variantId": key, "quantity": amount} for key, amount in amounts.items()]
    basis: dict[str, Any] = {"channel": channel, "lines": []}
    if language in dict(settings.LANGUAGES):
        basis["languageCode"] = language.upper().replace("-", "_")
    if metadata:
        basis["metadata"] = [{"key": key, "value": metadata[key]} for key in metadata]
    if found := _checkout(CREATE, {"input": {**basis, "lines": wanted}}, "checkoutCreate"):
        return found
    # One line is enough to refuse them all, so they are tried one by one.
    fresh = _checkout(CREATE, {"input": basis}, "checkoutCreate")
    if not fresh:
        raise HostUnavailable("The shop opens no checkout now.")
    added = [_checkout(ADD, {"id": fresh, "lines": [line]}, "checkoutLinesAdd") for line in wanted]
    if not any(added):
        raise NotFound("None of the products can be bought any more.")
    return fresh


def put_code(checkout_id: str, code: str) -> bool:
    """Put a code on a checkout as its shopper would; False if Saleor does not take it.

    Nor does it stay on where it makes nothing cheaper: a promotion of the shop may give more, and
    Saleor drops that for a code.
    """
    about = {"id": checkout_id, "code": code}
    before = _priced(checkout_id)
    if before.get("voucherCode") == code:
        return True
    if not _checkout(PUT_CODE, about, "checkoutAddPromoCode"):
        return False
    after = _priced(checkout_id)
    if not (before and after) or _total(after) < _total(before):
        return True
    _checkout(TAKE_CODE, about, "checkoutRemovePromoCode")
    return False


def _priced(checkout_id: str) -> dict[str, Any]:
    """Return what a checkout costs now, and its code; nothing where Saleor does not say."""
    try:
        return _run(PRICED, {"id": checkout_id}).get("checkout") or {}
    except _RefusedError:
        return {}


def _total(priced: dict[str, Any]) -> Decimal:
    return Decimal(str(priced["totalPrice"]["gross"]["amount"]))


def _checkout(query: str, variables: dict[str, Any], field: str) -> str:
    """Run a mutation; return the checkout's id, or nothing if it is refused."""
    try:
        answer = _run(query, variables, field)[field]
    except _RefusedError:
        return ""
    return str((answer.get("checkout") or {}).get("id") or "")


def _run(query: str, variables: dict[str, Any], field: str = "") -> dict[str, Any]:
    """Return what Saleor answers an anonymous storefront; raises _RefusedError."""
    # In a savepoint: an error inside must not spoil the transaction it was asked in.
    with transaction.atomic():
        result = schema.execute(
            query,
            root=None,
            variables=variables,
            context=get_context_value(_anonymous()),
            backend=backend,
        )
        data: dict[str, Any] = result.data or {}
        if result.errors or (field and (data.get(field) or {"errors": True}).get("errors")):
            raise _RefusedError
    return data


def _anonymous() -> HttpRequest:
    request = HttpRequest()
    request.method = "POST"
    request.path = "/graphql/"
    request.META |= {"SERVER_NAME": "localhost", "SERVER_PORT": "80", "REMOTE_ADDR": "127.0.0.1"}
    # What Saleor finds out itself only at its own address: no app is asking.
    request.app = None  # type: ignore[attr-defined]
    request.allow_replica = False  # type: ignore[attr-defined]
    return request
