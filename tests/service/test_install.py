"""docs/install-app.md, walked from installing to the first true nudge, by public doors only."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from saleor_nudges import consumers, reconcile
from saleor_nudges.events import Flow
from saleor_nudges.models import AppInstallation, Shop
from tests.host.test_contract import CHANNEL, JUICE, an_order
from tests.service.stand_in import TOKEN, order_json, product_json, signed
from tests.service.test_host import staff_token

pytestmark = pytest.mark.django_db

PAGE = Path(__file__).parents[2] / "docs" / "install-app.md"


def step_six() -> bytes:
    """The request the page tells the seller to send."""
    return PAGE.read_text().partition("<<'END'\n")[2].partition("\nEND")[0].encode()


def from_now(order, name, **ago):
    moment = datetime.now(UTC) - timedelta(**ago)
    return replace(order, id=f"Order:{name}", created_at=moment, updated_at=moment)


def shown(client):
    answer = client.get("/v1/nudges", {"channel": CHANNEL, "page": "HOME"})
    return [nudge["text"] for nudge in answer.json()["nudges"]]


def test_from_installing_to_the_first_true_nudge(standing, client):
    # given: a shop with a past
    bought = an_order()
    past = from_now(bought, "past", minutes=20)
    standing.orders[past.id] = order_json(past)
    standing.products[JUICE.id] = product_json(JUICE)

    # when: installed, and caught up, but not switched on
    client.post(
        "/register",
        json.dumps({"auth_token": TOKEN}),
        content_type="application/json",
        headers={"Saleor-Api-Url": standing.api_url},
    )
    shop = Shop.objects.get()
    reconcile.reconcile_orders(shop)
    consumers.drain(Flow.COMMERCE, seconds=60)

    # then
    assert shown(client) == []

    # when: the seller sends what the page says
    answer = client.post(
        "/graphql/",
        step_six(),
        content_type="application/json",
        headers={"Saleor-Api-Url": shop.key, "Authorization-Bearer": staff_token_of_all(shop)},
    )

    # then
    assert answer.json() == {
        "data": {"nudgeSettingsUpdate": {"errors": []}, "nudgeConfigUpdate": {"errors": []}}
    }

    # when: somebody buys, and Saleor says so
    order = from_now(bought, "fresh", seconds=1)
    body = json.dumps(
        {"issuedAt": datetime.now(UTC).isoformat(), "order": order_json(order)}
    ).encode()
    told = client.post(
        "/webhooks/saleor/",
        body,
        content_type="application/json",
        headers={
            "Saleor-Api-Url": shop.key,
            "Saleor-Event": "order_created",
            "Saleor-Signature": signed(body),
        },
    )
    consumers.drain(Flow.COMMERCE, seconds=60)

    # then
    assert told.status_code == 202
    # The only buyer from there: where that is stays untold.
    assert "Someone bought Apple Juice" in shown(client)


def test_staff_without_the_permission_switch_nothing_on(standing, client):
    # given
    client.post(
        "/register",
        json.dumps({"auth_token": TOKEN}),
        content_type="application/json",
        headers={"Saleor-Api-Url": standing.api_url},
    )
    shop = Shop.objects.get()
    before = Shop.objects.values().get()

    # when
    answer = client.post(
        "/graphql/",
        step_six(),
        content_type="application/json",
        headers={
            "Saleor-Api-Url": shop.key,
            "Authorization-Bearer": staff_token(shop, user_permissions=["MANAGE_ORDERS"]),
        },
    )

    # then
    errors = json.dumps(answer.json())
    assert "PERMISSION_DENIED" in errors or "PermissionDenied" in errors
    assert Shop.objects.values().get() == before
    assert AppInstallation.objects.of(shop).count() == 1


def staff_token_of_all(shop):
    return staff_token(shop, user_permissions=["MANAGE_SETTINGS"])
