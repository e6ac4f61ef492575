"""What an outage kept from us is read from the shop; the same order by two roads is one event."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from saleor_nudges import facts, reconcile
from saleor_nudges.capture import capture
from saleor_nudges.exceptions import HostUnavailable
from saleor_nudges.host.memory import SHELVES, MemoryHost
from saleor_nudges.models import Cursor, Nudge, NudgeType, SeenOrder, ShopEvent
from saleor_nudges.testing import a_checkout, consume, make_shop, switch_on_nudge

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    shop = make_shop()
    switch_on_nudge(shop, NudgeType.ORDER)
    return shop


def an_order(shop, ago=timedelta(minutes=1), **changes):
    checkout = a_checkout(shop, email="anna@example.com")
    order = MemoryHost(shop).place_order(checkout.id, datetime.now(UTC) - ago)
    return put(shop, replace(order, **changes))


def put(shop, order):
    MemoryHost(shop).shelf.orders[order.id] = order
    return order


def cursor(shop):
    return Cursor.objects.of(shop).get(kind="orders")


def test_an_order_nobody_told_us_of_is_found(shop):
    an_order(shop)
    assert reconcile.reconcile_orders(shop) == 1
    consume()
    assert SeenOrder.objects.of(shop).count() == 1
    assert Nudge.objects.of(shop).count() == 1


def test_the_same_order_by_hook_and_by_sweep_is_one_event(shop):
    # given
    order = an_order(shop)
    capture(*facts.facts_of(shop, order))
    consume()

    # when
    for _ in range(2):
        assert reconcile.reconcile_orders(shop) == 1
        consume()

    # then
    assert ShopEvent.objects.of(shop).count() == 1
    assert Nudge.objects.of(shop).count() == 1


def test_a_cancellation_nobody_told_us_of_is_found(shop):
    order = an_order(shop)
    reconcile.reconcile_orders(shop)
    consume()
    put(shop, replace(order, status="CANCELED", updated_at=datetime.now(UTC)))
    reconcile.reconcile_orders(shop)
    consume()
    assert SeenOrder.objects.of(shop).get().is_void is True
    assert Nudge.objects.of(shop).get().withdrawn_at is not None


def test_the_last_ten_minutes_are_read_again(shop):
    # given an order whose time lies before the cursor, because it was committed late
    reconcile.reconcile_orders(shop)
    an_order(shop, timedelta(minutes=9))
    an_order(shop, timedelta(minutes=11))

    # when
    count = reconcile.reconcile_orders(shop)

    # then
    assert count == 1


def test_the_first_look_goes_back_thirty_days(shop):
    an_order(shop, timedelta(days=29))
    an_order(shop, timedelta(days=31))
    assert reconcile.reconcile_orders(shop) == 1


def test_an_order_too_old_to_be_kept_is_passed_over(shop):
    old = an_order(shop, timedelta(days=200))
    put(shop, replace(old, updated_at=datetime.now(UTC)))
    an_order(shop)
    assert reconcile.reconcile_orders(shop) == 2
    consume()
    assert SeenOrder.objects.of(shop).count() == 1
    assert cursor(shop).caught_up_at is not None


def test_many_pages_are_read_and_a_break_is_resumed(shop, monkeypatch):
    # given five orders, pages of two, and a shop that goes away after the second page
    monkeypatch.setattr(reconcile, "PAGE", 2)
    orders = [an_order(shop, timedelta(hours=5 - number)) for number in range(5)]
    real, asked = MemoryHost.orders_changed, []

    def failing(host, since, size, after=""):
        asked.append(since)
        if len(asked) == 3:
            raise HostUnavailable
        return real(host, since, size, after)

    monkeypatch.setattr(MemoryHost, "orders_changed", failing)

    # when
    with pytest.raises(HostUnavailable):
        reconcile.reconcile_orders(shop)

    # then what was read is kept, and nobody says we are caught up
    assert cursor(shop).position == orders[3].updated_at
    assert cursor(shop).caught_up_at is None
    assert reconcile.reconcile_orders(shop) == 2
    assert asked[3] == orders[3].updated_at - timedelta(minutes=10)
    consume()
    assert SeenOrder.objects.of(shop).count() == 5
    assert cursor(shop).caught_up_at is not None


def test_caught_up_means_as_of_the_start(shop, monkeypatch):
    # given a shop whose orders take ten minutes to read
    real, shift = reconcile.timezone.now, [timedelta()]
    orders_changed = MemoryHost.orders_changed

    def slow(*args):
        shift[0] = timedelta(minutes=10)
        return orders_changed(*args)

    monkeypatch.setattr(reconcile.timezone, "now", lambda: real() + shift[0])
    monkeypatch.setattr(MemoryHost, "orders_changed", slow)

    # when
    reconcile.reconcile_orders(shop)

    # then
    age = real() - cursor(shop).caught_up_at
    assert timedelta(minutes=9, seconds=50) < age < timedelta(minutes=10, seconds=10)


def test_the_cursor_never_goes_back(shop):
    reconcile.reconcile_orders(shop)
    position = cursor(shop).position
    an_order(shop, timedelta(minutes=5))
    reconcile.reconcile_orders(shop)
    assert cursor(shop).position > position


def test_a_shop_that_does_not_answer_holds_up_no_other(shop):
    other = make_shop("other.example.com")
    an_order(other)
    MemoryHost(shop).shelf  # noqa: B018 - it makes the shelf
    SHELVES[shop.key].is_away = True
    assert reconcile.reconcile_all() == 1
    assert not Cursor.objects.of(shop).filter(caught_up_at__isnull=False).exists()
    assert cursor(other).caught_up_at is not None


def test_a_shop_that_removed_us_is_left_alone(shop):
    an_order(shop)
    shop.is_active = False
    shop.save()
    assert reconcile.reconcile_all() == 0
    assert Cursor.objects.of(shop).count() == 0
