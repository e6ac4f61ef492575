"""The shop's own tables: checkouts that are open and orders that were placed."""

from dataclasses import asdict
from decimal import Decimal
from typing import Any
from urllib.parse import urljoin
from uuid import uuid4

from django.conf import settings
from django.db import models

from demo.catalogue import CHANNEL, CURRENCY, Product, global_id
from saleor_nudges.events import Cart, Contact, Line


class Basket(models.Model):
    """What somebody wants, and who: named by its global id, priced when it was put in."""

    id = models.CharField(primary_key=True, max_length=255, editable=False)
    channel = models.CharField(max_length=255, default=CHANNEL)
    currency = models.CharField(max_length=3, default=CURRENCY)
    language = models.CharField(max_length=35, default="en")
    lines = models.JSONField(default=list)
    contact = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        abstract = True

    def cart(self) -> Cart:
        """Return what is in it."""
        lines = tuple(map(_line, self.lines))
        total = sum((line.unit_price * line.quantity for line in lines), Decimal(0))
        return Cart(lines, total, self.currency, self.language)

    def person(self) -> Contact:
        """Return whose it is, as far as that is known."""
        return Contact(**self.contact)


class DemoCheckout(Basket):
    """A checkout. Becoming an order it is deleted, as in Saleor."""

    is_payment_started = models.BooleanField(default=False)
    marketing_consent = models.BooleanField(null=True)

    class Meta(Basket.Meta):
        abstract = False
        db_table = "demo_checkout"
        ordering = ("created_at", "id")


class DemoOrder(Basket):
    """An order, and which checkout it was."""

    status = models.CharField(max_length=32, default="UNFULFILLED")
    checkout_id = models.CharField(max_length=255, blank=True)

    class Meta(Basket.Meta):
        abstract = False
        db_table = "demo_order"
        ordering = ("changed_at", "id")
        indexes = (models.Index(fields=["changed_at", "id"], name="demo_order_changed"),)


class DemoStock(models.Model):
    """How many of a product lie on the shelf."""

    product_id = models.CharField(primary_key=True, max_length=255)
    left = models.PositiveIntegerField()

    class Meta:
        db_table = "demo_stock"
        ordering = ("product_id",)


def new_id(kind: str) -> str:
    """Return the global id of something new; nobody can guess it."""
    return global_id(kind, uuid4())


def image_of(product: Product) -> str:
    """Return the address of a product's drawing, for others to show."""
    return urljoin(settings.DEMO_URL, product.picture)


def line_of(product: Product, quantity: int = 1) -> Line:
    """Return a line with so many of a product, at today's price."""
    return Line(
        product_id=product.id,
        variant_id=product.variant_id,
        quantity=quantity,
        product_name=product.name,
        product_slug=product.slug,
        image_url=image_of(product),
        unit_price=product.price,
    )


def line_json(line: Line) -> dict[str, Any]:
    """Return a line as it is stored; the price as a string, because it is money."""
    return asdict(line) | {"unit_price": str(line.unit_price)}


def _line(stored: dict[str, Any]) -> Line:
    return Line(**stored | {"unit_price": Decimal(stored["unit_price"])})
