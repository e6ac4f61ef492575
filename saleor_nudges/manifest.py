"""What Saleor is told about us: permissions, webhooks, where the Dashboard finds our pages."""

from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

import saleor_nudges
from saleor_nudges import conf, saleor_api

SCHEMA_VERSION: Final = "Saleor-Schema-Version"
REQUIRED_SALEOR: Final = ">=3.21 <4"
PERMISSIONS: Final = (
    "MANAGE_CHECKOUTS",
    "MANAGE_ORDERS",
    "MANAGE_PRODUCTS",
    "MANAGE_USERS",
    "MANAGE_SETTINGS",
)
# Only where the setting APP_VOUCHERS says so: most shops give nothing away.
FOR_VOUCHERS: Final = "MANAGE_DISCOUNTS"
# One file per event, named like it: subscriptions/order_created.graphql is ORDER_CREATED.
SUBSCRIPTIONS: Final = Path(__file__).parent / "webhooks" / "subscriptions"
# Before, Saleor tells an app nothing of its own end, and knows no document for deleted customers:
# one event it does not know fails the whole installation.
SINCE: Final = {"APP_DELETED": (3, 23), "CUSTOMER_DELETED": (3, 23)}
LOGO: Final = "saleor_nudges/logo.png"

Version = tuple[int, int]
NEWEST: Final[Version] = (3, 23)


@require_GET
def view(request: HttpRequest) -> HttpResponse:
    """GET manifest: what "Install external app" reads."""
    base_url = conf.get().PUBLIC_URL or request.build_absolute_uri("/")
    return JsonResponse(manifest(base_url, request.headers.get(SCHEMA_VERSION, "")))


def manifest(base_url: str, saleor_version: str) -> dict[str, Any]:
    """Return the manifest for one version of Saleor: before 3.23 it is picky about each word."""
    base = base_url.rstrip("/")
    version = parsed(saleor_version)
    return {
        "id": saleor_api.IDENTIFIER,
        "name": "Nudges",
        "version": saleor_nudges.__version__,
        "about": "Shows shoppers what truly happens in your shop, and brings back those who left"
        " a checkout behind.",
        "author": "The saleor-nudges authors",
        "permissions": permissions(),
        "appUrl": f"{base}/dashboard/",
        "tokenTargetUrl": f"{base}/register",
        "requiredSaleorVersion": REQUIRED_SALEOR,
        "extensions": [_navigation()],
        "webhooks": [
            _webhook(event, query, f"{base}/webhooks/saleor/")
            for event, query in subscriptions().items()
            if version >= SINCE.get(event, version)
        ],
        **_brand(base),
    }


def permissions() -> list[str]:
    """Return what the App asks for when it is installed."""
    return [*PERMISSIONS, *([FOR_VOUCHERS] if conf.get().APP_VOUCHERS else [])]


def parsed(saleor_version: str) -> Version:
    """Return `3.22` as (3, 22); the newest we know when Saleor does not say."""
    major, _, rest = saleor_version.partition(".")
    minor = rest.partition(".")[0]
    if major.isdecimal() and minor.isdecimal():
        return int(major), int(minor)
    return NEWEST


@lru_cache(maxsize=1)
def subscriptions() -> dict[str, str]:
    """Return the document of every event we subscribe to."""
    files = sorted(SUBSCRIPTIONS.glob("*.graphql"))
    return {file.stem.upper(): file.read_text() for file in files}


def _webhook(event: str, query: str, url: str) -> dict[str, Any]:
    # No secretKey: then Saleor signs with its own key, which nobody has to keep.
    return {
        "name": event.replace("_", " ").capitalize(),
        "targetUrl": url,
        "query": query,
        "asyncEvents": [event],
        "isActive": True,
    }


def _navigation() -> dict[str, Any]:
    return {
        "label": "Nudges",
        "mount": "NAVIGATION_DISCOUNTS",
        "target": "APP_PAGE",
        "url": "/",
        "permissions": [],
    }


def _brand(base: str) -> dict[str, Any]:
    logo = Path(__file__).parent / "static" / LOGO
    return {"brand": {"logo": {"default": f"{base}/static/{LOGO}"}}} if logo.exists() else {}
