"""A fresh checkout through the shop's public API, as any guest would open it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from saleor_nudges.events import Line
from saleor_nudges.exceptions import NotFound
from saleor_nudges.service import documents
from saleor_nudges.webhooks import payloads

Json = dict[str, Any]
# A question and its variables; it is asked without our token.
Ask = Callable[[str, Json], Json]

# Saleor's own limit of a page; no shopper has so many lines.
MOST_LINES: Final = 100


def buyable(ask: Ask, channel: str, lines: Sequence[Line]) -> dict[str, int]:
    """Return how many pieces of each variant any shopper could buy now."""
    amounts: dict[str, int] = {}
    for line in lines[:MOST_LINES]:
        amounts[line.variant_id] = amounts.get(line.variant_id, 0) + line.quantity
    variables = {"ids": list(amounts), "channel": channel, "first": MOST_LINES}
    answer = ask(documents.BUYABLE, variables)["productVariants"]
    nodes = [edge["node"] for edge in answer["edges"]] if answer else []
    known = {node["id"]: node["quantityAvailable"] for node in nodes}
    left = {
        key: amount if known[key] is None else min(amount, known[key])
        for key, amount in amounts.items()
        if key in known
    }
    return {key: amount for key, amount in left.items() if amount > 0}


def open_checkout(
    ask: Ask, channel: str, lines: Sequence[Line], language: str, metadata: Mapping[str, str]
) -> str:
    """Return the global id of a new checkout with what can be bought; raises NotFound."""
    amounts = buyable(ask, channel, lines)
    basis: Json = {"channel": channel, "languageCode": payloads.language_enum(language)}
    if metadata:
        basis["metadata"] = [{"key": key, "value": metadata[key]} for key in metadata]
    while amounts:
        wanted = [{"variantId": key, "quantity": amount} for key, amount in amounts.items()]
        variables = {"input": {**basis, "lines": wanted}}
        made = ask(documents.NEW_CHECKOUT, variables)["checkoutCreate"]
        if made["checkout"]:
            return str(made["checkout"]["id"])
        refused = {key for error in made["errors"] for key in error["variants"] or ()}
        if not refused & amounts.keys():
            break
        amounts = {key: amount for key, amount in amounts.items() if key not in refused}
    raise NotFound("None of the products can be bought any more.")
