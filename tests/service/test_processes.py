"""The App as it runs: a web process, a worker with its beat, and a shop that tells them things."""

import contextlib
import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
import requests
from django.db import connection

from devtools.servers import free_port
from saleor_nudges.events.identity import uuid7
from saleor_nudges.models import NudgeType, SeenOrder, Shop
from saleor_nudges.testing import CHANNEL, make_shop, switch_on_nudge
from tests.host.test_contract import an_order
from tests.service.stand_in import TOKEN, order_json, signed

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.servers, pytest.mark.slow]

SECONDS = 40
JUICE = "UHJvZHVjdDox"


@contextlib.contextmanager
def running(*command, log):
    with log.open("w") as out:
        process = subprocess.Popen([sys.executable, "-m", *command], stderr=out, stdout=out)
        try:
            yield
        finally:
            process.terminate()
            process.wait(SECONDS)


def until(answer, what):
    """Wait for something to become true."""
    for _ in range(SECONDS * 5):
        with contextlib.suppress(requests.ConnectionError):
            if found := answer():
                return found
        time.sleep(0.2)
    return pytest.fail(f"{what} took more than {SECONDS} seconds")


@pytest.fixture
def app(tmp_path, monkeypatch):
    """Where the App answers."""
    if not (redis := os.environ.get("REDIS_URL")):
        pytest.skip("Needs a Redis or Valkey.")
    port = free_port()
    database = urlsplit(os.environ["DATABASE_URL"])._replace(
        path=f"/{connection.settings_dict['NAME']}"
    )
    given = {
        "DJANGO_SETTINGS_MODULE": "saleor_nudges.service.settings",
        "SECRET_KEY": "not a secret: this is a test",
        "DATABASE_URL": database.geturl(),
        "REDIS_URL": redis,
        "NUDGES_PUBLIC_URL": f"http://127.0.0.1:{port}/",
        "NUDGES_ALLOWED_SHOPS": "*",
        "NUDGES_ALLOW_PRIVATE_ADDRESSES": "true",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    web = ("uvicorn", "saleor_nudges.service.asgi:application", f"--port={port}")
    celery = ("celery", "--app=saleor_nudges.service.celery", "worker", "--beat", "--concurrency=1")
    schedule = f"--schedule={tmp_path / 'beat'}"
    with (
        running(*web, log=tmp_path / "web"),
        running(*celery, schedule, log=tmp_path / "worker"),
    ):
        url = f"http://127.0.0.1:{port}"
        until(lambda: requests.get(f"{url}/readyz", timeout=5).ok, "starting")
        yield url


@pytest.fixture
def hot(app, tmp_path):
    """Where the process of the hot requests answers, beside the App and with its settings."""
    port = free_port()
    command = ("uvicorn", "saleor_nudges.asgi:application", f"--port={port}", "--no-access-log")
    with running(*command, log=tmp_path / "hot"):
        url = f"http://127.0.0.1:{port}"
        until(lambda: requests.get(f"{url}/healthz", timeout=5).ok, "starting")
        yield url


def test_what_the_hot_requests_take_is_counted_by_the_worker_and_shown(hot):
    # given
    shop = make_shop()
    switch_on_nudge(shop, NudgeType.PRODUCT_VIEW, minimum=1)
    agent = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}
    asked = {"channel": CHANNEL, "page": "PRODUCT", "product": JUICE}
    assert requests.get(f"{hot}/v1/nudges", asked, timeout=10).json()["nudges"] == []

    # when
    for _ in range(4):
        opened = requests.post(f"{hot}/v1/session", "{}", headers=agent, timeout=10).json()
        now = datetime.now(UTC)
        seen = {"id": str(uuid7(now)), "kind": "product_viewed", "at": now.isoformat()}
        body = {
            "token": opened["token"],
            "events": [seen | {"channel": CHANNEL, "product": JUICE}],
        }
        taken = requests.post(f"{hot}/v1/events", json=body, headers=agent, timeout=10)
        assert (taken.status_code, taken.json()) == (202, {"accepted": 1, "rejected": []})

    # then
    def told():
        answer = requests.get(f"{hot}/v1/nudges", asked, timeout=10).json()
        return [nudge["evidence"]["value"] for nudge in answer["nudges"]] == [4]

    until(told, "counting")
    assert 'nudges_events_captured_total{kind="product_viewed"} 4.0' in (
        requests.get(f"{hot}/metrics", timeout=5).text
    )


def test_what_a_shop_tells_the_web_process_is_counted_by_the_worker(app, standing):
    # given
    named = {"Saleor-Api-Url": standing.api_url}
    registered = requests.post(
        f"{app}/register", json={"auth_token": TOKEN}, headers=named, timeout=10
    )
    order = order_json(an_order())
    body = json.dumps({"issuedAt": datetime.now(UTC).isoformat(), "order": order}).encode()
    headers = named | {"Saleor-Event": "order_created", "Saleor-Signature": signed(body)}

    # when
    told = requests.post(f"{app}/webhooks/saleor/", body, headers=headers, timeout=10)

    # then
    assert (registered.status_code, told.status_code) == (200, 202)
    shop = Shop.objects.get()
    seen = until(lambda: SeenOrder.objects.of(shop).first(), "counting")
    assert seen.order_id == "Order:one"
    assert "nudges_events_captured_total" in requests.get(f"{app}/metrics", timeout=5).text
