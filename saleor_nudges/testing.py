"""For other people's tests and ours: a shop in memory, and events on demand.

    shop = make_shop()
    checkout = a_checkout(shop, email="anna@example.com")
    capture(full_checkout(shop, checkout))
    consume()

Needs SALEOR_NUDGES["HOST"] to be the memory host, which is the default.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from django.db.models.functions import Now

from saleor_nudges import consent, consumers
from saleor_nudges.capture import capture
from saleor_nudges.events import Cart, Contact, Flow, Line, ProductViewed
from saleor_nudges.events.identity import uuid7
from saleor_nudges.facts import facts_of, full_checkout
from saleor_nudges.host import Checkout, Order, ProductCard
from saleor_nudges.host.memory import MemoryHost
from saleor_nudges.models import Cursor, LegalBasis, NudgeType, Shop
from saleor_nudges.nudges import configs
from saleor_nudges.recovery import campaigns
from saleor_nudges.recovery.sending import detect

CHANNEL = "default-channel"
JUICE = ProductCard("UHJvZHVjdDox", "Apple Juice", "apple-juice")


def make_shop(key: str = "shop.example.com", **fields: Any) -> Shop:
    """Return a shop whose seller has let us watch and show, but not yet send."""
    defaults = {
        "name": "Example shop",
        "tracking_since": datetime.now(UTC) - timedelta(days=1),
        "sender_email": "hello@shop.example.com",
        "checkout_url": "https://shop.example.com/checkout?checkout={checkout}",
        "product_url": "https://shop.example.com/{channel}/products/{slug}",
    }
    shop = Shop.objects.create(key=key, **defaults | fields)
    MemoryHost(shop).shelf.products[JUICE.id] = JUICE
    return shop


def switch_on_nudge(shop: Shop, kind: NudgeType, **changes: Any) -> None:
    """Switch one kind of nudge on in the default channel."""
    configs.change_config(shop, CHANNEL, kind, {"is_enabled": True, **changes})


def switch_on_recovery(shop: Shop, *, since: datetime | None = None, **changes: Any) -> None:
    """Switch sending and the campaign of the default channel on, as a seller would."""
    moment = since or datetime.now(UTC) - timedelta(hours=2)
    shop.sending_since = moment
    shop.legal_basis = changes.pop("legal_basis", LegalBasis.SOFT_OPT_IN)
    shop.sending_installation = consent.installation()
    shop.save()
    campaign = campaigns.campaign_of(shop, CHANNEL)
    campaigns.change(campaign, changes)
    campaigns.activate(campaign)
    campaign.active_since = moment
    campaign.save()


def caught_up(shop: Shop) -> None:
    """Say that the orders of the shop are known up to now."""
    Cursor.objects.of(shop).update_or_create(
        shop=shop, kind="orders", defaults={"position": datetime.now(UTC), "caught_up_at": Now()}
    )


def a_cart(*products: ProductCard, quantity: int = 1) -> Cart:
    """Return a cart with one line per product, at 5 EUR each."""
    lines = tuple(
        Line(
            product_id=card.id,
            variant_id=f"{card.id}-variant",
            quantity=quantity,
            product_name=card.name,
            product_slug=card.slug,
            image_url=card.image_url,
            unit_price=Decimal("5.00"),
        )
        for card in products or (JUICE,)
    )
    return Cart(lines=lines, total=Decimal(5) * len(lines) * quantity, currency="EUR")


def a_checkout(
    shop: Shop, *, age: timedelta = timedelta(hours=1), cart: Cart | None = None, **contact: str
) -> Checkout:
    """Put a checkout, last changed `age` ago, into the shop in memory and return it."""
    moment = datetime.now(UTC) - age
    checkout = Checkout(
        id=f"Checkout:{uuid4()}",
        channel=CHANNEL,
        created_at=moment,
        changed_at=moment,
        contact=Contact(**contact),
        cart=cart or a_cart(),
    )
    MemoryHost(shop).shelf.checkouts[checkout.id] = checkout
    return checkout


def checkout_seen(shop: Shop, checkout: Checkout) -> None:
    """Let us hear of a checkout as it is now."""
    capture(full_checkout(shop, checkout))
    consume()


def left_behind(shop: Shop, **contact: str) -> Checkout:
    """Return a checkout of an hour ago whose message is due in the ledger. Recovery must be on."""
    known: dict[str, Any] = {"email": "anna@example.com", "first_name": "Anna"} | contact
    checkout = a_checkout(shop, **known)
    checkout_seen(shop, checkout)
    caught_up(shop)
    detect.detect()
    return checkout


def order_placed(
    shop: Shop, checkout: Checkout, *, at: datetime | None = None, **contact: str
) -> Order:
    """Turn a checkout into an order and let us hear of it."""
    order = MemoryHost(shop).place_order(checkout.id, at or datetime.now(UTC), **contact)
    capture(*facts_of(shop, order))
    consume()
    return order


def viewed(shop: Shop, product: str, visitor: UUID | None = None, **fields: Any) -> ProductViewed:
    """Return the view of a product, now, by a visitor nobody else is."""
    now = datetime.now(UTC)
    defaults: dict[str, Any] = {"channel": CHANNEL, "occurred_at": now, "id": uuid7(now)}
    return ProductViewed(
        shop=shop.pk, product=product, visitor=visitor or uuid7(), **defaults | fields
    )


def consume() -> int:
    """Consume everything that waits."""
    return sum(consumers.drain(flow, seconds=60) for flow in Flow)
