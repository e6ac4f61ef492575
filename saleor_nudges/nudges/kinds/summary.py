"""What both summaries share: numbers of products and of channels that may become smaller, too."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Final

from django.db import connection, transaction

from saleor_nudges.counts import Asked
from saleor_nudges.models import Shop, statements
from saleor_nudges.nudges.kinds.base import Scope
from saleor_nudges.nudges.kinds.measured import Configs, Measured, Product

# The last hour, day, week, month.
WINDOWS: Final = (timedelta(hours=1), timedelta(days=1), timedelta(days=7), timedelta(days=30))

# LATERAL: one look into the index for each number that is asked for.
COUNT: Final = """
    SELECT wanted.place, found.number
    FROM unnest(%s::text[], %s::text[], %s::timestamptz[], %s::text[])
        WITH ORDINALITY AS wanted(channel, product_id, since, statuses, place)
    CROSS JOIN LATERAL (
        SELECT count(DISTINCT known.{what}) AS number FROM "{table}" AS known
        WHERE known.shop_id = %s AND known.channel = wanted.channel AND {product}
        AND known.{at} >= wanted.since AND known.{at} <= %s AND {condition}
    ) AS found
"""
OF_PRODUCT: Final = "known.product_id = wanted.product_id"
OF_CHANNEL: Final = "known.product_id <> ''"


class Summary(Measured):
    """Distinct carts or orders within the window, of a product or of a whole channel."""

    category: ClassVar[str] = "RECENT_SUMMARY"
    scopes: ClassVar[frozenset[Scope]] = frozenset({Scope.PRODUCT, Scope.CHANNEL})
    windows: ClassVar[tuple[timedelta, ...]] = WINDOWS
    minimum: ClassVar[int] = 5
    is_about_this_product: ClassVar[bool] = True
    # Where what is counted is kept: the table, what is distinct in it, when that was, and which of
    # its rows count.
    table: ClassVar[str]
    what: ClassVar[str]
    at: ClassVar[str]
    condition: ClassVar[str] = "true"

    def measure(self, shop: Shop, products: Iterable[Product]) -> None:
        with transaction.atomic():
            # What a batch takes back meanwhile would not be seen, and the number would stand.
            statements.hold_commerce(shop.pk, alone=False)
            super().measure(shop, products)

    def count(
        self, shop: Shop, configs: Configs, asked: Sequence[Asked], now: datetime
    ) -> dict[Asked, int]:
        counted = self._count(shop, configs, [one for one in asked if one.product], now, OF_PRODUCT)
        whole = [one for one in asked if not one.product]
        counted |= self._count(shop, configs, whole, now, OF_CHANNEL)
        return {one: number for one, number in counted.items() if number >= one.least}

    def _count(
        self, shop: Shop, configs: Configs, asked: Sequence[Asked], now: datetime, product: str
    ) -> dict[Asked, int]:
        if not asked:
            return {}
        rows = [
            (one.channel, one.product, one.since, ",".join(configs[one.channel].order_statuses))
            for one in asked
        ]
        columns = [list(column) for column in zip(*rows, strict=True)]
        statement = COUNT.format(
            table=self.table, what=self.what, at=self.at, condition=self.condition, product=product
        )
        with connection.cursor() as cursor:
            cursor.execute(statement, [*columns, shop.pk, now])
            return {asked[place - 1]: number for place, number in cursor.fetchall()}
