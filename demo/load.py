"""The sample shop, as its seller would have set it up: every nudge and the campaign switched on."""

from datetime import UTC, datetime, timedelta

from django.conf import settings

from demo.catalogue import BY_SLUG, CHANNEL, PRODUCTS, SHOP_NAME
from demo.models import DemoStock
from demo.shop import SHOP_KEY
from saleor_nudges import consent, reconcile, retention
from saleor_nudges.models import LegalBasis, NudgeType, ProductReview, Shop
from saleor_nudges.nudges import configs
from saleor_nudges.recovery import campaigns
from saleor_nudges.reviews import bringing

# A page of the demo is looked at for seconds, not for minutes.
DISPLAY = {"initial_delay": 1, "gap": 5, "duration": 9, "max_per_page": 10, "max_per_session": 100}
# A small shop: what a large one would not find worth saying is news here.
SMALL_SHOP: dict[NudgeType, dict[str, int]] = {
    NudgeType.LIVE_VISITORS: {"minimum": 2},
    NudgeType.PRODUCT_VIEW: {"minimum": 3},
}
# As a review service would bring them: product, stars, author, how many days ago, words.
REVIEWS = (
    ("apple-juice", 5, "Greta", 2, "Cloudy, sharp, gone by Sunday."),
    ("small-teapot", 5, "Henrik", 3, "It really does not drip."),
    ("jasmine-tea", 4, "Lucia", 4, "Smells like the garden at night."),
    ("stoneware-mug", 5, "Bram", 5, "Fits two hands, as promised."),
)
SOURCE = "sample-reviews"


def load() -> None:
    """Make the shop, or bring it up to date; safe to do again."""
    retention.make_partitions(datetime.now(UTC))
    shop = _shop()
    for kind in NudgeType:
        changes = {"is_enabled": True, **SMALL_SHOP.get(kind, {})}
        configs.change_config(shop, CHANNEL, kind, changes)
    chosen = {"buyers_per_place": 2, "captures_contact": True}
    configs.change_settings(shop, CHANNEL, DISPLAY | chosen)
    _fill_the_shelves()
    _bring_reviews(shop)
    campaign = campaigns.campaign_of(shop, CHANNEL)
    campaigns.change(campaign, {"delay_seconds": settings.DEMO_DELAY})
    campaigns.activate(campaign)
    # Nothing is sent before the orders are known; beat would do this within a minute.
    reconcile.reconcile_all()


def _fill_the_shelves() -> None:
    for product in PRODUCTS:
        DemoStock.objects.get_or_create(pk=product.id, defaults={"left": product.stock})


def _bring_reviews(shop: Shop) -> None:
    if ProductReview.objects.of(shop).filter(source=SOURCE).exists():
        return
    now = datetime.now(UTC)
    reviews = [
        {
            "externalId": f"{slug} {author}",
            "product": BY_SLUG[slug].id,
            "rating": rating,
            "text": text,
            "author": author,
            "createdAt": (now - timedelta(days=days)).isoformat(),
            "state": "APPROVED",
        }
        for slug, rating, author, days, text in REVIEWS
    ]
    bringing.take(shop, bringing.Delivery(SOURCE, CHANNEL, now, reviews), now)


def _shop() -> Shop:
    now = datetime.now(UTC)
    shop, _ = Shop.objects.get_or_create(key=SHOP_KEY, defaults={"sending_since": now})
    shop.name = SHOP_NAME
    shop.tracking_since = shop.tracking_since or now - timedelta(seconds=1)
    shop.legal_basis = LegalBasis.SOFT_OPT_IN
    shop.sending_installation = consent.installation()
    shop.sender_name, shop.sender_email = SHOP_NAME, "hello@linden-and-clay.example"
    shop.checkout_url = f"{settings.DEMO_URL}/checkout?checkout={{checkout}}"
    shop.product_url = f"{settings.DEMO_URL}/products/{{slug}}"
    shop.save()
    return shop
