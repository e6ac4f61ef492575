"""The demo shop as a host: what the engine asks, answered from the shop's own tables."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import OperationalError, transaction
from django.db.models import Q, QuerySet

from demo import shop
from demo.catalogue import BY_ID, CHANNEL, Product
from demo.models import Basket, DemoCheckout, DemoOrder, DemoStock, image_of, line_of
from saleor_nudges.events import Line
from saleor_nudges.exceptions import HostBusy, NotFound, UnknownShop
from saleor_nudges.host.base import (
    NOTHING,
    Checkout,
    Host,
    Order,
    Page,
    ProductCard,
    Requester,
)
from saleor_nudges.models import Shop


class DemoHost(Host):
    """The one shop of the demo. Everybody is a visitor of it, nobody its staff."""

    @classmethod
    def shop_of(cls, request: Any) -> Shop:  # noqa: ARG003 - there is only one
        try:
            return shop.the_shop()
        except Shop.DoesNotExist as error:
            raise UnknownShop from error

    @classmethod
    def requester_of(cls, request: Any) -> Requester:
        return Requester(cls.shop_of(request))

    def checkouts(self, ids: Collection[str]) -> dict[str, Checkout]:
        return {row.pk: _checkout(row) for row in DemoCheckout.objects.filter(pk__in=ids)}

    def orders(self, ids: Collection[str]) -> dict[str, Order]:
        return {row.pk: _order(row) for row in DemoOrder.objects.filter(pk__in=ids)}

    def orders_changed(self, since: datetime, size: int, after: str = "") -> Page[Order]:
        rows, end = _changed(DemoOrder.objects.all(), since, size, after)
        return Page(tuple(map(_order, rows)), end)

    def checkouts_changed(self, since: datetime, size: int, after: str = "") -> Page[Checkout]:
        rows, end = _changed(DemoCheckout.objects.all(), since, size, after)
        return Page(tuple(map(_checkout, rows)), end)

    def product_cards(self, channel: str, ids: Collection[str]) -> dict[str, ProductCard]:
        published = BY_ID if channel == CHANNEL else {}
        left = dict(DemoStock.objects.filter(pk__in=ids).values_list("pk", "left"))
        return {key: _card(published[key], left.get(key)) for key in ids if key in published}

    def products_of(self, variants: Collection[str]) -> dict[str, str]:
        known = {product.variant_id: product.id for product in BY_ID.values()}
        return {key: known[key] for key in variants if key in known}

    def buyable(self, channel: str, lines: Sequence[Line]) -> dict[str, int]:
        cards = self.product_cards(channel, [line.product_id for line in lines])
        amounts: dict[str, int] = {}
        for line in lines:
            if (card := cards.get(line.product_id)) is not None:
                wanted = amounts.get(line.variant_id, 0) + line.quantity
                amounts[line.variant_id] = wanted if card.stock is None else min(wanted, card.stock)
        return {key: amount for key, amount in amounts.items() if amount > 0}

    def metadata(self, checkout_id: str, keys: Collection[str]) -> dict[str, str]:  # noqa: ARG002
        return {}

    @contextmanager
    def holding(self, checkout_id: str) -> Iterator[Checkout | None]:
        with transaction.atomic():
            found = DemoCheckout.objects.filter(pk=checkout_id)
            try:
                row = found.select_for_update(nowait=True).first()
            except OperationalError as error:
                raise HostBusy from error
            yield _checkout(row) if row else None

    def new_checkout(
        self,
        channel: str,
        lines: Sequence[Line],
        language: str,
        metadata: Mapping[str, str] = NOTHING,  # noqa: ARG002 - a basket here has none
    ) -> str:
        amounts = self.buyable(channel, lines)
        if not amounts:
            raise NotFound("None of the products can be bought any more.")
        sold = {
            line.variant_id: BY_ID[line.product_id] for line in lines if line.variant_id in amounts
        }
        # At today's price, whatever it was when it was left behind.
        found = [line_of(sold[key], amount) for key, amount in amounts.items()]
        return shop.open_checkout(found, language).pk


def _changed[T: Basket](
    rows: QuerySet[T], since: datetime, size: int, after: str
) -> tuple[list[T], str]:
    rows = rows.filter(changed_at__gte=since)
    if after:
        moment, _, key = after.partition(" ")
        rows = rows.filter(Q(changed_at=moment, pk__gt=key) | Q(changed_at__gt=moment))
    found = list(rows.order_by("changed_at", "id")[: size + 1])
    page = found[:size]
    end = f"{page[-1].changed_at.isoformat()} {page[-1].pk}" if len(found) > size else ""
    return page, end


def _card(product: Product, stock: int | None) -> ProductCard:
    return ProductCard(
        product.id,
        product.name,
        product.slug,
        image_of(product),
        categories=product.categories,
        stock=stock,
    )


def _checkout(row: DemoCheckout) -> Checkout:
    return Checkout(
        id=row.pk,
        channel=row.channel,
        created_at=row.created_at,
        changed_at=row.changed_at,
        contact=row.person(),
        cart=row.cart(),
        payment_started=row.is_payment_started,
        marketing_consent=row.marketing_consent,
    )


def _order(row: DemoOrder) -> Order:
    return Order(
        id=row.pk,
        channel=row.channel,
        created_at=row.created_at,
        updated_at=row.changed_at,
        status=row.status,
        contact=row.person(),
        cart=row.cart(),
        checkout_id=row.checkout_id,
    )
