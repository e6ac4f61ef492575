"""Record what a real Saleor sends: the install handshake and every webhook we subscribe to.

    SALEOR_DIR=~/saleor python -m devtools.record_webhooks

Saleor runs with its sample data and a throw-away App, whose webhooks carry our subscription
documents; a shopper and the staff then do, through its public GraphQL, what makes each event fire.
Bodies and headers are kept byte for byte, for the signature is over them. The people are made up.
"""

import base64
import contextlib
import json
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from devtools import saleor, servers, storefront
from devtools.storefront import STAFF, Json

ROOT = Path(__file__).resolve().parent.parent
SUBSCRIPTIONS = ROOT / "saleor_nudges" / "webhooks" / "subscriptions"
RECORDINGS = ROOT / "tests" / "webhooks" / "recordings"
PERMISSIONS = ["MANAGE_CHECKOUTS", "MANAGE_ORDERS", "MANAGE_PRODUCTS", "MANAGE_USERS"]
HOW = (
    "Recorded from a running {saleor}, with its sample data, by `python -m"
    " devtools.record_webhooks`: bodies byte for byte, header names in lower case, `step` says what"
    " had just been done, `answered` what the recorder replied. `other_key` was signed before the"
    " shop's key changed."
)
CUSTOMER = ("alan@example.com", "an example of a password")
# A single grey pixel.
IMAGE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNoAAAAggCB2kUIOwAAAABJRU5ErkJggg=="
)

# Up to 3.22 the enum has CUSTOMER_DELETED but the schema no type to subscribe to.
UNKNOWN = {"3.21": frozenset({"customer_deleted"}), "3.22": frozenset({"customer_deleted"})}


@dataclass
class Recorder:
    """A small App: serves its manifest, accepts its token, keeps what it is sent."""

    port: int
    unknown: frozenset[str] = frozenset()
    step: str = "install"
    refusals: int = 0
    requests: list[dict[str, Json]] = field(default_factory=list)
    last: float = 0.0

    def keep(self, method: str, path: str, headers: list[tuple[str, str]], body: bytes) -> int:
        """Remember the request and answer its status: 503 while refusals are left."""
        self.last = time.monotonic()
        status = 503 if self.refusals else 200
        self.refusals = max(0, self.refusals - 1)
        record: dict[str, Json] = {"method": method, "path": path, "step": self.step}
        record["answered"] = status
        record["headers"] = {name.lower(): value for name, value in headers}
        record["body_base64"] = base64.b64encode(body).decode()
        self.requests.append(record)
        return status

    def events(self) -> list[str]:
        hooks = [record for record in self.requests if record["path"] == "/webhooks"]
        return [str(record["headers"]["saleor-event"]).upper() for record in hooks]

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def manifest(self) -> dict[str, Json]:
        return {
            "id": "example.nudges-recorder",
            "name": "Recorder",
            "version": "1.0.0",
            "permissions": PERMISSIONS,
            "appUrl": self.url("/"),
            "tokenTargetUrl": self.url("/register"),
            "webhooks": [
                {
                    "name": file.stem,
                    "targetUrl": self.url("/webhooks"),
                    "query": file.read_text(),
                    "asyncEvents": [file.stem.upper()],
                    "isActive": True,
                }
                for file in sorted(SUBSCRIPTIONS.glob("*.graphql"))
                if file.stem not in self.unknown
            ],
        }


@contextlib.contextmanager
def recording(unknown: frozenset[str]) -> Iterator[Recorder]:
    """Listen while the block lasts."""
    recorder = Recorder(servers.free_port(), unknown)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(recorder.manifest())

        def do_POST(self) -> None:
            self._answer({"success": True})

        def _answer(self, data: dict[str, Json]) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status = recorder.keep(self.command, self.path, self.headers.items(), body)
            payload = json.dumps(data).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", recorder.port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield recorder
    finally:
        server.shutdown()


class Shop(storefront.Api):
    """Saleor's public API, and patience until the events of each step have arrived."""

    def __init__(self, url: str, recorder: Recorder) -> None:
        super().__init__(url)
        self.recorder = recorder
        # What the next steps are part of; each is named after its mutation.
        self.part = ""

    def do(self, mutation: str, arguments: str, result: str = "", /, **given: Json) -> Json:
        step = f"{self.part}: {mutation}" if self.part else self.recorder.step
        return self.step(step, mutation, arguments, result, **given)

    def step(
        self, step: str, mutation: str, arguments: str, result: str = "", /, **given: Json
    ) -> Json:
        """The same, by a name of its own."""
        self.recorder.step = step
        answer = super().do(mutation, arguments, result, **given)
        self.settle()
        return answer

    def settle(self, quiet: float = 2.0, at_most: float = 30.0) -> None:
        """Wait until nothing more arrives."""
        started = time.monotonic()
        while time.monotonic() < started + at_most:
            if time.monotonic() > max(self.recorder.last, started) + quiet:
                return
            time.sleep(0.1)


# The story ----------------------------------------------------------------------------------------


def prepare(shop: Shop) -> None:
    """Let the channel take unpaid orders and pay by transaction; have a customer who can log in."""
    shop.part = "prepare"
    storefront.take_unpaid_orders(shop)
    unconfirmed = {"enableAccountConfirmationByEmail": False}
    shop.do("shopSettingsUpdate", "input: ShopSettingsInput!", input=unconfirmed)
    account = {"email": CUSTOMER[0], "password": CUSTOMER[1], "channel": storefront.CHANNEL}
    shop.do("accountRegister", "input: AccountRegisterInput!", input=account)


def fill_checkout(shop: Shop, email: str, bought: Sequence[Json]) -> Json:
    """From an empty cart to a checkout that could be completed."""
    return storefront.address_checkout(shop, storefront.start_checkout(shop, bought, email))


def buy_and_refund(shop: Shop, bought: Sequence[Json]) -> None:
    """Ordered unpaid, paid later, refunded."""
    shop.part = "refund"
    with shop.acting():
        checkout = fill_checkout(shop, "ada@example.com", bought)
        order = storefront.complete(shop, checkout["id"])
    fields = "order { transactions { id token } }"
    paid = shop.do("orderMarkAsPaid", "id: ID!", fields, id=order["id"])
    declared = "id: ID!, amount: PositiveDecimal!, pspReference: String!"
    declared += ", type: TransactionEventTypeEnum!"
    shop.do(
        "transactionEventReport",
        declared,
        id=paid["order"]["transactions"][0]["id"],
        amount=order["total"]["gross"]["amount"],
        pspReference="refund-1",
        type="REFUND_SUCCESS",
    )


def pay_before_ordering(shop: Shop, bought: Sequence[Json]) -> None:
    """A transaction pays a guest's checkout in full; the email is that of an account."""
    shop.part = "prepaid"
    with shop.acting():
        checkout = fill_checkout(shop, CUSTOMER[0], bought)
    transaction = {
        "name": "Card",
        "pspReference": "prepaid-1",
        "amountCharged": checkout["totalPrice"]["gross"],
    }
    declared = "id: ID!, transaction: TransactionCreateInput!"
    shop.do("transactionCreate", declared, id=checkout["id"], transaction=transaction)
    with shop.acting():
        storefront.complete(shop, checkout["id"])


def order_and_cancel(shop: Shop, bought: Sequence[Json]) -> None:
    """Ordered by a customer who is logged in."""
    shop.part = "cancel"
    with shop.acting(*CUSTOMER):
        checkout = fill_checkout(shop, CUSTOMER[0], bought)
        order = storefront.complete(shop, checkout["id"])
    shop.do("orderCancel", "id: ID!", id=order["id"])


def erase_customer(shop: Shop) -> None:
    customer = {"email": "erased@example.com", "firstName": "Erased", "lastName": "Example"}
    shop.part = "erase"
    created = shop.do("customerCreate", "input: UserCreateInput!", "user { id }", input=customer)
    shop.do("customerDelete", "id: ID!", id=created["user"]["id"])


def change_stock(shop: Shop, variant: Json) -> None:
    """To nothing in every warehouse, and back."""
    declared = "variantId: ID!, stocks: [StockInput!]!"
    for quantity in (0, 7):
        stocks = [
            {"warehouse": stock["warehouse"]["id"], "quantity": quantity}
            for stock in variant["stocks"]
        ]
        step = f"stock: {quantity}"
        shop.step(
            step, "productVariantStocksUpdate", declared, variantId=variant["id"], stocks=stocks
        )


def rename_product(shop: Shop, variant: Json, part: str) -> None:
    shop.part = part
    name = {"name": variant["product_name"]}
    shop.do("productUpdate", "id: ID!, input: ProductInput!", id=variant["product"], input=name)


def illustrate(shop: Shop, variant: Json) -> None:
    """Give a product a picture, for the sample data has none: a GraphQL multipart upload."""
    query = """mutation($product: ID!, $image: Upload) { productMediaCreate(
        input: {product: $product, image: $image, alt: ""}) { errors { field message } } }"""
    variables = {"product": variant["product"], "image": None}
    operations = json.dumps({"query": query, "variables": variables}).encode()
    boundary = b"an-example-of-a-boundary"
    start = b"--" + boundary + b"\r\nContent-Disposition: form-data; name="
    body = start + b'"operations"\r\n\r\n' + operations + b"\r\n"
    body += start + b'"map"\r\n\r\n{"0": ["variables.image"]}\r\n'
    body += start + b'"0"; filename="pixel.png"\r\nContent-Type: image/png\r\n\r\n'
    body += IMAGE + b"\r\n--" + boundary + b"--\r\n"
    shop.recorder.step = "prepare"
    shop.post(body, f"multipart/form-data; boundary={boundary.decode()}")
    shop.settle()


def be_away_for_a_moment(shop: Shop, variant: Json) -> None:
    """Saleor repeats what was answered with 503 after ten seconds."""
    shop.recorder.refusals = 1
    rename_product(shop, variant, "retry")
    shop.settle(quiet=15)


def story(shop: Shop, app: str) -> None:
    """Everything that makes an event fire, the App's own removal last."""
    bought = storefront.variants(shop)
    illustrate(shop, bought[1])
    buy_and_refund(shop, bought)
    pay_before_ordering(shop, bought)
    order_and_cancel(shop, bought)
    erase_customer(shop)
    change_stock(shop, bought[2])
    rename_product(shop, bought[3], "product")
    be_away_for_a_moment(shop, bought[3])
    shop.part = "product"
    shop.do("productDelete", "id: ID!", id=bought[-1]["product"])
    shop.part = "uninstall"
    shop.do("appDelete", "id: ID!", id=app)


# The run ------------------------------------------------------------------------------------------


def record(checkout: saleor.Checkout) -> dict[str, Json]:
    """Run Saleor twice on one database: first with another key, then with its own."""
    port = servers.free_port()
    unknown = UNKNOWN.get(_line(checkout), frozenset())
    with (
        saleor.running(checkout, nudges=False, port=port) as environment,
        recording(unknown) as recorder,
    ):
        shop = Shop(environment["PUBLIC_URL"], recorder)
        other = {**environment, "RSA_PRIVATE_KEY": saleor.new_private_key(checkout)}
        with saleor.served(checkout, other, port):
            shop.wait_until_up()
            shop.log_in(*STAFF)
            manifest = recorder.url("/manifest")
            app = storefront.install(shop, "Recorder", manifest, PERMISSIONS)
            rename_product(shop, storefront.variants(shop)[3], "other key")
            other_jwks = shop.jwks()
        handshake, stale = _split(recorder)
        with saleor.served(checkout, environment, port):
            shop.wait_until_up()
            shop.log_in(*STAFF)
            prepare(shop)
            story(shop, app)
            jwks = shop.jwks()
        _, deliveries = _split(recorder)
    _complain_about_missing(deliveries)
    return {
        "how": HOW.format(saleor=checkout),
        "saleor": {"version": checkout.version, "commit": checkout.commit},
        "saleor_api_url": f"{environment['PUBLIC_URL']}/graphql/",
        "jwks": jwks,
        **handshake,
        "deliveries": deliveries,
        "other_key": {"jwks": other_jwks, "deliveries": stale},
    }


def _line(checkout: saleor.Checkout) -> str:
    return ".".join(checkout.version.split(".")[:2])


def _split(recorder: Recorder) -> tuple[dict[str, Json], list[dict[str, Json]]]:
    """The two requests of an installation, and the deliveries."""
    handshake: dict[str, Json] = {}
    deliveries = []
    for kept in recorder.requests:
        part = {name: kept[name] for name in ("step", "answered", "headers", "body_base64")}
        if kept["path"] == "/webhooks":
            deliveries.append({"event": str(kept["headers"]["saleor-event"]).upper(), **part})
        else:
            handshake[kept["path"].strip("/")] = {"method": kept["method"], **part}
    recorder.requests.clear()
    return handshake, deliveries


def _complain_about_missing(deliveries: Sequence[dict[str, Json]]) -> None:
    wanted = {file.stem.upper() for file in SUBSCRIPTIONS.glob("*.graphql")}
    if missing := wanted - {delivery["event"] for delivery in deliveries}:
        sys.stderr.write(f"never fired: {', '.join(sorted(missing))}\n")


def main() -> int:
    """Record, and write one file per Saleor release line."""
    try:
        checkout = saleor.find_checkout()
    except saleor.SetupError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    recorded = record(checkout)
    line = _line(checkout)
    RECORDINGS.mkdir(parents=True, exist_ok=True)
    file = RECORDINGS / f"saleor-{line}.json"
    file.write_text(json.dumps(recorded, indent=1) + "\n")
    sys.stderr.write(f"{len(recorded['deliveries'])} deliveries in {file}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
