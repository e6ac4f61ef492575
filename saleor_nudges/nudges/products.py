"""What the shop says of the products somebody looked at lately: whether each is for sale in a
channel, what is left of it, where it belongs. Asked again and again, because nobody tells.

A page sees nothing of a product that is not for sale: its nudges wait out of sight, and stand as
before when it is back. Only those of a product that was deleted are taken back for good.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from saleor_nudges.events import (
    AddedToCart,
    CheckoutFact,
    Event,
    OrderFact,
    ProductChanged,
    ProductViewed,
    ProductWithdrawn,
    ReviewPosted,
    StockChanged,
)
from saleor_nudges.events.identity import uuid7
from saleor_nudges.models import Shop, ShopProduct
from saleor_nudges.nudges.kinds.base import withdraw

Place = tuple[str, str]  # channel, product id

# A purchase may be told of for 30 days; what was seen longer ago has no nudges.
SEEN_AT_ALL: Final = timedelta(days=31)
# A product that has changed is due before any other.
LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)

# One statement a batch. A row that was touched a moment ago is only read, and one that somebody
# else is writing is left to them: many batches name the same few products at once.
NOTE: Final = f"""
    WITH new AS (
        SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::timestamptz[])
            AS new(id, channel, product_id, seen_at)
    ), old AS (
        SELECT known.id, new.seen_at FROM "{ShopProduct._meta.db_table}" AS known
        JOIN new USING (channel, product_id)
        WHERE known.shop_id = %s AND known.seen_at < new.seen_at - interval '30 seconds'
        FOR UPDATE OF known SKIP LOCKED
    ), touched AS (
        UPDATE "{ShopProduct._meta.db_table}" AS known SET seen_at = old.seen_at
        FROM old WHERE known.id = old.id
    )
    INSERT INTO "{ShopProduct._meta.db_table}" (
        id, created_at, shop_id, channel, product_id, name, slug, image_url, categories,
        collections, is_available, seen_at)
    SELECT new.id, %s, %s, new.channel, new.product_id, '', '', '', '[]', '[]', true, new.seen_at
    FROM new WHERE NOT EXISTS (
        SELECT FROM "{ShopProduct._meta.db_table}" AS known WHERE known.shop_id = %s
        AND known.channel = new.channel AND known.product_id = new.product_id)
    ORDER BY new.channel, new.product_id
    ON CONFLICT (shop_id, channel, product_id) DO NOTHING
"""

# What a batch said has changed, by shop: products and variants. Kept in the process; what is lost
# with it is asked again half a minute later.
_changed: dict[UUID, tuple[set[str], set[str]]] = {}


def known(shop: Shop, channel: str, ids: Collection[str]) -> dict[str, ShopProduct]:
    """Return what is known of those products, by global id.

    One that was not asked for yet is taken for available, as one that is missing here must be.
    """
    found = ShopProduct.objects.of(shop).filter(channel=channel, product_id__in=ids)
    return {product.product_id: product for product in found}


def take_changed() -> Iterator[tuple[UUID, set[str], set[str]]]:
    """Yield which products and variants of each shop have changed, and forget it."""
    while _changed:
        shop_id, (products, variants) = _changed.popitem()
        yield shop_id, products, variants


def locked(found: "QuerySet[ShopProduct]") -> list[ShopProduct]:
    """Return these rows, locked until the transaction ends."""
    # In one order, so that two who write the same rows wait for each other and not in a circle.
    return list(found.order_by("channel", "product_id").select_for_update())


def fold(shop: Shop, events: Sequence[Event]) -> None:
    """Note what was looked at, put into a cart or bought; have asked again what has changed."""
    deleted = {event.product_id for event in events if isinstance(event, ProductWithdrawn)}
    changed = {event.product_id for event in events if isinstance(event, ProductChanged)}
    variants = {event.variant_id for event in events if isinstance(event, StockChanged)}
    if deleted or changed:
        _ask_again(shop, changed, deleted)
    if deleted or changed or variants:
        marked = _changed.setdefault(shop.pk, (set(), set()))
        marked[0].update(changed | deleted)
        marked[1].update(variants)
    if seen := _seen(events, timezone.now()):
        _note(shop, seen)


def _seen(events: Iterable[Event], now: datetime) -> dict[Place, datetime]:
    seen: dict[Place, datetime] = {}
    for event in events:
        moment = min(event.occurred_at, now)
        if moment < now - SEEN_AT_ALL:
            continue
        for product in _products(event):
            place = event.channel, product
            seen[place] = max(moment, seen.get(place, moment))
    return seen


def _products(event: Event) -> Sequence[str]:
    match event:
        case ProductViewed() | AddedToCart():
            return (event.product,)
        case ReviewPosted():
            return (event.product_id,)
        case CheckoutFact(cart=cart) | OrderFact(cart=cart) if cart is not None:
            return [line.product_id for line in cart.lines if line.product_id]
    return ()


def _note(shop: Shop, seen: dict[Place, datetime]) -> None:
    rows = [
        (uuid7(), channel, product, seen[channel, product]) for channel, product in sorted(seen)
    ]
    columns = [list(column) for column in zip(*rows, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(NOTE, [*columns, shop.pk, timezone.now(), shop.pk, shop.pk])


def _ask_again(shop: Shop, changed: set[str], deleted: set[str]) -> None:
    rows = locked(ShopProduct.objects.of(shop).filter(product_id__in=changed | deleted))
    about = ShopProduct.objects.of(shop).filter(pk__in=[row.pk for row in rows])
    about.filter(asked_at__isnull=False).update(asked_at=LONG_AGO)
    about.filter(product_id__in=deleted).update(is_available=False, stock=None)
    for product in sorted(deleted):
        withdraw(shop, product_id=product)
