"""Which rows hang on the boards of some products or of a channel: a constant number of queries."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db import connection

from saleor_nudges.models import Nudge, NudgeConfig, NudgeType, Shop, ShopProduct
from saleor_nudges.nudges import KINDS

# So many of each kind are kept ready; a visitor who has seen them all waits for news.
MOST_OF_CHANNEL: Final = 60
MOST_OF_PRODUCT: Final = 20

LARGEST: Final = 2**31 - 1
# Of each kind, so many are looked at; what the seller leaves out of these makes no room for older.
LOOKED_AT: Final = 5000
LISTS: Final = ("products", "categories", "collections")

# What is asked of each kind; JSON, because lists of different lengths make no array.
KINDS_ASKED: Final = """
    jsonb_to_recordset(%s::jsonb) AS kind(
        type text, since timestamptz, minimum int, maximum int, only_beside boolean, statuses jsonb,
        only_some boolean, in_products text[], in_categories text[], in_collections text[],
        out_products text[], out_categories text[], out_collections text[])
"""
# What the seller and the shop say of a product. Where only its categories could tell and the shop
# has not been asked yet, it waits.
ALLOWED: Final = """
    COALESCE(known.is_available, TRUE) AND (found.product_id = '' OR (
        (NOT kind.only_some OR found.product_id = ANY(kind.in_products)
            OR COALESCE(groups.categories ?| kind.in_categories, FALSE)
            OR COALESCE(groups.collections ?| kind.in_collections, FALSE))
        AND found.product_id <> ALL(kind.out_products)
        AND NOT COALESCE(groups.categories ?| kind.out_categories,
            cardinality(kind.out_categories) > 0)
        AND NOT COALESCE(groups.collections ?| kind.out_collections,
            cardinality(kind.out_collections) > 0)))
"""
# The newest of a kind are looked at, each product only until enough are found: the join must not
# be made for all of them.
PICK: Final = f"""
    SELECT wanted.product_id, picked.id
    FROM unnest(%s::text[]) AS wanted(product_id)
    CROSS JOIN {KINDS_ASKED}
    CROSS JOIN LATERAL (
        SELECT found.id FROM (
            SELECT * FROM "{Nudge._meta.db_table}" AS newest
            WHERE newest.shop_id = %s AND newest.channel = %s AND newest.type = kind.type
            {{place}} AND newest.withdrawn_at IS NULL
            AND newest.occurred_at >= kind.since AND newest.occurred_at <= %s
            ORDER BY newest.occurred_at DESC LIMIT {LOOKED_AT}
        ) AS found
        LEFT JOIN LATERAL (
            SELECT is_available, asked_at, categories, collections
            FROM "{ShopProduct._meta.db_table}" AS product
            WHERE product.shop_id = found.shop_id AND product.channel = found.channel
            AND product.product_id = found.product_id LIMIT 1
        ) AS known ON TRUE
        LEFT JOIN LATERAL (SELECT known.categories, known.collections) AS groups
            ON known.asked_at IS NOT NULL
        WHERE (found.valid_until IS NULL OR found.valid_until > %s)
        -- Without the visitor who reads it, a number may be one less; a review has its stars.
        AND (found.value IS NULL OR found.value >= kind.minimum)
        AND (found.value IS NULL OR kind.maximum IS NULL OR found.value <= kind.maximum + 1)
        AND COALESCE((found.details ->> 'rating')::int, kind.minimum)
            BETWEEN kind.minimum AND COALESCE(kind.maximum, {LARGEST})
        AND (kind.statuses = '[]' OR kind.statuses ? (found.details ->> 'status'))
        AND {ALLOWED}
        ORDER BY found.occurred_at DESC LIMIT %s
    ) AS picked
"""
OF_PRODUCT: Final = "AND newest.product_id = wanted.product_id"
# What speaks of "this" makes sense only beside its own product; what it says of the whole channel
# is found as a product's is.
OF_CHANNEL: Final = "AND NOT kind.only_beside"

Picked = dict[str, list[Nudge]]


def pick(
    shop: Shop,
    channel: str,
    products: Iterable[str],
    configs: Sequence[NudgeConfig],
    now: datetime,
) -> Picked:
    """Return what hangs on each board, the newest first; "" is the channel's own.

    At most three queries, however many boards are asked for.
    """
    wanted = set(products)
    if not configs or not wanted:
        return {}
    kinds = msgspec.json.encode([_asked(config, now) for config in configs]).decode()
    which = [kinds, shop.pk, channel, now, now]
    places = _run(OF_PRODUCT, [sorted(wanted), *which, MOST_OF_PRODUCT])
    if "" in wanted:
        places += _run(OF_CHANNEL, [[""], *which, MOST_OF_CHANNEL])
    return _load(shop, places)


def since(config: NudgeConfig, now: datetime) -> datetime:
    """Return when the window of a kind begins."""
    return now - timedelta(seconds=config.window_seconds)


def is_allowed(config: NudgeConfig, product_id: str, known: ShopProduct | None) -> bool:
    """Tell whether the shop and the seller let a kind speak of a product, as the query does."""
    known = known or ShopProduct(product_id=product_id, is_available=True)
    is_asked = known.asked_at is not None or not _needs_groups(config.excluded)
    return bool(
        known.is_available
        and is_asked
        and (not _only_some(config) or _is_among(config.included, known))
        and not _is_among(config.excluded, known)
    )


def _run(place: str, values: Sequence[Any]) -> list[tuple[str, UUID]]:
    with connection.cursor() as cursor:
        cursor.execute(PICK.format(place=place), values)
        rows: list[tuple[str, UUID]] = cursor.fetchall()
        return rows


def _asked(config: NudgeConfig, now: datetime) -> dict[str, Any]:
    kind = KINDS[NudgeType(config.type)]
    return {
        "type": config.type,
        "since": since(config, now),
        "minimum": config.minimum,
        "maximum": kind.most(config),
        "only_beside": kind.is_about_this_product,
        "statuses": config.order_statuses if kind.type == NudgeType.ORDER else [],
        "only_some": _only_some(config),
        **{f"in_{name}": config.included.get(name) or [] for name in LISTS},
        **{f"out_{name}": config.excluded.get(name) or [] for name in LISTS},
    }


def _only_some(config: NudgeConfig) -> bool:
    return any(config.included.get(name) for name in LISTS)


def _needs_groups(chosen: Mapping[str, Sequence[str]]) -> bool:
    return bool(chosen.get("categories") or chosen.get("collections"))


def _is_among(chosen: Mapping[str, Sequence[str]], product: ShopProduct) -> bool:
    return (
        product.product_id in (chosen.get("products") or ())
        or not set(chosen.get("categories") or ()).isdisjoint(product.categories)
        or not set(chosen.get("collections") or ()).isdisjoint(product.collections)
    )


def _load(shop: Shop, places: Iterable[tuple[str, UUID]]) -> Picked:
    boards: dict[UUID, dict[str, None]] = defaultdict(dict)
    for board, pk in places:
        boards[pk][board] = None
    found: Picked = defaultdict(list)
    nudges = (
        Nudge.objects.of(shop)
        .filter(pk__in=boards)
        .exclude(person__erased_at__isnull=False)
        .select_related("evidence", "person")
        .order_by("-occurred_at", "-id")
    )
    for nudge in nudges if boards else ():
        for board in boards[nudge.pk]:
            found[board].append(nudge)
    return found
