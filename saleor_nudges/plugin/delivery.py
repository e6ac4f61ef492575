"""How a checkout could be sent, by what Saleor itself knows: no shipping app is asked."""

from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string
from saleor.webhook.event_types import WebhookEventSyncType
from saleor.webhook.models import WebhookEvent

try:
    from saleor.checkout import delivery_context as saleor_delivery
    from saleor.checkout.models import CheckoutDelivery

    KEEPS_DELIVERIES = True
except ImportError:
    # Before 3.23 it was found out anew each time it was asked for.
    from saleor.checkout import fetch as saleor_delivery
    from saleor.checkout.utils import get_external_shipping_id

    KEEPS_DELIVERIES = False

# Apps that offer methods of their own, and apps that take away some of the shop's.
ASKED_OF_APPS: Final = (
    WebhookEventSyncType.SHIPPING_LIST_METHODS_FOR_CHECKOUT,
    WebhookEventSyncType.CHECKOUT_FILTER_SHIPPING_METHODS,
)
# Before 3.23 plugins of any make could do the same; Saleor's own one only speaks for the apps.
ASKED_OF_PLUGINS: Final = (
    "get_shipping_methods_for_checkout",
    "excluded_shipping_methods_for_checkout",
)
WEBHOOKS: Final = "saleor.plugins.webhook.plugin.WebhookPlugin"


@dataclass(frozen=True, slots=True)
class Delivery:
    """How many ways there are, whether the chosen one is among them, and what Saleor calls it."""

    count: int | None
    is_offered: bool | None
    chosen: Any


def is_up_to_apps() -> bool:
    """Tell whether somebody outside Saleor has a say in how a checkout can be sent."""
    heard = WebhookEvent.objects.filter(
        event_type__in=ASKED_OF_APPS, webhook__is_active=True, webhook__app__is_active=True
    )
    return heard.exists() or any(map(_delivers, getattr(settings, "PLUGINS", ())))


def of(row: Any, info: Any, *, is_up_to_apps: bool) -> Delivery:
    """Return how a checkout could be sent; `info` is what Saleor's own functions work with."""
    methods = {
        str(method.id): method
        for method in saleor_delivery.get_available_built_in_shipping_methods_for_checkout_info(
            info
        )
    }
    places = {place.pk for place in info.valid_pick_up_points}
    count: int | None = len(methods) + len(places)
    if is_up_to_apps:
        kept = _kept(row)
        count = None if kept is None else kept + len(places)
    return Delivery(
        count=count,
        is_offered=_is_offered(row, methods, places, is_up_to_apps=is_up_to_apps),
        chosen=_chosen(row, methods),
    )


def _delivers(path: str) -> bool:
    return path != WEBHOOKS and any(hasattr(import_string(path), name) for name in ASKED_OF_PLUGINS)


def _kept(row: Any) -> int | None:
    """Return how many methods Saleor keeps for it, the apps' too, while they are good."""
    if not _is_kept(row):
        return None
    return int(
        CheckoutDelivery.objects.filter(checkout_id=row.pk, is_valid=True, active=True).count()
    )


def _is_kept(row: Any) -> bool:
    good_until = row.delivery_methods_stale_at if KEEPS_DELIVERIES else None
    return good_until is not None and good_until > timezone.now()


def _is_offered(
    row: Any, methods: dict[str, Any], places: set[Any], *, is_up_to_apps: bool
) -> bool | None:
    if row.collection_point_id:
        return row.collection_point_id in places
    method = _method(row)
    if not method:
        return False
    if is_up_to_apps and _is_kept(row):
        return bool(row.assigned_delivery.is_valid and row.assigned_delivery.active)
    if method in methods:
        return None if is_up_to_apps else True
    # What is not Saleor's own is an app's, and apps are not asked.
    return False if method.isdecimal() else None


def _method(row: Any) -> str:
    """Return the id of the method that is chosen: a number where it is Saleor's own."""
    if KEEPS_DELIVERIES:
        return str(row.assigned_delivery.shipping_method_id) if row.assigned_delivery else ""
    return str(row.shipping_method_id or get_external_shipping_id(row) or "")


def _chosen(row: Any, methods: dict[str, Any]) -> Any:
    if row.collection_point_id:
        return saleor_delivery.CollectionPointInfo(row.collection_point, row.shipping_address)
    if method := methods.get(_method(row)):
        return saleor_delivery.ShippingMethodInfo(method, row.shipping_address)
    return saleor_delivery.DeliveryMethodBase()
