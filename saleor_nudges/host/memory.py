"""The shop in a dict, for tests: yours and ours."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from saleor_nudges.crypto import keyed_hash
from saleor_nudges.events import Cart, Contact, Line
from saleor_nudges.exceptions import HostBusy, HostUnavailable, NotFound, UnknownShop
from saleor_nudges.host.base import (
    NOTHING,
    Checkout,
    Host,
    Order,
    Page,
    ProductCard,
    Requester,
    look_of,
    wanted,
)
from saleor_nudges.host.looks import CheckoutLook
from saleor_nudges.host.vouchers import NewVoucher
from saleor_nudges.models import Shop
from saleor_nudges.models.shops import is_public_id


@dataclass
class Shelf:
    """What one shop in memory holds; change it as a test needs."""

    checkouts: dict[str, Checkout] = field(default_factory=dict)
    # What is told of where a checkout stands, field by field, beside what the checkout says.
    looks: dict[str, dict[str, Any]] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    products: dict[str, ProductCard] = field(default_factory=dict)
    # Of which product a variant is, and what is not for sale: (channel, product).
    variants: dict[str, str] = field(default_factory=dict)
    unpublished: set[tuple[str, str]] = field(default_factory=set)
    busy: set[str] = field(default_factory=set)
    # How many pieces of a variant are left, where that is counted; what checkouts carry besides.
    left: dict[str, int] = field(default_factory=dict)
    metadata: dict[str, dict[str, str]] = field(default_factory=dict)
    # Every voucher by its code, which of them an order was placed with, and which code is on which
    # checkout; whether we may make any, and whether they are taken.
    vouchers: dict[str, NewVoucher] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    codes: dict[str, str] = field(default_factory=dict)
    may_make_vouchers: bool = True
    takes_vouchers: bool = True
    is_away: bool = False


SHELVES: dict[str, Shelf] = {}


class MemoryHost(Host):
    """A host whose shop is a `Shelf`."""

    @classmethod
    def shop_of(cls, request: Any) -> Shop:
        wanted_id = request.GET.get("shop")
        if wanted_id and not is_public_id(wanted_id):
            raise UnknownShop
        shops = Shop.objects.filter(is_active=True)
        shop = (shops.filter(public_id=wanted_id) if wanted_id else shops.order_by("id")).first()
        if shop is None:
            raise UnknownShop
        return shop

    @classmethod
    def requester_of(cls, request: Any) -> Requester:
        granted = request.headers.get("X-Test-Permissions", "")
        names = frozenset(filter(None, granted.split(",")))
        return Requester(
            cls.shop_of(request),
            name="test" if names else "anonymous",
            permissions=names,
            is_app=request.headers.get("X-Test-App") == "1",
            user_id=request.headers.get("X-Test-User", ""),
        )

    @property
    def shelf(self) -> Shelf:
        """Return what this shop holds; raises HostUnavailable while it is away."""
        shelf = SHELVES.setdefault(self.shop.key, Shelf())
        if shelf.is_away:
            raise HostUnavailable
        return shelf

    def checkouts(self, ids: Collection[str]) -> dict[str, Checkout]:
        found = self.shelf.checkouts
        return {key: found[key] for key in wanted(ids) if key in found}

    def looks(self, ids: Collection[str]) -> dict[str, CheckoutLook]:
        found, told = self.checkouts(ids), self.shelf.looks
        return {key: self._look(one, told.get(key, {})) for key, one in found.items()}

    def _look(self, checkout: Checkout, told: dict[str, Any]) -> CheckoutLook:
        plain = look_of(checkout)
        products = {line.variant_id: line.product_id for line in checkout.cart.lines}
        pieces = Counter[str]()
        for line in plain.lines:
            pieces[line.variant_id] += line.quantity
        lines = []
        for line in plain.lines:
            hidden = (checkout.channel, products[line.variant_id]) in self.shelf.unpublished
            left = 0 if hidden else self.shelf.left.get(line.variant_id)
            if left is not None:
                enough = left >= pieces[line.variant_id]
                line = replace(line, is_available=enough, left=None if enough else left)
            lines.append(line)
        return replace(plain, **{"lines": tuple(lines)} | told)

    def orders(self, ids: Collection[str]) -> dict[str, Order]:
        found = self.shelf.orders
        return {key: found[key] for key in wanted(ids) if key in found}

    def orders_changed(self, since: datetime, size: int, after: str = "") -> Page[Order]:
        return _page(self.shelf.orders, lambda order: order.updated_at, since, size, after)

    def checkouts_changed(self, since: datetime, size: int, after: str = "") -> Page[Checkout]:
        return _page(self.shelf.checkouts, lambda found: found.changed_at, since, size, after)

    def product_cards(self, channel: str, ids: Collection[str]) -> dict[str, ProductCard]:
        found, hidden = self.shelf.products, self.shelf.unpublished
        shown = [key for key in wanted(ids) if key in found and (channel, key) not in hidden]
        return {key: found[key] for key in shown}

    def products_of(self, variants: Collection[str]) -> dict[str, str]:
        found = self.shelf.variants
        return {key: found[key] for key in wanted(variants) if key in found}

    def buyable(self, channel: str, lines: Sequence[Line]) -> dict[str, int]:
        left, amounts = self.shelf.left, dict[str, int]()
        sold = self.product_cards(channel, [line.product_id for line in lines])
        for line in lines:
            if line.product_id in sold:
                amounts[line.variant_id] = amounts.get(line.variant_id, 0) + line.quantity
        found = {key: min(amount, left.get(key, amount)) for key, amount in amounts.items()}
        return {key: amount for key, amount in found.items() if amount > 0}

    def metadata(self, checkout_id: str, keys: Collection[str]) -> dict[str, str]:
        held = checkout_id in self.shelf.checkouts
        found = self.shelf.metadata.get(checkout_id, {}) if held else {}
        return {key: found[key] for key in wanted(keys) if key in found}

    @contextmanager
    def holding(self, checkout_id: str) -> Iterator[Checkout | None]:
        if checkout_id in self.shelf.busy:
            raise HostBusy
        yield self.shelf.checkouts.get(checkout_id)

    def new_checkout(
        self,
        channel: str,
        lines: Sequence[Line],
        language: str,
        metadata: Mapping[str, str] = NOTHING,
    ) -> str:
        amounts = self.buyable(channel, lines)
        if not amounts:
            raise NotFound("None of the products can be bought any more.")
        now = datetime.now(UTC)
        by_variant = {line.variant_id: line for line in reversed(lines)}
        found = (replace(by_variant[key], quantity=amount) for key, amount in amounts.items())
        cart = Cart(lines=tuple(found), language=language)
        fresh = Checkout(f"Checkout:{uuid4()}", channel, now, now, Contact(), cart)
        self.shelf.checkouts[fresh.id] = fresh
        self.shelf.metadata[fresh.id] = dict(metadata)
        return fresh.id

    def may_make_vouchers(self) -> bool:
        return self.shelf.may_make_vouchers

    def make_voucher(self, voucher: NewVoucher) -> None:
        if not self.shelf.may_make_vouchers:
            raise HostUnavailable
        self.shelf.vouchers.setdefault(voucher.code, voucher)

    def put_voucher(self, checkout_id: str, code: str) -> bool:
        shelf, now = self.shelf, datetime.now(UTC)
        voucher, checkout = shelf.vouchers.get(code), shelf.checkouts.get(checkout_id)
        if voucher is None or checkout is None or not shelf.takes_vouchers:
            return False
        if code in shelf.used or voucher.channel != checkout.channel or voucher.ends_at <= now:
            return False
        cart = replace(checkout.cart, voucher=keyed_hash("voucher", code))
        # As in Saleor: whatever is done to a checkout is a change of it.
        shelf.checkouts[checkout_id] = replace(checkout, cart=cart, changed_at=now)
        shelf.codes[checkout_id] = code
        return True

    def end_voucher(self, code: str) -> bool:
        if code in self.shelf.used:
            return True
        self.shelf.vouchers.pop(code, None)
        return False

    def code_of(self, checkout_id: str) -> str:
        return self.shelf.codes.get(checkout_id, "")

    # What a test does to the shop.

    def place_order(self, checkout_id: str, at: datetime, **contact: str) -> Order:
        """Turn a checkout into an order, as Saleor does: the checkout is gone afterwards."""
        checkout = self.shelf.checkouts.pop(checkout_id)
        order = Order(
            id=f"Order:{uuid4()}",
            channel=checkout.channel,
            created_at=at,
            updated_at=at,
            status="UNFULFILLED",
            contact=replace(checkout.contact, **contact) if contact else checkout.contact,
            cart=checkout.cart,
            checkout_id=checkout_id,
        )
        self.shelf.orders[order.id] = order
        if code := self.shelf.codes.get(checkout_id):
            self.shelf.used.add(code)
        return order


def _page[T](
    held: Mapping[str, T],
    changed_at: Callable[[T], datetime],
    since: datetime,
    size: int,
    after: str,
) -> Page[T]:
    """Return a page of what changed since; `after` names the last one of the page before."""
    changed = sorted(
        (changed_at(item).isoformat(timespec="microseconds"), key)
        for key, item in held.items()
        if changed_at(item) >= since
    )
    left = [place for place in changed if "|".join(place) > after]
    found = left[:size]
    end = "|".join(found[-1]) if len(left) > size else ""
    return Page(tuple(held[key] for _, key in found), end)
