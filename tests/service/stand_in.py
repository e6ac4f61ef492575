"""A stand-in for a shop's API, on this machine: ours, not Saleor. The hosted suite asks a real one.

It answers each operation we send from a dict, as Saleor words it, and signs as Saleor signs.
"""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from saleor_nudges import crypto
from saleor_nudges.events import Contact, Line
from saleor_nudges.host import Checkout, Order, ProductCard
from saleor_nudges.models import AppInstallation, Shop

Json = dict[str, Any]

TOKEN = "stand-in-app-token-0123456789"
APP_ID = "QXBwOjE="
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def key_set(key: rsa.RSAPrivateKey = KEY, name: str = "first") -> Json:
    """Return the public half as Saleor publishes it."""
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    return {"keys": [public | {"use": "sig", "kid": name, "alg": "RS256", "key_ops": ["verify"]}]}


def signed(body: bytes, key: rsa.RSAPrivateKey = KEY, name: str = "first", **header: Any) -> str:
    """Return the detached signature of a body (RFC 7797), as Saleor sends it."""
    headers = {"kid": name, "b64": False, "crit": ["b64"], "typ": "JWT"} | header
    return jwt.api_jws.encode(
        body, key, algorithm="RS256", headers=headers, is_payload_detached=True
    )


@dataclass
class StandIn:
    """What the shop holds and how it behaves; change it as a test needs."""

    checkouts: dict[str, Json] = field(default_factory=dict)
    orders: dict[str, Json] = field(default_factory=dict)
    products: dict[str, Json] = field(default_factory=dict)
    stock: dict[str, int | None] = field(default_factory=dict)
    # By variant: what each warehouse has, and how much of it orders and checkouts hold.
    warehouses: dict[str, list[tuple[int, int, int]]] = field(default_factory=dict)
    # By checkout: what the shop itself has written beside it.
    metadata: dict[str, dict[str, str]] = field(default_factory=dict)
    key_set: Json = field(default_factory=key_set)
    token: str = TOKEN
    identifier: str = "saleor-nudges"
    # By id: a voucher as the shop made it, with its `code`, `channels`, and whether it was `used`.
    vouchers: dict[str, Json] = field(default_factory=dict)
    takes_vouchers: bool = True
    takes_off: float = 1.0
    permissions: list[str] = field(default_factory=lambda: ["MANAGE_DISCOUNTS"])
    # What it answers in place of GraphQL: a status, headers and a body.
    instead: tuple[int, dict[str, str], bytes] | None = None
    keys_status: int = 200
    delay: float = 0.0
    refuses: list[list[Json]] = field(default_factory=list)
    asked: list[tuple[str, Json, bool]] = field(default_factory=list)
    key_requests: int = 0
    port: int = 0
    is_newest_first: bool = True

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/graphql/"

    def answer(self, query: str, variables: Json, token: str) -> Json:
        """Answer one GraphQL request."""
        name = re.search(r"(?:query|mutation) (\w+)", query).group(1)  # type: ignore[union-attr]
        is_ours = token == f"Bearer {self.token}"
        self.asked.append((name, variables, is_ours))
        if name in NEED_TOKEN and not is_ours:
            code = {"exception": {"code": "PermissionDenied"}}
            return {"data": None, "errors": [{"message": str(variables), "extensions": code}]}
        return {"data": OPERATIONS[name](self, variables, is_ours)}

    # The operations.

    def _app(self, _variables: Json, is_ours: bool) -> Json:
        app = {"id": APP_ID, "identifier": self.identifier} if is_ours else None
        return {"app": app, "shop": {"name": "Stand-in shop"}}

    def _checkouts(self, variables: Json, _is_ours: bool) -> Json:
        return {alias: self.checkouts.get(key) for alias, key in variables.items()}

    def _orders(self, variables: Json, _is_ours: bool) -> Json:
        found = [self.orders[key] for key in variables["ids"] if key in self.orders]
        return {"orders": connection(found)}

    def _changed(self, variables: Json, _is_ours: bool) -> Json:
        since = datetime.fromisoformat(variables["since"])
        every = list(self.orders.values())
        found = [o for o in every if datetime.fromisoformat(o["updatedAt"]) >= since]
        found.sort(key=place_of)
        return {"orders": onward(found, variables["first"], variables["after"])}

    def _newest(self, variables: Json, _is_ours: bool) -> Json:
        found = self._newest_first(variables["day"])
        return {"checkouts": onward(found, variables["first"], variables["after"])}

    def _checkouts_changed(self, variables: Json, _is_ours: bool) -> Json:
        found = self._newest_first(variables["day"])
        page = onward(found[::-1], variables["last"], variables["before"])
        page["edges"].reverse()
        info = page["pageInfo"]
        page["pageInfo"] = {
            "hasPreviousPage": info["hasNextPage"],
            "startCursor": info["endCursor"],
        }
        return {"checkouts": page}

    def _newest_first(self, day: str) -> list[Json]:
        """The checkouts changed since that day: a moment is too fine for this filter."""
        datetime.strptime(day, "%Y-%m-%d")  # noqa: DTZ007 - a date is all it may be
        found = [c for c in list(self.checkouts.values()) if c["updatedAt"][:10] >= day]
        return sorted(found, key=place_of, reverse=self.is_newest_first)

    def _products(self, variables: Json, _is_ours: bool) -> Json:
        found = [self.products[key] for key in variables["ids"] if key in self.products]
        return {"products": connection(found)}

    def _stocks(self, variables: Json, _is_ours: bool) -> Json:
        names = ("quantity", "quantityAllocated", "quantityReserved")
        known = [key for key in variables["ids"] if key in self.warehouses]
        nodes = [
            {
                "id": key,
                "stocks": [dict(zip(names, one, strict=True)) for one in self.warehouses[key]],
            }
            for key in known
        ]
        return {"productVariants": connection(nodes)}

    def _variants(self, variables: Json, _is_ours: bool) -> Json:
        found = [
            {"id": variant["id"], "product": {"id": product["id"]}}
            for product in self.products.values()
            for variant in product["variants"] or ()
            if variant["id"] in variables["ids"]
        ]
        return {"productVariants": connection(found)}

    def _buyable(self, variables: Json, _is_ours: bool) -> Json:
        known = [key for key in variables["ids"] if key in self.stock]
        nodes = [{"id": key, "quantityAvailable": self.stock[key]} for key in known]
        return {"productVariants": connection(nodes)}

    def _metadata(self, variables: Json, _is_ours: bool) -> Json:
        if variables["id"] not in self.checkouts:
            return {"checkout": None}
        held = self.metadata.get(variables["id"], {})
        found = {key: held[key] for key in variables["keys"] if key in held}
        return {"checkout": {"metafields": found}}

    def _create(self, variables: Json, _is_ours: bool) -> Json:
        if self.refuses:
            return {"checkoutCreate": {"checkout": None, "errors": self.refuses.pop(0)}}
        key = f"Checkout:{len(self.checkouts)}-new"
        now = datetime.now(UTC)
        asked = variables["input"]
        lines = tuple(Line("", line["variantId"], line["quantity"]) for line in asked["lines"])
        fresh = Checkout(key, asked["channel"], now, now, Contact(), cart(lines))
        self.checkouts[key] = checkout_json(fresh)
        self.metadata[key] = {pair["key"]: pair["value"] for pair in asked.get("metadata", ())}
        return {"checkoutCreate": {"checkout": {"id": key}, "errors": []}}

    # Vouchers.

    def _may(self, _variables: Json, _is_ours: bool) -> Json:
        return {"app": {"permissions": [{"code": name} for name in self.permissions]}}

    def _channel(self, variables: Json, _is_ours: bool) -> Json:
        is_known = variables["slug"] == "default-channel"
        return {"channel": {"id": "Q2hhbm5lbDox", "currencyCode": "EUR"} if is_known else None}

    def _vouchers(self, variables: Json, _is_ours: bool) -> Json:
        found = [one for one in self.vouchers.values() if variables["code"] in one["code"]]
        return {"vouchers": connection([voucher_json(one) for one in found])}

    def _make_voucher(self, variables: Json, _is_ours: bool) -> Json:
        asked = variables["input"]
        [code] = asked["addCodes"]
        if any(one["code"] == code for one in self.vouchers.values()):
            errors = [{"field": "codes", "code": "ALREADY_EXISTS"}]
            return {"voucherCreate": {"voucher": None, "errors": errors}}
        key = f"Voucher:{len(self.vouchers)}"
        own = {"id": key, "code": code, "channels": [], "used": 0, "mark": None, "asked": asked}
        self.vouchers[key] = own
        return {"voucherCreate": {"voucher": {"id": key}, "errors": []}}

    def _list_voucher(self, variables: Json, _is_ours: bool) -> Json:
        listed = self.vouchers[variables["id"]]["channels"]
        added = variables["input"]["addChannels"]
        listed[:] = [one for one in listed if one["channelId"] != added[0]["channelId"]] + added
        return {"voucherChannelListingUpdate": {"errors": []}}

    def _mark_voucher(self, variables: Json, _is_ours: bool) -> Json:
        [pair] = variables["input"]
        self.vouchers[variables["id"]]["mark"] = pair["value"]
        return {"updatePrivateMetadata": {"errors": []}}

    def _delete_voucher(self, variables: Json, _is_ours: bool) -> Json:
        del self.vouchers[variables["id"]]
        return {"voucherDelete": {"errors": []}}

    def _put_code(self, variables: Json, _is_ours: bool) -> Json:
        usable = [
            one["code"]
            for one in self.vouchers.values()
            if one["channels"] and not one["used"] and self.takes_vouchers
        ]
        errors = [] if variables["code"] in usable else [{"field": "promoCode", "code": "INVALID"}]
        if not errors:
            held = self.checkouts[variables["id"]]
            held["voucherCode"] = variables["code"]
            held["totalPrice"]["gross"]["amount"] -= self.takes_off
        return {"checkoutAddPromoCode": {"errors": errors}}

    def _take_code(self, variables: Json, _is_ours: bool) -> Json:
        held = self.checkouts[variables["id"]]
        assert held.pop("voucherCode") == variables["code"]
        held["totalPrice"]["gross"]["amount"] += self.takes_off
        return {"checkoutRemovePromoCode": {"errors": []}}

    def _priced(self, variables: Json, _is_ours: bool) -> Json:
        if (held := self.checkouts.get(variables["id"])) is None:
            return {"checkout": None}
        return {
            "checkout": {
                "voucherCode": held.get("voucherCode"),
                "totalPrice": held["totalPrice"],
            }
        }

    def _code_of(self, variables: Json, _is_ours: bool) -> Json:
        found = self.checkouts.get(variables["id"])
        return {"checkout": found and {"voucherCode": found.get("voucherCode")}}


OPERATIONS: dict[str, Callable[[StandIn, Json, bool], Json]] = {
    "NudgesApp": StandIn._app,
    "NudgesCheckouts": StandIn._checkouts,
    "NudgesOrders": StandIn._orders,
    "NudgesOrdersChanged": StandIn._changed,
    "NudgesCheckoutsNewest": StandIn._newest,
    "NudgesCheckoutsChanged": StandIn._checkouts_changed,
    "NudgesProducts": StandIn._products,
    "NudgesStocks": StandIn._stocks,
    "NudgesVariants": StandIn._variants,
    "NudgesBuyable": StandIn._buyable,
    "NudgesCheckoutMetadata": StandIn._metadata,
    "NudgesNewCheckout": StandIn._create,
    "NudgesMay": StandIn._may,
    "NudgesChannel": StandIn._channel,
    "NudgesVouchers": StandIn._vouchers,
    "NudgesMakeVoucher": StandIn._make_voucher,
    "NudgesListVoucher": StandIn._list_voucher,
    "NudgesMarkVoucher": StandIn._mark_voucher,
    "NudgesDeleteVoucher": StandIn._delete_voucher,
    "NudgesPutCode": StandIn._put_code,
    "NudgesTakeCode": StandIn._take_code,
    "NudgesPriced": StandIn._priced,
    "NudgesCodeOf": StandIn._code_of,
}
NEED_TOKEN = {
    "NudgesChannel",
    "NudgesDeleteVoucher",
    "NudgesListVoucher",
    "NudgesMakeVoucher",
    "NudgesMarkVoucher",
    "NudgesVouchers",
    "NudgesCheckoutMetadata",
    "NudgesCheckouts",
    "NudgesCheckoutsChanged",
    "NudgesCheckoutsNewest",
    "NudgesOrders",
    "NudgesOrdersChanged",
    "NudgesStocks",
    "NudgesVariants",
}


@contextmanager
def standing_in() -> Iterator[StandIn]:
    """Run a stand-in while the block lasts."""
    shop = StandIn()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            shop.key_requests += 1
            self._send(shop.keys_status, {}, json.dumps(shop.key_set).encode())

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            time.sleep(shop.delay)
            if shop.instead is not None:
                return self._send(*shop.instead)
            token = self.headers.get("Authorization", "")
            answer = shop.answer(asked["query"], asked["variables"], token)
            return self._send(200, {}, json.dumps(answer).encode())

        def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    shop.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield shop
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def installed(standing: StandIn, **fields: Any) -> Shop:
    """Return a shop that has installed us, reached at the stand-in."""
    shop = Shop.objects.create(key=fields.pop("key", standing.api_url), **fields)
    AppInstallation.objects.of(shop).create(
        shop=shop,
        api_url=standing.api_url,
        app_id=APP_ID,
        sealed_token=crypto.seal(standing.token),
        key_set=standing.key_set,
        key_set_fetched_at=datetime.now(UTC) - timedelta(hours=1),
    )
    return shop


# Our objects as Saleor words them.


def connection(nodes: list[Json]) -> Json:
    return {"edges": [{"cursor": place_of(node), "node": node} for node in nodes]}


def onward(nodes: list[Json], size: int, after: str | None) -> Json:
    """Return the page behind a place. A place is a time and an id, as Saleor's cursors are, so it
    stays where it is when something is added, changed or taken away meanwhile.
    """
    if after:
        ascending = not nodes or place_of(nodes[0]) <= place_of(nodes[-1])
        behind = str.__gt__ if ascending else str.__lt__
        nodes = [node for node in nodes if behind(place_of(node), after)]
    page = connection(nodes[:size])
    end = page["edges"][-1]["cursor"] if page["edges"] else None
    page["pageInfo"] = {"hasNextPage": len(nodes) > size, "endCursor": end}
    return page


def place_of(node: Json) -> str:
    """Return where a checkout or an order stands in a list by its last change."""
    if "updatedAt" not in node:
        return ""
    moment = datetime.fromisoformat(node["updatedAt"]).astimezone(UTC)
    return f"{moment.isoformat(timespec='microseconds')} {node['id']}"


def cart(lines: tuple[Line, ...], language: str = "en") -> Any:
    from saleor_nudges.events import Cart

    total = sum((line.unit_price * line.quantity for line in lines), Decimal(0))
    return Cart(lines=lines, total=total, currency="EUR", language=language)


def checkout_json(checkout: Checkout) -> Json:
    return {
        "id": checkout.id,
        "createdAt": checkout.created_at.isoformat(),
        "updatedAt": checkout.changed_at.isoformat(),
        "email": checkout.contact.email or None,
        "languageCode": checkout.cart.language.upper().replace("-", "_"),
        "authorizeStatus": "FULL" if checkout.payment_started else "NONE",
        "chargeStatus": "NONE",
        "transactions": [],
        "totalPrice": {"gross": _money(checkout)},
        "lines": [_line_json(line) for line in checkout.cart.lines],
        "stayAnonymous": "true" if checkout.refuses_featuring else None,
        "marketingOptIn": {True: "true", False: "false", None: None}[checkout.marketing_consent],
        **_context_json(checkout),
    }


def order_json(order: Order) -> Json:
    lines = [
        _line_json(line) | {"productVariantId": line.variant_id, "productName": line.product_name}
        for line in order.cart.lines
    ]
    return {
        "id": order.id,
        "created": order.created_at.isoformat(),
        "updatedAt": order.updated_at.isoformat(),
        "status": order.status,
        "checkoutId": order.checkout_id or None,
        "userEmail": order.contact.email or None,
        "languageCodeEnum": order.cart.language.upper().replace("-", "_"),
        "total": {"gross": _money(order)},
        "totalRefunded": {"amount": 0},
        # Where it is not known it is not named: an older subscription's words.
        **({} if order.cart.voucher is None else {"voucherCode": order.cart.voucher or None}),
        "lines": lines,
        **_context_json(order),
    }


def voucher_json(voucher: Json) -> Json:
    code = {"code": voucher["code"], "used": voucher["used"], "isActive": not voucher["used"]}
    return {
        "id": voucher["id"],
        "mark": voucher["mark"],
        "codes": connection([code]),
    }


def product_json(card: ProductCard) -> Json:
    thumbnail = {"url": card.image_url} if card.image_url else None
    return {
        "id": card.id,
        "name": card.name,
        "slug": card.slug,
        "thumbnail": thumbnail,
        "isAvailableForPurchase": True,
        "category": _category_json(*card.categories),
        "collections": [{"id": key} for key in card.collections],
        "variants": [variant_json(f"{card.id}-variant", card.stock)],
    }


def variant_json(key: str, stock: int | None, **fields: Any) -> Json:
    """Return a variant as a shopper sees it: no more than fits into one checkout line."""
    is_tracked = stock is not None
    return {
        "id": key,
        "trackInventory": is_tracked,
        "preorder": None,
        "quantityAvailable": min(stock, 50) if stock is not None else 50,
        **fields,
    }


def _category_json(own: str = "", *above: str) -> Json | None:
    # Saleor lists them from the root down.
    nodes = [{"node": {"id": key}} for key in reversed(above)]
    return {"id": own, "ancestors": {"edges": nodes}} if own else None


def _money(found: Checkout | Order) -> Json:
    return {"amount": float(found.cart.total), "currency": found.cart.currency}


def _line_json(line: Line) -> Json:
    card = ProductCard(line.product_id, line.product_name, line.product_slug, line.image_url)
    return {
        "quantity": line.quantity,
        "unitPrice": {"gross": {"amount": float(line.unit_price)}},
        "variant": {"id": line.variant_id, "product": product_json(card)},
    }


def _context_json(found: Checkout | Order) -> Json:
    contact = found.contact
    address = {
        "firstName": contact.first_name,
        "phone": contact.phone or None,
        "city": contact.city,
        "countryArea": contact.region,
        "country": {"code": contact.country},
    }
    return {
        "channel": {"slug": found.channel},
        "user": {"id": contact.user_id} if contact.user_id else None,
        "shippingAddress": address if any((contact.first_name, contact.city)) else None,
        "billingAddress": None,
    }
