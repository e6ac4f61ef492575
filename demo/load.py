"""The sample shop, as its seller would have set it up: both nudges and the campaign switched on."""

from datetime import UTC, datetime, timedelta

from django.conf import settings

from demo.catalogue import CHANNEL, SHOP_NAME
from demo.shop import SHOP_KEY
from saleor_nudges import consent, reconcile, retention
from saleor_nudges.models import LegalBasis, NudgeType, Shop
from saleor_nudges.nudges import configs
from saleor_nudges.recovery import campaigns

# A page of the demo is looked at for seconds, not for minutes.
DISPLAY = {"initial_delay": 1, "gap": 5, "duration": 9, "max_per_page": 10, "max_per_session": 100}


def load() -> None:
    """Make the shop, or bring it up to date; safe to do again."""
    retention.make_partitions(datetime.now(UTC))
    shop = _shop()
    for kind in NudgeType:
        configs.change_config(shop, CHANNEL, kind, {"is_enabled": True})
    configs.change_settings(shop, CHANNEL, DISPLAY | {"highlight_color": "#2f6b4f"})
    campaign = campaigns.campaign_of(shop, CHANNEL)
    campaigns.change(campaign, {"delay_seconds": settings.DEMO_DELAY})
    campaigns.activate(campaign)
    # Nothing is sent before the orders are known; beat would do this within a minute.
    reconcile.reconcile_all()


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
