"""The shop, read through Saleor's GraphQL API with the token it gave us."""

import hmac
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import batched, pairwise
from time import monotonic
from typing import Any, Final

from saleor_nudges import access, crypto, telemetry
from saleor_nudges.events import Line
from saleor_nudges.exceptions import (
    BadSignature,
    HostBusy,
    HostUnavailable,
    InvalidEvent,
    InvalidInput,
    PermissionDenied,
    UnknownShop,
)
from saleor_nudges.host import Checkout, Host, Order, Page, ProductCard, Requester
from saleor_nudges.host.base import NOTHING, wanted
from saleor_nudges.host.vouchers import NewVoucher
from saleor_nudges.manifest import permissions
from saleor_nudges.models import AppInstallation, Shop
from saleor_nudges.models.shops import is_public_id
from saleor_nudges.saleor_api import SaleorApi
from saleor_nudges.service import catalogue, documents, storefront, vouchers
from saleor_nudges.webhooks import keys, payloads

Json = dict[str, Any]

# Saleor's own limit of a page; checkouts are asked for one by one inside a question.
PAGE: Final = 100
CHECKOUTS: Final = 20
# A message is marked on an answer no older than this: the window in which an order can cross.
FRESH_SECONDS: Final = 2.0
# Where a request names its shop; a larger body is no request of a storefront.
LARGEST_NAMED: Final = 128 * 1024
BEARER: Final = "bearer "


class ServiceHost(Host):
    """A shop that installed us as an App."""

    # Who we are.

    @classmethod
    def shop_of(cls, request: Any) -> Shop:
        shops = Shop.objects.filter(is_active=True)
        if api_url := request.headers.get("Saleor-Api-Url"):
            shops = shops.filter(key=api_url)
        elif public_id := request.GET.get("shop") or _named_in_body(request):
            if not is_public_id(public_id):
                raise UnknownShop
            shops = shops.filter(public_id=public_id)
        # Unnamed, it is the only one there is: a second shop makes the name necessary.
        found = list(shops[:2])
        if len(found) != 1:
            raise UnknownShop
        telemetry.shop_key.set(found[0].key)
        return found[0]

    @classmethod
    def requester_of(cls, request: Any) -> Requester:
        shop = cls.shop_of(request)
        token = _token_of(request)
        if not token:
            return Requester(shop)
        installation = _installation(shop)
        if installation is None:
            raise PermissionDenied("This shop is not connected.")
        own = crypto.unseal(bytes(installation.sealed_token))
        if hmac.compare_digest(token.encode(), own.encode()):
            return Requester(shop, "app", frozenset(permissions()), is_app=True)
        return _staff(shop, installation, token)

    # What it knows.

    def checkouts(self, ids: Collection[str]) -> dict[str, Checkout]:
        found: dict[str, Checkout] = {}
        for some in batched(wanted(ids), CHECKOUTS):
            variables = {f"c{number}": key for number, key in enumerate(some)}
            answer = self._as_app().ask(documents.checkouts(len(some)), variables)
            for checkout in _each(payloads.checkout, answer.values()):
                found[checkout.id] = checkout
        return found

    def orders(self, ids: Collection[str]) -> dict[str, Order]:
        found: dict[str, Order] = {}
        for some in batched(wanted(ids), PAGE):
            answer = self._as_app().ask(documents.ORDERS, {"ids": list(some), "first": PAGE})
            found |= {order.id: order for order in _each(payloads.order, _nodes(answer["orders"]))}
        return found

    def orders_changed(self, since: datetime, size: int, after: str = "") -> Page[Order]:
        variables = {
            "since": since.isoformat(),
            "first": min(size, PAGE),
            "after": after or None,
        }
        answer = self._as_app().ask(documents.ORDERS_CHANGED, variables)["orders"]
        info = answer["pageInfo"]
        return Page(
            tuple(_each(payloads.order, _nodes(answer))),
            info["endCursor"] if info["hasNextPage"] else "",
        )

    def checkouts_changed(self, since: datetime, size: int, after: str = "") -> Page[Checkout]:
        # A day early: which day it is depends on a time zone of theirs.
        day = (since.astimezone(UTC) - timedelta(days=1)).date().isoformat()
        variables = {
            "day": day,
            "last": min(size, PAGE),
            "before": after or self._just_before(since, day),
        }
        answer = self._as_app().ask(documents.CHECKOUTS_CHANGED, variables)["checkouts"]
        found = _each(payloads.checkout, _nodes(answer))
        _must_be_newest_first([checkout.changed_at for checkout in found])
        info = answer["pageInfo"]
        newer = tuple(reversed([checkout for checkout in found if checkout.changed_at >= since]))
        return Page(newer, info["startCursor"] if info["hasPreviousPage"] else "")

    def _just_before(self, since: datetime, day: str) -> str | None:
        """Return the place of the newest checkout that changed before then; None for no such."""
        after = None
        while True:
            variables = {"day": day, "first": PAGE, "after": after}
            answer = self._as_app().ask(documents.CHECKOUTS_NEWEST, variables)["checkouts"]
            times = [_moment(node) for node in _nodes(answer)]
            _must_be_newest_first(times)
            for edge, changed_at in zip(answer["edges"], times, strict=True):
                if changed_at < since:
                    return str(edge["cursor"])
            if not answer["pageInfo"]["hasNextPage"]:
                return None
            after = answer["pageInfo"]["endCursor"]

    def product_cards(self, channel: str, ids: Collection[str]) -> dict[str, ProductCard]:
        """See the base class; the stock of what is plenty, fifty pieces and more, is None too: what
        Saleor tells a shopper ends at the shop's limit of a checkout line.
        """
        # Asked without our token, Saleor answers what any shopper may see.
        found = catalogue.cards(self._as_anyone().ask, self._as_app().ask, channel, wanted(ids))
        with _understood():
            return dict(found)

    def products_of(self, variants: Collection[str]) -> dict[str, str]:
        with _understood():
            return catalogue.products_of(self._as_app().ask, wanted(variants))

    def buyable(self, channel: str, lines: Sequence[Line]) -> dict[str, int]:
        # A shopper waits for a page, which can do without the answer.
        quickly = partial(self._as_anyone().ask, seconds=FRESH_SECONDS)
        return storefront.buyable(quickly, channel, lines)

    def metadata(self, checkout_id: str, keys: Collection[str]) -> dict[str, str]:
        variables = {"id": checkout_id, "keys": wanted(keys)}
        found = self._as_app().ask(documents.METADATA, variables)["checkout"] or {}
        said = (found.get("metafields") or {}).items()
        return {str(key): str(value) for key, value in said if value is not None}

    # What it does for us.

    @contextmanager
    def holding(self, checkout_id: str) -> Iterator[Checkout | None]:
        asked = monotonic()
        answer = self._as_app().ask(
            documents.checkouts(1), {"c0": checkout_id}, seconds=FRESH_SECONDS
        )
        if monotonic() - asked > FRESH_SECONDS:
            raise HostBusy("The shop's answer is too old to act on.")
        yield next(iter(_each(payloads.checkout, [answer["c0"]])), None)

    def new_checkout(
        self,
        channel: str,
        lines: Sequence[Line],
        language: str,
        metadata: Mapping[str, str] = NOTHING,
    ) -> str:
        return storefront.open_checkout(self._as_anyone().ask, channel, lines, language, metadata)

    def may_make_vouchers(self) -> bool:
        return vouchers.may_make(self._as_app().ask)

    def make_voucher(self, voucher: NewVoucher) -> None:
        vouchers.make(self._as_app().ask, voucher)

    def put_voucher(self, checkout_id: str, code: str) -> bool:
        return vouchers.put(self._as_anyone().ask, checkout_id, code)

    def end_voucher(self, code: str) -> bool:
        return vouchers.end(self._as_app().ask, code)

    def code_of(self, checkout_id: str) -> str:
        return vouchers.code_of(self._as_app().ask, checkout_id)

    def _as_app(self) -> SaleorApi:
        installation = self._connected()
        return SaleorApi(installation.api_url, crypto.unseal(bytes(installation.sealed_token)))

    def _as_anyone(self) -> SaleorApi:
        return SaleorApi(self._connected().api_url)

    def _connected(self) -> AppInstallation:
        installation = _installation(self.shop)
        if installation is None:
            raise HostUnavailable("This shop is not connected.")
        return installation


def _installation(shop: Shop) -> AppInstallation | None:
    return AppInstallation.objects.of(shop).first()


def _staff(shop: Shop, installation: AppInstallation, token: str) -> Requester:
    try:
        claims = keys.verified(
            installation,
            lambda key_set: access.read_staff_token(
                token, key_set, issuer=shop.key, app_id=installation.app_id
            ),
        )
    except (BadSignature, HostUnavailable):
        raise PermissionDenied("The token is not valid here.") from None
    if claims.get("type") != "thirdparty":
        raise PermissionDenied("The token is not valid here.")
    # The id, not the address: it is written beside every change they make.
    name = str(claims.get("user_id") or "staff")
    return Requester(shop, name, frozenset(claims.get("user_permissions") or ()))


def _token_of(request: Any) -> str:
    # The Dashboard's own habit first: proxies sometimes take `Authorization` for themselves.
    if token := request.headers.get("Authorization-Bearer"):
        return str(token)
    header = str(request.headers.get("Authorization", ""))
    return header[len(BEARER) :].strip() if header.lower().startswith(BEARER) else ""


def _named_in_body(request: Any) -> str:
    if request.method != "POST" or len(request.body) > LARGEST_NAMED:
        return ""
    try:
        found = access.parsed(request.body)
    except InvalidInput:
        return ""
    name = found.get("shop") if isinstance(found, dict) else None
    return name if isinstance(name, str) else ""


def _nodes(connection: Json | None) -> list[Json]:
    return [edge["node"] for edge in connection["edges"]] if connection else []


def _moment(node: Json) -> datetime:
    try:
        return payloads.moment(node["updatedAt"])
    except (KeyError, TypeError, ValueError):
        raise HostUnavailable("The shop's answer makes no sense.") from None


def _must_be_newest_first(times: Sequence[datetime]) -> None:
    # Nothing promises this order. Were it another, checkouts would be passed over unseen.
    if any(later > earlier for earlier, later in pairwise(times)):
        raise HostUnavailable("The shop lists its checkouts in an order we do not know.")


def _each[T](parse: Callable[[Json], T], nodes: Iterable[Json | None]) -> list[T]:
    # One row we cannot read stops the page: to skip an order might be to write to its buyer.
    with _understood():
        return [parse(node) for node in nodes if node is not None]


@contextmanager
def _understood() -> Iterator[None]:
    try:
        yield
    except InvalidEvent as error:
        raise HostUnavailable(f"The shop's answer makes no sense: {error}") from error
