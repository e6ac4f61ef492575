"""Who is in the story: the seller in the Dashboard, shoppers, and whoever looks on."""

import hashlib
import json
from base64 import b64decode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any

import requests

from devtools import storefront
from devtools.storefront import CHANNEL, STAFF, Json
from saleor_nudges.events.identity import uuid7
from tests.saleor.app.place import Place

# What says it is a script is counted apart, as a crawler.
AGENT = "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36"
CHECKOUT_URL = "https://shop.example.com/checkout?checkout="


class Seller:
    """A member of staff, first in Saleor's Dashboard, and through it at our doors."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.api = storefront.Api(place.saleor)
        self.app = ""

    def log_in(self) -> None:
        """Anew, for Saleor's tokens last five minutes."""
        self.api.log_in(*STAFF)
        self.place.secrets.add(self.api.token)

    def install(self) -> None:
        """Install external app → our manifest's address."""
        manifest = f"{self.place.app}/manifest"
        permissions = [
            "MANAGE_CHECKOUTS",
            "MANAGE_ORDERS",
            "MANAGE_PRODUCTS",
            "MANAGE_SETTINGS",
            "MANAGE_USERS",
            "MANAGE_DISCOUNTS",
        ]
        self.app = storefront.install(self.api, "Nudges", manifest, permissions)

    def remove(self) -> None:
        """Delete the App in the Dashboard."""
        self.log_in()
        self.api.do("appDelete", "id: ID!", id=self.app)

    def token(self) -> str:
        """Return what the Dashboard hands to an App it opens."""
        self.log_in()
        query = "query($id: ID!) { app(id: $id) { accessToken } }"
        token = str(self.api.ask(query, id=self.app)["app"]["accessToken"])
        self.place.secrets.add(token)
        return token

    def answer(self, token: str, query: str, **variables: Json) -> tuple[int, Json]:
        """Return the status and the whole answer of our own graphql/."""
        response = requests.post(
            f"{self.place.app}/graphql/",
            json={"query": query, "variables": variables},
            headers={"Authorization-Bearer": token, "Saleor-Api-Url": self.place.api_url},
            timeout=30,
        )
        return response.status_code, response.json()

    def ask(self, query: str, **variables: Json) -> Json:
        """Return what the one field of a query answers; errors of any kind fail the test."""
        status, answer = self.answer(self.token(), query, **variables)
        assert (status, answer.get("errors")) == (200, None)
        [found] = answer["data"].values()
        assert not (isinstance(found, dict) and found.get("errors")), found
        return found

    def track(self, *kinds: str) -> None:
        """Let visitors be counted, and show some kinds of nudges."""
        self.ask(
            """mutation($channel: String!, $checkout: String!) {
              nudgeSettingsUpdate(channel: $channel, input: {
                isTrackingEnabled: true, checkoutUrl: $checkout }) {
                errors { field message code } } }""",
            channel=CHANNEL,
            checkout=f"{CHECKOUT_URL}{{checkout}}",
        )
        for kind in kinds:
            self.ask(
                """mutation($channel: String!, $type: NudgeTypeEnum!) {
                  nudgeConfigUpdate(channel: $channel, type: $type, input: { isEnabled: true }) {
                    errors { field message code } } }""",
                channel=CHANNEL,
                type=kind,
            )

    def write(self) -> None:
        """Let people be written to about what they leave from now on."""
        self.ask(
            """mutation { messagingSettingsUpdate(input: { isSendingEnabled: true,
              legalBasis: SOFT_OPT_IN, senderEmail: "shop@example.com" }) {
                errors { field message code } } }"""
        )
        self.ask(
            """mutation($channel: String!) { recoveryCampaignActivate(channel: $channel) {
              errors { field message code } } }""",
            channel=CHANNEL,
        )

    def wait_before_writing(self, seconds: int) -> None:
        """Say after how long a silence people are written to."""
        self.ask(
            """mutation($channel: String!, $delay: Int!) {
              recoveryCampaignUpdate(channel: $channel, input: { delaySeconds: $delay }) {
                errors { field message code } } }""",
            channel=CHANNEL,
            delay=seconds,
        )

    def give(self, voucher: Json) -> None:
        """Say what the one message gives away that people get after a moment."""
        step = {"delaySeconds": 3, "voucher": voucher}
        self.ask(
            """mutation($channel: String!, $steps: [RecoveryStepInput!]) {
              recoveryCampaignUpdate(channel: $channel, input: { steps: $steps }) {
                errors { field message code } } }""",
            channel=CHANNEL,
            steps=[step],
        )

    @contextmanager
    def unheard(self) -> Iterator[None]:
        """Let Saleor tell us nothing while the block lasts, as if its deliveries were lost."""
        self.log_in()
        query = "query($id: ID!) { app(id: $id) { webhooks { id } } }"
        webhooks = self.api.ask(query, id=self.app)["app"]["webhooks"]
        for is_active in (False, True):
            for webhook in webhooks:
                self.api.do(
                    "webhookUpdate",
                    "id: ID!, input: WebhookUpdateInput!",
                    id=webhook["id"],
                    input={"isActive": is_active},
                )
            if not is_active:
                yield
                self.log_in()

    def left_behind(self) -> dict[str, Json]:
        """Return the checkouts the Dashboard lists, by our id of them."""
        found = self.ask(
            """{ abandonedCheckouts(first: 100, sortBy: LAST_SEEN) { edges { node {
              id state isContactKnown nextDueAt sends { state reason } } } } }"""
        )
        return {edge["node"]["id"]: edge["node"] for edge in found["edges"]}

    def send_now(self, checkout: str) -> None:
        """Ask for the next message about a checkout at once."""
        self.ask(
            """mutation($id: ID!) { recoverySendNow(checkout: $id) {
              errors { field message code } } }""",
            id=checkout,
        )

    def checkouts(self) -> int:
        """Return how many checkouts Saleor holds."""
        self.log_in()
        return int(
            self.api.ask("{ checkouts(first: 1) { totalCount } }")["checkouts"]["totalCount"]
        )


class Visitor:
    """Somebody in the storefront, known by nothing but a token."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.token = ""

    def arrive(self) -> int:
        """Ask for a token; return the status."""
        response = self._beacon("v1/session", {})
        if response.ok:
            self.token = response.json()["token"]
            self.place.secrets.add(self.token)
        return response.status_code

    def view(self, product: str) -> None:
        """Look at a product."""
        seen = {
            "id": str(uuid7()),
            "kind": "product_viewed",
            "at": datetime.now(UTC).isoformat(),
            "channel": CHANNEL,
            "product": product,
            "page": "PRODUCT",
        }
        response = self._beacon("v1/events", {"token": self.token, "events": [seen]})
        assert (response.status_code, response.json()) == (202, {"accepted": 1, "rejected": []})

    def nudges(self, kind: str, product: str, **query: str) -> list[Json]:
        """Return the nudges of a kind that this visitor is shown beside a product."""
        asked = {"channel": CHANNEL, "page": "PRODUCT", "product": product, "count": "20"}
        response = requests.get(f"{self.place.app}/v1/nudges", asked | query, timeout=30)
        assert response.status_code == 200, response.text
        return [
            nudge
            for nudge in response.json()["nudges"]
            if (nudge["type"], (nudge["product"] or {}).get("id")) == (kind, product)
        ]

    def _beacon(self, path: str, body: dict[str, Any]) -> requests.Response:
        return requests.post(
            f"{self.place.app}/{path}",
            json.dumps(body),
            headers={"Content-Type": "text/plain", "User-Agent": AGENT},
            timeout=30,
        )


class Shopper:
    """Somebody who fills a cart, with an address nobody else has."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.api = storefront.Api(place.saleor)
        self.email = f"shopper-{token_hex(4)}@example.com"
        place.secrets.add(self.email)

    def leave(self, *wanted: Json) -> str:
        """Fill a checkout, say who it is for, and go; return its id."""
        checkout = storefront.start_checkout(self.api, wanted, self.email)
        self.place.secrets |= names_of(checkout)
        return checkout

    def order(self, checkout: str) -> str:
        """Complete a checkout; return the order's id."""
        storefront.address_checkout(self.api, checkout)
        return str(storefront.complete(self.api, checkout)["id"])

    def buy(self, *wanted: Json, email: str = "") -> tuple[str, str]:
        """Fill a checkout and complete it at once; return both ids."""
        checkout = storefront.start_checkout(self.api, wanted, email or self.email)
        self.place.secrets |= names_of(checkout)
        return checkout, self.order(checkout)

    def look_at(self, checkout: str) -> Json:
        """Return what anybody who holds a checkout's id can see of it."""
        query = """query($id: ID!) { checkout(id: $id) { email user { id } metadata { key }
          billingAddress { id } shippingAddress { id } lines { quantity variant { id } } } }"""
        return self.api.ask(query, id=checkout)["checkout"]


def names_of(checkout: str) -> set[str]:
    """Return the forms in which a checkout's secret could show: a link may cut its padding off."""
    uuid = b64decode(checkout).decode().partition(":")[2]
    return {checkout.rstrip("="), uuid, uuid.replace("-", "")}


def hashed(checkout: str) -> str:
    """Return how a storefront names its own checkout to us."""
    return hashlib.sha256(checkout.encode()).hexdigest()


def quantities(lines: Sequence[Json]) -> dict[str, int]:
    """Return how many of each variant."""
    return {line["variant"]["id"]: line["quantity"] for line in lines}
