"""“12 people are looking at this right now.” The number is counted when a page asks.

A board holds the templates; who serves the page knows the number (`saleor_nudges.live`) and makes
the sentence for it. What pages were told is kept as evidence: once for each number told of a
product within SAME_FOR seconds, however many pages and processes told it.
"""

from base64 import urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import Any, ClassVar, Final

from saleor_nudges import telemetry, wording
from saleor_nudges.events import Event, LiveMeasured
from saleor_nudges.events.storefront import SAME_FOR
from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.live import HERE_FOR, TOLD_FOR, Place
from saleor_nudges.models import Evidence, Nudge, NudgeType, Shop
from saleor_nudges.nudges.cards import Card, Live
from saleor_nudges.nudges.kinds.base import Claim, Kind

METRIC: Final = "live_visitors"
# Whoever is counted was heard of within so many seconds of the moment the number is told.
WINDOW: Final = timedelta(seconds=HERE_FOR + TOLD_FOR)
EVIDENCE_SECONDS: Final = 15
MOST_REPORTED: Final = 50_000

Facts = tuple[tuple[str, str], ...]


class LiveVisitorsKind(Kind):
    """Visitors whose page shows a product at this moment, without the one who reads it."""

    type: ClassVar[NudgeType] = NudgeType.LIVE_VISITORS
    category: ClassVar[str] = "POPULARITY"
    rule_version: ClassVar[str] = "live-visitors-1"
    window: ClassVar[timedelta] = WINDOW
    windows: ClassVar[tuple[timedelta, ...]] = (WINDOW,)
    longest_window: ClassVar[timedelta] = WINDOW
    minimum: ClassVar[int] = 3
    pages: ClassVar[tuple[str, ...]] = ("PRODUCT",)
    is_about_this_product: ClassVar[bool] = True
    priority: ClassVar[int] = 20
    texts: ClassVar[dict[str, str]] = {
        "en": "{{ count }} {% if count == 1 %}person is{% else %}people are{% endif %}"
        " looking at this right now",
        "de": "{{ count }} {% if count == 1 %}Person sieht{% else %}Personen sehen{% endif %}"
        " sich das gerade an",
        "pl": "{% assign ones = count | modulo: 10 %}{% assign tens = count | modulo: 100 %}"
        "{{ count }} {% if count == 1 %}osoba ogląda"
        "{% elsif tens > 11 and tens < 15 %}osób ogląda"
        "{% elsif ones > 1 and ones < 5 %}osoby oglądają{% else %}osób ogląda{% endif %} to teraz",
    }
    claims: ClassVar[frozenset[Claim]] = frozenset({Claim.LIVE, Claim.VISITORS, Claim.PEOPLE})
    variables: ClassVar[tuple[str, ...]] = ("product", "count")
    headings: ClassVar[dict[str, str]] = {"en": "Right now", "de": "Gerade jetzt", "pl": "Teraz"}
    about: ClassVar[dict[str, str]] = {
        "en": "We count the others whose page showed this product within the last {window}.",
        "de": "Gezählt werden die anderen, deren Seite gerade dieses Produkt zeigt. Zeitraum:"
        " {window}.",
        "pl": "Liczymy inne osoby, które mają teraz otwartą stronę tego produktu. Okres: {window}.",
    }

    def fold(self, shop: Shop, events: Sequence[Event]) -> None:
        """Keep what pages were told as evidence, and the nudge by whose name they know it."""
        told = [event for event in events if isinstance(event, LiveMeasured)]
        if not told:
            return
        proofs = Evidence.objects.bulk_create(self._evidence(shop, event) for event in told)
        newest = {
            (event.channel, event.product): proof for event, proof in zip(told, proofs, strict=True)
        }
        self._name(shop, newest)

    def _evidence(self, shop: Shop, event: LiveMeasured) -> Evidence:
        return Evidence(
            shop=shop,
            channel=event.channel,
            type=self.type,
            product_id=event.product,
            metric=METRIC,
            window_seconds=int(WINDOW.total_seconds()),
            value=event.value,
            threshold=event.threshold,
            maximum=event.maximum,
            computed_at=event.occurred_at,
            rule_version=self.rule_version,
        )

    def _name(self, shop: Shop, newest: Mapping[tuple[str, str], Evidence]) -> None:
        """Keep a row per product, so that its public name leads to its evidence. Never shown."""
        # In one order, so that two workers never wait for each other.
        rows = [self._row(shop, newest[place]) for place in sorted(newest)]
        Nudge.objects.bulk_create(rows, ignore_conflicts=True)
        known = (
            Nudge.objects.of(shop)
            .filter(type=self.type, public_id__in=[row.public_id for row in rows])
            .select_for_update()
            .order_by("pk")
        )
        standing = [row for row in known if (row.channel, row.product_id) in newest]
        for row in standing:
            proof = newest[row.channel, row.product_id]
            row.evidence, row.value = proof, proof.value
            row.occurred_at = row.valid_until = proof.computed_at
        fields = ["evidence", "value", "occurred_at", "valid_until"]
        Nudge.objects.of(shop).bulk_update(standing, fields)

    def _row(self, shop: Shop, proof: Evidence) -> Nudge:
        return Nudge(
            shop=shop,
            channel=proof.channel,
            type=self.type,
            product_id=proof.product_id,
            product={"id": proof.product_id},
            public_id=public_id_of(shop, proof.channel, proof.product_id),
            occurred_at=proof.computed_at,
            # What is told is on the boards; a number that was is of the past.
            valid_until=proof.computed_at,
            value=proof.value,
            evidence=proof,
        )


def public_id_of(shop: Shop, channel: str, product: str) -> str:
    """Return by which name a page knows how many look at a product: the same in every process."""
    text = "\0".join((shop.pk.hex, channel, product, NudgeType.LIVE_VISITORS))
    return urlsafe_b64encode(blake2b(text.encode(), digest_size=6).digest()).decode()


def card_of(live: Live, count: int, now: datetime) -> Card | None:
    """Return the card for so many visitors, the reader among them; None: not worth saying."""
    value, less = _worth(live, count), _worth(live, count - 1)
    if value is None and less is None:
        return None
    return Card(
        id=live.id,
        type=live.type,
        product=live.product,
        occurred_at=now,
        until=now + timedelta(seconds=TOLD_FOR),
        body=live.body | {"evidence": _proof(count, now)},
        texts=_texts(live, value),
        tags=live.tags,
        value=value,
        less=less,
        texts_less=_texts(live, less),
        tags_less=live.tags,
    )


def _worth(live: Live, count: int) -> int | None:
    is_worth = max(live.minimum, 1) <= count and (live.maximum is None or count <= live.maximum)
    return count if is_worth else None


def _proof(count: int, now: datetime) -> dict[str, Any]:
    return {
        "metric": METRIC,
        "value": count,
        "windowSeconds": int(WINDOW.total_seconds()),
        "computedAt": now.isoformat(),
    }


def _texts(live: Live, count: int | None) -> dict[str, str]:
    if count is None:
        return {}
    facts = tuple(live.facts.items())
    return {
        language: _text(template, language, facts, count)
        for language, template in live.templates.items()
    }


@lru_cache(maxsize=8192)
def _text(template: str, language: str, facts: Facts, count: int) -> str:
    known = {**dict(facts), "count": count}
    try:
        return wording.text(template, known)
    except InvalidInput:
        # It could be said when it was saved; with this number it cannot.
        telemetry.trouble(telemetry.Log.TEXT_FAILED, type=NudgeType.LIVE_VISITORS)
        ours = LiveVisitorsKind.texts
        return wording.text(ours.get(language, ours["en"]), known)


# What was told ----------------------------------------------------------------------------------

_reported: OrderedDict[tuple[Place, int], int] = OrderedDict()


def told(
    place: Place, live: Live | None, count: int, shown: Iterable[str], now: datetime
) -> LiveMeasured | None:
    """Return the event that says what a page was told: the nudges of these ids are on it.

    None if no number was told, or this process has said so lately.
    """
    if live is None or live.id not in shown:
        return None
    key, moment = (place, count), int(now.timestamp()) // SAME_FOR
    if _reported.get(key) == moment:
        return None
    _reported[key] = moment
    _reported.move_to_end(key)
    while len(_reported) > MOST_REPORTED:
        _reported.popitem(last=False)
    return LiveMeasured(
        shop=place.shop,
        channel=place.channel,
        occurred_at=now,
        product=place.product,
        value=count,
        threshold=live.minimum,
        maximum=live.maximum,
    )
