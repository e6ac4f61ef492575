"""The shop, read through Saleor's ORM."""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import graphene
from django.contrib.sites.models import Site
from django.db import OperationalError, transaction
from graphql.error import GraphQLError
from jwt import PyJWTError
from saleor.core.auth import get_token_from_request
from saleor.core.db.connection import allow_writer
from saleor.graphql.app.dataloaders import get_app_promise
from saleor.graphql.context import get_context_value
from saleor.plugins.models import PluginConfiguration

from saleor_nudges.events import Line
from saleor_nudges.exceptions import HostBusy, PermissionDenied, UnknownShop
from saleor_nudges.host.base import (
    NOTHING,
    Checkout,
    Host,
    Order,
    Page,
    ProductCard,
    Requester,
    wanted,
)
from saleor_nudges.host.looks import CheckoutLook
from saleor_nudges.host.vouchers import NewVoucher
from saleor_nudges.models import Shop
from saleor_nudges.plugin import catalogue, looks, rows, vouchers
from saleor_nudges.plugin.facts import global_id
from saleor_nudges.plugin.hooks import PLUGIN_ID

# A hook needs nothing of the shop but its id; asking once a minute notices a restored database.
REMEMBERED_SECONDS: Final = 60.0
# Saleor names these by a number, and the others by a UUID.
NUMBERED: Final = ("Product", "ProductVariant")
# Anybody may name a product to us; Postgres refuses a whole list for one number above this.
LARGEST_NUMBER: Final = 2**31 - 1
_remembered: dict[str, tuple[float, Shop]] = {}


class PluginHost(Host):
    """A host whose shop is the Saleor this process is."""

    @classmethod
    def shop_of(cls, request: Any) -> Shop:  # noqa: ARG003 - there is one shop here
        with cls.writing():
            shop = current_shop()
        if not shop.is_active:
            raise UnknownShop
        return shop

    @classmethod
    def requester_of(cls, request: Any) -> Requester:
        with cls.writing():
            shop = cls.shop_of(request)
            if not get_token_from_request(request):
                return Requester(shop)
            try:
                user, app = _who(request)
            except (PyJWTError, GraphQLError) as error:
                raise PermissionDenied("The token is not valid.") from error
            return _requester(shop, user, app)

    @classmethod
    def writing(cls) -> AbstractContextManager[Any]:
        permission: AbstractContextManager[Any] = allow_writer()
        return permission

    def checkouts(self, ids: Collection[str]) -> dict[str, Checkout]:
        keys = _keys("Checkout", ids)
        found = map(rows.checkout_of, rows.checkouts().filter(pk__in=keys) if keys else ())
        return {checkout.id: checkout for checkout in found}

    def looks(self, ids: Collection[str]) -> dict[str, CheckoutLook]:
        keys = _keys("Checkout", ids)
        return {look.id: look for look in looks.of(keys)} if keys else {}

    def orders(self, ids: Collection[str]) -> dict[str, Order]:
        keys = _keys("Order", ids)
        found = map(rows.order_of, rows.orders().filter(pk__in=keys) if keys else ())
        return {order.id: order for order in found}

    def orders_changed(self, since: datetime, size: int, after: str = "") -> Page[Order]:
        found, end = rows.changed(rows.orders(), "updated_at", since, size, after)
        return Page(tuple(map(rows.order_of, found)), end)

    def checkouts_changed(self, since: datetime, size: int, after: str = "") -> Page[Checkout]:
        found, end = rows.changed(rows.checkouts(), "last_change", since, size, after)
        return Page(tuple(map(rows.checkout_of, found)), end)

    def product_cards(self, channel: str, ids: Collection[str]) -> dict[str, ProductCard]:
        keys = _keys("Product", ids)
        found = catalogue.cards(channel, keys) if keys else []
        return {card.id: card for card in found}

    def products_of(self, variants: Collection[str]) -> dict[str, str]:
        keys = _keys("ProductVariant", variants)
        return catalogue.products_of(keys) if keys else {}

    def buyable(self, channel: str, lines: Sequence[Line]) -> dict[str, int]:
        with self.writing():
            return _storefront().buyable(channel, lines)

    def metadata(self, checkout_id: str, keys: Collection[str]) -> dict[str, str]:
        return rows.metadata(_keys("Checkout", [checkout_id]), keys)

    @contextmanager
    def holding(self, checkout_id: str) -> Iterator[Checkout | None]:
        keys = _keys("Checkout", [checkout_id])
        with transaction.atomic():
            try:
                # In a savepoint, so that a refused lock does not spoil the caller's transaction.
                with transaction.atomic():
                    held = rows.checkouts().select_for_update(of=("self",), nowait=True)
                    row = held.filter(pk__in=keys).first() if keys else None
            except OperationalError as error:
                raise HostBusy from error
            yield rows.checkout_of(row) if row else None

    def new_checkout(
        self,
        channel: str,
        lines: Sequence[Line],
        language: str,
        metadata: Mapping[str, str] = NOTHING,
    ) -> str:
        with self.writing():
            return _storefront().open_checkout(channel, lines, language, metadata)

    def may_make_vouchers(self) -> bool:
        return True

    def make_voucher(self, voucher: NewVoucher) -> None:
        with self.writing():
            vouchers.make(voucher)

    def put_voucher(self, checkout_id: str, code: str) -> bool:
        with self.writing():
            return bool(_storefront().put_code(checkout_id, code))

    def end_voucher(self, code: str) -> bool:
        with self.writing():
            return vouchers.end(code)

    def code_of(self, checkout_id: str) -> str:
        return rows.code_of(_keys("Checkout", [checkout_id]))


def _storefront() -> Any:
    # Imported late: it builds Saleor's schema, which only web processes otherwise need.
    from saleor_nudges.plugin import storefront

    return storefront


def current_shop() -> Shop:
    """Return the row of this Saleor's site, made on first use. Its key outlives a new domain."""
    site = Site.objects.get_current()
    key = f"site:{site.pk}"
    shop = Shop.objects.filter(key=key).first()
    if shop is None:
        active = PluginConfiguration.objects.filter(identifier=PLUGIN_ID, active=True).exists()
        fresh = {"name": site.name, "is_active": active}
        shop, _ = Shop.objects.get_or_create(key=key, defaults=fresh)
    return shop


def hearing_shop() -> Shop:
    """Return the shop a hook speaks for, as it was within the last minute."""
    remembered = _remembered.get(PLUGIN_ID)
    if remembered is None or time.monotonic() > remembered[0]:
        remembered = time.monotonic() + REMEMBERED_SECONDS, current_shop()
        _remembered[PLUGIN_ID] = remembered
    return remembered[1]


def set_active(*, is_active: bool) -> None:
    """Let the periodic work follow the plugin: a shop that is not active is left alone."""
    # In a savepoint: whatever goes wrong, the seller's own change is saved.
    with PluginHost.writing(), transaction.atomic():
        shop = current_shop()
        Shop.objects.filter(pk=shop.pk).update(is_active=is_active)


def is_active() -> bool:
    """Tell whether the seller has activated the plugin."""
    with PluginHost.writing():
        return current_shop().is_active


def forget_shop() -> None:
    """Ask again on the next hook."""
    _remembered.clear()


def _keys(kind: str, ids: Collection[str]) -> list[str]:
    """Return the primary keys of global ids; what is none of that kind has no row."""
    found = []
    for global_id_ in wanted(ids):
        try:
            name, pk = graphene.Node.from_global_id(global_id_)
            if name == kind and (kind not in NUMBERED or int(pk) <= LARGEST_NUMBER):
                found.append(str(int(pk) if kind in NUMBERED else UUID(pk)))
        except ValueError:
            continue
    return found


def _who(request: Any) -> tuple[Any, Any]:
    """Return the user and the app behind a request, by Saleor's own means."""
    # At its own address Saleor has found the app out; below a plugin's it leaves that to us.
    if not hasattr(request, "app"):
        request.dataloaders = {}
        request.allow_replica = False
        request.app = get_app_promise(request).get()
    if not hasattr(request, "user"):
        get_context_value(request)
    return request.user, request.app


def _requester(shop: Shop, user: Any, app: Any) -> Requester:
    if app:
        granted = app.permissions.values_list("codename", flat=True)
        names = frozenset(name.upper() for name in granted)
        return Requester(shop, global_id("App", app.pk), names, is_app=True)
    if not (user and user.is_active):
        return Requester(shop)
    name = global_id("User", user.pk)
    if not user.is_staff:
        return Requester(shop, user_id=name)
    granted = user.effective_permissions.values_list("codename", flat=True)
    return Requester(shop, name, frozenset(one.upper() for one in granted), user_id=name)
