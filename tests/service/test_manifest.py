"""What Saleor is told: only words the version that asks can understand."""

import pytest

import saleor_nudges
from saleor_nudges.manifest import SUBSCRIPTIONS, manifest, parsed
from saleor_nudges.webhooks.saleor import EVENTS

BASE = "https://nudges.example.com/"
ALL = {file.stem.upper() for file in SUBSCRIPTIONS.glob("*.graphql")}


def events_of(version):
    return {event for hook in manifest(BASE, version)["webhooks"] for event in hook["asyncEvents"]}


@pytest.mark.parametrize(
    ("_case", "version", "expected"),
    [
        ("oldest", "3.21", ALL - {"APP_DELETED", "CUSTOMER_DELETED"}),
        ("strict", "3.22", ALL - {"APP_DELETED", "CUSTOMER_DELETED"}),
        ("current", "3.23", ALL),
        ("next", "3.24", ALL),
        ("with_patch", "3.22.1", ALL - {"APP_DELETED", "CUSTOMER_DELETED"}),
        ("unsaid", "", ALL),
    ],
)
def test_events_per_version(_case, version, expected):
    assert events_of(version) == expected


def test_every_event_has_a_document_and_a_parser():
    assert set(EVENTS) == ALL


def test_what_the_dashboard_shows():
    # when
    found = manifest(BASE, "3.23")

    # then
    assert {key: found[key] for key in found if key not in {"webhooks", "about"}} == {
        "id": "saleor-nudges",
        "name": "Nudges",
        "version": saleor_nudges.__version__,
        "author": "The saleor-nudges authors",
        "permissions": [
            "MANAGE_CHECKOUTS",
            "MANAGE_ORDERS",
            "MANAGE_PRODUCTS",
            "MANAGE_USERS",
            "MANAGE_SETTINGS",
        ],
        "appUrl": "https://nudges.example.com/dashboard/",
        "tokenTargetUrl": "https://nudges.example.com/register",
        "requiredSaleorVersion": ">=3.21 <4",
        "extensions": [
            {
                "label": "Nudges",
                "mount": "NAVIGATION_DISCOUNTS",
                "target": "APP_PAGE",
                "url": "/",
                "permissions": [],
            }
        ],
    }


def test_webhook_is_signed_with_the_shops_own_key():
    # when
    hook = next(
        hook
        for hook in manifest(BASE, "3.23")["webhooks"]
        if hook["asyncEvents"] == ["ORDER_CREATED"]
    )

    # then
    assert hook == {
        "name": "Order created",
        "targetUrl": "https://nudges.example.com/webhooks/saleor/",
        "query": (SUBSCRIPTIONS / "order_created.graphql").read_text(),
        "asyncEvents": ["ORDER_CREATED"],
        "isActive": True,
    }


@pytest.mark.parametrize("event", sorted(ALL))
def test_document_names_its_event_and_its_time(event):
    # when
    document = (SUBSCRIPTIONS / f"{event.lower()}.graphql").read_text()

    # then
    assert "issuedAt" in document
    assert f"... on {event.title().replace('_', '')} {{" in document
    assert f"{EVENTS[event][0]} {{" in document


@pytest.mark.parametrize(
    ("_case", "text", "expected"),
    [
        ("major_and_minor", "3.22", (3, 22)),
        ("patch", "3.22.7", (3, 22)),
        ("unsaid", "", (3, 23)),
        ("nonsense", "latest", (3, 23)),
    ],
)
def test_version(_case, text, expected):
    assert parsed(text) == expected


def test_manifest_is_served_for_the_version_that_asks(client):
    # when
    response = client.get("/manifest", headers={"Saleor-Schema-Version": "3.21"})

    # then
    assert response.status_code == 200
    assert response.json() == manifest(BASE, "3.21")
