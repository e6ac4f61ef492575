"""A whole run of the App, at the chattiest level: no address, token or checkout in its logs."""

import base64
import io
import json
import logging

import pytest
import time_machine
from django.test import Client

from saleor_nudges import consumers, retention, telemetry
from saleor_nudges.events import Flow
from saleor_nudges.exceptions import HostUnavailable
from saleor_nudges.host import get_host
from saleor_nudges.models import Shop
from saleor_nudges.service.logs import formatter
from tests.service.stand_in import TOKEN
from tests.webhooks.conftest import deliver, deliveries, recorded

pytestmark = pytest.mark.django_db


@pytest.fixture
def lines():
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(formatter())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.removeHandler(handler)
    root.setLevel(level)


def test_nothing_personal_in_the_logs_of_a_whole_run(standing, lines):
    # given
    recording = recorded()
    client = Client(raise_request_exception=False)
    told = deliveries()
    checkout = next(one for one in told if one.event == "CHECKOUT_UPDATED")
    standing.key_set = recording["jwks"]

    # when: installed, told everything, asked with bad tokens, away, broken
    client.post(
        "/register",
        json.dumps({"auth_token": TOKEN}),
        content_type="application/json",
        headers={"Saleor-Api-Url": standing.api_url},
    )
    Shop.objects.update(key=recording["saleor_api_url"])
    shop = Shop.objects.get()
    for delivery in told[:-1]:
        with time_machine.travel(delivery.issued, tick=False):
            assert deliver(client, delivery).status_code == 202
            assert deliver(client, delivery, body=delivery.body + b" ").status_code == 401
    with time_machine.travel(told[-1].issued, tick=False):
        retention.make_partitions(told[-1].issued)
        consumers.drain(Flow.COMMERCE, seconds=60)
    client.get("/v1/nudges", headers={"Authorization": f"Bearer {TOKEN}"})
    standing.instead = (500, {}, b"anna@example.com")
    with pytest.raises(HostUnavailable):
        get_host(shop).checkouts([json.loads(checkout.body)["checkout"]["id"]])
    try:
        fail_with(checkout.body)
    except RuntimeError:
        telemetry.trouble(telemetry.Log.REQUEST_FAILED)

    # then
    text = lines.getvalue()
    assert text.count("\n") > len(told)
    for secret in secrets(told):
        assert secret not in text
    assert TOKEN not in text
    assert "123 45 67" not in text
    for line in text.splitlines():
        assert json.loads(line)["level"]


def fail_with(body):
    """Fail in the worst way: with everything in the message."""
    raise RuntimeError(f"{body!r} {TOKEN=} phone +48 22 123 45 67")


def secrets(told):
    """Every address, phone and checkout of the recording, as it was sent."""
    found = set()
    for delivery in told:
        data = json.loads(delivery.body)
        for part in (data.get("checkout") or {}, data.get("order") or {}, data.get("user") or {}):
            found |= {part.get("email"), part.get("userEmail"), part.get("checkoutId")}
            found |= {(part.get("shippingAddress") or {}).get("phone")}
        if checkout := data.get("checkout"):
            found |= {checkout["id"], checkout["token"]}
    found = {value for value in found if value}
    decoded = {base64.b64decode(value).decode() for value in found if value.startswith("Q2hl")}
    return found | decoded


def test_line_names_request_shop_and_fields(lines):
    # given
    named = telemetry.request_id.set("req-1")
    about = telemetry.shop_key.set("https://shop.example.com/graphql/")

    # when
    telemetry.log(telemetry.Log.SHOP_REGISTERED, send="row")
    logging.getLogger("somebody").warning("mail to anna@example.com")
    telemetry.request_id.reset(named)
    telemetry.shop_key.reset(about)

    # then
    ours, theirs = [json.loads(line) for line in lines.getvalue().splitlines()]
    times = [line.pop("time") for line in (ours, theirs)]
    assert all(times)
    assert ours == {
        "level": "INFO",
        "logger": "saleor_nudges",
        "message": "shop registered",
        "request_id": "req-1",
        "shop": "https://shop.example.com/graphql/",
        "send": "row",
    }
    assert theirs == {
        "level": "WARNING",
        "logger": "somebody",
        "message": "mail to <email>",
        "request_id": "req-1",
        "shop": "https://shop.example.com/graphql/",
    }
