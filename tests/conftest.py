"""What every test starts from: empty memory seams, and a marker on those that need servers."""

from datetime import UTC, datetime

import pytest
from hypothesis import settings as hypothesis_settings

from saleor_nudges import stream, telemetry
from saleor_nudges.host import memory as host_memory
from saleor_nudges.messaging.channels import memory as channel_memory
from saleor_nudges.nudges import shelf
from saleor_nudges.stream import memory as stream_memory

# How long an example takes says more of the machine than of the code.
hypothesis_settings.register_profile("unhurried", deadline=None)
hypothesis_settings.load_profile("unhurried")


def pytest_make_parametrize_id(val: object) -> str | None:
    # Workers side by side must find the same names; what is long has a clock or an id in it.
    return "long" if isinstance(val, str | bytes) and len(val) > 32 else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        asked = {"db", "transactional_db"} & set(getattr(item, "fixturenames", ()))
        if asked or item.get_closest_marker("django_db"):
            item.add_marker("servers")


@pytest.fixture(autouse=True)
def _forget() -> None:
    host_memory.SHELVES.clear()
    channel_memory.forget_all()
    stream_memory.forget_all()
    stream._make.cache_clear()
    telemetry.request_id.set("")
    telemetry.shop_key.set("")


@pytest.fixture(autouse=True)
def _commits(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    # A test inside a transaction never commits; what waits for that happens at once.
    marker = request.node.get_closest_marker("django_db")
    is_real = "transactional_db" in request.fixturenames or (
        marker and marker.kwargs.get("transaction")
    )
    if not is_real:
        monkeypatch.setattr(shelf, "after_commit", lambda work: work())


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)
