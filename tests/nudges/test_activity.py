"""What carts and orders are counted from: the same rows in whatever order the facts come."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saleor_nudges import facts, people
from saleor_nudges.capture import capture
from saleor_nudges.events import (
    AddedToCart,
    CheckoutChanged,
    ConsentWithdrawn,
    Contact,
    CustomerErased,
    OrderCancelled,
    OrderChanged,
    OrderPlaced,
    OrderRefunded,
    ProductWithdrawn,
)
from saleor_nudges.events.identity import uuid7
from saleor_nudges.host import ProductCard
from saleor_nudges.host.memory import MemoryHost
from saleor_nudges.models import CartedProduct, NudgeType, OrderedProduct, TrackedCheckout
from saleor_nudges.nudges import activity
from saleor_nudges.testing import (
    CHANNEL,
    JUICE,
    a_cart,
    a_checkout,
    checkout_seen,
    consume,
    make_shop,
    order_placed,
    switch_on_nudge,
)

pytestmark = pytest.mark.django_db

PEAR = ProductCard("UHJvZHVjdDoy", "Pear Juice", "pear-juice")
PRODUCTS = (JUICE, PEAR, ProductCard("UHJvZHVjdDoz", "Plum Juice"))
SECOND = timedelta(seconds=1)


@pytest.fixture
def shop():
    return make_shop()


def carted(shop):
    rows = CartedProduct.objects.of(shop).exclude(product_id="")
    found = rows.values_list("checkout", "product_id", "first_at")
    return {(checkout, product): at for checkout, product, at in found}


def ordered(shop):
    """What each order has that counts, or could: pieces, state, and whether it is void."""
    rows = OrderedProduct.objects.of(shop).filter(quantity__gt=0)
    found = rows.values_list("order_id", "product_id", "quantity", "status", "is_void")
    return {(order, product): rest for order, product, *rest in found}


def cart_fact(shop, checkout, at, *products):
    return CheckoutChanged(
        shop=shop.pk,
        channel=CHANNEL,
        occurred_at=at,
        revision=facts.revision(at),
        checkout=checkout,
        cart=a_cart(*products) if products else replace(a_cart(), lines=()),
    )


def erasure(shop, user="", email=""):
    return CustomerErased(
        shop=shop.pk,
        channel="",
        occurred_at=datetime.now(UTC),
        user=people.user_hash(user) or "",
        contact=Contact(email=email, user_id=user),
    )


# Carts.


def test_a_product_is_put_into_a_cart_once_however_often_the_cart_changes(shop, now):
    checkout = a_checkout(shop)
    checkout_seen(shop, checkout)
    later = replace(checkout, changed_at=now, cart=a_cart(JUICE, PEAR, quantity=7))
    checkout_seen(shop, later)
    name = facts.full_checkout(shop, checkout).checkout
    assert carted(shop) == {
        (name, JUICE.id): checkout.changed_at,
        (name, PEAR.id): now,
    }


def test_what_a_storefront_says_is_stored_and_not_counted(shop, now):
    capture(AddedToCart(shop=shop.pk, channel=CHANNEL, product=JUICE.id, occurred_at=now))
    consume()
    assert carted(shop) == {}


def test_two_variants_are_one_product(shop):
    cart = a_cart(JUICE)
    twice = replace(cart, lines=(*cart.lines, replace(cart.lines[0], variant_id="other")))
    checkout_seen(shop, a_checkout(shop, cart=twice))
    assert len(carted(shop)) == 1


HISTORIES = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.integers(0, 600),
        st.lists(st.sampled_from(PRODUCTS), unique=True),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda one: one[:2],
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(history=HISTORIES, data=st.data())
def test_carts_are_the_same_in_any_order_and_any_batches(history, data, shop):
    # given what may happen to three carts, told twice and in any order
    now, mark = datetime.now(UTC), uuid7().hex
    told = [
        cart_fact(shop, f"{mark}-{name}", now - timedelta(seconds=ago), *products)
        for name, ago, products in history
    ]
    order = data.draw(st.permutations(told * 2))
    split = data.draw(st.integers(0, len(order)))

    # when
    for batch in (order[:split], order[split:]):
        capture(*batch)
        consume()

    # then each product was put into each cart when the earliest fact says so
    expected: dict[tuple[str, str], datetime] = {}
    empty: dict[str, datetime] = {}
    for fact in told:
        for line in fact.cart.lines:
            key = (fact.checkout, line.product_id)
            expected[key] = min(expected.get(key, fact.occurred_at), fact.occurred_at)
        if not fact.cart.lines:
            empty[fact.checkout] = max(empty.get(fact.checkout, fact.occurred_at), fact.occurred_at)
    assert {key: at for key, at in carted(shop).items() if key[0].startswith(mark)} == expected

    # and the carts that were empty were so when the latest fact says so
    rows = CartedProduct.objects.of(shop).filter(product_id="", checkout__startswith=mark)
    assert dict(rows.values_list("checkout", "first_at")) == empty


def test_who_is_erased_is_not_counted_nor_is_what_comes_late(shop, now):
    # given
    anna = a_checkout(shop, email="anna@example.com", user_id="VXNlcjox")
    checkout_seen(shop, anna)
    checkout_seen(shop, a_checkout(shop, email="ben@example.com"))

    # when
    capture(erasure(shop, "VXNlcjox"))
    consume()
    checkout_seen(shop, replace(anna, changed_at=now, contact=Contact()))

    # then
    [(checkout, _)] = carted(shop)
    assert checkout != facts.full_checkout(shop, anna).checkout


def test_who_is_erased_in_the_same_batch_leaves_nothing(shop, now):
    anna = a_checkout(shop, email="anna@example.com", user_id="VXNlcjox")
    capture(facts.full_checkout(shop, anna), erasure(shop, "VXNlcjox", "anna@example.com"))
    consume()
    assert carted(shop) == {}


def test_who_says_no_is_not_counted_until_they_do_something_new(shop, now):
    # given
    anna = a_checkout(shop, email="anna@example.com")
    checkout_seen(shop, anna)

    # when
    capture(
        ConsentWithdrawn(
            shop=shop.pk,
            channel=CHANNEL,
            occurred_at=now,
            revision="1",
            message_channel="EMAIL",
            source="test",
            contact=Contact(email="anna@example.com"),
        )
    )
    consume()

    # then nor is what lay in the cart already
    checkout_seen(shop, replace(anna, changed_at=now, cart=a_cart(JUICE, PEAR)))
    assert {product for _, product in carted(shop)} == {PEAR.id}


def test_a_product_withdrawn_is_in_no_cart_and_no_order(shop, now):
    checkout_seen(shop, a_checkout(shop, cart=a_cart(JUICE, PEAR)))
    order_placed(shop, a_checkout(shop, cart=a_cart(JUICE, PEAR)))
    capture(ProductWithdrawn(shop=shop.pk, channel="", occurred_at=now, product_id=JUICE.id))
    consume()
    assert {product for _, product in carted(shop)} == {PEAR.id}
    assert {product for _, product in ordered(shop)} == {PEAR.id}


def test_what_lay_in_a_cart_before_our_memory_is_not_put_there_now(shop, now):
    # given a cart whose row is past its age
    checkout = a_checkout(shop)
    checkout_seen(shop, checkout)
    CartedProduct.objects.of(shop).delete()

    # when its shopper changes it
    checkout_seen(shop, replace(checkout, changed_at=now, cart=a_cart(JUICE, PEAR)))

    # then
    assert {product for _, product in carted(shop)} == {PEAR.id}


def test_what_came_along_with_a_cart_of_ours_was_not_put_there(shop, now):
    # given a checkout that was opened from another one by the link of a message
    old, fresh = a_checkout(shop), a_checkout(shop, cart=a_cart(JUICE, PEAR))
    checkout_seen(shop, old)
    TrackedCheckout.objects.of(shop).create(
        shop=shop,
        channel=CHANNEL,
        checkout=facts.full_checkout(shop, fresh).checkout,
        sealed_checkout_id=b"",
        started_at=fresh.created_at,
        changed_at=fresh.created_at,
        seen_at=fresh.created_at,
        parent=TrackedCheckout.objects.of(shop).get(),
    )
    CartedProduct.objects.of(shop).delete()

    # when
    checkout_seen(shop, fresh)

    # then only what its shopper added counts
    assert {product for _, product in carted(shop)} == {PEAR.id}


def test_a_cart_older_than_our_memory_is_not_taken_in(shop, now):
    activity.fold(shop, [cart_fact(shop, "old", now - timedelta(days=32, seconds=1), JUICE)])
    activity.fold(shop, [cart_fact(shop, "new", now - timedelta(days=31), JUICE)])
    assert [checkout for checkout, _ in carted(shop)] == ["new"]


# Orders.


def an_order(shop, *products):
    checkout = a_checkout(shop, cart=a_cart(*products) if products else None)
    return MemoryHost(shop).place_order(checkout.id, datetime.now(UTC))


STATES = ("UNFULFILLED", "PARTIALLY_FULFILLED", "FULFILLED", "RETURNED")
LIVES = st.lists(
    st.tuples(
        st.sampled_from(STATES), st.lists(st.sampled_from(PRODUCTS), min_size=1, unique=True)
    ),
    min_size=1,
    max_size=4,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    lives=st.lists(st.tuples(LIVES, st.sampled_from([None, OrderCancelled, OrderRefunded]))),
    data=st.data(),
)
def test_orders_are_the_same_in_any_order_and_any_batches(lives, data, shop):
    # given orders that change, some of them undone, told twice and in any order
    told, expected = [], {}
    for life, undoing in lives:
        order = an_order(shop)
        for second, (status, products) in enumerate(life):
            order = replace(
                order,
                status=status,
                cart=a_cart(*products, quantity=second + 1),
                updated_at=order.created_at + second * SECOND,
            )
            told.append(facts.full_order(OrderChanged if second else OrderPlaced, shop, order))
        if undoing:
            told.append(facts.full_order(undoing, shop, order))
        for line in order.cart.lines:
            row = [line.quantity, order.status, undoing is not None]
            expected[order.id, line.product_id] = row
    order = data.draw(st.permutations(told * 2))
    split = data.draw(st.integers(0, len(order)))

    # when
    for batch in (order[:split], order[split:]):
        capture(*batch)
        consume()

    # then each order is what its newest fact says, and what was undone is void
    mine = {name for name, _ in expected}
    assert {key: row for key, row in ordered(shop).items() if key[0] in mine} == expected


@pytest.mark.parametrize("kind", [OrderCancelled, OrderRefunded])
def test_an_undoing_that_comes_first_without_its_order_still_undoes_it(kind, shop):
    order = an_order(shop)
    undone = replace(facts.full_order(kind, shop, order), cart=None)
    MemoryHost(shop).shelf.orders.clear()
    capture(undone)
    consume()
    capture(facts.full_order(OrderPlaced, shop, order))
    consume()
    assert ordered(shop) == {(order.id, JUICE.id): [1, "UNFULFILLED", True]}


def test_orders_of_who_is_erased_are_void(shop):
    # given
    anna = a_checkout(shop, email="anna@example.com", user_id="VXNlcjox")
    order = order_placed(shop, anna)
    other = order_placed(shop, a_checkout(shop, email="ben@example.com"))

    # when
    capture(erasure(shop, "VXNlcjox"))
    consume()

    # then, and what is said of it later changes nothing
    later = replace(order, updated_at=order.created_at + SECOND, status="FULFILLED")
    capture(*facts.facts_of(shop, later))
    consume()
    assert ordered(shop) == {
        (order.id, JUICE.id): [1, "FULFILLED", True],
        (other.id, JUICE.id): [1, "UNFULFILLED", False],
    }


def test_a_partial_refund_leaves_an_order_standing(shop):
    # given what each road makes of it: news of the order, and its state as it was
    order = order_placed(shop, a_checkout(shop))
    later = replace(order, updated_at=order.created_at + SECOND)
    capture(*facts.facts_of(shop, later))
    consume()
    assert ordered(shop) == {(order.id, JUICE.id): [1, "UNFULFILLED", False]}


def test_a_batch_costs_few_statements_however_many_are_in_it(shop, now, django_assert_num_queries):
    many = [cart_fact(shop, f"cart {n}", now, *PRODUCTS) for n in range(100)]
    with django_assert_num_queries(2):
        activity.fold(shop, many)
    orders = [facts.full_order(OrderPlaced, shop, an_order(shop, *PRODUCTS)) for _ in range(50)]
    with django_assert_num_queries(3):
        activity.fold(shop, orders)
    assert (len(carted(shop)), len(ordered(shop))) == (300, 150)


def test_views_cost_nothing(shop, django_assert_num_queries):
    switch_on_nudge(shop, NudgeType.CART_SUMMARY)
    added = AddedToCart(shop=shop.pk, channel=CHANNEL, product="1", occurred_at=datetime.now(UTC))
    with django_assert_num_queries(0):
        activity.fold(shop, [added])
        activity.forget(shop, [added])
