"""What every row has: a UUIDv7, a shop, a channel, and a manager that insists on the shop."""

from typing import Any
from uuid import UUID

from django.db import models

from saleor_nudges.events.identity import uuid7
from saleor_nudges.exceptions import UnscopedQuery


class ScopedManager[M: models.Model](models.Manager[M]):
    """The one way to rows that belong to a shop: `Model.objects.of(shop)`."""

    def of(self, shop: "UUID | models.Model") -> models.QuerySet[M]:
        """Return this shop's rows."""
        shop_id = shop.pk if isinstance(shop, models.Model) else shop
        return super().get_queryset().filter(shop_id=shop_id)

    def across_shops(self) -> models.QuerySet[M]:
        """Return every shop's rows, for a sweep that then works shop by shop."""
        return super().get_queryset()

    def get_queryset(self) -> models.QuerySet[M]:
        raise UnscopedQuery(f"{self.model.__name__}.objects.of(shop) was not asked")

    def bulk_create(self, objs: Any, *args: Any, **kwargs: Any) -> list[M]:
        return super().get_queryset().bulk_create(objs, *args, **kwargs)


class Row(models.Model):
    """A table of ours: UUIDv7 key, creation time, newest last."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True
        ordering = ("id",)


class ShopRow(Row):
    """A row that belongs to one shop."""

    shop = models.ForeignKey("saleor_nudges.Shop", on_delete=models.CASCADE, related_name="+")

    class Meta(Row.Meta):
        abstract = True


class ChannelRow(ShopRow):
    """A row that belongs to one sales channel of one shop."""

    channel = models.CharField(max_length=255)

    class Meta(ShopRow.Meta):
        abstract = True
