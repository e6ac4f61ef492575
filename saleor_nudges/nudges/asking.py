"""The shop is asked what is for sale and what is left of it: nobody tells us reliably.

Since 3.23 Saleor's hooks do not speak of stock at all, and a webhook may be lost; so what is on
pages now is asked for twice a minute, and what a batch of events said has changed, at once.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import batched
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from saleor_nudges import reconcile, telemetry
from saleor_nudges.exceptions import HostUnavailable
from saleor_nudges.host import Host, ProductCard, get_host
from saleor_nudges.models import NudgeConfig, Shop, ShopProduct
from saleor_nudges.nudges import shelf
from saleor_nudges.nudges.products import Place, locked, take_changed

# Whose pages are open now, or were a moment ago: these are asked for again at every second run.
SEEN_LATELY: Final = timedelta(hours=3)
ASKED_LATELY: Final = timedelta(seconds=25)
# The others have nudges for as long as a purchase may be told of; they take turns.
ASKED_NOT_LONG_AGO: Final = timedelta(minutes=10)
# So many of either are asked for in one run, in questions of so many.
MOST_SEEN_LATELY, MOST_OTHERS, AT_ONCE = 500, 100, 100
# The next run begins after fifteen seconds; in one, a shop that is slow gives way to the others.
RUN_SECONDS: Final = 12.0
TURN_SECONDS: Final = 5.0
# A shop that did not answer is asked again by this process after so long.
AWAY_SECONDS: Final = 30.0
# What the columns hold.
LARGEST, LONGEST_ADDRESS = 2**31 - 1, 1000
ANSWERED: Final = (
    "name",
    "slug",
    "image_url",
    "categories",
    "collections",
    "is_available",
    "stock",
)

_away_until: dict[UUID, float] = {}


def ask_due(seconds: float = RUN_SECONDS) -> Iterator[tuple[Shop, set[Place]]]:
    """Ask every shop that shows nudges for what is due, for so long; yield what each answered for.

    Those are asked first that answered lately, so that one which is slow or away delays no other.
    """
    deadline = time.monotonic() + seconds
    for shop in _by_health():
        if time.monotonic() >= deadline:
            return
        if asked := _ask(shop, partial(_due, shop, timezone.now())):
            yield shop, asked


def ask_changed() -> Iterator[tuple[Shop, set[Place]]]:
    """Ask at once for what batches said has changed; yield what each shop answered for.

    What a shop does not answer now is asked for again with the rest.
    """
    for shop_id, products, variants in take_changed():
        shop = Shop.objects.filter(pk=shop_id, is_active=True).first()
        if shop is None:
            continue
        if asked := _ask(shop, partial(_about, shop, products, variants)):
            yield shop, asked


def _ask(shop: Shop, which: Callable[[Host], Iterable[Place]]) -> set[Place]:
    """Ask a shop for these products, for a while; return for which of them it answered."""
    asked: set[Place] = set()
    now = time.monotonic()
    if now < _away_until.get(shop.pk, 0.0):
        return asked
    try:
        host = get_host(shop)
        for channel, ids in _questions(which(host)):
            if time.monotonic() >= now + TURN_SECONDS:
                break
            moment = timezone.now()
            _keep(shop, channel, ids, host.product_cards(channel, ids), moment)
            asked |= {(channel, product) for product in ids}
    except HostUnavailable as error:
        _away_until[shop.pk] = time.monotonic() + AWAY_SECONDS
        line = telemetry.Log.HOST_UNAVAILABLE
        telemetry.log(line, logging.WARNING, shop=shop.key, kind="products", reason=str(error))
    except Exception:
        # Whatever is wrong with one shop, the others are asked.
        telemetry.trouble(telemetry.Log.PRODUCTS_FAILED, shop=shop.key)
    return asked


def _by_health() -> list[Shop]:
    """Return the active shops that show nudges, those first that answered lately."""
    showing = NudgeConfig.objects.across_shops().filter(is_enabled=True).values("shop_id")
    shops = Shop.objects.filter(is_active=True, pk__in=showing).order_by("?")
    well = set(reconcile.caught_up().values_list("shop_id", flat=True))
    return sorted(shops, key=lambda shop: shop.pk not in well)


def _due(shop: Shop, now: datetime, _host: Host) -> list[Place]:
    """Return what is to be asked for in the channels where something is shown, oldest first."""
    rows = _shown(shop).order_by(F("asked_at").asc(nulls_first=True))
    lately = Q(seen_at__gt=now - SEEN_LATELY)
    due = rows.filter(lately, _older(now - ASKED_LATELY))[:MOST_SEEN_LATELY]
    others = rows.filter(~lately, _older(now - ASKED_NOT_LONG_AGO))[:MOST_OTHERS]
    return [*due.values_list("channel", "product_id"), *others.values_list("channel", "product_id")]


def _older(limit: datetime) -> Q:
    return Q(asked_at__isnull=True) | Q(asked_at__lt=limit)


def _about(shop: Shop, products: set[str], variants: set[str], host: Host) -> list[Place]:
    """Return in which channels those products were seen."""
    # More at once are an import of stock, which the next runs find out about.
    asked = variants if len(variants) <= MOST_SEEN_LATELY else set[str]()
    every = products.union(host.products_of(asked).values()) if asked else products
    return list(_shown(shop).filter(product_id__in=every).values_list("channel", "product_id"))


def _shown(shop: Shop) -> "QuerySet[ShopProduct]":
    showing = NudgeConfig.objects.of(shop).filter(is_enabled=True).values("channel")
    return ShopProduct.objects.of(shop).filter(channel__in=showing)


def _questions(places: Iterable[Place]) -> Iterator[tuple[str, list[str]]]:
    by_channel: dict[str, list[str]] = defaultdict(list)
    for channel, product in places:
        by_channel[channel].append(product)
    for channel, products in by_channel.items():
        for some in batched(products, AT_ONCE):
            yield channel, list(some)


# Keeping what was answered.


def _keep(
    shop: Shop, channel: str, ids: Sequence[str], cards: Mapping[str, ProductCard], moment: datetime
) -> None:
    """Write the answer to a question of that moment, unless a later one was quicker."""
    with transaction.atomic():
        asked = ShopProduct.objects.of(shop).filter(channel=channel, product_id__in=ids)
        rows = [row for row in locked(asked) if row.asked_at is None or row.asked_at < moment]
        changed = [row for row in rows if _differs(row, cards.get(row.product_id))]
        every = ShopProduct.objects.of(shop).filter(pk__in=[row.pk for row in rows])
        every.update(asked_at=moment)
        if changed:
            every.bulk_update(changed, ANSWERED)
        shelf.take_down(shop.pk, _places(channel, changed))


def _differs(row: ShopProduct, card: ProductCard | None) -> bool:
    """Take the answer over into the row; tell whether anything in it is new."""
    answer = _answer(card) if card else {"is_available": False, "stock": None}
    new = {name: value for name, value in answer.items() if getattr(row, name) != value}
    for name, value in new.items():
        setattr(row, name, value)
    return bool(new)


def _answer(card: ProductCard) -> dict[str, Any]:
    return {
        "name": card.name[:255],
        "slug": card.slug[:255],
        "image_url": card.image_url if len(card.image_url) <= LONGEST_ADDRESS else "",
        "categories": list(card.categories),
        "collections": list(card.collections),
        "is_available": True,
        "stock": None if card.stock is None else min(card.stock, LARGEST),
    }


def _places(channel: str, rows: Sequence[ShopProduct]) -> set[Place]:
    products = {(channel, row.product_id) for row in rows}
    return products | {(channel, "")} if products else products
