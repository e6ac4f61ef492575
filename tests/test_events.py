"""The vocabulary, and the one identity of a fact."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid4

import pytest

from saleor_nudges.events import (
    KINDS,
    Cart,
    CheckoutChanged,
    Contact,
    CustomerErased,
    Fact,
    Flow,
    OrderPlaced,
    PageViewed,
    View,
)
from saleor_nudges.events.identity import (
    fact_id,
    is_uuid7,
    moment_of,
    smallest_at,
    uuid7,
)
from saleor_nudges.facts import revision
from saleor_nudges.stream.codec import decode, encode

SHOP = UUID("01890000-0000-7000-8000-000000000001")
MOMENT = datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)


def placed(**changes):
    given = {"shop": SHOP, "channel": "c", "occurred_at": MOMENT, "order_id": "T3JkZXI6MQ=="}
    return OrderPlaced(**given | changes)


def test_the_identity_of_a_fact_never_changes():
    # Stored ids are made of it: if this fails, every order would be counted again.
    assert placed().id == UUID("019b7ca9-8d03-74ef-8953-b39f0717449a")


@pytest.mark.parametrize(
    ("_case", "changes"),
    [
        ("other_channel", {"channel": "d"}),
        ("full", {"status": "UNFULFILLED", "contact": Contact(email="a@example.com")}),
        ("known_person", {"person": SHOP}),
        ("to_the_millisecond", {"occurred_at": MOMENT.replace(microsecond=123000)}),
        (
            "in_another_zone",
            {"occurred_at": MOMENT.astimezone(timezone(timedelta(hours=5)))},
        ),
    ],
)
def test_one_fact_has_one_id_however_it_comes(_case, changes):
    assert placed(**changes).id == placed().id


@pytest.mark.parametrize(
    ("_case", "changes"),
    [
        ("shop", {"shop": uuid7()}),
        ("order", {"order_id": "T3JkZXI6Mg=="}),
        ("time", {"occurred_at": MOMENT + timedelta(milliseconds=1)}),
        ("revision", {"revision": "2"}),
    ],
)
def test_another_fact_has_another_id(_case, changes):
    assert placed(**changes).id != placed().id


def test_every_millisecond_is_told_apart():
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(1000):
        moment = start + timedelta(milliseconds=number)
        exact = fact_id(SHOP, "kind", "subject", "", moment)
        later = fact_id(SHOP, "kind", "subject", "", moment + timedelta(microseconds=999))
        assert exact == later
        assert moment_of(exact) == moment


def test_an_id_is_a_uuid_of_version_7():
    for made in (uuid7(), uuid7(MOMENT), placed().id):
        assert is_uuid7(made)
    assert moment_of(uuid7(MOMENT)) == MOMENT.replace(microsecond=123000)
    assert len({uuid7(MOMENT) for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    "other", ["01890000-0000-4000-8000-000000000000", "01890000-0000-7000-0000-000000000000"]
)
def test_other_uuids_are_not(other):
    assert is_uuid7(UUID(other)) is False


def test_the_time_of_any_uuid_can_be_asked():
    assert moment_of(UUID(int=2**128 - 1)) == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert moment_of(UUID(int=0)) == datetime(1970, 1, 1, tzinfo=UTC)


def test_the_bound_of_a_moment_lies_between_before_and_after():
    bound = smallest_at(MOMENT)
    assert uuid7(MOMENT - timedelta(milliseconds=1)) < bound < uuid7(MOMENT)


def test_a_revision_is_the_same_from_every_road():
    ahead = MOMENT.astimezone(timezone(timedelta(hours=-3)))
    assert revision(MOMENT) == revision(ahead) == "2026-01-02T03:04:05.123000+00:00"


def test_every_kind_has_a_name_and_a_stream_of_its_own():
    assert len(KINDS) == 28
    for name, kind in KINDS.items():
        assert kind.kind == name
        assert kind.flow is (Flow.COMMERCE if issubclass(kind, Fact) else Flow.VIEWS)
        assert issubclass(kind, Fact | View)
        assert (kind.__doc__ or "").endswith(".")


def test_an_event_cannot_be_changed():
    with pytest.raises(AttributeError):
        placed().channel = "other"


def test_an_empty_field_that_is_needed_comes_back():
    event = CustomerErased(shop=uuid4(), channel="", occurred_at=datetime.now(UTC), user="")
    assert decode(encode(event)) == event


@pytest.mark.parametrize("said", [{}, {"device": "IOS", "browser": "SAFARI", "referrer": "a.com"}])
def test_view_comes_back_as_it_went_whether_or_not_it_says_on_what_it_was(said):
    view = PageViewed(shop=SHOP, channel="c", occurred_at=MOMENT, checkout="a" * 64, **said)
    entry = encode(view)
    assert {"device", "browser", "referrer"} & entry.data.keys() == said.keys()
    assert decode(entry) == view


def test_cart_from_before_codes_were_told_still_reads():
    fact = CheckoutChanged(
        shop=SHOP, channel="c", occurred_at=MOMENT, checkout="a" * 64, cart=Cart(currency="EUR")
    )
    entry = encode(fact)
    del entry.data["cart"]["voucher"]
    assert decode(entry) == fact
