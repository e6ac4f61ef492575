"""Played shoppers: they walk through the public doors, as browsers do, and keep the shop moving.

python -m demo.traffic http://127.0.0.1:8400
"""

import contextlib
import random
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import unescape
from typing import Any

import requests

from demo.catalogue import CHANNEL, PRODUCTS, Product
from saleor_nudges.crypto import checkout_hash
from saleor_nudges.events.identity import uuid7

# One request, then a rest: three to five in a second, whatever the machine can do.
REST = (0.2, 0.32)
# Most come for the juices, few for the vase, as in every shop.
TASTE = [1 / n for n in range(1, len(PRODUCTS) + 1)]
# The chance that a visit goes so far, and that who left comes back by the mail.
FILLS_CART, GIVES_ADDRESS, BUYS, RETURNS = 0.4, 0.8, 0.7, 0.6
# Somebody is left behind at most so often, so that the mailbox stays yours to read.
SECONDS_BETWEEN_LEFT = 45.0
# Who says it is a script is counted apart, as a crawler.
AGENT = "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36"
HIDDEN = re.compile(r'name="checkout" value="([^"]+)"')
RETURN_LINK = re.compile(r"https?://[^\s\"<]+/nudges/r/[^\s\"<]+")

# What a shopper waits for between two steps, in seconds; none: the others' turn, then mine.
Steps = Iterator[float]


def new_browser() -> requests.Session:
    """Return a browser that knows nothing."""
    browser = requests.Session()
    browser.headers["User-Agent"] = AGENT
    return browser


@dataclass
class Shopper:
    """An invented person who comes by now and then, each time in a browser that knows nothing."""

    first_name: str
    city: str
    browser: requests.Session = field(default_factory=new_browser)
    token: str = ""

    @property
    def email(self) -> str:
        """Return an address at a domain that exists nowhere."""
        return f"{self.first_name.lower()}@example.com"


SHOPPERS = (
    ("Marta", "Gdansk"),
    ("Jonas", "Leipzig"),
    ("Elif", "Izmir"),
    ("Tomas", "Gdansk"),
    ("Chiara", "Torino"),
    ("Nils", "Leipzig"),
    ("Amelie", "Nantes"),
    ("Pedro", "Torino"),
)


class Play:
    """All shoppers of one shop, one request at a time."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.last_left = time.monotonic() - SECONDS_BETWEEN_LEFT / 2

    def run(self) -> None:
        """Play until told to stop."""
        visits = {name: self.visits(Shopper(name, city)) for name, city in SHOPPERS}
        resting = {name: time.monotonic() + 0.5 * n for n, name in enumerate(visits)}
        while True:
            name = min(resting, key=lambda one: resting[one])
            time.sleep(max(0.0, resting[name] - time.monotonic()) + random.uniform(*REST))
            resting[name] = time.monotonic() + next(visits[name])

    def visits(self, shopper: Shopper) -> Steps:
        """Come by, again and again; a shop that does not answer is tried again later."""
        while True:
            try:
                yield from self.visit(shopper)
            except requests.RequestException:
                yield 5.0
            yield random.uniform(2, 6)

    def visit(self, shopper: Shopper) -> Steps:
        """Look around; maybe fill a cart, say who you are, buy or leave."""
        shopper.browser = new_browser()
        self.get(shopper, "/")
        yield 0.0
        shopper.token = self.session(shopper)
        product = PRODUCTS[0]
        for product in random.choices(PRODUCTS, TASTE, k=random.randint(1, 3)):
            yield random.uniform(0.5, 2)
            yield from self.look_at(shopper, product)
        if random.random() < FILLS_CART:
            yield from self.shop(shopper, product)

    def look_at(self, shopper: Shopper, product: Product) -> Steps:
        """Open a product's page; report it, and the nudge that comes up, as the widget does."""
        self.get(shopper, f"/products/{product.slug}")
        yield 0.0
        self.beacon(shopper, "product_viewed", product=product.id, page="PRODUCT")
        yield 0.0
        for nudge in self.nudges(shopper, product):
            yield 0.0
            self.beacon(shopper, "nudge_viewed", nudge=nudge, page="PRODUCT")

    def shop(self, shopper: Shopper, product: Product) -> Steps:
        """Fill a cart and go to the checkout."""
        cart = self.post(shopper, "/cart/add", product=product.slug)
        key = checkout_on(cart)
        yield random.uniform(1, 3)
        self.beacon(shopper, "page_viewed", page="CART", checkout=key)
        if random.random() < GIVES_ADDRESS:
            yield from self.check_out(shopper, key)

    def check_out(self, shopper: Shopper, key: str) -> Steps:
        """Say who you are; then buy, or leave it behind."""
        yield random.uniform(0.5, 2)
        names = {"first_name": shopper.first_name, "city": shopper.city}
        self.post(shopper, "/checkout/contact", checkout=key, email=shopper.email, **names)
        yield random.uniform(0.5, 2)
        has_time = time.monotonic() - self.last_left > SECONDS_BETWEEN_LEFT
        if random.random() < BUYS or not has_time:
            self.post(shopper, "/checkout/buy", checkout=key)
        else:
            self.last_left = time.monotonic()
            yield from self.come_back(shopper)

    def come_back(self, shopper: Shopper) -> Steps:
        """Find the mail, and maybe follow its link and buy after all."""
        left_at = datetime.now(UTC)
        for _ in range(6):
            yield 10.0
            if link := self.newest_link(shopper, left_at):
                break
        else:
            return
        if random.random() > RETURNS:
            return
        shopper.browser.get(link, timeout=10).raise_for_status()
        yield random.uniform(2, 5)
        page = shopper.browser.post(link, timeout=10)
        key = checkout_on(page.text)
        yield random.uniform(1, 3)
        names = {"first_name": shopper.first_name, "city": shopper.city}
        self.post(shopper, "/checkout/contact", checkout=key, email=shopper.email, **names)
        yield random.uniform(1, 3)
        self.post(shopper, "/checkout/buy", checkout=key)

    # One request each.

    def get(self, shopper: Shopper, path: str) -> str:
        """Open a page."""
        answer = shopper.browser.get(self.url + path, timeout=10)
        answer.raise_for_status()
        return answer.text

    def post(self, shopper: Shopper, path: str, **form: str) -> str:
        """Send a form."""
        answer = shopper.browser.post(self.url + path, data=form, timeout=10)
        answer.raise_for_status()
        return answer.text

    def session(self, shopper: Shopper) -> str:
        """Become a visitor."""
        answer = shopper.browser.post(f"{self.url}/nudges/v1/session", data=b"{}", timeout=10)
        answer.raise_for_status()
        return str(answer.json()["token"])

    def nudges(self, shopper: Shopper, product: Product) -> list[str]:
        """Return the name of the nudge on a product's page, if there is one."""
        ask = {"channel": CHANNEL, "page": "PRODUCT", "product": product.id, "count": "1"}
        answer = shopper.browser.get(
            f"{self.url}/nudges/v1/nudges", params=ask | {"token": shopper.token}, timeout=10
        )
        answer.raise_for_status()
        return [nudge["id"] for nudge in answer.json()["nudges"]]

    def beacon(self, shopper: Shopper, kind: str, checkout: str = "", **about: str) -> None:
        """Report one thing that was seen."""
        now = datetime.now(UTC)
        event = {"id": str(uuid7(now)), "kind": kind, "at": now.isoformat(), "channel": CHANNEL}
        body: dict[str, Any] = {"token": shopper.token, "events": [event | about]}
        if checkout:
            body["checkout"] = checkout_hash(checkout)
        answer = shopper.browser.post(f"{self.url}/nudges/v1/events", json=body, timeout=10)
        answer.raise_for_status()

    def newest_link(self, shopper: Shopper, since: datetime) -> str:
        """Return the link back in the shopper's newest mail; nothing if there is no new one."""
        page = self.get(shopper, f"/mailbox?live=1&to={shopper.email}")
        arrived = re.search(r'<time datetime="([^"]+)"', page)
        if arrived is None or datetime.fromisoformat(unescape(arrived[1])) < since:
            return ""
        link = RETURN_LINK.search(unescape(page))
        return link[0] if link else ""


def checkout_on(page: str) -> str:
    """Return the checkout whose button a page shows."""
    found = HIDDEN.search(page)
    if found is None:
        raise requests.RequestException("No checkout on this page.")
    return unescape(found[1])


def main() -> int:
    """Play in the shop at the address given."""
    with contextlib.suppress(KeyboardInterrupt):
        Play(sys.argv[1].rstrip("/")).run()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
