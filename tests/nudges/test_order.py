"""“Someone bought this”: from orders that were placed and still stand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from saleor_nudges import facts, people
from saleor_nudges.capture import capture
from saleor_nudges.events import (
    CustomerErased,
    OrderCancelled,
    OrderChanged,
    OrderPlaced,
    OrderRefunded,
    ProductWithdrawn,
)
from saleor_nudges.host import ProductCard
from saleor_nudges.host.memory import MemoryHost
from saleor_nudges.models import Evidence, Nudge, NudgeSettings, NudgeType, Person
from saleor_nudges.nudges import KINDS, activity
from saleor_nudges.nudges.choose import Ask, choose
from saleor_nudges.testing import (
    CHANNEL,
    JUICE,
    a_cart,
    a_checkout,
    consume,
    make_shop,
    order_placed,
    switch_on_nudge,
)

pytestmark = pytest.mark.django_db

PEAR = ProductCard("UHJvZHVjdDoy", "Pear Juice", "pear-juice")


@pytest.fixture
def shop():
    shop = make_shop()
    switch_on_nudge(shop, NudgeType.ORDER)
    # Where one buyer is enough to name a place.
    NudgeSettings.objects.of(shop).create(shop=shop, channel=CHANNEL, buyers_per_place=1)
    return shop


def an_order(shop, *products, **contact):
    contact = {"email": "anna@example.com", "first_name": "Anna", "city": "Wroclaw"} | contact
    return order_placed(shop, a_checkout(shop, cart=a_cart(*products), **contact))


def texts(shop, **ask):
    feed = choose(shop, Ask(CHANNEL, "HOME", **ask), datetime.now(UTC))
    return [shown.text for shown in feed.nudges]


def test_an_order_makes_a_nudge_and_its_evidence(shop):
    order = an_order(shop)
    nudge = Nudge.objects.of(shop).get()
    assert (nudge.type, nudge.product_id, nudge.channel) == ("ORDER", JUICE.id, CHANNEL)
    assert nudge.occurred_at == order.created_at
    assert nudge.source_subject == order.id
    evidence = Evidence.objects.of(shop).get()
    assert (evidence.metric, evidence.value, evidence.rule_version) == ("orders", 1, "order-2")
    assert evidence.source_event == nudge.source_event
    assert texts(shop) == ["Someone from Wroclaw bought Apple Juice"]


def test_two_products_are_two_nudges_and_two_lines_of_one_are_one(shop):
    cart = a_cart(JUICE, PEAR)
    twice = replace(cart, lines=(*cart.lines, replace(cart.lines[0], variant_id="other")))
    order_placed(shop, a_checkout(shop, cart=twice, email="anna@example.com"))
    assert sorted(Nudge.objects.of(shop).values_list("product_id", flat=True)) == [
        JUICE.id,
        PEAR.id,
    ]


@pytest.mark.parametrize(
    ("_case", "anonymous", "contact", "text"),
    [
        ("anonymous", True, {}, "Someone from Wroclaw bought Apple Juice"),
        ("named", False, {}, "Anna from Wroclaw bought Apple Juice"),
        ("nameless", False, {"first_name": ""}, "Someone from Wroclaw bought Apple Juice"),
        ("nowhere", True, {"city": ""}, "Someone bought Apple Juice"),
    ],
)
def test_what_is_said_of_the_buyer(_case, anonymous, contact, text, shop):
    switch_on_nudge(shop, NudgeType.ORDER, is_anonymous=anonymous)
    an_order(shop, **contact)
    assert texts(shop) == [text]


@pytest.mark.parametrize("status", ["CANCELED", "REFUNDED", "RETURNED"])
def test_an_order_undone_is_gone_with_the_next_poll(status, shop):
    # given
    order = an_order(shop)
    assert len(texts(shop)) == 1

    # when
    capture(*facts.facts_of(shop, replace(order, status=status)))
    consume()

    # then
    assert texts(shop) == []
    assert Nudge.objects.of(shop).get().withdrawn_at is not None


@pytest.mark.parametrize("kind", [OrderCancelled, OrderRefunded])
def test_an_undoing_that_overtakes_its_order_leaves_no_nudge(kind, shop):
    # given
    checkout = a_checkout(shop, email="anna@example.com")
    order = MemoryHost(shop).place_order(checkout.id, datetime.now(UTC))
    capture(facts.full_order(kind, shop, order))
    consume()

    # when
    capture(facts.full_order(OrderPlaced, shop, order))
    consume()

    # then
    assert Nudge.objects.of(shop).count() == 0
    assert Evidence.objects.of(shop).count() == 0


def test_an_order_undone_in_the_same_batch_leaves_no_nudge(shop):
    # given orders whose two facts bear one time, so that chance orders them
    for number in range(12):
        checkout = a_checkout(shop, email=f"anna{number}@example.com")
        order = MemoryHost(shop).place_order(checkout.id, datetime.now(UTC))
        capture(
            facts.full_order(OrderPlaced, shop, order),
            facts.full_order(OrderCancelled, shop, order),
        )

    # when
    consume()

    # then
    assert texts(shop, count=20) == []


@pytest.mark.parametrize("status", ["DRAFT", "CANCELED", "EXPIRED", "RETURNED", "REFUNDED"])
def test_what_is_no_purchase_makes_no_nudge(status, shop):
    checkout = a_checkout(shop, email="anna@example.com")
    order = MemoryHost(shop).place_order(checkout.id, datetime.now(UTC))
    capture(facts.full_order(OrderPlaced, shop, replace(order, status=status)))
    consume()
    assert Nudge.objects.of(shop).count() == 0


def changed(shop, order, seconds=1, **changes):
    """Let us hear of an order as it is some seconds after it was placed."""
    later = order.created_at + timedelta(seconds=seconds)
    capture(facts.full_order(OrderChanged, shop, replace(order, updated_at=later, **changes)))
    consume()


@pytest.mark.parametrize(
    ("_case", "statuses", "status", "is_shown"),
    [
        ("any_state_by_default", [], "FULFILLED", True),
        ("one_that_counts", ["FULFILLED"], "FULFILLED", True),
        ("one_that_does_not", ["FULFILLED"], "UNFULFILLED", False),
        ("never_one_that_is_no_purchase", [], "RETURNED", False),
    ],
)
def test_the_seller_says_which_states_count(_case, statuses, status, is_shown, shop):
    switch_on_nudge(shop, NudgeType.ORDER, order_statuses=statuses)
    order = an_order(shop)
    changed(shop, order, status=status)
    assert bool(texts(shop)) is is_shown


def test_an_order_comes_and_goes_with_its_state(shop):
    # given
    switch_on_nudge(shop, NudgeType.ORDER, order_statuses=["FULFILLED"])
    order = an_order(shop)
    assert texts(shop) == []

    # when / then
    for second, (status, count) in enumerate(
        [("FULFILLED", 1), ("PARTIALLY_RETURNED", 0), ("FULFILLED", 1)], start=1
    ):
        changed(shop, order, second, status=status)
        assert len(texts(shop)) == count
        assert Nudge.objects.of(shop).get().details == {"status": status, "quantity": 1}

    # when what came before comes late
    changed(shop, order, 2.5, status="UNFULFILLED")
    assert len(texts(shop)) == 1


def test_what_was_taken_out_of_an_order_was_not_bought(shop):
    order = an_order(shop, JUICE, PEAR)
    changed(shop, order, cart=a_cart(PEAR, quantity=3))
    assert texts(shop) == ["Someone from Wroclaw bought Pear Juice"]
    assert Nudge.objects.of(shop).get(withdrawn_at__isnull=True).details["quantity"] == 3


def test_what_was_put_into_an_order_later_was_bought(shop):
    order = an_order(shop, JUICE)
    changed(shop, order, cart=a_cart(JUICE, PEAR))
    assert len(texts(shop)) == 2


def test_an_order_known_by_its_change_only_is_told_once(shop):
    # given
    checkout = a_checkout(shop, email="anna@example.com")
    order = MemoryHost(shop).place_order(checkout.id, datetime.now(UTC))

    # when its change overtakes it
    changed(shop, order, status="FULFILLED")
    capture(facts.full_order(OrderPlaced, shop, order))
    consume()

    # then
    assert len(texts(shop)) == 1
    assert Nudge.objects.of(shop).get().details["status"] == "FULFILLED"


def test_an_order_undone_stays_undone_whatever_is_said_of_it_later(shop):
    order = an_order(shop)
    capture(facts.full_order(OrderCancelled, shop, order))
    consume()
    changed(shop, order, status="UNFULFILLED", cart=a_cart(JUICE, PEAR))
    assert texts(shop) == []


def test_orders_cost_few_statements_however_many_they_are(shop, django_assert_max_num_queries):
    kind = KINDS[NudgeType.ORDER]
    batches = []
    for count in (1, 30):
        checkouts = [a_checkout(shop, cart=a_cart(JUICE, PEAR)) for _ in range(count)]
        orders = [MemoryHost(shop).place_order(c.id, datetime.now(UTC)) for c in checkouts]
        batches.append([facts.full_order(OrderPlaced, shop, order) for order in orders])
    for batch in batches:
        activity.fold(shop, batch)
        with django_assert_max_num_queries(4):
            kind.fold(shop, batch)
    assert Nudge.objects.of(shop).count() == 62


def test_an_order_heard_of_twice_is_one_nudge(shop):
    order = an_order(shop)
    capture(*facts.facts_of(shop, order))
    capture(facts.order_fact(OrderPlaced, shop, order.id, CHANNEL, order.created_at))
    consume()
    assert Nudge.objects.of(shop).count() == 1


def test_a_thin_fact_is_completed_from_the_shop(shop):
    checkout = a_checkout(shop, email="anna@example.com", city="Wroclaw")
    order = MemoryHost(shop).place_order(checkout.id, datetime.now(UTC))
    capture(facts.order_fact(OrderPlaced, shop, order.id, CHANNEL, order.created_at))
    consume()
    assert texts(shop) == ["Someone from Wroclaw bought Apple Juice"]


def test_an_old_order_is_not_told(shop):
    checkout = a_checkout(shop, email="anna@example.com")
    order_placed(shop, checkout, at=datetime.now(UTC) - timedelta(days=7, seconds=1))
    assert Nudge.objects.of(shop).count() == 1
    assert texts(shop) == []


def test_a_product_withdrawn_takes_its_nudges_along(shop):
    an_order(shop, JUICE, PEAR)
    capture(
        ProductWithdrawn(
            shop=shop.pk, channel=CHANNEL, occurred_at=datetime.now(UTC), product_id=JUICE.id
        )
    )
    consume()
    assert texts(shop) == ["Someone from Wroclaw bought Pear Juice"]


def test_the_nudge_of_an_erased_person_is_gone_and_says_nothing_of_them(shop):
    # given
    switch_on_nudge(shop, NudgeType.ORDER, is_anonymous=False)
    an_order(shop, user_id="VXNlcjox")
    assert texts(shop) == ["Anna from Wroclaw bought Apple Juice"]

    # when
    capture(
        CustomerErased(
            shop=shop.pk,
            channel=CHANNEL,
            occurred_at=datetime.now(UTC),
            user=people.user_hash("VXNlcjox"),
        )
    )
    consume()

    # then
    assert texts(shop) == []
    nudge = Nudge.objects.of(shop).select_related("person").get()
    assert people.unseal_about(nudge.person, nudge.sealed_who) is None
    assert Person.objects.of(shop).get().sealed_key is None


def test_a_city_in_capitals_is_not_shouted(shop):
    # given Saleor's way to write a city of the United States
    checkout = a_checkout(shop, email="anna@example.com", city="NEW YORK")
    # when
    order_placed(shop, checkout)
    # then
    assert texts(shop) == ["Someone from New York bought Apple Juice"]
