"""The hosted suite runs inside a real Saleor: its settings, its schema, its sample data.

Nothing is rolled back: hooks fire after the commit, as they do in a shop. Each test starts with our
own tables empty and the plugin as it was installed; what it bought stays in Saleor's, harmlessly.
"""

import hashlib
import json
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client

CHANNEL = "default-channel"
BASE = "/plugins/global/saleor-nudges/"
ADDRESS = {
    "firstName": "Anna",
    "lastName": "Nowak",
    "streetAddress1": "1 Main Street",
    "city": "New York",
    "postalCode": "10001",
    "country": "US",
    "countryArea": "NY",
    "phone": "+12125550123",
}
_people = count(1)


class ApiError(AssertionError):
    """Saleor's public API said no."""


class Api:
    """Saleor's public GraphQL API, over HTTP as any client speaks it."""

    def __init__(self, token: str = "") -> None:
        self.client = Client()
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def answer(self, query: str, **variables: Any) -> dict[str, Any]:
        """Return the whole answer, errors included."""
        body = {"query": query, "variables": variables}
        response = self.client.post(
            "/graphql/", body, content_type="application/json", headers=self.headers
        )
        return response.json()

    def ask(self, query: str, **variables: Any) -> Any:
        """Return what the one field of the query answers; errors of any kind fail the test."""
        answer = self.answer(query, **variables)
        if "errors" in answer:
            raise ApiError(answer["errors"])
        [found] = answer["data"].values()
        if isinstance(found, dict) and found.get("errors"):
            raise ApiError(found["errors"])
        return found


class Storefront(Api):
    """What a shopper does, through the public API."""

    def products(self, size: int) -> list[dict[str, Any]]:
        """Return products that can be bought, each with its `variant`."""
        found = self.ask(
            """query($channel: String!) {
              products(first: 100, channel: $channel, filter: { stockAvailability: IN_STOCK }) {
                edges { node { id name slug productType { isShippingRequired }
                  variants { id quantityAvailable } } } } }""",
            channel=CHANNEL,
        )
        usable = []
        for edge in found["edges"]:
            node = edge["node"]
            stocked = [v["id"] for v in node["variants"] or () if v["quantityAvailable"] >= 5]
            if stocked and node["productType"]["isShippingRequired"]:
                usable.append(node | {"variant": stocked[0]})
        assert len(usable) >= size
        return usable[:size]

    def start(self, *variants: str, email: str = "", quantity: int = 1) -> str:
        """Open a checkout; return its id."""
        lines = [{"variantId": variant, "quantity": quantity} for variant in variants]
        basis: dict[str, Any] = {"channel": CHANNEL, "lines": lines}
        if email:
            basis["email"] = email
        created = self.ask(
            """mutation($input: CheckoutCreateInput!) { checkoutCreate(input: $input) {
              checkout { id totalPrice { gross { amount } } }
              errors { field message code } } }""",
            input=basis,
        )
        return created["checkout"]["id"]

    def add(self, checkout: str, variant: str, quantity: int = 1) -> None:
        """Put something more into a checkout."""
        self.ask(
            """mutation($id: ID!, $lines: [CheckoutLineInput!]!) {
              checkoutLinesAdd(id: $id, lines: $lines) {
                checkout { id totalPrice { gross { amount } } }
                errors { field message code } } }""",
            id=checkout,
            lines=[{"variantId": variant, "quantity": quantity}],
        )

    def say_email(self, checkout: str, email: str) -> None:
        """Leave an address."""
        self.ask(
            """mutation($id: ID!, $email: String!) { checkoutEmailUpdate(id: $id, email: $email) {
              checkout { id } errors { field message code } } }""",
            id=checkout,
            email=email,
        )

    def complete(self, checkout: str) -> str:
        """Say where to, choose a delivery, and order; return the order's id."""
        for name, field in (("Shipping", "shippingAddress"), ("Billing", "billingAddress")):
            self.ask(
                f"""mutation($id: ID!, $address: AddressInput!) {{
                  checkout{name}AddressUpdate(id: $id, {field}: $address) {{
                    checkout {{ id }} errors {{ field message code }} }} }}""",
                id=checkout,
                address=ADDRESS,
            )
        methods = self.ask(
            "query($id: ID!) { checkout(id: $id) { shippingMethods { id active } } }", id=checkout
        )["shippingMethods"]
        self.ask(
            """mutation($id: ID!, $method: ID!) {
              checkoutDeliveryMethodUpdate(id: $id, deliveryMethodId: $method) {
                checkout { id totalPrice { gross { amount } } }
                errors { field message code } } }""",
            id=checkout,
            method=methods[0]["id"],
        )
        return self.ask(
            """mutation($id: ID!) { checkoutComplete(id: $id) {
              order { id } errors { field message code } } }""",
            id=checkout,
        )["order"]["id"]

    def buy(self, *variants: str, email: str) -> tuple[str, str]:
        """Buy things; return the ids of the checkout and the order."""
        checkout = self.start(*variants, email=email)
        return checkout, self.complete(checkout)

    # Ours, below the plugin's address.

    def nudges(self, **query: str) -> list[dict[str, Any]]:
        """Return what `v1/nudges` answers a visitor."""
        response = self.client.get(f"{BASE}v1/nudges", {"channel": CHANNEL, **query})
        assert response.status_code == 200, response.content
        return response.json()["nudges"]

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Send something as a beacon does: JSON called text."""
        return self.client.post(f"{BASE}{path}", json.dumps(body), content_type="text/plain")


class Seller(Api):
    """What the seller does in the Dashboard, through the same API."""

    def activate(self, *, active: bool = True) -> None:
        """Switch the plugin on or off."""
        self.ask(
            """mutation($active: Boolean!) {
              pluginUpdate(id: "saleor-nudges", input: { active: $active }) {
                plugin { id } errors { field message code } } }""",
            active=active,
        )

    def track(self, *kinds: str) -> None:
        """Let visitors be counted and show some kinds of nudges."""
        self.ask(
            """mutation($channel: String!) { nudgeSettingsUpdate(channel: $channel, input: {
              isTrackingEnabled: true,
              productUrl: "https://shop.example.com/{channel}/{slug}",
              checkoutUrl: "https://shop.example.com/checkout?checkout={checkout}" }) {
                nudgeSettings { isTrackingEnabled } errors { field message code } } }""",
            channel=CHANNEL,
        )
        for kind in kinds:
            self.ask(
                """mutation($channel: String!, $type: NudgeTypeEnum!) {
                  nudgeConfigUpdate(channel: $channel, type: $type, input: { isEnabled: true }) {
                    nudgeConfig { isEnabled } errors { field message code } } }""",
                channel=CHANNEL,
                type=kind,
            )

    def write(self, *, delay: int = 1) -> None:
        """Let people be written to about what they leave from now on."""
        self.sending(on=True)
        self.ask(
            """mutation($channel: String!, $delay: Int!) {
              recoveryCampaignUpdate(channel: $channel, input: { delaySeconds: $delay }) {
                recoveryCampaign { state } errors { field message code } } }""",
            channel=CHANNEL,
            delay=delay,
        )
        self.campaign("Activate")

    def sending(self, *, on: bool) -> None:
        """Switch all sending on or off."""
        self.ask(
            """mutation($on: Boolean!) { messagingSettingsUpdate(input: { isSendingEnabled: $on,
              legalBasis: SOFT_OPT_IN, senderEmail: "shop@example.com" }) {
                messagingSettings { isSendingEnabled } errors { field message code } } }""",
            on=on,
        )

    def campaign(self, verb: str) -> None:
        """Activate or Pause the channel's campaign."""
        self.ask(
            f"""mutation($channel: String!) {{ recoveryCampaign{verb}(channel: $channel) {{
              recoveryCampaign {{ state }} errors {{ field message code }} }} }}""",
            channel=CHANNEL,
        )

    def left_behind(self) -> list[dict[str, Any]]:
        """Return the checkouts the Dashboard lists."""
        found = self.ask(
            """{ abandonedCheckouts(first: 50, sortBy: LAST_SEEN) { edges { node {
              state isContactKnown sends { state reason } } } } }"""
        )
        return [edge["node"] for edge in found["edges"]]


def hashed(checkout: str) -> str:
    """Return how a storefront names its own checkout to us."""
    return hashlib.sha256(checkout.encode()).hexdigest()


# The database: real, committed to -----------------------------------------------------------------


@pytest.fixture(scope="session", autouse=True)
def _database(django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield


def logged_in() -> Seller:
    """Return the seller with a fresh token."""
    return Seller(
        Api().ask(
            """mutation { tokenCreate(email: "admin@example.com", password: "admin") {
              token errors { field message code } } }"""
        )["token"]
    )


@pytest.fixture(scope="session")
def _shop_sells_unpaid(_database: None) -> None:
    # Orders without a payment app: the shop's own setting, through the shop's own API.
    seller = logged_in()
    channel = seller.ask("query($slug: String!) { channel(slug: $slug) { id } }", slug=CHANNEL)[
        "id"
    ]
    seller.ask(
        """mutation($id: ID!) { channelUpdate(id: $id, input: {
          orderSettings: { allowUnpaidOrders: true, automaticallyConfirmAllNewOrders: true } }) {
            channel { id } errors { field message code } } }""",
        id=channel,
    )


@pytest.fixture
def staff(_shop_sells_unpaid: None) -> Seller:
    """The seller, before doing anything. Saleor's tokens last five minutes."""
    return logged_in()


@pytest.fixture
def seller(staff: Seller) -> Seller:
    """The seller, who has installed and activated us and nothing more."""
    from saleor_nudges.plugin import host

    found = staff
    found.activate(active=False)
    empty_our_tables()
    host.forget_shop()
    found.activate()
    return found


@pytest.fixture
def shopper() -> Storefront:
    """Somebody in the storefront."""
    return Storefront()


@pytest.fixture
def visitor() -> Storefront:
    """Somebody else."""
    return Storefront()


@pytest.fixture
def email() -> str:
    """An address nobody has used in this run."""
    return f"shopper-{next(_people)}@example.com"


def empty_our_tables() -> None:
    """As on the day of installation. Saleor's tables are not ours to empty."""
    from saleor.core.db.connection import allow_writer

    with allow_writer(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables"
            " WHERE tablename LIKE 'saleor\\_nudges\\_%%' AND schemaname = 'public'"
        )
        [tables] = cursor.fetchone()
        cursor.execute(f"TRUNCATE {tables} CASCADE")


# The guards ---------------------------------------------------------------------------------------


class WriterGuard:
    """Saleor logs a statement outside `allow_writer` in production: here one of ours fails."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def __call__(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        alias = rest[-1]["connection"]
        if not getattr(alias, "_allow_writer", False):
            ours = [
                f"{frame.filename}:{frame.lineno}"
                for frame in traceback.extract_stack()
                if "/saleor_nudges/" in frame.filename
            ]
            if ours:
                self.found.append(f"{ours[-1]}: {sql[:200]}")
        return execute(sql, *rest)


@pytest.fixture(autouse=True)
def writer_guard(_database: None) -> Iterator[WriterGuard]:
    """Every test fails on a statement of ours outside Saleor's permission to write."""
    guard = WriterGuard()
    with ExitStack() as stack:
        stack.enter_context(connections["default"].execute_wrapper(guard))
        yield guard
    assert guard.found == []


@pytest.fixture(autouse=True)
def _nothing_failed_quietly(
    request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> Iterator[None]:
    """A hook swallows what goes wrong; a test does not, unless it broke it on purpose."""
    yield
    if request.node.get_closest_marker("breaks"):
        return
    unsafe = [r.getMessage() for r in caplog.records if "Unsafe access" in r.getMessage()]
    errors = [
        f"{r.getMessage()} {r.exc_info[1] if r.exc_info else ''}"
        for r in caplog.get_records("call")
        if r.name.startswith("saleor_nudges") and r.levelname == "ERROR"
    ]
    assert (unsafe, errors) == ([], [])
