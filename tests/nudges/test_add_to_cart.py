"""“Someone put this into the cart”: from what checkouts hold, for as long as they hold it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from saleor_nudges import facts, people
from saleor_nudges.capture import capture
from saleor_nudges.events import (
    AddedToCart,
    ConsentWithdrawn,
    Contact,
    CustomerErased,
    OrderCancelled,
    OrderPlaced,
    ProductWithdrawn,
)
from saleor_nudges.events.identity import uuid7
from saleor_nudges.host import ProductCard
from saleor_nudges.host.memory import MemoryHost
from saleor_nudges.models import Evidence, Nudge, NudgeSettings, NudgeType
from saleor_nudges.nudges import KINDS, activity
from saleor_nudges.nudges.choose import Ask, choose
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
    viewed,
)

pytestmark = pytest.mark.django_db

PEAR = ProductCard("UHJvZHVjdDoy", "Pear Juice", "pear-juice")
SOME_JUICE = "Someone put Apple Juice into the cart"
SOME_PEAR = "Someone put Pear Juice into the cart"


@pytest.fixture
def shop():
    shop = make_shop()
    switch_on_nudge(shop, NudgeType.ADD_TO_CART)
    # Where one buyer is enough to name a place.
    NudgeSettings.objects.of(shop).create(shop=shop, channel=CHANNEL, buyers_per_place=1)
    return shop


def texts(shop, **ask):
    feed = choose(shop, Ask(CHANNEL, "HOME", count=20, **ask), datetime.now(UTC))
    return sorted(shown.text for shown in feed.nudges)


def hashed(checkout):
    return sha256(checkout.id.encode()).hexdigest()


def looks_like(shop, checkout, *products, **changes):
    """Let us hear of a checkout as it is a minute later."""
    cart = a_cart(*products) if products else replace(a_cart(), lines=())
    later = replace(
        checkout, changed_at=checkout.changed_at + timedelta(minutes=1), cart=cart, **changes
    )
    checkout_seen(shop, later)
    return later


def test_a_cart_makes_a_nudge_for_each_product_and_its_evidence(shop):
    checkout = a_checkout(shop, cart=a_cart(JUICE, PEAR))
    checkout_seen(shop, checkout)
    assert texts(shop) == [SOME_JUICE, SOME_PEAR]
    nudge = Nudge.objects.of(shop).select_related("evidence").get(product_id=JUICE.id)
    assert (nudge.occurred_at, nudge.checkout) == (checkout.changed_at, hashed(checkout))
    assert nudge.source_subject == hashed(checkout)
    proof = nudge.evidence
    assert (proof.metric, proof.value, proof.rule_version) == ("carts", 1, "add-to-cart-1")
    assert proof.source_event == nudge.source_event == facts.full_checkout(shop, checkout).id


def test_a_cart_that_changes_tells_only_what_is_new(shop):
    checkout = a_checkout(shop, cart=a_cart(JUICE))
    checkout_seen(shop, checkout)
    looks_like(shop, checkout, JUICE, PEAR)
    assert Nudge.objects.of(shop).count() == Evidence.objects.of(shop).count() == 2
    assert texts(shop) == [SOME_JUICE, SOME_PEAR]


def test_what_leaves_the_cart_is_gone_with_the_next_poll_and_may_come_back(shop):
    checkout = a_checkout(shop, cart=a_cart(JUICE, PEAR))
    checkout_seen(shop, checkout)
    less = looks_like(shop, checkout, PEAR)
    assert texts(shop) == [SOME_PEAR]
    empty = looks_like(shop, less)
    assert texts(shop) == []
    looks_like(shop, empty, JUICE)
    assert texts(shop) == [SOME_JUICE]


def test_in_one_batch_the_newest_look_counts(shop):
    checkout = a_checkout(shop, cart=a_cart(JUICE))
    later = replace(
        checkout, changed_at=checkout.changed_at + timedelta(minutes=1), cart=a_cart(PEAR)
    )
    capture(facts.full_checkout(shop, later), facts.full_checkout(shop, checkout))
    consume()
    assert texts(shop) == [SOME_PEAR]


def test_a_late_look_changes_nothing_but_since_when(shop):
    # given
    checkout = a_checkout(shop, cart=a_cart(JUICE))
    later = looks_like(shop, checkout, JUICE)
    assert Nudge.objects.of(shop).get().occurred_at == later.changed_at

    # when what it looked like before comes after
    checkout_seen(shop, replace(checkout, cart=a_cart(JUICE, PEAR)))

    # then
    assert texts(shop) == [SOME_JUICE]
    assert Nudge.objects.of(shop).get().occurred_at == checkout.changed_at


def test_what_lay_in_a_cart_that_was_emptied_before_we_heard_of_it_is_not_told(shop):
    checkout = a_checkout(shop, cart=a_cart(JUICE))
    looks_like(shop, checkout)
    checkout_seen(shop, checkout)
    assert texts(shop) == []


def test_while_switched_off_nothing_is_written_down_and_what_stands_is_taken_back(shop):
    # given
    checkout = a_checkout(shop)
    checkout_seen(shop, checkout)

    # when
    switch_on_nudge(shop, NudgeType.ADD_TO_CART, is_enabled=False)
    checkout_seen(shop, a_checkout(shop, cart=a_cart(PEAR)))
    looks_like(shop, checkout)

    # then
    nudge = Nudge.objects.of(shop).get()
    assert (nudge.product_id, nudge.withdrawn_at is not None) == (JUICE.id, True)


def test_a_beacon_makes_no_nudge(shop, now):
    capture(AddedToCart(shop=shop.pk, channel=CHANNEL, product=JUICE.id, occurred_at=now))
    consume()
    assert Nudge.objects.of(shop).count() == 0


def test_a_cart_heard_of_twice_is_told_once(shop):
    checkout = a_checkout(shop)
    checkout_seen(shop, checkout)
    checkout_seen(shop, checkout)
    capture(*facts.facts_of_checkout(shop, checkout))
    consume()
    assert Nudge.objects.of(shop).count() == 1


def test_that_it_was_bought_is_the_better_news(shop):
    switch_on_nudge(shop, NudgeType.ORDER)
    checkout = a_checkout(shop)
    checkout_seen(shop, checkout)
    order = order_placed(shop, checkout)
    assert texts(shop) == ["Someone bought Apple Juice"]

    # and an order undone does not bring the cart back
    capture(facts.full_order(OrderCancelled, shop, order))
    consume()
    assert texts(shop) == []


@pytest.mark.parametrize("together", [True, False])
def test_an_order_that_overtakes_its_checkout_leaves_no_cart(together, shop, now):
    # given
    checkout = a_checkout(shop)
    order = MemoryHost(shop).place_order(checkout.id, now)
    capture(facts.full_order(OrderPlaced, shop, order))
    if not together:
        consume()

    # when
    capture(facts.full_checkout(shop, checkout))
    consume()

    # then
    assert texts(shop) == []


def test_ones_own_cart_is_not_shown_to_oneself(shop):
    checkout, visitor = a_checkout(shop), uuid7()
    checkout_seen(shop, checkout)
    assert texts(shop, checkout=hashed(checkout)) == []
    assert texts(shop, visitor=visitor) == [SOME_JUICE]
    # when the visitor's page says which checkout is theirs
    capture(viewed(shop, JUICE.id, visitor, checkout=hashed(checkout)))
    consume()
    assert texts(shop, visitor=visitor) == []


def test_who_it_was_is_said_once_they_say_so_themselves(shop):
    # given
    switch_on_nudge(shop, NudgeType.ADD_TO_CART, is_anonymous=False)
    switch_on_nudge(shop, NudgeType.ORDER, is_enabled=False)
    checkout = a_checkout(shop)
    checkout_seen(shop, checkout)
    order_placed(shop, a_checkout(shop, email="ben@example.com", city="Wroclaw", country="PL"))
    assert texts(shop) == [SOME_JUICE]

    # when they leave an address, and then say where they live
    anna = Contact(email="anna@example.com", first_name="Anna")
    named = looks_like(shop, checkout, JUICE, contact=anna)
    at_home = replace(anna, city="Wroclaw", country="PL")
    looks_like(shop, named, JUICE, contact=at_home)

    # then
    assert texts(shop) == ["Anna from Wroclaw put Apple Juice into the cart"]
    assert Nudge.objects.of(shop).filter(type=NudgeType.ADD_TO_CART).count() == 1


def test_an_erased_person_is_gone_whether_the_nudge_knew_them_or_not(shop):
    # given a cart whose shopper was known only after its nudge was made, by another product
    checkout = a_checkout(shop, user_id="VXNlcjox", email="anna@example.com")
    checkout_seen(shop, replace(checkout, contact=Contact()))
    Nudge.objects.of(shop).update(person=None)
    looks_like(shop, checkout, JUICE, PEAR)
    assert len(texts(shop)) == 2

    # when
    user = people.user_hash("VXNlcjox")
    capture(CustomerErased(shop=shop.pk, channel="", occurred_at=datetime.now(UTC), user=user))
    consume()

    # then
    assert texts(shop) == []
    assert Nudge.objects.of(shop).filter(withdrawn_at__isnull=True).count() == 0


def test_who_says_no_takes_their_cart_back(shop, now):
    checkout_seen(shop, a_checkout(shop, email="anna@example.com"))
    checkout_seen(shop, a_checkout(shop, cart=a_cart(PEAR), email="ben@example.com"))
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
    assert texts(shop) == [SOME_PEAR]


def test_a_product_withdrawn_takes_its_nudges_along(shop, now):
    checkout_seen(shop, a_checkout(shop, cart=a_cart(JUICE, PEAR)))
    capture(ProductWithdrawn(shop=shop.pk, channel="", occurred_at=now, product_id=JUICE.id))
    consume()
    assert texts(shop) == [SOME_PEAR]


def test_carts_cost_few_statements_however_many_they_are(shop, django_assert_max_num_queries):
    kind = KINDS[NudgeType.ADD_TO_CART]
    for count in (1, 40):
        checkouts = [a_checkout(shop, cart=a_cart(JUICE, PEAR)) for _ in range(count)]
        batch = [facts.full_checkout(shop, checkout) for checkout in checkouts]
        activity.fold(shop, batch)
        with django_assert_max_num_queries(7):
            kind.fold(shop, batch)
    assert Nudge.objects.of(shop).count() == 82
