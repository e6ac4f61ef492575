"""What an outage kept from us is read from the shop; the same fact by two roads is one event."""

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db.models.functions import Now

from saleor_nudges import doctor, facts, reconcile, telemetry
from saleor_nudges.capture import capture
from saleor_nudges.events import CheckoutChanged, CheckoutStarted
from saleor_nudges.exceptions import HostUnavailable
from saleor_nudges.host.memory import SHELVES, MemoryHost
from saleor_nudges.messaging.channels.memory import SENT
from saleor_nudges.models import (
    Cursor,
    Nudge,
    NudgeType,
    SeenOrder,
    Send,
    Shop,
    ShopEvent,
    TrackedCheckout,
    WaitingEvent,
)
from saleor_nudges.recovery.sending import detect
from saleor_nudges.recovery.sending import send as sending
from saleor_nudges.testing import (
    a_cart,
    a_checkout,
    consume,
    left_behind,
    make_shop,
    switch_on_nudge,
    switch_on_recovery,
)

pytestmark = pytest.mark.django_db

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def shop():
    shop = make_shop()
    switch_on_nudge(shop, NudgeType.ORDER)
    return shop


@pytest.fixture
def first_days(settings):
    def choose(days):
        settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"FIRST_ORDERS_DAYS": days}

    return choose


def an_order(shop, ago=MINUTE, email="anna@example.com", **changes):
    checkout = a_checkout(shop, age=ago + MINUTE, email=email)
    order = MemoryHost(shop).place_order(checkout.id, datetime.now(UTC) - ago)
    return put(shop, replace(order, **changes))


def put(shop, order):
    MemoryHost(shop).shelf.orders[order.id] = order
    return order


def cursor(shop, kind="orders"):
    return Cursor.objects.of(shop).get(kind=kind)


def down_for(shop, outage):
    """Let the shop be caught up as it was before an outage that ends now."""
    reconcile.reconcile_all()
    consume()
    changes = {"caught_up_at": Now() - outage, "position": datetime.now(UTC) - outage}
    Cursor.objects.of(shop).update(**changes)


def kinds_of(shop):
    return sorted(ShopEvent.objects.of(shop).values_list("kind", flat=True))


# Orders.


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


def test_what_is_known_is_not_taken_in_again(shop):
    # given
    capture(*facts.facts_of(shop, an_order(shop)))
    consume()

    # when
    reconcile.reconcile_orders(shop)

    # then
    assert WaitingEvent.objects.of(shop).count() == 0


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
    # given orders whose time lies before the newest we have seen, because they came late
    an_order(shop, 5 * MINUTE)
    reconcile.reconcile_orders(shop)
    an_order(shop, 14 * MINUTE)
    an_order(shop, 16 * MINUTE)

    # when
    count = reconcile.reconcile_orders(shop)

    # then
    assert count == 2


def test_one_that_cannot_be_kept_does_not_stop_the_others(shop):
    # given
    an_order(shop, -2 * DAY)
    an_order(shop)
    refused = telemetry.REFUSED.labels(door="reconcile", code="INVALID_EVENT")._value
    before = refused.get()

    # when
    reconcile.reconcile_orders(shop)
    consume()

    # then
    assert SeenOrder.objects.of(shop).count() == 1
    assert refused.get() == before + 1


# The first look.


def test_the_first_look_goes_back_thirty_days(shop):
    # given
    bought = an_order(shop, 29 * DAY)
    an_order(shop, 31 * DAY)

    # when
    count = reconcile.reconcile_orders(shop)
    consume()

    # then each at its own time
    assert count == 1
    assert SeenOrder.objects.of(shop).get().placed_at == bought.created_at


def test_how_far_the_first_look_goes_is_a_setting(shop, first_days):
    first_days(3)
    an_order(shop, 2 * DAY)
    an_order(shop, 4 * DAY)
    assert reconcile.reconcile_orders(shop) == 1


def test_a_past_nobody_wants_is_not_taken_in(shop, first_days):
    # given
    first_days(0)
    an_order(shop, HOUR)

    # when
    reconcile.reconcile_orders(shop)
    consume()

    # then
    assert SeenOrder.objects.of(shop).count() == 0
    assert reconcile.is_caught_up(shop)
    # and what comes from now on is
    an_order(shop, timedelta())
    reconcile.reconcile_orders(shop)
    consume()
    assert SeenOrder.objects.of(shop).count() == 1


def test_an_order_too_old_to_be_kept_is_passed_over(shop):
    old = an_order(shop, 200 * DAY)
    put(shop, replace(old, updated_at=datetime.now(UTC)))
    an_order(shop)
    assert reconcile.reconcile_orders(shop) == 2
    consume()
    assert SeenOrder.objects.of(shop).count() == 1
    assert cursor(shop).caught_up_at is not None


def test_a_shop_that_comes_back_after_years_is_not_read_further_than_is_kept(shop, monkeypatch):
    # given
    reconcile.reconcile_orders(shop)
    Cursor.objects.of(shop).update(position=datetime.now(UTC) - 900 * DAY)
    asked = []
    real = MemoryHost.orders_changed
    monkeypatch.setattr(MemoryHost, "orders_changed", lambda *a: asked.append(a[1]) or real(*a))

    # when
    reconcile.reconcile_orders(shop)

    # then
    assert datetime.now(UTC) - asked[0] < 130 * DAY


# The cursor.


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
    assert reconcile.is_caught_up(shop) is False
    assert reconcile.reconcile_orders(shop) == 2
    assert asked[3] == orders[3].updated_at - 10 * MINUTE
    consume()
    assert SeenOrder.objects.of(shop).count() == 5
    assert reconcile.is_caught_up(shop) is True


def test_a_reading_in_turns_comes_to_its_end(shop, monkeypatch, caplog):
    # given
    monkeypatch.setattr(reconcile, "PAGE", 2)
    for number in range(7):
        an_order(shop, timedelta(hours=8 - number))
    caplog.set_level(logging.INFO, "saleor_nudges")

    # when
    readings = [reconcile.reconcile(shop, "orders", seconds=0)]
    while not readings[-1].is_done:
        assert not reconcile.is_caught_up(shop)
        readings.append(reconcile.reconcile(shop, "orders", seconds=0))
    consume()

    # then each turn took up the last order of the one before, and said how far it came
    assert [reading.count for reading in readings] == [2, 2, 2, 2, 2, 2]
    assert SeenOrder.objects.of(shop).count() == 7
    assert reconcile.is_caught_up(shop)
    said = [r.nudges for r in caplog.records if r.message == telemetry.Log.RECONCILING]
    assert [line["count"] for line in said] == [2] * 5
    assert [line["position"] for line in said] == sorted({line["position"] for line in said})


def test_a_turn_gets_past_what_is_read_again(shop, monkeypatch):
    # given more orders of one moment than a turn may read
    monkeypatch.setattr(reconcile, "PAGE", 2)
    for _ in range(9):
        an_order(shop, HOUR, updated_at=datetime.now(UTC) - HOUR)
    an_order(shop)
    reconcile.reconcile(shop, "orders", seconds=0)

    # when
    counts = [reconcile.reconcile(shop, "orders", seconds=0).count for _ in range(2)]
    consume()

    # then
    assert counts == [10, 1]
    assert SeenOrder.objects.of(shop).count() == 10


def test_caught_up_means_as_of_the_start(shop, monkeypatch):
    # given
    orders_changed, asked_at = MemoryHost.orders_changed, []

    def watched(*args):
        asked_at.append(Shop.objects.values_list(Now(), flat=True)[0])
        return orders_changed(*args)

    monkeypatch.setattr(MemoryHost, "orders_changed", watched)

    # when
    reconcile.reconcile_orders(shop)

    # then
    assert cursor(shop).caught_up_at < asked_at[0]
    assert asked_at[0] - cursor(shop).caught_up_at < MINUTE


@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
def test_our_clock_does_not_move_the_cursor(ahead, shop, monkeypatch):
    # given
    order = an_order(shop, 5 * MINUTE)
    ours = datetime.now(UTC) + ahead
    monkeypatch.setattr(reconcile.timezone, "now", lambda: ours)

    # when
    for _ in range(2):
        reconcile.reconcile_orders(shop)

    # then
    assert cursor(shop).position == order.updated_at


def test_a_shop_where_nothing_happens_is_caught_up_and_its_cursor_stays(shop):
    reconcile.reconcile_orders(shop)
    before = cursor(shop)
    reconcile.reconcile_orders(shop)
    assert cursor(shop).position == before.position
    assert cursor(shop).caught_up_at > before.caught_up_at


def test_a_time_in_the_future_passes_nothing_by(shop):
    # given an order whose time the shop has wrong
    order = an_order(shop)
    put(shop, replace(order, updated_at=datetime.now(UTC) + 365 * DAY))
    reconcile.reconcile_orders(shop)

    # when
    an_order(shop, timedelta())

    # then
    assert reconcile.reconcile_orders(shop) == 2


def test_the_cursor_never_goes_back(shop):
    an_order(shop, MINUTE)
    reconcile.reconcile_orders(shop)
    position = cursor(shop).position
    an_order(shop, 5 * MINUTE)
    assert reconcile.reconcile_orders(shop) == 2
    assert cursor(shop).position == position


def test_of_two_readers_one_goes_on(shop, monkeypatch):
    # given another worker that reads all of the shop while we read its first page
    monkeypatch.setattr(reconcile, "PAGE", 2)
    for number in range(6):
        an_order(shop, timedelta(hours=8 - number))
    real, asked = MemoryHost.orders_changed, []

    def slow(*args):
        page = real(*args)
        asked.append(args)
        if len(asked) == 1:
            assert reconcile.reconcile_orders(shop) == 6
        return page

    monkeypatch.setattr(MemoryHost, "orders_changed", slow)

    # when, then
    assert reconcile.reconcile_orders(shop) == 2
    assert len(asked) == 4
    consume()
    assert SeenOrder.objects.of(shop).count() == 6


# Checkouts.


def test_a_checkout_nobody_told_us_of_is_found(shop):
    # given
    checkout = a_checkout(shop, email="anna@example.com")

    # when
    assert reconcile.reconcile_checkouts(shop) == 1
    consume()

    # then
    tracked = TrackedCheckout.objects.of(shop).get()
    assert (tracked.started_at, tracked.changed_at) == (checkout.created_at, checkout.changed_at)
    assert tracked.person is not None
    assert kinds_of(shop) == ["checkout_changed", "checkout_started"]


@pytest.mark.parametrize("road", ["hook", "webhook"])
def test_the_same_checkout_by_another_road_is_one_event(road, shop):
    # given
    checkout = a_checkout(shop, email="anna@example.com")
    args = (shop, checkout.id, checkout.channel)
    told = {
        "hook": [
            facts.checkout_fact(CheckoutStarted, *args, checkout.created_at),
            facts.checkout_fact(CheckoutChanged, *args, checkout.changed_at),
        ],
        "webhook": [facts.full_checkout(shop, checkout)],
    }
    capture(*told[road])
    consume()

    # when
    for _ in range(2):
        assert reconcile.reconcile_checkouts(shop) == 1
        consume()

    # then
    assert kinds_of(shop) == ["checkout_changed", "checkout_started"]


def test_a_change_of_a_checkout_nobody_told_us_of_is_found(shop):
    # given
    checkout = a_checkout(shop, age=HOUR, email="anna@example.com")
    reconcile.reconcile_checkouts(shop)
    consume()

    # when
    later = replace(checkout, cart=a_cart(quantity=3), changed_at=datetime.now(UTC) - MINUTE)
    MemoryHost(shop).shelf.checkouts[checkout.id] = later
    reconcile.reconcile_checkouts(shop)
    consume()

    # then
    tracked = TrackedCheckout.objects.of(shop).get()
    assert [line["quantity"] for line in tracked.lines] == [3]
    assert tracked.changed_at == later.changed_at


def test_the_cursor_of_checkouts_is_one_of_its_own(shop):
    checkout = a_checkout(shop, age=HOUR)
    order = an_order(shop, 5 * MINUTE)
    reconcile.reconcile_all()
    assert cursor(shop, "checkouts").position == checkout.changed_at
    assert cursor(shop, "orders").position == order.updated_at


# Several shops.


def test_a_shop_that_does_not_answer_holds_up_no_other(shop):
    other = make_shop("other.example.com")
    an_order(other)
    MemoryHost(shop).shelf  # noqa: B018 - it makes the shelf
    SHELVES[shop.key].is_away = True
    assert reconcile.reconcile_all() == 1
    assert not Cursor.objects.of(shop).filter(caught_up_at__isnull=False).exists()
    assert reconcile.is_caught_up(other)


def test_a_shop_that_does_not_answer_is_asked_once_a_round(shop, monkeypatch):
    asked = []

    def away(*args):
        asked.append(args)
        raise HostUnavailable

    monkeypatch.setattr(MemoryHost, "orders_changed", away)
    monkeypatch.setattr(MemoryHost, "checkouts_changed", away)
    assert reconcile.reconcile_all() == 0
    assert len(asked) == 1


def test_a_shop_in_which_something_is_wrong_holds_up_no_other(shop, monkeypatch, caplog):
    # given
    other = make_shop("other.example.com")
    an_order(other)
    real = MemoryHost.orders_changed

    def broken(host, *args):
        if host.shop == shop:
            raise ZeroDivisionError
        return real(host, *args)

    monkeypatch.setattr(MemoryHost, "orders_changed", broken)

    # when, then
    assert reconcile.reconcile_all() == 1
    assert telemetry.Log.RECONCILE_FAILED in [record.message for record in caplog.records]


def test_a_shop_with_much_to_read_gives_way_and_goes_on(shop, monkeypatch):
    # given
    monkeypatch.setattr(reconcile, "PAGE", 1)
    monkeypatch.setattr(reconcile, "TURN_SECONDS", 0.0)
    other = make_shop("other.example.com")
    for number in range(4):
        an_order(shop, timedelta(hours=8 - number))
    an_order(other)
    order_of_turns = []
    real = reconcile.reconcile

    def noted(which, kind, seconds):
        order_of_turns.append(which.key)
        return real(which, kind, seconds)

    monkeypatch.setattr(reconcile, "reconcile", noted)

    # when
    reconcile.reconcile_all()

    # then
    assert reconcile.is_caught_up(shop)
    assert reconcile.is_caught_up(other)
    assert other.key in order_of_turns[:2]
    assert order_of_turns.count(shop.key) > 3


def test_a_round_ends_in_time_and_the_next_goes_on(shop):
    an_order(shop)
    assert reconcile.reconcile_all(seconds=0) == 0
    assert not reconcile.is_caught_up(shop)
    assert reconcile.reconcile_all() == 1
    assert reconcile.is_caught_up(shop)


def test_shops_that_answered_lately_come_first(shop):
    away = [make_shop(f"{number}.example.com") for number in range(5)]
    reconcile.reconcile_orders(shop)
    assert reconcile._by_health()[0].pk == shop.pk
    assert len(reconcile._by_health()) == len(away) + 1


def test_a_shop_that_removed_us_is_left_alone(shop):
    an_order(shop)
    shop.is_active = False
    shop.save()
    assert reconcile.reconcile_all() == 0
    assert Cursor.objects.of(shop).count() == 0


# What others ask.


@pytest.mark.parametrize(
    ("_case", "ago", "expected"),
    [
        ("now", timedelta(), True),
        ("lately", timedelta(seconds=290), True),
        ("too_long_ago", timedelta(seconds=310), False),
    ],
)
def test_whether_a_shop_is_caught_up(_case, ago, expected, shop):
    reconcile.reconcile_orders(shop)
    Cursor.objects.of(shop).update(caught_up_at=Now() - ago)
    assert reconcile.is_caught_up(shop) is expected
    assert reconcile.is_caught_up(shop, reconcile.CHECKOUTS) is False


def test_how_far_behind_the_furthest_shop_is(shop):
    # given
    other = make_shop("other.example.com")
    make_shop("left.example.com", is_active=False)
    reconcile.reconcile_all()
    Cursor.objects.of(other).filter(kind="orders").update(caught_up_at=Now() - HOUR)

    # when
    behind = reconcile.seconds_behind()

    # then
    assert behind["orders"] == pytest.approx(3600, abs=5)
    assert behind["checkouts"] == pytest.approx(0, abs=5)


def test_a_shop_that_never_was_caught_up_is_behind_since_it_came(shop):
    Shop.objects.update(created_at=Now() - DAY)
    assert reconcile.seconds_behind()["orders"] == pytest.approx(86400, abs=5)


def test_without_shops_nobody_is_behind(db):
    assert reconcile.seconds_behind() == {"orders": 0, "checkouts": 0}


@pytest.mark.parametrize("kind", ["orders", "checkouts"])
def test_the_doctor_says_up_to_when_a_shop_is_known(kind, shop):
    # given
    reconcile.reconcile_all()
    [well] = [finding for finding in doctor.examine() if finding.name == kind]
    assert well.is_well
    at = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)

    # when
    Cursor.objects.of(shop).filter(kind=kind).update(caught_up_at=Now() - HOUR, position=at)
    [found] = [finding for finding in doctor.examine() if finding.name == kind]

    # then
    assert not found.is_well
    assert "1 shops are not caught up" in found.what
    assert "known up to 2026-03-04 05:06 UTC" in found.what


# An outage (R7).


@pytest.mark.parametrize("outage", [10 * MINUTE, DAY], ids=["ten_minutes", "a_day"])
def test_after_an_outage_everything_is_known_once_and_nobody_was_written_to_wrongly(outage, shop):
    # given two who had left a checkout whose message is due when we are back
    switch_on_recovery(shop, since=datetime.now(UTC) - 2 * DAY)
    buyer = left_behind(shop, email="buyer@example.com")
    left_behind(shop, email="waits@example.com")
    down_for(shop, outage)
    known = ShopEvent.objects.of(shop).count()

    # when one of them buys with another checkout, and others come, unheard
    steps = [outage * share / 20 for share in range(1, 20)]
    orders = [an_order(shop, ago, email=f"o{ago.seconds}@example.com") for ago in steps]
    opened = [a_checkout(shop, age=ago, email=f"c{ago.seconds}@example.com") for ago in steps]
    orders.append(an_order(shop, 5 * MINUTE, email="buyer@example.com"))
    # and the last two are told by webhook too, which Saleor repeats for five minutes
    capture(*facts.facts_of(shop, orders[0]), facts.full_checkout(shop, opened[0]))

    # then nothing is sent before we have caught up
    detect.detect()
    assert sending.send_due() == 0
    assert SENT == []

    # when
    for _ in range(2):
        reconcile.reconcile_all()
        consume()

    # then
    seen = SeenOrder.objects.of(shop).values_list("order_id", flat=True)
    assert sorted(seen) == sorted(order.id for order in orders)
    assert TrackedCheckout.objects.of(shop).count() == 2 + len(opened)
    # each order is one fact, each checkout two: it was started, and looks like this
    assert ShopEvent.objects.of(shop).count() == known + len(orders) + 2 * len(opened)
    # and of the two only the one who did not buy is written to
    Send.objects.of(shop).update(due_at=Now())
    sending.send_due()
    written = [message.to for message in SENT]
    assert "waits@example.com" in written
    assert "buyer@example.com" not in written
    assert len(written) == len(set(written))
    assert buyer.id in MemoryHost(shop).shelf.checkouts
