"""Rows as the kinds leave them, for tests that begin with what is stored."""

from datetime import UTC, datetime, timedelta
from typing import Any

from saleor_nudges import people
from saleor_nudges.events import Contact
from saleor_nudges.events.identity import uuid7
from saleor_nudges.models import Evidence, Nudge, NudgeType, Person, Shop, ShopProduct
from saleor_nudges.nudges import KINDS, places
from saleor_nudges.nudges.kinds.measured import Measured
from saleor_nudges.testing import CHANNEL

MINUTE = timedelta(minutes=1)


def ago(time: timedelta) -> datetime:
    return datetime.now(UTC) - time


def number(shop: Shop, kind: NudgeType, about: str, value: int, **fields: Any) -> Nudge:
    """Return a number that was measured a moment ago and may be shown for a minute."""
    return _row(
        shop,
        kind,
        about,
        value=value,
        **{"occurred_at": ago(MINUTE / 6), "valid_until": datetime.now(UTC) + MINUTE} | fields,
    )


def deed(shop: Shop, kind: NudgeType, about: str, **fields: Any) -> Nudge:
    """Return what somebody did a minute ago; `who` is their name and where they are."""
    who = {"name": "", "city": "", "region": "", "country": ""} | fields.pop("who", {})
    person = fields.pop("person", None) or a_person(shop)
    defaults = {
        "occurred_at": ago(MINUTE),
        "source_event": uuid7(),
        "source_subject": uuid7().hex,
        "person": person,
        "sealed_who": people.seal_about(person, who),
        **places.keys(who),
    }
    return _row(shop, kind, about, **defaults | fields)


def a_person(shop: Shop, email: str = "") -> Person:
    person = people.resolve(shop, Contact(email=email or f"{uuid7().hex}@example.com"))
    assert person is not None
    return person


def known_product(shop: Shop, product: str, **fields: Any) -> ShopProduct:
    """Return what the shop said of a product a moment ago."""
    now = datetime.now(UTC)
    defaults = {
        "name": f"Product {product}",
        "slug": product.lower(),
        "is_available": True,
        "seen_at": now,
        "asked_at": now,
        "channel": CHANNEL,
    }
    return ShopProduct.objects.of(shop).create(shop=shop, product_id=product, **defaults | fields)


def _row(shop: Shop, kind: NudgeType, about: str, **fields: Any) -> Nudge:
    asked = KINDS[kind]
    window = fields.pop("window_seconds", None)
    fields = {"channel": CHANNEL} | fields
    evidence = Evidence.objects.of(shop).create(
        shop=shop,
        channel=fields["channel"],
        type=kind,
        product_id=about,
        metric=asked.metric if isinstance(asked, Measured) else "deeds",
        value=fields.get("value") or 1,
        window_seconds=window or int(asked.window.total_seconds()),
        computed_at=fields["occurred_at"],
        rule_version=asked.rule_version,
        source_event=fields.get("source_event"),
    )
    shown = {"id": about, "name": f"Product {about}", "slug": about.lower()}
    defaults = {"product": shown if about else {}, "evidence": evidence}
    return Nudge.objects.of(shop).create(
        shop=shop, type=kind, product_id=about, **defaults | fields
    )
