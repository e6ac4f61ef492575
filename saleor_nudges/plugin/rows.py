"""Saleor's rows as the plain objects of the host seam, and how many queries that takes."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db.models import Q, QuerySet
from saleor.checkout.models import Checkout as SaleorCheckout
from saleor.core.utils import build_absolute_uri
from saleor.order.models import Order as SaleorOrder
from saleor.payment import ChargeStatus, TransactionKind
from saleor.product import ProductMediaTypes
from saleor.thumbnail.utils import get_image_or_proxy_url

from saleor_nudges.crypto import keyed_hash
from saleor_nudges.events import Cart, Contact, Line
from saleor_nudges.host import Checkout, Order
from saleor_nudges.plugin.facts import global_id

# Wide enough for a nudge and for an email; one of the sizes Saleor makes.
IMAGE_SIZE: Final = 256
# How the storefront Paper writes the shopper's answer down.
MARKETING: Final = "paper.marketing_opt_in"
# How any storefront writes down that a shopper wants to stay unnamed.
STAY_ANONYMOUS: Final = "saleor-nudges.stay_anonymous"
ANSWERS: Final = {"true": True, "false": False}
NOT_PAID: Final = (ChargeStatus.NOT_CHARGED, ChargeStatus.REFUSED, ChargeStatus.CANCELLED)
MONEY_MOVES: Final = (
    TransactionKind.AUTH,
    TransactionKind.CAPTURE,
    TransactionKind.PENDING,
    TransactionKind.ACTION_TO_CONFIRM,
    TransactionKind.CONFIRM,
    TransactionKind.EXTERNAL,
)


def checkouts() -> "QuerySet[Any]":
    """Return Saleor's checkouts with all that a fact tells of them: seven queries a batch."""
    found: QuerySet[Any] = SaleorCheckout.objects.select_related(
        "channel", "user", "billing_address", "shipping_address", "metadata_storage"
    ).prefetch_related(
        "lines__variant__product__media", "payment_transactions", "payments__transactions"
    )
    return found


def orders() -> "QuerySet[Any]":
    """Return Saleor's orders with all that a fact tells of them. A draft is no order yet."""
    found: QuerySet[Any] = (
        SaleorOrder.objects.exclude(status="draft")
        .select_related("channel", "user", "billing_address", "shipping_address")
        .prefetch_related("lines__variant__product__media", "payment_transactions", "payments")
    )
    return found


def changed(
    found: "QuerySet[Any]", column: str, since: datetime, size: int, after: str
) -> tuple[list[Any], str]:
    """Return the rows changed since then, oldest change first, and where the next ones begin.

    `column` is Saleor's own time of the change. A place is named by that time and the key.
    """
    found = found.filter(**{f"{column}__gte": since}).order_by(column, "pk")
    if after:
        moment, _, pk = after.partition("|")
        last = datetime.fromisoformat(moment)
        found = found.filter(Q(**{f"{column}__gt": last}) | Q(**{column: last, "pk__gt": UUID(pk)}))
    page = list(found[: size + 1])
    end = page[size - 1] if len(page) > size else None
    place = f"{getattr(end, column).isoformat()}|{end.pk}" if end else ""
    return page[:size], place


def metadata(keys: Collection[str], wanted: Collection[str]) -> dict[str, str]:
    """Return what a checkout's metadata says under the wanted names; its key is the only one."""
    held = SaleorCheckout.objects.filter(pk__in=keys).select_related("metadata_storage").first()
    storage = getattr(held, "metadata_storage", None)
    said = (storage.metadata or {}) if storage else {}
    return {name: str(said[name]) for name in wanted if name in said}


def code_of(keys: Collection[str]) -> str:
    """Return the voucher's code that is on a checkout; its key is the only one."""
    found = SaleorCheckout.objects.filter(pk__in=keys).values_list("voucher_code", flat=True)
    return found.first() or ""


def checkout_of(row: Any) -> Checkout:
    """Return a checkout as the engine knows it."""
    priced = is_priced(row)
    return Checkout(
        id=global_id("Checkout", row.pk),
        channel=row.channel.slug,
        created_at=row.created_at,
        changed_at=row.last_change,
        contact=_contact(row, row.email),
        cart=Cart(
            lines=tuple(_checkout_line(line, priced=priced) for line in row.lines.all()),
            total=row.total_gross_amount if priced else Decimal(0),
            currency=row.currency,
            language=row.language_code,
            voucher=_code_hash(row),
        ),
        payment_started=payment_started(row),
        marketing_consent=_answer(row, MARKETING),
        refuses_featuring=_answer(row, STAY_ANONYMOUS) is True,
    )


def order_of(row: Any) -> Order:
    """Return an order as the engine knows it."""
    return Order(
        id=global_id("Order", row.pk),
        channel=row.channel.slug,
        created_at=row.created_at,
        updated_at=row.updated_at,
        status=_status(row),
        contact=_contact(row, row.user_email),
        cart=Cart(
            lines=tuple(_order_line(line) for line in row.lines.all()),
            total=row.total_gross_amount,
            currency=row.currency,
            language=row.language_code,
            voucher=_code_hash(row),
        ),
        checkout_id=global_id("Checkout", row.checkout_token) if row.checkout_token else "",
    )


def _code_hash(row: Any) -> str:
    return keyed_hash("voucher", row.voucher_code) if row.voucher_code else ""


def is_priced(row: Any) -> bool:
    """Tell whether a checkout's prices are worked out: until somebody asks, the old ones stay."""
    return bool(row.price_expiration > row.last_change)


def payment_started(row: Any) -> bool:
    """Tell whether a checkout is being paid or completed: it is not left behind."""
    return (
        row.completing_started_at is not None
        or row.authorize_status != "none"
        or row.charge_status != "none"
        or any(_moves_money(transaction) for transaction in row.payment_transactions.all())
        or any(_is_under_way(payment) for payment in row.payments.all())
    )


def image_url(product: Any) -> str:
    """Return the absolute address of a product's first image; Saleor makes the thumbnail itself."""
    images = [item for item in product.media.all() if item.type == ProductMediaTypes.IMAGE]
    if not images:
        return ""
    if not images[0].image:
        return images[0].external_url or ""
    url = get_image_or_proxy_url(None, str(images[0].pk), "ProductMedia", IMAGE_SIZE, None)
    return str(build_absolute_uri(url))


def _moves_money(transaction: Any) -> bool:
    amounts = (
        transaction.authorized_value,
        transaction.authorize_pending_value,
        transaction.charged_value,
        transaction.charge_pending_value,
    )
    return any(amount > 0 for amount in amounts)


def _is_under_way(payment: Any) -> bool:
    # A payment that was only opened, or refused, is a shopper at the till, not a sale.
    return payment.is_active and (
        payment.to_confirm
        or payment.charge_status not in NOT_PAID
        or any(step.is_success and step.kind in MONEY_MOVES for step in payment.transactions.all())
    )


def _status(row: Any) -> str:
    if _is_refunded(row):
        return "REFUNDED"
    return str(row.status).upper().replace(" ", "_").replace("-", "_")


def _is_refunded(row: Any) -> bool:
    # Saleor has no such state: money came back, and none is left.
    returned = any(step.refunded_value > 0 for step in row.payment_transactions.all()) or any(
        payment.charge_status == ChargeStatus.FULLY_REFUNDED for payment in row.payments.all()
    )
    return bool(returned and row.total_charged_amount <= 0)


def _contact(row: Any, email: str | None) -> Contact:
    user, shipping, billing = row.user, row.shipping_address, row.billing_address
    addresses = [address for address in (shipping, billing) if address is not None]
    return Contact(
        email=email or (user.email if user else ""),
        phone=_first(addresses, "phone"),
        user_id=global_id("User", user.pk) if user else "",
        first_name=_first([*addresses, *([user] if user else [])], "first_name"),
        city=_readable(_first(addresses, "city")),
        country=_first(addresses, "country"),
        region=_first(addresses, "country_area"),
    )


def _first(holders: list[Any], name: str) -> str:
    values = (str(getattr(holder, name) or "") for holder in holders)
    return next(filter(None, values), "")


def _readable(city: str) -> str:
    # Saleor writes it in capitals where the country's post office does.
    return city.title() if city.isupper() else city


def _answer(row: Any, key: str) -> bool | None:
    storage = getattr(row, "metadata_storage", None)
    said = (storage.metadata or {}).get(key) if storage else None
    return ANSWERS.get(str(said).lower())


def _checkout_line(row: Any, *, priced: bool) -> Line:
    product = row.variant.product
    gross = row.total_price_gross_amount if priced else Decimal(0)
    return Line(
        product_id=global_id("Product", product.pk),
        variant_id=global_id("ProductVariant", row.variant_id),
        quantity=row.quantity,
        product_name=product.name,
        product_slug=product.slug,
        image_url=image_url(product),
        unit_price=(gross / row.quantity) if row.quantity else Decimal(0),
    )


def _order_line(row: Any) -> Line:
    # The variant may be gone since; the line remembers its name.
    product = row.variant.product if row.variant else None
    return Line(
        product_id=global_id("Product", product.pk) if product else "",
        variant_id=global_id("ProductVariant", row.variant_id) if row.variant_id else "",
        quantity=row.quantity,
        product_name=row.product_name,
        product_slug=product.slug if product else "",
        image_url=image_url(product) if product else "",
        unit_price=row.unit_price_gross_amount,
    )
