"""What Saleor's catalogue says of products in one channel: the same few queries for any number."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.contrib.sites.models import Site
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum
from django.utils import timezone
from saleor.product.models import (
    Category,
    CollectionProduct,
    Product,
    ProductChannelListing,
    ProductVariant,
)
from saleor.site.models import SiteSettings
from saleor.warehouse.models import Reservation, Stock
from saleor.warehouse.reservations import is_reservation_enabled

from saleor_nudges.host import ProductCard
from saleor_nudges.plugin import rows
from saleor_nudges.plugin.facts import global_id

Variants = dict[int, list[Any]]  # those for sale in the channel, by product


def cards(channel: str, keys: Collection[str]) -> list[ProductCard]:
    """Return what can be shown of those products that any shopper of the channel could buy."""
    variants = _variants(channel, keys)
    shown = _for_sale(channel, variants, timezone.now())
    products = list(shown.select_related("category").prefetch_related("media"))
    above = _ancestors({product.category_id for product in products})
    collections = _collections(product.pk for product in products)
    stock = _stock(channel, [one for product in products for one in variants[product.pk]])
    return [
        ProductCard(
            id=global_id("Product", product.pk),
            name=product.name,
            slug=product.slug,
            image_url=rows.image_url(product),
            categories=tuple(global_id("Category", pk) for pk in _path(product, above)),
            collections=tuple(global_id("Collection", pk) for pk in collections[product.pk]),
            stock=_left(variants[product.pk], stock),
        )
        for product in products
    ]


def products_of(keys: Collection[str]) -> dict[str, str]:
    """Return the products of variants, by global ids."""
    found = ProductVariant.objects.filter(pk__in=keys).values_list("pk", "product_id")
    return {
        global_id("ProductVariant", variant): global_id("Product", product)
        for variant, product in found
    }


def _variants(channel: str, keys: Collection[str]) -> Variants:
    found: Variants = defaultdict(list)
    for variant in ProductVariant.objects.filter(
        product_id__in=keys,
        channel_listings__channel__slug=channel,
        channel_listings__price_amount__isnull=False,
    ):
        found[variant.product_id].append(variant)
    return found


def _for_sale(channel: str, products: Iterable[int], now: datetime) -> "QuerySet[Any]":
    listed = ProductChannelListing.objects.filter(
        Q(published_at__isnull=True) | Q(published_at__lte=now),
        product_id=OuterRef("pk"),
        channel__slug=channel,
        channel__is_active=True,
        is_published=True,
        visible_in_listings=True,
        available_for_purchase_at__lte=now,
    )
    found: QuerySet[Any] = Product.objects.filter(Exists(listed), pk__in=list(products))
    return found


def _ancestors(categories: set[int | None]) -> dict[int, int | None]:
    """Return the parent of each of these categories and of all above them."""
    below = Category.objects.filter(
        pk__in=categories - {None},
        tree_id=OuterRef("tree_id"),
        lft__gte=OuterRef("lft"),
        rght__lte=OuterRef("rght"),
    )
    return dict(Category.objects.filter(Exists(below)).values_list("pk", "parent_id"))


def _path(product: Any, above: dict[int, int | None]) -> list[int]:
    path, category = [], product.category_id
    while category in above and category not in path:
        path.append(category)
        category = above[category]
    return path


def _collections(products: Iterable[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    through = CollectionProduct.objects.filter(product_id__in=list(products))
    for product, collection in through.values_list("product_id", "collection_id"):
        found[product].append(collection)
    return found


def _stock(channel: str, variants: Iterable[Any]) -> dict[int, int]:
    """Return how many pieces of each variant can still be bought in the channel.

    Each warehouse counts once, however many shipping zones it serves: "only 3 left" must not be
    said in one zone while another warehouse of the channel has more.
    """
    settings = _settings()
    reachable = (
        Stock.objects.for_channel_and_country(channel)
        if _counts_by_zone(settings)
        else Stock.objects.for_channel(channel)
    )
    held = reachable.filter(product_variant__in=[variant.pk for variant in variants])
    found = list(held.annotate_available_quantity())
    reserved = _reserved(found) if is_reservation_enabled(settings) else {}
    left: dict[int, int] = defaultdict(int)
    for stock in found:
        free = stock.available_quantity - reserved.get(stock.pk, 0)
        # As Saleor counts: a reservation empties a warehouse and does not burden another.
        left[stock.product_variant_id] += max(free, 0) if stock.available_quantity > 0 else free
    return left


def counts_by_zone() -> bool:
    """Tell whether only warehouses count that can send to the shopper's country."""
    return _counts_by_zone(_settings())


def _counts_by_zone(settings: Any) -> bool:
    # Since 3.23 a shop may let every warehouse of a channel count.
    return bool(getattr(settings, "use_legacy_shipping_zone_stock_availability", True))


def _settings() -> Any:
    # Not the site's own, which Django keeps for the life of the process.
    return SiteSettings.objects.get(site_id=Site.objects.get_current().pk)


def _reserved(stocks: list[Any]) -> dict[int, int]:
    live = Reservation.objects.filter(stock__in=stocks, reserved_until__gt=timezone.now())
    sums = live.order_by().values_list("stock_id").annotate(pieces=Sum("quantity_reserved"))
    return dict(sums)


def _left(variants: list[Any], stock: dict[int, int]) -> int | None:
    if any(not one.track_inventory or one.is_preorder_active() for one in variants):
        return None
    return sum(max(stock.get(one.pk, 0), 0) for one in variants)
