"""What we know of the shop's products, in each channel: as much as a nudge must know."""

from django.db import models

from saleor_nudges.models.base import ChannelRow, ScopedManager


class ShopProduct(ChannelRow):
    """A product as the shop had it when it was last asked, for products somebody looked at lately.

    `categories` are global ids, its own and all above it. `stock` is what can still be bought in
    this channel, net of allocations and reservations, over all variants; none: not counted.
    """

    product_id = models.CharField(max_length=255)
    name = models.CharField(max_length=255, blank=True)
    slug = models.CharField(max_length=255, blank=True)
    image_url = models.CharField(max_length=1000, blank=True)
    categories = models.JSONField(default=list)
    collections = models.JSONField(default=list)
    # Published, visible and to be bought in this channel.
    is_available = models.BooleanField(default=False)
    stock = models.PositiveIntegerField(null=True)
    seen_at = models.DateTimeField()
    asked_at = models.DateTimeField(null=True)

    objects = ScopedManager["ShopProduct"]()

    class Meta(ChannelRow.Meta):
        constraints = (
            models.UniqueConstraint(
                fields=["shop", "channel", "product_id"], name="nudges_product_once"
            ),
        )
        indexes = (models.Index(fields=["shop", "seen_at"], name="nudges_product_seen"),)
