"""“31 people viewed this in the last hour.” Visitors are counted, not page loads."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from django.db import connection
from django.utils import timezone

from saleor_nudges.counts import Asked, visitors
from saleor_nudges.events import Event, ProductViewed
from saleor_nudges.events.identity import uuid7
from saleor_nudges.models import Evidence, Nudge, NudgeConfig, NudgeType, Shop
from saleor_nudges.models.nudges import public_id
from saleor_nudges.nudges import shelf
from saleor_nudges.nudges.base import Kind

# How long a measured number may be shown, for windows up to an hour. It counts only visitors who
# will still be inside the window at its end, so that it is never more than the truth, at any moment
# it is on a page.
SHOWN_FOR = timedelta(seconds=60)
# A number younger than this is good enough: no new evidence for every single view.
GOOD_FOR = timedelta(seconds=15)
# A long window's number moves slowly and costs more to count: it stands for a sixtieth of it.
SHARE_OF_WINDOW, SHOWN_AT_MOST = 60, timedelta(hours=1)

UPSERT = """
    INSERT INTO saleor_nudges_nudge (
        id, public_id, product_id, product, evidence_id, value, valid_until, channel, shop_id,
        created_at, occurred_at, type, source_subject, checkout, "user")
    SELECT new.id, new.public_id, new.product_id, jsonb_build_object('id', new.product_id),
        new.evidence_id, new.value, new.valid_until, new.channel, %s, %s, %s, %s, '', '', ''
    FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::uuid[], %s::int[], %s::timestamptz[],
        %s::text[]) AS new(id, public_id, product_id, evidence_id, value, valid_until, channel)
    ON CONFLICT (shop_id, channel, type, product_id) WHERE source_event IS NULL DO UPDATE
    SET product = excluded.product, occurred_at = excluded.occurred_at, value = excluded.value,
        evidence_id = excluded.evidence_id, valid_until = excluded.valid_until, withdrawn_at = NULL
"""

Product = tuple[str, str]  # channel, product id
Standing = tuple[datetime | None, datetime | None]  # valid until, withdrawn at


def shown_for(window: timedelta) -> timedelta:
    """Return how long a number over this window may be shown."""
    return min(max(window / SHARE_OF_WINDOW, SHOWN_FOR), SHOWN_AT_MOST)


class ProductViewKind(Kind):
    """Distinct visitors of a product within the window."""

    type: ClassVar[NudgeType] = NudgeType.PRODUCT_VIEW
    category: ClassVar[str] = "POPULARITY"
    rule_version: ClassVar[str] = "product-view-2"
    window: ClassVar[timedelta] = timedelta(hours=1)
    minimum: ClassVar[int] = 5
    pages: ClassVar[tuple[str, ...]] = ("PRODUCT",)
    is_about_this_product: ClassVar[bool] = True
    texts: ClassVar[dict[str, str]] = {
        "en": "{{ count }} people viewed this in the last {{ window.en }}",
        "de": "{{ count }} Personen haben das in {{ window.de }} angesehen",
        "pl": "{{ count }} osób oglądało to w ciągu {{ window.pl }}",
    }

    def fold(self, shop: Shop, events: Sequence[Event]) -> None:
        self.measure(shop, {(e.channel, e.product) for e in events if isinstance(e, ProductViewed)})

    def measure(self, shop: Shop, products: Iterable[Product]) -> None:
        """Count again for those products whose number has aged; keep the evidence."""
        wanted = sorted(set(products))
        configs = self._configs(shop, {channel for channel, _ in wanted})
        wanted = [product for product in wanted if product[0] in configs]
        if not wanted:
            return
        now = timezone.now()
        standing = self._standing(shop, wanted)
        asked = [
            _asked(configs[product[0]], product, standing.get(product), now)
            for product in wanted
            if not _still_good(configs[product[0]], standing.get(product), now)
        ]
        counted = visitors(shop.pk, asked, now)
        if counted:
            self._keep(shop, configs, counted, now)

    def measure_due(self, shop: Shop) -> int:
        """Count again what is on pages and about to expire; return how many products."""
        now = timezone.now()
        due = list(
            Nudge.objects.of(shop)
            .filter(type=self.type, withdrawn_at__isnull=True)
            .filter(valid_until__lte=now + SHOWN_FOR - GOOD_FOR, valid_until__gt=now)
            .values_list("channel", "product_id")
        )
        self.measure(shop, due)
        return len(due)

    def _keep(
        self,
        shop: Shop,
        configs: dict[str, NudgeConfig],
        counted: dict[Asked, int],
        now: datetime,
    ) -> None:
        proofs = Evidence.objects.bulk_create(
            self._evidence(shop, configs[asked.channel], asked, value, now)
            for asked, value in counted.items()
        )
        rows = [
            (
                uuid7(),
                public_id(),
                proof.product_id,
                proof.pk,
                proof.value,
                now + shown_for(asked.window),
                proof.channel,
            )
            for asked, proof in zip(counted, proofs, strict=True)
        ]
        # In the order of their keys, so that two workers lock the same rows the same way.
        rows.sort(key=lambda row: (row[-1], row[2]))
        columns = [list(column) for column in zip(*rows, strict=True)]
        with connection.cursor() as cursor:
            cursor.execute(UPSERT, [shop.pk, now, now, self.type, *columns])
        shelf.take_down(shop.pk, {(asked.channel, asked.product) for asked in counted})

    def _evidence(
        self, shop: Shop, config: NudgeConfig, asked: Asked, value: int, now: datetime
    ) -> Evidence:
        return Evidence(
            shop=shop,
            channel=asked.channel,
            type=self.type,
            product_id=asked.product,
            metric="visitors",
            window_seconds=config.window_seconds,
            value=value,
            threshold=config.minimum,
            computed_at=now,
            rule_version=self.rule_version,
        )

    def _configs(self, shop: Shop, channels: set[str]) -> dict[str, NudgeConfig]:
        if not channels:
            return {}
        enabled = NudgeConfig.objects.of(shop).filter(type=self.type, is_enabled=True)
        return {config.channel: config for config in enabled.filter(channel__in=channels)}

    def _standing(self, shop: Shop, products: list[Product]) -> dict[Product, Standing]:
        """Return until when a product's number stands, and when it was last taken back."""
        found = (
            Nudge.objects.of(shop)
            .filter(type=self.type, source_event__isnull=True)
            .filter(channel__in={channel for channel, _ in products})
            .filter(product_id__in={product for _, product in products})
        )
        rows = found.values_list("channel", "product_id", "valid_until", "withdrawn_at")
        return {(channel, product): (until, back) for channel, product, until, back in rows}


def _still_good(config: NudgeConfig, standing: Standing | None, now: datetime) -> bool:
    if standing is None or standing[0] is None:
        return False
    share = shown_for(timedelta(seconds=config.window_seconds))
    return standing[0] > now + share - share * (GOOD_FOR / SHOWN_FOR)


def _asked(
    config: NudgeConfig, product: Product, standing: Standing | None, now: datetime
) -> Asked:
    window = timedelta(seconds=config.window_seconds)
    since = now + shown_for(window) - window
    withdrawn_at = standing[1] if standing else None
    if withdrawn_at is not None:
        # A product that was withdrawn begins anew: who looked before that is not counted.
        since = max(since, withdrawn_at)
    return Asked(*product, window=window, since=since, least=max(config.minimum, 1))
