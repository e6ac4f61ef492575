"""Saleor's JSON as our plain objects. The documents of webhooks and API name their fields alike."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from saleor_nudges.crypto import keyed_hash
from saleor_nudges.events import Cart, Contact, Line
from saleor_nudges.exceptions import InvalidEvent
from saleor_nudges.host import Checkout, Order, ProductCard

Json = dict[str, Any]

# Saleor's storefront keeps the shopper's answer as text, because metadata is text.
ANSWERS: Final[dict[object, bool]] = {"true": True, "false": False}
NOTHING_PAID: Final = "NONE"
REFUNDED: Final = "REFUNDED"


def checkout(data: Json) -> Checkout:
    """Return the checkout of `checkout{…}`; raises InvalidEvent and names what is missing."""
    return read("checkout", _checkout, data)


def order(data: Json) -> Order:
    """Return the order of `order{…}`; raises InvalidEvent and names what is missing."""
    return read("order", _order, data)


def product_card(data: Json) -> ProductCard:
    """Return the product of `product{id name slug thumbnail category collections}`."""
    return read("product", _product_card, data)


def moment(text: str) -> datetime:
    """Return the time Saleor wrote; raises ValueError without a time zone."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("no time zone")
    return found


def language(code: str) -> str:
    """Return Saleor's `EN_GB` as the web writes it: `en-gb`."""
    return code.lower().replace("_", "-")


def language_enum(code: str) -> str | None:
    """Return `en-gb` as Saleor writes it: `EN_GB`; None for none."""
    return code.upper().replace("-", "_") or None


def read[T](what: str, parse: Callable[[Json], T], data: Json) -> T:
    try:
        return parse(data)
    except KeyError as error:
        raise InvalidEvent(f"The {what} lacks {error}.", field=what) from None
    # The values are left out of the message: they may be personal.
    except (TypeError, ValueError, AttributeError, InvalidOperation):
        raise InvalidEvent(f"The {what} is not as Saleor writes it.", field=what) from None


def _checkout(data: Json) -> Checkout:
    total = data["totalPrice"]["gross"]
    cart = Cart(
        lines=tuple(_checkout_line(line) for line in data["lines"]),
        total=_money(total),
        currency=total["currency"],
        language=language(data["languageCode"]),
    )
    return Checkout(
        id=data["id"],
        channel=data["channel"]["slug"],
        created_at=moment(data["createdAt"]),
        changed_at=moment(data["updatedAt"]),
        contact=_contact(data, data["email"]),
        cart=cart,
        payment_started=_is_payment_started(data, cart.total),
        marketing_consent=ANSWERS.get(data.get("marketingOptIn")),
        refuses_featuring=ANSWERS.get(data.get("stayAnonymous")) is True,
    )


def _order(data: Json) -> Order:
    total = data["total"]["gross"]
    # A refund may leave the status alone. What was given back in part is still bought.
    refunded = _money(data.get("totalRefunded"))
    is_refunded = refunded > 0 and refunded >= _money(total)
    return Order(
        id=data["id"],
        channel=data["channel"]["slug"],
        created_at=moment(data["created"]),
        updated_at=moment(data["updatedAt"]),
        status=REFUNDED if is_refunded and data["status"] != "CANCELED" else data["status"],
        contact=_contact(data, data["userEmail"]),
        cart=Cart(
            lines=tuple(_order_line(line) for line in data["lines"]),
            total=_money(total),
            currency=total["currency"],
            language=language(data["languageCodeEnum"]),
            voucher=_code_hash(data),
        ),
        checkout_id=data["checkoutId"] or "",
    )


def _code_hash(data: Json) -> str | None:
    # What an older subscription does not name is not told.
    if "voucherCode" not in data:
        return None
    return keyed_hash("voucher", data["voucherCode"]) if data["voucherCode"] else ""


def _product_card(data: Json) -> ProductCard:
    return ProductCard(
        id=data["id"],
        name=data["name"],
        slug=data["slug"],
        image_url=_image(data),
        categories=tuple(_categories(data["category"])),
        collections=tuple(one["id"] for one in data["collections"] or ()),
    )


def _categories(category: Json | None) -> list[str]:
    if category is None:
        return []
    above = [edge["node"]["id"] for edge in category["ancestors"]["edges"]]
    return [category["id"], *reversed(above)]


def _checkout_line(data: Json) -> Line:
    return _line(data, data["variant"]["id"], data["variant"]["product"])


def _order_line(data: Json) -> Line:
    # A variant deleted since is named only; its product cannot be shown any more.
    product = data["variant"]["product"] if data["variant"] else {}
    named = {"id": "", "name": data["productName"], "slug": ""} | product
    return _line(data, data["productVariantId"] or "", named)


def _line(data: Json, variant_id: str, product: Json) -> Line:
    return Line(
        product_id=product["id"],
        variant_id=variant_id,
        quantity=int(data["quantity"]),
        product_name=product["name"],
        product_slug=product["slug"],
        image_url=_image(product),
        unit_price=_money(data["unitPrice"]["gross"]),
    )


def _contact(data: Json, email: str | None) -> Contact:
    shipping, billing = data["shippingAddress"] or {}, data["billingAddress"] or {}
    address = shipping or billing
    return Contact(
        email=email or "",
        phone=shipping.get("phone") or billing.get("phone") or "",
        user_id=(data["user"] or {}).get("id") or "",
        first_name=address.get("firstName") or "",
        city=address.get("city") or "",
        country=(address.get("country") or {}).get("code") or "",
        region=address.get("countryArea") or "",
    )


def _is_payment_started(data: Json, total: Decimal) -> bool:
    # A cart that costs nothing counts as fully paid from the start, yet nobody has paid.
    statuses = {data["authorizeStatus"], data["chargeStatus"]}
    if total > 0 and statuses != {NOTHING_PAID}:
        return True
    # Only the API is asked for these: the payment that waits for the bank.
    pending = ("authorizePendingAmount", "chargePendingAmount")
    transactions = data.get("transactions") or ()
    return any(_money(one.get(name)) > 0 for one in transactions for name in pending)


def _money(data: Json | None) -> Decimal:
    return Decimal(str(data["amount"])) if data else Decimal(0)


def _image(product: Json) -> str:
    return (product.get("thumbnail") or {}).get("url") or ""
