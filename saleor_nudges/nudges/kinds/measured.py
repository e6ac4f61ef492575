"""Nudges that say a number: counted again when what they are made of changes, with its evidence.

A fold only marks what has changed; the number is counted a moment later, once for all the batches
of that moment, outside their transactions. Marks are kept in the process: one that is lost with it
costs a number that grows later, never one that is too high, because whatever makes a number smaller
ends the standing one inside the fold itself.
"""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

from django.db import connection
from django.utils import timezone

from saleor_nudges.counts import Asked
from saleor_nudges.events import Event
from saleor_nudges.events.identity import uuid7
from saleor_nudges.models import Evidence, Nudge, NudgeConfig, NudgeType, Shop
from saleor_nudges.models.nudges import public_id
from saleor_nudges.nudges import shelf
from saleor_nudges.nudges.kinds.base import Kind

# How long a measured number may be shown, for windows up to an hour. It counts only visitors who
# will still be inside the window at its end, so that it is never more than the truth, at any moment
# it is on a page.
SHOWN_FOR = timedelta(seconds=60)
# A number younger than this is good enough: no new evidence for every single view.
GOOD_FOR = timedelta(seconds=15)
# What was counted by a rule that holds no longer: time for the next look at what is due.
AGED_FOR = timedelta(seconds=30)
# A long window's number moves slowly and costs more to count: it stands for a sixtieth of it.
SHARE_OF_WINDOW, SHOWN_AT_MOST = 60, timedelta(hours=1)

UPSERT = """
    INSERT INTO saleor_nudges_nudge (
        id, public_id, product_id, product, evidence_id, value, valid_until, channel, shop_id,
        created_at, occurred_at, type, source_subject, checkout, "user", details,
        city_key, region_key, country_key)
    SELECT new.id, new.public_id, new.product_id, jsonb_build_object('id', new.product_id),
        new.evidence_id, new.value, new.valid_until, new.channel, %s, %s, %s, %s, '', '', '',
        '{}'::jsonb, '', '', ''
    FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::uuid[], %s::int[], %s::timestamptz[],
        %s::text[]) AS new(id, public_id, product_id, evidence_id, value, valid_until, channel)
    ON CONFLICT (shop_id, channel, type, product_id) WHERE source_event IS NULL DO UPDATE
    SET product = excluded.product, occurred_at = excluded.occurred_at, value = excluded.value,
        evidence_id = excluded.evidence_id, valid_until = excluded.valid_until, withdrawn_at = NULL
"""

Product = tuple[str, str]  # channel, product id
Standing = tuple[datetime | None, datetime | None]  # valid until, withdrawn at

Configs = Mapping[str, NudgeConfig]  # by channel

_marked: dict[tuple[UUID, NudgeType], set[Product]] = {}


def shown_for(window: timedelta) -> timedelta:
    """Return how long a number over this window may be shown."""
    return min(max(window / SHARE_OF_WINDOW, SHOWN_FOR), SHOWN_AT_MOST)


def mark(shop: UUID, kind: NudgeType, products: Iterable[Product]) -> None:
    """Have these numbers counted again in a moment."""
    _marked.setdefault((shop, kind), set()).update(products)


def take_marked() -> Iterator[tuple[UUID, NudgeType, set[Product]]]:
    """Yield what was marked, and forget it: shop, kind, and of which products."""
    while _marked:
        (shop, kind), products = _marked.popitem()
        yield shop, kind, products


class Measured(Kind):
    """A number about a product, or (product "") about a whole channel."""

    metric: ClassVar[str]
    variables: ClassVar[tuple[str, ...]] = ("product", "count", "window", "scope")

    @abstractmethod
    def grown(self, shop: Shop, events: Sequence[Event]) -> set[Product]:
        """Return whose number these events may have made larger."""

    def shrunk(self, shop: Shop, events: Sequence[Event]) -> set[Product]:  # noqa: ARG002
        """Return whose number may be smaller now: what stands of it is no longer said."""
        return set()

    @abstractmethod
    def count(
        self, shop: Shop, configs: Configs, asked: Sequence[Asked], now: datetime
    ) -> dict[Asked, int]:
        """Return the number for each that is worth saying. Never more than the truth."""

    def until(self, asked: Asked, value: int, now: datetime) -> datetime:  # noqa: ARG002
        """Return until when a number counted now may be said."""
        return now + shown_for(asked.window)

    def fold(self, shop: Shop, events: Sequence[Event]) -> None:
        shrunk = self.shrunk(shop, events)
        if shrunk:
            self.expire(shop, shrunk)
        if marked := shrunk | self.grown(shop, events):
            mark(shop.pk, self.type, marked)

    def expire(self, shop: Shop, products: Iterable[Product]) -> None:
        """Say no more what stands about these, until it is counted again."""
        wanted = set(products)
        standing = Nudge.objects.of(shop).filter(type=self.type, source_event__isnull=True)
        standing.filter(
            channel__in={channel for channel, _ in wanted},
            product_id__in={product for _, product in wanted},
            valid_until__gt=timezone.now(),
        ).update(valid_until=timezone.now())
        shelf.take_down(shop.pk, wanted)

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
        counted = self.count(shop, configs, asked, now) if asked else {}
        if counted:
            self._keep(shop, configs, counted, now)
        self._end(shop, asked, counted, standing, now)

    def age(self, shop: Shop, channel: str) -> None:
        """Have everything of a channel counted again soon: its rule has changed."""
        soon = timezone.now() + AGED_FOR
        standing = Nudge.objects.of(shop).filter(type=self.type, channel=channel)
        standing.filter(source_event__isnull=True, valid_until__gt=soon).update(valid_until=soon)

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
        self, shop: Shop, configs: Configs, counted: Mapping[Asked, int], now: datetime
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
                self.until(asked, counted[asked], now),
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

    def _end(
        self,
        shop: Shop,
        asked: Sequence[Asked],
        counted: Mapping[Asked, int],
        standing: Mapping[Product, Standing],
        now: datetime,
    ) -> None:
        """Say no more what was counted again and is not worth saying any longer."""
        over = {(one.channel, one.product) for one in asked if one not in counted}
        over = {one for one in over if (until := standing.get(one, (None,))[0]) and until > now}
        if over:
            self.expire(shop, over)

    def _evidence(
        self, shop: Shop, config: NudgeConfig, asked: Asked, value: int, now: datetime
    ) -> Evidence:
        return Evidence(
            shop=shop,
            channel=asked.channel,
            type=self.type,
            product_id=asked.product,
            metric=self.metric,
            window_seconds=config.window_seconds,
            value=value,
            threshold=config.minimum,
            maximum=config.maximum,
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
