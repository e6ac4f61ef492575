"""A Saleor that has never heard of us, and the App beside it: processes, spoken to over HTTP.

Everything stands once for the whole story; each test brings people of its own into it.
"""

from collections.abc import Iterator
from itertools import count

import pytest

from devtools import storefront
from devtools.storefront import Json
from tests.saleor.app.people import Seller, Shopper, Visitor
from tests.saleor.app.place import OURS, Place, standing

_PLACES: list[Place] = []
_turn = count()


@pytest.fixture(scope="session")
def place() -> Iterator[Place]:
    with standing() as found:
        _PLACES.append(found)
        yield found


@pytest.fixture(scope="session")
def installed(place: Place) -> Seller:
    """The seller, who has installed us in the Dashboard and nothing more."""
    seller = Seller(place)
    seller.log_in()
    storefront.take_unpaid_orders(seller.api)
    seller.install()
    return seller


@pytest.fixture(scope="session")
def seller(installed: Seller) -> Seller:
    """The seller, who has switched everything on."""
    installed.track("ORDER", "PRODUCT_VIEW")
    installed.write()
    return installed


@pytest.fixture(scope="session")
def _stocked(installed: Seller) -> list[Json]:
    installed.log_in()
    return storefront.variants(installed.api)


@pytest.fixture
def wanted(_stocked: list[Json]) -> list[Json]:
    """Two variants that no other test has."""
    turn = next(_turn) * 2
    found = _stocked[turn : turn + 2]
    assert len(found) == 2, "the sample data has too few products"
    return found


@pytest.fixture
def shopper(place: Place) -> Shopper:
    return Shopper(place)


@pytest.fixture
def visitor(place: Place) -> Visitor:
    return Visitor(place)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Show the end of our logs with what failed."""
    report = yield
    if report.failed:
        for place in _PLACES:
            for name in OURS:
                report.sections.append((f"{name}.log", place.tail(name)))
    return report
