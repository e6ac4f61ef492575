"""What a configuration would say, before it is saved: with the shop's latest nudge, or a sample."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec import structs

from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.models import Evidence, Nudge, NudgeConfig, NudgeType, Shop, ShopProduct
from saleor_nudges.nudges import KINDS, defaults, places, telling
from saleor_nudges.nudges.cards import Card
from saleor_nudges.nudges.checking import check_config
from saleor_nudges.nudges.choose import in_language
from saleor_nudges.nudges.configs import settings_of
from saleor_nudges.nudges.dealing import Dealer, owners
from saleor_nudges.nudges.kinds.base import Kind, Scope
from saleor_nudges.nudges.kinds.live_visitors import card_of
from saleor_nudges.nudges.kinds.measured import Measured
from saleor_nudges.nudges.linter import Finding
from saleor_nudges.nudges.picking import is_allowed, since
from saleor_nudges.nudges.products import known
from saleor_nudges.nudges.texts import SAMPLE, findings, sample_facts

# The newest so many are tried: the first that this configuration lets through is shown.
TRIED: Final = 20
SAMPLE_ID: Final = "sample"
# "Product:0": no shop has it.
SAMPLE_PRODUCT: Final = "UHJvZHVjdDow"
SAMPLE_AGE: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be shown, as a page is given it; `body` is None where `error` says why not."""

    body: dict[str, Any] | None = None
    is_sample: bool = False
    findings: list[Finding] = field(default_factory=list)
    error: InvalidInput | None = None


def preview(shop: Shop, config: NudgeConfig, language: str, now: datetime) -> Preview:
    """Return what a configuration that need not be stored would say. Stores nothing."""
    kind = KINDS[NudgeType(config.type)]
    try:
        check_config(kind, config, ())
        found = findings(kind, config, shop.claim_rules)
    except InvalidInput as error:
        return Preview(error=error)
    config.highlight_color = defaults.highlight_of(
        config, settings_of(shop, config.channel), kind.category
    )
    card = _latest(shop, config, now)
    is_sample = card is None
    if card is None:
        card = _sample(shop, kind, config, now)
    body = card.body | {
        "text": in_language(card.texts, language),
        "tag": in_language(card.tags, language) or None,
    }
    return Preview(body, is_sample, found)


def _latest(shop: Shop, config: NudgeConfig, now: datetime) -> Card | None:
    rows = list(
        Nudge.objects.of(shop)
        .filter(channel=config.channel, type=config.type, withdrawn_at__isnull=True)
        .filter(occurred_at__gte=since(config, now), occurred_at__lte=now)
        .exclude(person__erased_at__isnull=False)
        .select_related("evidence", "person")
        .order_by("-occurred_at")[:TRIED]
    )
    products = known(shop, config.channel, {row.product_id for row in rows})
    for row in rows:
        about = products.get(row.product_id)
        if row.product_id and not is_allowed(config, row.product_id, about):
            continue
        if not _is_wanted(config, row.details):
            continue
        if (card := _card(shop, config, row, now, products)) is not None:
            return card
    return None


def _is_wanted(config: NudgeConfig, details: Mapping[str, Any]) -> bool:
    """Tell whether a review has stars enough, and an order a state that counts."""
    if details.get("rating", config.minimum) < config.minimum:
        return False
    statuses = config.order_statuses if config.type == NudgeType.ORDER else []
    return not statuses or details.get("status") in statuses


def _sample(shop: Shop, kind: Kind, config: NudgeConfig, now: datetime) -> Card:
    """Return the card of facts nobody made; it is marked as such wherever it goes."""
    scope = Scope.PRODUCT if Scope.PRODUCT in kind.scopes else Scope.CHANNEL
    row = _sample_row(shop, kind, config, scope, now)
    product = ShopProduct(product_id=row.product_id, name=SAMPLE["product"], asked_at=now)
    card = _card(shop, config, row, now, {row.product_id: product})
    if card is None:
        raise RuntimeError(f"A sample of {kind.type} cannot be shown.")
    facts = sample_facts(kind, config.window_seconds, scope)
    facts = structs.replace(facts, count=row.value, name="" if config.is_anonymous else facts.name)
    texts, tags = telling.texts(kind, config, facts), telling.tags(kind, config, facts)
    return structs.replace(card, texts=texts, tags=tags)


def _sample_row(shop: Shop, kind: Kind, config: NudgeConfig, scope: Scope, now: datetime) -> Nudge:
    value = _sample_value(kind, config) if "count" in kind.variables else None
    metric = kind.metric if isinstance(kind, Measured) else "sample"
    proof = Evidence(
        metric=metric, window_seconds=config.window_seconds, value=value or 1, computed_at=now
    )
    return Nudge(
        shop=shop,
        channel=config.channel,
        type=config.type,
        public_id=SAMPLE_ID,
        product_id=SAMPLE_PRODUCT if scope is Scope.PRODUCT else "",
        product={"name": SAMPLE["product"]},
        occurred_at=now - min(SAMPLE_AGE, timedelta(seconds=config.window_seconds)),
        evidence=proof,
        value=value,
        details=SAMPLE["details"],
    )


def _sample_value(kind: Kind, config: NudgeConfig) -> int:
    value, most = max(config.minimum, int(SAMPLE["count"])), kind.most(config)
    return value if most is None else min(value, most)


def _card(
    shop: Shop,
    config: NudgeConfig,
    row: Nudge,
    now: datetime,
    products: Mapping[str, ShopProduct],
) -> Card | None:
    least = settings_of(shop, config.channel).buyers_per_place
    begin = {config.type: since(config, now)}
    named = places.named(shop, config.channel, [row], begin, now, least)
    dealer = Dealer(
        shop, config.channel, {config.type: config}, products, named, owners(shop, [row]), now
    )
    if config.type == NudgeType.LIVE_VISITORS:
        return card_of(dealer.live(config, row.product_id), row.value or 0, now)
    return dealer.card(row)
