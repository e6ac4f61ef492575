"""A product as any shopper sees it, and its stock as only an app may: two questions a page.

What Saleor tells a shopper is no stock to speak of: it ends at the shop's limit of a checkout line,
so that a high number means "at least"; and without a country it is the best of the shipping zones,
so that another zone may have more. It is good for one thing: to tell what is plenty, whose exact
number nobody needs, from what may be low, whose warehouses are asked for.
"""

import re
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import batched
from typing import Any, Final

from saleor_nudges.exceptions import InvalidEvent
from saleor_nudges.host import ProductCard
from saleor_nudges.service import documents
from saleor_nudges.webhooks import payloads

Json = dict[str, Any]
Ask = Callable[[str, Json], Json]

# Saleor's own limit of a page.
PAGE: Final = 100
# Saleor's own limit of a checkout line is 50 unless the seller sets another: that many or more over
# all variants is plenty, and not counted.
FEW: Final = 49
# A number with more digits may be more than Saleor's database can look for.
PRODUCT_ID: Final = re.compile(rb"Product:\d{1,9}")


@dataclass(frozen=True, slots=True)
class Seen:
    """A product a shopper sees. `variants` are those whose warehouses may tell a low stock."""

    card: ProductCard
    is_for_sale: bool
    variants: tuple[str, ...]


def cards(
    as_anyone: Ask, as_app: Ask, channel: str, ids: Sequence[str]
) -> Iterator[tuple[str, ProductCard]]:
    """Yield what can be shown of the products that are for sale, by global id.

    Stock that is plenty, unlimited or not counted is None. Raises InvalidEvent for an answer that
    makes no sense.
    """
    for some in batched(filter(_can_be_asked, ids), PAGE):
        asked = {"ids": list(some), "channel": channel, "first": PAGE}
        nodes = _nodes(as_anyone(documents.PRODUCTS, asked)["products"])
        seen = [one for one in map(_seen, nodes) if one.is_for_sale]
        left = _left(as_app, channel, [variant for one in seen for variant in one.variants])
        for one in seen:
            yield one.card.id, replace(one.card, stock=_stock(one, left))


def products_of(as_app: Ask, variants: Sequence[str]) -> dict[str, str]:
    """Return the products of those variants that exist, published or not."""
    found: dict[str, str] = {}
    for some in batched(variants, PAGE):
        answer = as_app(documents.VARIANTS, {"ids": list(some), "first": PAGE})
        nodes = _nodes(answer["productVariants"])
        found |= dict(payloads.read("variant", _product_of, node) for node in nodes)
    return found


def _can_be_asked(product: str) -> bool:
    # Anybody may name a product to us; Saleor refuses a whole list for one name that is none.
    try:
        return PRODUCT_ID.fullmatch(b64decode(product, validate=True)) is not None
    except ValueError:
        return False


def _left(as_app: Ask, channel: str, variants: Sequence[str]) -> dict[str, int]:
    """Return how many pieces of each variant are left in the channel's warehouses together."""
    found: dict[str, int] = {}
    for some in batched(variants, PAGE):
        asked = {"ids": list(some), "channel": channel, "first": PAGE}
        nodes = _nodes(as_app(documents.STOCKS, asked)["productVariants"])
        found |= dict(payloads.read("stock", _pieces, node) for node in nodes)
    return found


def _seen(node: Json) -> Seen:
    return payloads.read("product", _read_product, node)


def _read_product(node: Json) -> Seen:
    variants = node["variants"] or ()
    offered = [variant["quantityAvailable"] for variant in variants]
    is_counted = all(one["trackInventory"] and one["preorder"] is None for one in variants)
    is_few = is_counted and sum(FEW + 1 if one is None else one for one in offered) <= FEW
    return Seen(
        card=payloads.product_card(node),
        is_for_sale=bool(node["isAvailableForPurchase"] and variants),
        variants=tuple(variant["id"] for variant in variants) if is_few else (),
    )


def _pieces(node: Json) -> tuple[str, int]:
    total = 0
    for stock in node["stocks"] or ():
        available = stock["quantity"] - stock["quantityAllocated"]
        free = available - stock["quantityReserved"]
        # As Saleor counts: a reservation empties a warehouse and does not burden another.
        total += max(free, 0) if available > 0 else free
    return node["id"], max(total, 0)


def _stock(seen: Seen, left: Mapping[str, int]) -> int | None:
    if not seen.variants or not left.keys() >= set(seen.variants):
        return None
    return sum(left[variant] for variant in seen.variants)


def _product_of(node: Json) -> tuple[str, str]:
    return node["id"], node["product"]["id"]


def _nodes(connection: Json | None) -> list[Json]:
    if connection is None:
        return []
    try:
        return [edge["node"] for edge in connection["edges"]]
    except (KeyError, TypeError):
        raise InvalidEvent("The list is not as Saleor writes it.", field="edges") from None
