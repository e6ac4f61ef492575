"""“This was ordered 120 times”: orders that stand within the window, never more than there were."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from saleor_nudges import facts, nudges, people
from saleor_nudges.capture import capture
from saleor_nudges.events import CustomerErased, OrderChanged, OrderPlaced
from saleor_nudges.host.memory import MemoryHost
from saleor_nudges.models import Evidence, Nudge, NudgeType, OrderedProduct, statements
from saleor_nudges.nudges import KINDS
from saleor_nudges.nudges.choose import Ask, choose
from saleor_nudges.testing import (
    CHANNEL,
    JUICE,
    a_cart,
    a_checkout,
    consume,
    make_shop,
    switch_on_nudge,
)
from tests.nudges.test_order import PEAR

pytestmark = pytest.mark.django_db

KIND = KINDS[NudgeType.ORDER_SUMMARY]


@pytest.fixture
def shop():
    shop = make_shop()
    switch_on_nudge(shop, NudgeType.ORDER_SUMMARY)
    return shop


def shown(shop, page="PRODUCT", product=JUICE.id, **ask):
    feed = choose(shop, Ask(CHANNEL, page, product, **ask), datetime.now(UTC))
    return [nudge.text for nudge in feed.nudges if nudge.card.product == product]


def orders(shop, count, *products, age=timedelta(hours=1), status="UNFULFILLED", **contact):
    """Let us hear of so many orders at once."""
    cart = a_cart(*products, quantity=3) if products else None
    placed = [
        replace(
            MemoryHost(shop).place_order(
                a_checkout(shop, cart=cart, **contact).id, datetime.now(UTC) - age
            ),
            status=status,
        )
        for _ in range(count)
    ]
    capture(*[fact for order in placed for fact in facts.facts_of(shop, order)])
    consume()
    return placed


def heard(shop, order, **changes):
    later = replace(order, updated_at=datetime.now(UTC), **changes)
    capture(*facts.facts_of(shop, later))
    consume()


def measured_again(shop):
    """Let the time pass in which a number is good enough."""
    Nudge.objects.of(shop).update(valid_until=timezone.now() + timedelta(seconds=40))
    KIND.measure(shop, [(CHANNEL, JUICE.id), (CHANNEL, "")])


def test_orders_are_counted_not_pieces(shop):
    orders(shop, 5, JUICE, PEAR)
    orders(shop, 2, PEAR)
    measured_again(shop)
    assert shown(shop) == ["This was ordered 5 times in the last 7 days"]
    assert shown(shop, "HOME", "") == ["7 orders were placed here in the last 7 days"]


@pytest.mark.parametrize(
    ("language", "product", "channel"),
    [
        (
            "de",
            "Das wurde in den letzten 7 Tagen 6-mal bestellt",
            "6 Bestellungen gingen hier in den letzten 7 Tagen ein",
        ),
        (
            "pl",
            "Liczba zamówień tego produktu: 6 w ciągu ostatnich 7 dni",
            "Zamówienia złożone tutaj: 6 w ciągu ostatnich 7 dni",
        ),
    ],
)
def test_it_is_said_in_the_shoppers_language(language, product, channel, shop):
    orders(shop, 6)
    assert shown(shop, language=language) == [product]
    assert shown(shop, "HOME", "", language=language) == [channel]


def test_the_number_has_its_evidence(shop):
    orders(shop, 6)
    evidence = Evidence.objects.of(shop).get(type=NudgeType.ORDER_SUMMARY, product_id=JUICE.id)
    found = (evidence.metric, evidence.value, evidence.window_seconds, evidence.threshold)
    assert found == ("orders", 6, 604800, 5)
    assert evidence.rule_version == "order-summary-1"


@pytest.mark.parametrize(("_case", "count", "expected"), [("at", 5, 2), ("below", 4, 0)])
def test_a_small_number_is_not_said(_case, count, expected, shop):
    orders(shop, count)
    assert Evidence.objects.of(shop).filter(type=NudgeType.ORDER_SUMMARY).count() == expected


@pytest.mark.parametrize(
    ("window", "age", "expected"),
    [
        (3600, timedelta(minutes=58), 1),
        (3600, timedelta(minutes=59, seconds=1), 0),
        (86400, timedelta(hours=23), 1),
        (2592000, timedelta(days=29, hours=22), 1),
        (2592000, timedelta(days=30), 0),
    ],
)
def test_an_order_counts_only_where_it_will_count_to_the_end(window, age, expected, shop):
    switch_on_nudge(shop, NudgeType.ORDER_SUMMARY, window_seconds=window)
    orders(shop, 5, age=age)
    assert len(shown(shop)) == expected


@pytest.mark.parametrize("status", ["CANCELED", "REFUNDED", "RETURNED", "EXPIRED"])
def test_an_order_undone_is_not_counted_from_that_moment_on(status, shop):
    # given
    last = orders(shop, 5)[-1]
    assert len(shown(shop)) == 1

    # when
    heard(shop, last, status=status)

    # then, and it is not measured up again
    assert shown(shop) == []
    assert shown(shop, "HOME", "") == []
    measured_again(shop)
    assert shown(shop) == []


def test_what_was_taken_out_of_an_order_is_not_counted_from_that_moment_on(shop):
    last = orders(shop, 5, JUICE, PEAR)[-1]
    heard(shop, last, cart=a_cart(PEAR))
    assert shown(shop) == []
    assert len(shown(shop, "HOME", "")) == 1


@pytest.mark.parametrize(
    ("_case", "statuses", "status", "expected"),
    [
        ("all", [], "UNCONFIRMED", 1),
        ("one_that_counts", ["FULFILLED", "UNFULFILLED"], "UNFULFILLED", 1),
        ("one_that_does_not", ["FULFILLED"], "UNFULFILLED", 0),
    ],
)
def test_the_seller_says_which_states_count(_case, statuses, status, expected, shop):
    switch_on_nudge(shop, NudgeType.ORDER_SUMMARY, order_statuses=statuses)
    orders(shop, 5, status=status)
    assert len(shown(shop)) == expected
    assert len(shown(shop, "HOME", "")) == expected


def test_a_number_follows_the_states_that_count(shop):
    # given
    switch_on_nudge(shop, NudgeType.ORDER_SUMMARY, order_statuses=["FULFILLED"])
    placed = orders(shop, 5)
    assert shown(shop) == []

    # when / then
    for order in placed:
        heard(shop, order, status="FULFILLED")
    assert len(shown(shop)) == 1
    heard(shop, placed[0], status="PARTIALLY_RETURNED")
    assert shown(shop) == []


def test_a_change_that_still_counts_leaves_the_number_where_it_is(shop):
    placed = orders(shop, 6)
    before = Nudge.objects.of(shop).get(type=NudgeType.ORDER_SUMMARY, product_id=JUICE.id)
    heard(shop, placed[0], status="FULFILLED")
    after = Nudge.objects.of(shop).get(type=NudgeType.ORDER_SUMMARY, product_id=JUICE.id)
    assert (after.valid_until, after.evidence_id) == (before.valid_until, before.evidence_id)


def test_orders_of_an_erased_person_are_not_counted_from_that_moment_on(shop):
    # given
    orders(shop, 4)
    orders(shop, 1, user_id="VXNlcjox", email="anna@example.com")
    measured_again(shop)
    assert len(shown(shop)) == 1

    # when
    user = people.user_hash("VXNlcjox")
    capture(CustomerErased(shop=shop.pk, channel="", occurred_at=datetime.now(UTC), user=user))
    consume()

    # then
    assert shown(shop) == []
    measured_again(shop)
    assert shown(shop) == []


@pytest.mark.django_db(transaction=True)
def test_a_number_waits_for_the_batch_that_takes_something_back(shop):
    # given a batch that undoes one of the orders, and has not committed yet
    orders(shop, 5)
    Nudge.objects.of(shop).update(valid_until=timezone.now())
    before = Evidence.objects.of(shop).count()

    def measure():
        KIND.measure(shop, [(CHANNEL, JUICE.id), (CHANNEL, "")])
        connection.close()

    worker = threading.Thread(target=measure)
    with transaction.atomic():
        statements.hold_commerce(shop.pk, alone=True)
        first = OrderedProduct.objects.of(shop).first()
        OrderedProduct.objects.of(shop).filter(pk=first.pk).update(is_void=True)

        # when a number is counted meanwhile
        worker.start()
        worker.join(timeout=1)
        assert worker.is_alive()
    worker.join(timeout=30)

    # then it is counted as the batch left it: too small to be said
    assert not worker.is_alive()
    assert Evidence.objects.of(shop).count() == before
    assert shown(shop) == []


def test_an_order_heard_of_twice_counts_once(shop):
    placed = orders(shop, 4)
    for order in placed:
        heard(shop, order)
        capture(facts.full_order(OrderPlaced, shop, order))
        capture(facts.full_order(OrderChanged, shop, order))
    consume()
    measured_again(shop)
    assert shown(shop) == []


def test_a_rule_that_changes_is_counted_by_soon(shop):
    # given
    orders(shop, 6)
    orders(shop, 5, status="FULFILLED")
    KIND.expire(shop, [(CHANNEL, JUICE.id)])
    KIND.measure(shop, [(CHANNEL, JUICE.id)])
    assert Evidence.objects.of(shop).filter(product_id=JUICE.id).latest("id").value == 11
    # when
    switch_on_nudge(shop, NudgeType.ORDER_SUMMARY, order_statuses=["FULFILLED"])
    nudges.measure_due(shop)
    # then
    assert Evidence.objects.of(shop).filter(product_id=JUICE.id).latest("id").value == 5


def test_while_switched_off_nothing_is_counted(shop):
    switch_on_nudge(shop, NudgeType.ORDER_SUMMARY, is_enabled=False)
    orders(shop, 9)
    assert Evidence.objects.of(shop).filter(type=NudgeType.ORDER_SUMMARY).count() == 0


def test_numbers_of_many_products_cost_as_much_as_of_one(shop, django_assert_num_queries):
    products = [f"product {n}" for n in range(30)]
    with django_assert_num_queries(7):
        KIND.measure(shop, [(CHANNEL, product) for product in (*products, "")])
