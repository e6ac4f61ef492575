"""Saleor's webhooks: what it says of checkouts, orders, products and customers, as our events."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.http import HttpRequest

from saleor_nudges import access, facts, people, telemetry
from saleor_nudges.events import (
    CheckoutFact,
    CheckoutPaid,
    CheckoutStarted,
    Contact,
    CustomerErased,
    Event,
    OrderPaid,
    ProductChanged,
    ProductWithdrawn,
    StockChanged,
)
from saleor_nudges.exceptions import BadSignature, InvalidEvent, UnknownShop
from saleor_nudges.host import Checkout
from saleor_nudges.models import AppInstallation, Shop
from saleor_nudges.webhooks import keys, payloads
from saleor_nudges.webhooks.base import WebhookView

Json = dict[str, Any]

# Saleor gives up after 310 seconds (retries after 10, 20, 40, 80 and 160). A day leaves room for a
# queue of theirs that stood still, and for a seller who has a delivery sent again by hand.
OLDEST: Final = timedelta(hours=24)
FULLY_CHARGED: Final = frozenset({"FULL", "OVERCHARGED"})


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a parser is given: the object an event is about, and when Saleor spoke of it."""

    shop: Shop
    data: Json
    issued: datetime


Parse = Callable[[Delivery], Sequence[Event]]


class SaleorWebhookView(WebhookView):
    """POST webhooks/saleor/: one door for all events; the header says which."""

    door = "saleor"

    def verify(self, body: bytes, request: HttpRequest) -> Shop:
        installation = self._installation(request.headers.get("Saleor-Api-Url", ""))
        signature = request.headers.get("Saleor-Signature", "")
        keys.verified(installation, lambda key_set: access.verify_webhook(body, signature, key_set))
        return installation.shop

    def parse(
        self, shop: Shop, body: bytes, request: HttpRequest, now: datetime
    ) -> Sequence[Event]:
        data = access.parsed(body)
        if not isinstance(data, dict):
            raise InvalidEvent("The body must be a JSON object.", field="body")
        issued = _issued(data)
        if abs(now - issued) > OLDEST:
            raise BadSignature("This delivery is too old: it is a replay.")
        what, parse = EVENTS[_event_of(data, request)]
        subject = data.get(what)
        if not isinstance(subject, dict):
            raise InvalidEvent(f"The body lacks {what!r}.", field=what)
        try:
            return parse(Delivery(shop, subject, issued))
        except (KeyError, TypeError) as error:
            raise InvalidEvent("The body is not as our subscription asks.") from error

    @staticmethod
    def _installation(api_url: str) -> AppInstallation:
        found = AppInstallation.objects.across_shops().filter(
            shop__key=api_url, shop__is_active=True
        )
        installation = found.select_related("shop").first()
        if installation is None:
            raise UnknownShop
        return installation


def _event_of(data: Json, request: HttpRequest) -> str:
    name = request.headers.get("Saleor-Event", "").upper()
    if name not in EVENTS:
        raise InvalidEvent("We did not ask for this event.", field="event")
    # The header is not signed: a genuine body must not be passed off as another event.
    signed = data.get("__typename", _type_of(name))
    if signed != _type_of(name):
        raise BadSignature("The header names another event than the body.")
    return name


def _type_of(event: str) -> str:
    return event.title().replace("_", "")


def _issued(data: Json) -> datetime:
    try:
        return payloads.moment(data["issuedAt"])
    except (KeyError, TypeError, ValueError):
        raise InvalidEvent("The body does not say when it was issued.", field="issuedAt") from None


# Checkouts.


def _checkout_created(given: Delivery) -> Sequence[Event]:
    # Saleor reads the checkout when it sends, not when it was made: two facts, of two moments.
    checkout = payloads.checkout(given.data)
    started = _with_cart(given.shop, CheckoutStarted, checkout, checkout.created_at)
    return [started, facts.full_checkout(given.shop, checkout)]


def _checkout_updated(given: Delivery) -> Sequence[Event]:
    return [facts.full_checkout(given.shop, payloads.checkout(given.data))]


def _checkout_paid(given: Delivery) -> Sequence[Event]:
    checkout = payloads.checkout(given.data)
    if given.data["chargeStatus"] not in FULLY_CHARGED:
        return [facts.full_checkout(given.shop, checkout)]
    return [_with_cart(given.shop, CheckoutPaid, checkout, checkout.changed_at)]


def _with_cart(
    shop: Shop, kind: type[CheckoutFact], checkout: Checkout, at: datetime
) -> CheckoutFact:
    full = facts.full_checkout(shop, checkout)
    thin = facts.checkout_fact(kind, shop, checkout.id, checkout.channel, at)
    return replace(
        thin,
        contact=full.contact,
        cart=full.cart,
        payment_started=full.payment_started or kind is CheckoutPaid,
        marketing_consent=full.marketing_consent,
        refuses_featuring=full.refuses_featuring,
    )


# Orders. Any of them proves that the order was placed, and by its status whether it was undone.


def _order(given: Delivery) -> Sequence[Event]:
    return facts.facts_of(given.shop, payloads.order(given.data))


def _order_paid(given: Delivery) -> Sequence[Event]:
    order = payloads.order(given.data)
    paid = [facts.full_order(OrderPaid, given.shop, order)] if given.data["isPaid"] else []
    return [*facts.facts_of(given.shop, order), *paid]


def _order_refunded(given: Delivery) -> Sequence[Event]:
    order = payloads.order(given.data)
    # Webhooks that were installed before we asked do not say how much: then it may be all of it.
    if "totalRefunded" not in given.data:
        order = replace(order, status=payloads.REFUNDED)
    return facts.facts_of(given.shop, order)


# Products and customers. They carry no revision; the time they were issued tells them apart.


def _product(kind: type[ProductChanged | ProductWithdrawn]) -> Parse:
    def parse(given: Delivery) -> Sequence[Event]:
        return [kind(product_id=given.data["id"], **_issued_fact(given))]

    return parse


def _stock(given: Delivery) -> Sequence[Event]:
    return [StockChanged(variant_id=given.data["id"], **_issued_fact(given))]


def _customer_deleted(given: Delivery) -> Sequence[Event]:
    return [
        CustomerErased(
            user=people.user_hash(given.data["id"]) or "",
            contact=Contact(email=given.data.get("email") or "", user_id=given.data["id"]),
            **_issued_fact(given),
        )
    ]


def _issued_fact(given: Delivery) -> Json:
    return {
        "shop": given.shop.pk,
        "channel": "",
        "occurred_at": given.issued,
        "revision": facts.revision(given.issued),
    }


# The app itself.


def _app_deleted(given: Delivery) -> Sequence[Event]:
    """Forget how to reach a shop that removed us; its seller's settings wait for a reinstall."""
    installation = AppInstallation.objects.of(given.shop)
    # Saleor tells an app of itself alone; an older installation of ours is not this one.
    if installation.filter(app_id=given.data["id"]).exists():
        with transaction.atomic():
            Shop.objects.filter(pk=given.shop.pk).update(is_active=False)
            installation.delete()
        telemetry.log(telemetry.Log.SHOP_REMOVED)
    return []


# Saleor's event: the object in its body, and what we make of it.
EVENTS: Final[dict[str, tuple[str, Parse]]] = {
    "CHECKOUT_CREATED": ("checkout", _checkout_created),
    "CHECKOUT_UPDATED": ("checkout", _checkout_updated),
    "CHECKOUT_FULLY_PAID": ("checkout", _checkout_paid),
    "ORDER_CREATED": ("order", _order),
    "ORDER_UPDATED": ("order", _order),
    # Saleor's ORDER_PAID is any payment, its ORDER_FULLY_PAID the last one.
    "ORDER_PAID": ("order", _order),
    "ORDER_FULLY_PAID": ("order", _order_paid),
    "ORDER_CANCELLED": ("order", _order),
    "ORDER_REFUNDED": ("order", _order_refunded),
    "PRODUCT_UPDATED": ("product", _product(ProductChanged)),
    "PRODUCT_DELETED": ("product", _product(ProductWithdrawn)),
    "PRODUCT_VARIANT_STOCK_UPDATED": ("productVariant", _stock),
    "PRODUCT_VARIANT_OUT_OF_STOCK": ("productVariant", _stock),
    "PRODUCT_VARIANT_BACK_IN_STOCK": ("productVariant", _stock),
    "CUSTOMER_DELETED": ("user", _customer_deleted),
    "APP_DELETED": ("app", _app_deleted),
}
