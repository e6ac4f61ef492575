"""“Only 3 left.” From what the shop said a moment ago, of all that can still be bought there."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Final

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from saleor_nudges.counts import Asked
from saleor_nudges.events import Event
from saleor_nudges.models import (
    Evidence,
    Nudge,
    NudgeConfig,
    NudgeType,
    OrderedProduct,
    Shop,
    ShopProduct,
    StockRule,
)
from saleor_nudges.nudges.kinds.base import Claim
from saleor_nudges.nudges.kinds.measured import Configs, Measured, Product

# A number of pieces is true of the moment the shop was asked: it is said for so long after that.
# The shop is asked again twice in that time.
GOOD_SINCE_ASKED: Final = timedelta(seconds=60)
# How fast something sells is taken from so many days.
DAYS_OF_SALES: Final = 7
RULES: Final = {StockRule.COUNT: "stock", StockRule.DAYS_OF_COVER: "stock_days_of_cover"}


class Left(int):
    """So many pieces are left; `limit` of them, or fewer, would be low, and `until` it is true."""

    limit: int
    until: datetime

    @classmethod
    def of(cls, pieces: int, limit: int, until: datetime) -> "Left":
        """Return the number with what it was compared with."""
        left = cls(pieces)
        left.limit, left.until = limit, until
        return left


class LowStockKind(Measured):
    """The pieces left in a channel, where they are few, or will be sold within days."""

    type: ClassVar[NudgeType] = NudgeType.LOW_STOCK
    category: ClassVar[str] = "FRICTION"
    metric: ClassVar[str] = "stock"
    rule_version: ClassVar[str] = "low-stock-1"
    window: ClassVar[timedelta] = timedelta(hours=1)
    minimum: ClassVar[int] = 1
    maximum: ClassVar[int | None] = 5
    pages: ClassVar[tuple[str, ...]] = (
        "LISTING",
        "CATEGORY",
        "COLLECTION",
        "BRAND",
        "PRODUCT",
        "CART",
        "SEARCH",
    )
    is_about_this_product: ClassVar[bool] = True
    counts_its_reader: ClassVar[bool] = False
    claims: ClassVar[frozenset[Claim]] = frozenset({Claim.STOCK})
    priority: ClassVar[int] = 10
    texts: ClassVar[dict[str, str]] = {
        "en": "Only {{ count }} left",
        "de": "Nur noch {{ count }} verfügbar",
        "pl": "{% if count == 1 %}Została tylko {{ count }} sztuka"
        "{% elsif count == 2 or count == 3 or count == 4 %}Zostały tylko {{ count }} sztuki"
        "{% elsif count < 22 %}Zostało tylko {{ count }} sztuk"
        "{% else %}Pozostało sztuk: {{ count }}{% endif %}",
    }
    headings: ClassVar[dict[str, str]] = {
        "en": "Low stock",
        "de": "Geringer Bestand",
        "pl": "Ostatnie sztuki",
    }
    about: ClassVar[dict[str, str]] = {
        "en": "This is what the shop itself has left to sell, as of a minute ago at most.",
        "de": "So viel hat der Shop selbst noch zu verkaufen, Stand vor höchstens einer Minute.",
        "pl": "Tyle sztuk sklep ma jeszcze na sprzedaż, według stanu sprzed najwyżej minuty.",
    }

    def grown(self, shop: Shop, events: Sequence[Event]) -> set[Product]:  # noqa: ARG002
        # No event tells how many are left; the shop does, when it is asked.
        return set()

    def measure_due(self, shop: Shop) -> int:  # noqa: ARG002
        # What stands can be said again only when the shop was asked again.
        return 0

    def stock_asked(self, shop: Shop, products: Iterable[Product]) -> None:
        """Say what the shop has just answered for these products, and no longer what it was."""
        wanted = set(products)
        with transaction.atomic():
            if wrong := self._wrong(shop, wanted):
                self.expire(shop, wrong)
            self.measure(shop, wanted)

    def count(
        self, shop: Shop, configs: Configs, asked: Sequence[Asked], now: datetime
    ) -> dict[Asked, int]:
        stocks = _stocks(shop, [(one.channel, one.product) for one in asked])
        sold = _sold(shop, configs, stocks, now)
        found: dict[Asked, int] = {}
        for one in asked:
            row = stocks.get((one.channel, one.product))
            if row is None or row.stock is None or row.asked_at is None:
                continue
            limit = _limit(configs[one.channel], sold.get((one.channel, one.product), 0))
            until = row.asked_at + GOOD_SINCE_ASKED
            if one.least <= row.stock <= limit and until > now:
                found[one] = Left.of(row.stock, limit, until)
        return found

    def most(self, config: NudgeConfig) -> int | None:
        # The other rule has a limit of its own, for every product another.
        by_count = config.stock_rule == StockRule.COUNT
        return _limit(config, 0) if by_count else None

    def until(self, asked: Asked, value: int, now: datetime) -> datetime:
        return value.until if isinstance(value, Left) else super().until(asked, value, now)

    def _evidence(
        self, shop: Shop, config: NudgeConfig, asked: Asked, value: int, now: datetime
    ) -> Evidence:
        proof = super()._evidence(shop, config, asked, int(value), now)
        proof.metric = RULES[StockRule(config.stock_rule)]
        by_sales = config.stock_rule == StockRule.DAYS_OF_COVER
        proof.window_seconds = DAYS_OF_SALES * 24 * 3600 if by_sales else None
        proof.maximum = value.limit if isinstance(value, Left) else config.maximum
        return proof

    def _wrong(self, shop: Shop, products: set[Product]) -> set[Product]:
        """Return of which products another number stands than is left."""
        standing = (
            Nudge.objects.of(shop)
            .filter(type=self.type, valid_until__gt=timezone.now())
            .filter(channel__in={channel for channel, _ in products})
            .filter(product_id__in={product for _, product in products})
            .values_list("channel", "product_id", "value")
        )
        said = {(channel, product): value for channel, product, value in standing}
        stocks = _stocks(shop, products)
        return {
            place
            for place in products & said.keys()
            if place not in stocks or stocks[place].stock != said[place]
        }


def _stocks(shop: Shop, products: Iterable[Product]) -> dict[Product, ShopProduct]:
    """Return what is known of those products that are for sale."""
    wanted = list(products)
    found = ShopProduct.objects.of(shop).filter(
        channel__in={channel for channel, _ in wanted},
        product_id__in={product for _, product in wanted},
        is_available=True,
    )
    return {(row.channel, row.product_id): row for row in found}


def _sold(
    shop: Shop, configs: Configs, products: Iterable[Product], now: datetime
) -> dict[Product, int]:
    """Return how many pieces were sold in the last days where the rule goes by them."""
    channels = {
        channel
        for channel, config in configs.items()
        if config.stock_rule == StockRule.DAYS_OF_COVER
    }
    wanted = [(channel, product) for channel, product in products if channel in channels]
    if not wanted:
        return {}
    sales = (
        OrderedProduct.objects.of(shop)
        .filter(channel__in=channels, product_id__in={product for _, product in wanted})
        .filter(ordered_at__gt=now - timedelta(days=DAYS_OF_SALES), ordered_at__lte=now)
        .filter(is_void=False)
        .order_by()
        .values_list("channel", "product_id")
        .annotate(pieces=Sum("quantity"))
    )
    return {(channel, product): pieces for channel, product, pieces in sales}


def _limit(config: NudgeConfig, sold: int) -> int:
    """Return how many pieces, or fewer, are low."""
    if config.stock_rule == StockRule.DAYS_OF_COVER:
        return sold * config.cover_days // DAYS_OF_SALES
    return LowStockKind.maximum or 0 if config.maximum is None else config.maximum
