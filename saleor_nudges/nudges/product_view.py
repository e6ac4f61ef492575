"""“31 people viewed this in the last hour.” Visitors are counted, not page loads."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from django.db import connection
from django.utils import timezone

from saleor_nudges.events import Event, ProductViewed, ProductWithdrawn
from saleor_nudges.models import Evidence, Nudge, NudgeConfig, NudgeType, ProductVisitor, Shop
from saleor_nudges.nudges.base import Kind

# How long a measured number may be shown. It counts only visitors who will still be inside the
# window at its end, so that it is never more than the truth, at any moment it is on a page.
SHOWN_FOR = timedelta(seconds=60)
# A number younger than this is good enough: no new evidence for every single view.
GOOD_FOR = timedelta(seconds=15)

UPSERT = """
    INSERT INTO saleor_nudges_productvisitor (shop_id, channel, product_id, visitor, last_seen)
    SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::uuid[], %s::timestamptz[])
    ON CONFLICT (shop_id, channel, product_id, visitor) DO UPDATE
    SET last_seen = greatest(saleor_nudges_productvisitor.last_seen, excluded.last_seen)
"""

Product = tuple[str, str]  # channel, product id


class ProductViewKind(Kind):
    """Distinct visitors of a product within the window."""

    type: ClassVar[NudgeType] = NudgeType.PRODUCT_VIEW
    category: ClassVar[str] = "POPULARITY"
    rule_version: ClassVar[str] = "product-view-1"
    window: ClassVar[timedelta] = timedelta(hours=1)
    # Who looked at what is forgotten after a day; a longer window would say too little.
    longest_window: ClassVar[timedelta] = timedelta(days=1)
    minimum: ClassVar[int] = 5
    pages: ClassVar[tuple[str, ...]] = ("PRODUCT",)
    is_about_this_product: ClassVar[bool] = True
    texts: ClassVar[dict[str, str]] = {
        "en": "{{ count }} people viewed this in the last {{ window.en }}",
        "de": "{{ count }} Personen haben das in {{ window.de }} angesehen",
        "pl": "{{ count }} osób oglądało to w ciągu {{ window.pl }}",
    }

    def fold(self, shop: Shop, events: Sequence[Event]) -> None:
        seen = [e for e in events if isinstance(e, ProductViewed) and e.visitor]
        if seen:
            self._see(seen)
            self.measure(shop, {(event.channel, event.product) for event in seen})
        for event in events:
            if isinstance(event, ProductWithdrawn):
                ProductVisitor.objects.of(shop).filter(product_id=event.product_id).delete()

    def measure(self, shop: Shop, products: Iterable[Product]) -> None:
        """Count again for those products whose number has aged; keep the evidence."""
        now = timezone.now()
        wanted: dict[str, set[str]] = defaultdict(set)
        for channel, product in products:
            wanted[channel].add(product)
        for channel, ids in wanted.items():
            config = self._config(shop, channel)
            if config is not None:
                for product in ids - self._still_good(shop, channel, ids, now):
                    self._measure_one(config, product, now)

    def measure_due(self, shop: Shop) -> int:
        """Count again what is on pages and about to expire; return how many products."""
        soon = timezone.now() + SHOWN_FOR - GOOD_FOR
        due = list(
            Nudge.objects.of(shop)
            .filter(type=self.type, valid_until__lte=soon, valid_until__gt=timezone.now())
            .values_list("channel", "product_id")
        )
        self.measure(shop, due)
        return len(due)

    def _measure_one(self, config: NudgeConfig, product: str, now: datetime) -> None:
        valid_until = now + SHOWN_FOR
        window = timedelta(seconds=config.window_seconds)
        value = (
            ProductVisitor.objects.of(config.shop_id)
            .filter(
                channel=config.channel,
                product_id=product,
                last_seen__gte=valid_until - window,
                last_seen__lte=now,
            )
            .count()
        )
        if value < config.minimum:
            return
        evidence = Evidence.objects.of(config.shop_id).create(
            shop_id=config.shop_id,
            channel=config.channel,
            type=self.type,
            product_id=product,
            metric="visitors",
            window_seconds=config.window_seconds,
            value=value,
            threshold=config.minimum,
            computed_at=now,
            rule_version=self.rule_version,
        )
        Nudge.objects.of(config.shop_id).update_or_create(
            shop_id=config.shop_id,
            channel=config.channel,
            type=self.type,
            product_id=product,
            source_event=None,
            defaults={
                "product": {"id": product},
                "occurred_at": now,
                "evidence": evidence,
                "value": value,
                "valid_until": valid_until,
                "withdrawn_at": None,
            },
        )

    def _config(self, shop: Shop, channel: str) -> NudgeConfig | None:
        return (
            NudgeConfig.objects.of(shop)
            .filter(channel=channel, type=self.type, is_enabled=True)
            .first()
        )

    def _still_good(self, shop: Shop, channel: str, ids: set[str], now: datetime) -> set[str]:
        fresh = Nudge.objects.of(shop).filter(
            channel=channel,
            type=self.type,
            product_id__in=ids,
            valid_until__gt=now + SHOWN_FOR - GOOD_FOR,
        )
        return set(fresh.values_list("product_id", flat=True))

    def _see(self, seen: Sequence[ProductViewed]) -> None:
        newest = {(e.shop, e.channel, e.product, e.visitor): e.occurred_at for e in seen}
        rows = [(*key, at) for key, at in sorted(newest.items(), key=lambda item: str(item[0]))]
        with connection.cursor() as cursor:
            cursor.execute(UPSERT, [list(column) for column in zip(*rows, strict=True)])
