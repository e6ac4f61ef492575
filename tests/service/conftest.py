"""One word each: standing (a stand-in for Saleor), shop (one that installed us there)."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings

from saleor_nudges.models import Shop
from tests.service.stand_in import StandIn, installed, standing_in


@pytest.fixture(autouse=True)
def _as_app(settings: Any) -> None:
    settings.ROOT_URLCONF = "saleor_nudges.service.urls"
    settings.MIDDLEWARE = ["saleor_nudges.service.middleware.RequestContext"]
    settings.SALEOR_NUDGES = django_settings.SALEOR_NUDGES | {
        "HOST": "saleor_nudges.service.host.ServiceHost",
        "ALLOWED_SHOPS": ["*"],
        "ALLOW_PRIVATE_ADDRESSES": True,
    }


@pytest.fixture
def standing() -> Iterator[StandIn]:
    with standing_in() as shop:
        yield shop


@pytest.fixture
def shop(db: None, standing: StandIn) -> Shop:
    return installed(standing)
