"""The whole story in the demo, told by two people in real browsers, through the doors alone."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from devtools.servers import free_port
from saleor_nudges.events.identity import uuid7

pytest.importorskip("playwright", reason="Playwright is not installed.")
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "docs" / "images"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
# Headless Chromium calls itself that, and what does is a crawler to us. Said to the whole browser:
# what a page sends while it is left would not hear of it otherwise.
AGENT = "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36"
FLAGS = [
    f"--user-agent={AGENT}",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
KEEPS_SCREENSHOTS = os.environ.get("KEEP_SCREENSHOTS") == "1"
APPLE_JUICE = "UHJvZHVjdDox"
CARROT_JUICE = "UHJvZHVjdDoz"  # Product:3, which nobody looks at before
SMALL_TEAPOT = "UHJvZHVjdDoxMA=="  # Product:10, of which there are four
# How long a shopper is away before we write, and what sweep and worker may take on a busy machine.
DELAY, SOON = (20 if KEEPS_SCREENSHOTS else 3), 60_000

pytestmark = [
    pytest.mark.browser,
    pytest.mark.servers,
    pytest.mark.slow,
    pytest.mark.skipif(
        not Path(CHROMIUM).exists(), reason=f"No Chromium at {CHROMIUM}; set CHROMIUM."
    ),
]


@dataclass
class Demo:
    """The demo as somebody started it."""

    process: subprocess.Popen[str]
    url: str

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    folder = ROOT / "build" / f"demo-test-{os.getpid()}"
    port = free_port()
    # Servers of its own, whatever the tests around it run on.
    environment = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
    environment |= {"DEMO_PORT": str(port), "DEMO_DELAY": str(DELAY)}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    process = subprocess.Popen(
        [sys.executable, "-m", "demo", "--no-traffic", "--folder", str(folder)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if "The demo is up" in line:
            break
    else:
        pytest.fail(f"The demo did not start: {''.join(said)}")
    yield Demo(process, f"http://127.0.0.1:{port}")
    if process.poll() is None:
        process.terminate()
        process.wait(60)
    process.stdout.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def anna(demo: Demo, browser: Browser) -> Iterator[Page]:
    yield from _visitor(demo, browser)


@pytest.fixture
def ben(demo: Demo, browser: Browser) -> Iterator[Page]:
    yield from _visitor(demo, browser)


def test_purchase_is_told_to_others_only(anna: Page, ben: Page) -> None:
    # given
    add_to_cart(anna, "Apple Juice")
    say_who_you_are(anna, "anna@example.com", "Anna", "Wroclaw")
    # when: her browser says which checkout is hers, as soon as a page stands for a moment
    with anna.expect_response(re.compile("/v1/events"), timeout=SOON):
        buy(anna)
    # A page that stays open shows her what she is to be told below.
    anna.goto("about:blank")
    # then: her city is not told, because no other buyer is there
    see_when_opened(ben, beside(ben, APPLE_JUICE), "Someone bought Apple Juice")
    expect(toast(ben)).to_be_visible(timeout=SOON)
    keep(ben, "storefront.png")
    with anna.expect_response(re.compile("/v1/nudges.*page=HOME")) as asked:
        anna.goto("/")
    told = {(nudge["type"], nudge["product"]["id"]) for nudge in asked.value.json()["nudges"]}
    # Sample reviews there are; what she did herself is not told to her.
    assert told & {("ORDER", APPLE_JUICE), ("ADD_TO_CART", APPLE_JUICE)} == set()
    assert ("PRODUCT_REVIEW", APPLE_JUICE) in told


def test_stock_that_is_low_is_told_and_changes_with_a_purchase(anna: Page, ben: Page) -> None:
    # given
    ben.goto("/products/small-teapot")
    left = beside(ben, SMALL_TEAPOT)
    expect(left).to_have_text("Only 4 left", timeout=SOON)
    # when
    add_to_cart(anna, "Small Teapot")
    say_who_you_are(anna, "anna@example.com", "Anna", "Wroclaw")
    buy(anna)
    # then: on the page that is open
    expect(left).to_have_text("Only 3 left", timeout=SOON)


def test_enough_visitors_become_a_number(demo: Demo, ben: Page) -> None:
    # given
    for _ in range(6):
        view(demo, CARROT_JUICE)
    # when, then: never more than the truth, and Ben himself is not among them
    said = re.compile("^[56] people viewed this in the last hour$")
    ben.goto("/products/carrot-juice")
    expect(beside(ben, CARROT_JUICE)).to_have_text(said, timeout=SOON)


def test_left_behind_comes_back_and_buys(ben: Page) -> None:
    # given
    add_to_cart(ben, "Mint Tea")
    add_to_cart(ben, "Small Teapot")
    say_who_you_are(ben, "ben@example.com", "Ben", "Lisbon")
    left = ben.locator(".lines li .what").all_inner_texts()
    # when: he walks away
    ben.goto("/mailbox?to=ben@example.com")
    # then: a mail arrives, by itself
    mails = ben.locator("details.mail")
    expect(mails).to_have_count(1, timeout=SOON)
    expect(mails).to_contain_text("Ben, you left something behind at Linden & Clay")
    keep(ben, "email.png")
    # when: he follows its link, and says yes
    ben.frame_locator("iframe").get_by_role("link", name="Back to my cart").click()
    ben.wait_for_url("**/nudges/r/**")
    ben.get_by_role("button", name="Back to my cart").click()
    # then: a fresh cart with the same things, which knows nothing of him
    ben.wait_for_url("**/checkout?checkout=*")
    assert ben.locator(".lines li .what").all_inner_texts() == left
    expect(ben.get_by_label("Email")).to_have_value("")
    # when
    fill_in(ben, "ben@example.com", "Ben", "Lisbon")
    buy(ben)
    # then
    ben.goto("/seller")
    expect(ben.locator("[data-tile=Recovered] b")).to_have_text("1", timeout=SOON)
    expect(ben.locator("tr.won")).to_contain_text("ben@example.com")
    # then: and never a second mail, however long we wait
    ben.wait_for_timeout((DELAY + 6) * 1000)
    ben.goto("/mailbox")
    expect(mails).to_have_count(1)


def test_address_that_was_typed_is_enough_when_its_owner_agreed(anna: Page, ben: Page) -> None:
    # given: neither presses the button, and only Ben agreed
    for who, email in ((anna, "olga@example.com"), (ben, "otto@example.com")):
        add_to_cart(who, "Pear Juice")
        who.get_by_role("button", name="To the checkout").click()
        if who is ben:
            who.get_by_label("I agree").check()
            # It listens from the turn on after the seller's settings have come.
            for _ in range(2):
                who.wait_for_event("response", lambda answer: "/v1/nudges" in answer.url)
            who.wait_for_timeout(500)
        who.get_by_label("Email").fill(email)
        who.get_by_label("City").focus()
    # when
    mails = ben.locator("details.mail")
    ben.goto("/mailbox?to=otto@example.com")
    # then
    expect(mails).to_have_count(1, timeout=SOON)
    expect(mails).to_contain_text("You left something behind at Linden & Clay")
    ben.goto("/mailbox?to=olga@example.com")
    expect(mails).to_have_count(0)


def test_stopping_leaves_nothing_running(demo: Demo) -> None:
    # given: web, worker and its children, beat, Postgres, Valkey
    family = descendants(demo.process.pid)
    assert len(family) >= 6
    # when
    code = demo.stop()
    # then
    assert code == 0
    assert [pid for pid in family if Path(f"/proc/{pid}").exists()] == []


def _visitor(demo: Demo, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(base_url=demo.url, viewport={"width": 1280, "height": 800})
    yield context.new_page()
    context.close()


def add_to_cart(page: Page, product: str) -> None:
    page.goto("/")
    page.get_by_role("link", name=product).click()
    page.get_by_role("button", name="Add to cart").click()
    page.wait_for_url("**/cart")


def say_who_you_are(page: Page, email: str, name: str, city: str) -> None:
    page.get_by_role("button", name="To the checkout").click()
    fill_in(page, email, name, city)


def fill_in(page: Page, email: str, name: str, city: str) -> None:
    page.get_by_label("Email").fill(email)
    page.get_by_label("First name").fill(name)
    page.get_by_label("City").fill(city)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading")).to_have_text(f"Ready, {name}?")


def buy(page: Page) -> None:
    page.get_by_role("button", name="Buy for").click()
    page.wait_for_url("**/thank-you/**")


def toast(page: Page) -> Locator:
    return page.locator("saleor-nudges .toast .text")


def beside(page: Page, product: str) -> Locator:
    """What stands in the page beside a product."""
    return page.locator(f'[data-saleor-nudges-product="{product}"] [part=text]')


def see_when_opened(page: Page, place: Locator, text: str) -> None:
    """Open the shop until a place says so: one that is open keeps what it said while it is true."""
    for _ in range(SOON // 5_000):
        page.goto("/")
        with suppress(AssertionError):
            return expect(place).to_have_text(text, timeout=5_000)
    return expect(place).to_have_text(text)


def view(demo: Demo, product: str) -> None:
    """One more visitor looks at a product."""
    now, agent = datetime.now(UTC), {"User-Agent": AGENT}
    opened = requests.post(f"{demo.url}/nudges/v1/session", data="{}", headers=agent, timeout=10)
    event = {"id": str(uuid7(now)), "kind": "product_viewed", "at": now.isoformat()}
    body = {
        "token": opened.json()["token"],
        "events": [event | {"channel": "default-channel", "product": product}],
    }
    answer = requests.post(f"{demo.url}/nudges/v1/events", json=body, headers=agent, timeout=10)
    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)


def keep(page: Page, name: str) -> None:
    """Keep a picture for the documentation, when asked to."""
    if KEEPS_SCREENSHOTS:
        # What moves has arrived, what is framed is drawn.
        page.wait_for_timeout(700)
        IMAGES.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=IMAGES / name)


def descendants(pid: int) -> list[int]:
    lists = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    children = [int(child) for line in lists for child in line.split()]
    return children + [below for child in children for below in descendants(child)]
