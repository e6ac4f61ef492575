"""What shoppers did with products, one row each: what carts and orders are counted from."""

from django.db import models

from saleor_nudges.models.base import ChannelRow, ScopedManager


class CartedProduct(ChannelRow):
    """A product that a checkout has held. `first_at` is when it was first seen in it."""

    checkout = models.CharField(max_length=64)
    product_id = models.CharField(max_length=255)
    first_at = models.DateTimeField()

    objects = ScopedManager["CartedProduct"]()

    class Meta(ChannelRow.Meta):
        constraints = (
            models.UniqueConstraint(
                fields=["shop", "checkout", "product_id"], name="nudges_carted_once"
            ),
        )
        indexes = (
            models.Index(
                fields=["shop", "channel", "product_id", "first_at"], name="nudges_carted_product"
            ),
            models.Index(fields=["shop", "channel", "first_at"], name="nudges_carted_channel"),
        )


class OrderedProduct(ChannelRow):
    """A product of an order, with the order's newest known status (Saleor's, upper case)."""

    order_id = models.CharField(max_length=255)
    product_id = models.CharField(max_length=255)
    quantity = models.PositiveIntegerField()
    ordered_at = models.DateTimeField()
    status = models.CharField(max_length=32, blank=True)
    # Cancelled or refunded in full: it is never counted again.
    is_void = models.BooleanField(default=False)

    objects = ScopedManager["OrderedProduct"]()

    class Meta(ChannelRow.Meta):
        constraints = (
            models.UniqueConstraint(
                fields=["shop", "order_id", "product_id"], name="nudges_ordered_once"
            ),
        )
        indexes = (
            models.Index(
                fields=["shop", "channel", "product_id", "ordered_at"],
                name="nudges_ordered_product",
            ),
            models.Index(fields=["shop", "channel", "ordered_at"], name="nudges_ordered_channel"),
        )
