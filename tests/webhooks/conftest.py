"""One word each: recording (what a real Saleor sent), sender (a shop that can be signed for)."""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.http import HttpResponse
from django.test import Client

from saleor_nudges.models import AppInstallation, Shop, WaitingEvent
from tests.service.stand_in import StandIn, installed, signed, standing_in

RECORDINGS = Path(__file__).parent / "recordings"
LINES = sorted(file.stem for file in RECORDINGS.glob("saleor-*.json"))
NEWEST = LINES[-1]
URL = "/webhooks/saleor/"


@dataclass(frozen=True)
class Delivery:
    """A webhook as a real Saleor sent it, byte for byte."""

    line: str
    event: str
    headers: dict[str, str]
    body: bytes

    @property
    def issued(self) -> datetime:
        return datetime.fromisoformat(json.loads(self.body)["issuedAt"])

    @property
    def signature(self) -> str:
        return self.headers["saleor-signature"]


@cache
def recorded(line: str = NEWEST) -> dict[str, Any]:
    return json.loads((RECORDINGS / f"{line}.json").read_text())


def deliveries(line: str = NEWEST, *, other_key: bool = False) -> list[Delivery]:
    found = recorded(line)["other_key"] if other_key else recorded(line)
    return [
        Delivery(line, one["event"], one["headers"], base64.b64decode(one["body_base64"]))
        for one in found["deliveries"]
    ]


@pytest.fixture(autouse=True)
def _as_app(settings: Any) -> None:
    settings.ROOT_URLCONF = "saleor_nudges.service.urls"
    settings.SALEOR_NUDGES = django_settings.SALEOR_NUDGES | {
        "HOST": "saleor_nudges.service.host.ServiceHost",
        "ALLOW_PRIVATE_ADDRESSES": True,
    }


@pytest.fixture
def standing() -> Iterator[StandIn]:
    with standing_in() as shop:
        yield shop


@pytest.fixture
def shop(db: None, standing: StandIn) -> Shop:
    return installed(standing)


@pytest.fixture
def shop_of(db: None, standing: StandIn) -> Callable[[str], Shop]:
    """The shop that was recorded; what we ask it meanwhile is answered by a stand-in."""

    def shop_of(line: str) -> Shop:
        standing.key_set = recorded(line)["jwks"]
        return installed(standing, key=recorded(line)["saleor_api_url"])

    return shop_of


@pytest.fixture
def send(client: Client) -> Callable[..., HttpResponse]:
    """Send a delivery of our own, signed unless a signature is given."""

    def send(shop: Shop, event: str, data: dict[str, Any], **fields: Any) -> HttpResponse:
        body = (
            fields.get("body")
            or json.dumps(
                {"issuedAt": datetime.now(UTC).isoformat(), "version": "3.23.28"} | data
            ).encode()
        )
        headers = {
            "Saleor-Api-Url": shop.key,
            "Saleor-Event": event.lower(),
            "Saleor-Signature": fields.get("signature") or signed(body),
        }
        return client.post(URL, body, content_type="application/json", headers=headers)

    return send


def deliver(client: Client, delivery: Delivery, **changes: Any) -> HttpResponse:
    """Send a recorded delivery, with what a test changes of it."""
    headers = {k: v for k, v in delivery.headers.items() if k.startswith("saleor-")}
    headers |= changes.get("headers", {})
    body = changes.get("body", delivery.body)
    return client.post(URL, body, content_type="application/json", headers=headers)


def everything() -> dict[str, Any]:
    """What a delivery could change: a refused one must leave it as it was."""
    return {
        "shops": list(Shop.objects.values()),
        "installations": list(
            AppInstallation.objects.across_shops().values("app_id", "sealed_token", "key_set")
        ),
        "events": list(WaitingEvent.objects.across_shops().values("event_id", "payload")),
    }


def long_ago() -> datetime:
    return datetime.now(UTC) - timedelta(hours=25)
