"""What shoppers did with products, one row each: what carts and orders are counted from."""

from datetime import timedelta
from typing import Final

from django.db import models

from saleor_nudges.models.base import ChannelRow, ScopedManager

# The longest window there is has 30 days.
ACTIVITY_KEPT: Final = timedelta(days=32)


class CartedProduct(ChannelRow):
    """A product that a checkout has held. `first_at` is when it was first seen in it.

    A product of "" says that it held nothing, and then `first_at` is when that was last seen.
    """

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
    """A product of an order, with the order's newest known status (Saleor's, upper case).

    `status_at` is when the order looked like this, by the shop's own time; a `quantity` of none
    means that the product was taken out of the order.
    """

    order_id = models.CharField(max_length=255)
    product_id = models.CharField(max_length=255)
    quantity = models.PositiveIntegerField()
    ordered_at = models.DateTimeField()
    status = models.CharField(max_length=32, blank=True)
    status_at = models.DateTimeField()
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
