"""A fresh checkout through Saleor's own public API, as any storefront would open it."""

from collections.abc import Sequence
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest
from saleor.graphql.api import backend, schema
from saleor.graphql.context import get_context_value

from saleor_nudges.events import Line
from saleor_nudges.exceptions import HostUnavailable, NotFound

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


def open_checkout(channel: str, lines: Sequence[Line], language: str) -> str:
    """Return the global id of a new checkout with what of the lines can be bought.

    Raises NotFound if nothing is left, HostUnavailable if Saleor opens none.
    """
    if not lines:
        raise NotFound("There is nothing to buy again.")
    wanted = [{"variantId": line.variant_id, "quantity": line.quantity} for line in lines]
    basis: dict[str, Any] = {"channel": channel, "lines": []}
    if language in dict(settings.LANGUAGES):
        basis["languageCode"] = language.upper().replace("-", "_")
    if found := _run(CREATE, {"input": {**basis, "lines": wanted}}, "checkoutCreate"):
        return found
    # One line is enough to refuse them all, so they are tried one by one.
    fresh = _run(CREATE, {"input": basis}, "checkoutCreate")
    if not fresh:
        raise HostUnavailable("The shop opens no checkout now.")
    added = [_run(ADD, {"id": fresh, "lines": [line]}, "checkoutLinesAdd") for line in wanted]
    if not any(added):
        raise NotFound("None of the products can be bought any more.")
    return fresh


def _run(query: str, variables: dict[str, Any], field: str) -> str:
    """Run a mutation as an anonymous storefront; return the checkout's id, or nothing."""
    result = schema.execute(
        query,
        root=None,
        variables=variables,
        context=get_context_value(_anonymous()),
        backend=backend,
    )
    answer = (result.data or {}).get(field) or {}
    if result.errors or answer.get("errors"):
        return ""
    return str((answer.get("checkout") or {}).get("id") or "")


def _anonymous() -> HttpRequest:
    request = HttpRequest()
    request.method = "POST"
    request.path = "/graphql/"
    request.META |= {"SERVER_NAME": "localhost", "SERVER_PORT": "80", "REMOTE_ADDR": "127.0.0.1"}
    # What Saleor finds out itself only at its own address: no app is asking.
    request.app = None  # type: ignore[attr-defined]
    request.allow_replica = False  # type: ignore[attr-defined]
    return request
