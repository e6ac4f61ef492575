"""Who may write what: one review per buyer and product, verified by looking the order up."""

import hashlib
import hmac
import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection

from saleor_nudges import access, crypto, facts, people
from saleor_nudges.capture import capture
from saleor_nudges.events import CustomerErased, OrderCancelled
from saleor_nudges.events.identity import uuid7
from saleor_nudges.exceptions import BadSignature, HostUnavailable, InvalidInput, TooMany
from saleor_nudges.host import ProductCard
from saleor_nudges.host.memory import SHELVES, MemoryHost
from saleor_nudges.models import (
    OrderedProduct,
    Person,
    ProductReview,
    ReviewState,
    SeenOrder,
    WaitingEvent,
)
from saleor_nudges.reviews import admission, writing
from saleor_nudges.reviews.authors import Author, author_of, name_of
from saleor_nudges.testing import CHANNEL, JUICE, consume, make_shop
from tests.reviews.conftest import USER, buy

pytestmark = pytest.mark.django_db

PEAR = ProductCard("UHJvZHVjdDoy", "Pear Juice", "pear-juice")
SECRET = "s" * 32


def write(shop, author, now, *, product=JUICE.id, order_id="", **words):
    said = writing.words(**({"rating": 5, "text": "Great taste", "author_name": "Anna"} | words))
    return writing.create(shop, author, CHANNEL, product, said, now, order_id=order_id)


def account(user_id=USER):
    return Author(user=people.user_hash(user_id), user_id=user_id)


def stranger(shop):
    return Author(access.new_visitor(shop.pk).id)


def test_a_review_waits_for_the_seller(shop, anna, now):
    # when
    review = write(shop, anna, now, title="Yes")

    # then
    review.refresh_from_db()
    assert (review.state, review.source, review.moderated_at) == ("PENDING", "storefront", None)
    assert (review.rating, review.title, review.text) == (5, "Yes", "Great taste")
    assert (review.channel, review.product_id, review.posted_at) == (CHANNEL, JUICE.id, now)
    assert name_of(review) == "Anna"
    assert b"Anna" not in bytes(review.sealed_author)
    assert not WaitingEvent.objects.of(shop).filter(kind__startswith="review").exists()


# Verified or not.


def test_a_visitor_who_bought_is_verified_by_the_checkout_their_page_showed(shop, anna, now):
    review = write(shop, anna, now)
    assert review.is_verified is True
    assert review.order_id == SeenOrder.objects.of(shop).get().order_id
    assert review.person == Person.objects.of(shop).get()


def test_an_account_that_bought_is_verified_whatever_the_browser(shop, now):
    order = buy(shop, user_id=USER, email="anna@example.com")
    review = write(shop, account(), now)
    assert (review.is_verified, review.order_id) == (True, order.id)


def test_who_did_not_buy_may_write_and_is_not_verified(shop, anna, now):
    review = write(shop, stranger(shop), now)
    assert (review.is_verified, review.order_id) == (False, "")


def test_who_bought_something_else_is_not_verified(shop, now):
    # given
    MemoryHost(shop).shelf.products[PEAR.id] = PEAR
    buy(shop, PEAR, user_id=USER)

    # then
    assert write(shop, account(), now).is_verified is False
    assert write(shop, account(), now, product=PEAR.id).is_verified is True


def test_an_order_from_before_our_rows_is_asked_of_the_shop(shop, now):
    # given: the order is known, what was in it is not
    order = buy(shop, user_id=USER)
    OrderedProduct.objects.of(shop).delete()

    # then
    assert write(shop, account(), now).order_id == order.id


@pytest.mark.parametrize("status", ["CANCELED", "REFUNDED", "RETURNED", "EXPIRED"])
@pytest.mark.parametrize("is_old", [False, True])
def test_an_order_undone_verifies_nothing(is_old, status, shop, now):
    # given: a refund may leave the shop's own status as it was
    order = buy(shop, user_id=USER)
    capture(facts.full_order(facts.STATUSES[status], shop, order))
    consume()
    if is_old:
        OrderedProduct.objects.of(shop).delete()

    # then
    assert write(shop, account(), now).is_verified is False


def test_a_purchase_of_another_shop_verifies_nothing(shop, now):
    other = make_shop("other.example.com")
    buy(other, user_id=USER)
    assert write(shop, account(), now).is_verified is False


def test_the_named_order_is_looked_at_in_the_shop(shop, now):
    # given: an order we never heard of
    order = buy(shop, user_id=USER)
    SeenOrder.objects.of(shop).delete()
    OrderedProduct.objects.of(shop).delete()

    # then
    review = write(shop, account(), now, order_id=order.id)
    assert (review.is_verified, review.order_id) == (True, order.id)


@pytest.mark.parametrize(
    ("_case", "who", "order"),
    [
        ("somebody_elses", "VXNlcjoy", "theirs"),
        ("unknown", USER, "T3JkZXI6MQ=="),
        ("nonsense", USER, "\0"),
        ("without_the_product", USER, "pear"),
        ("cancelled", USER, "cancelled"),
    ],
)
def test_an_order_that_is_not_theirs_is_refused_in_the_same_words(_case, who, order, shop, now):
    # given
    MemoryHost(shop).shelf.products[PEAR.id] = PEAR
    orders = {"theirs": buy(shop, user_id=USER).id, "pear": buy(shop, PEAR, user_id=USER).id}
    cancelled = buy(shop, user_id=USER)
    SHELVES[shop.key].orders[cancelled.id] = _with_status(cancelled, "CANCELED")
    orders["cancelled"] = cancelled.id

    # when
    with pytest.raises(InvalidInput) as refused:
        write(shop, account(who), now, order_id=orders.get(order, order))

    # then
    assert refused.value.field == "orderId"
    assert str(refused.value) == "You have no such order with this product."
    assert ProductReview.objects.of(shop).count() == 0


def _with_status(order, status):
    from dataclasses import replace

    return replace(order, status=status)


def test_a_visitor_may_name_the_order_of_their_own_checkout(shop, anna, now):
    order_id = SeenOrder.objects.of(shop).get().order_id
    assert write(shop, anna, now, order_id=order_id).is_verified is True


def test_while_the_shop_is_away_nobody_writes(shop, anna, now):
    SHELVES[shop.key].is_away = True
    with pytest.raises(HostUnavailable):
        write(shop, anna, now)


# One per buyer and product.


@pytest.mark.parametrize("_case", ["visitor", "account", "visitor_then_account", "stranger"])
def test_a_second_review_of_the_same_buyer_is_refused(_case, shop, now):
    # given
    visitor = access.new_visitor(shop.pk).id
    buy(shop, visitor=visitor, user_id=USER, email="anna@example.com")
    signed_in = Author(visitor, people.user_hash(USER), USER)
    first, second = {
        "visitor": (Author(visitor), Author(visitor)),
        "account": (account(), account()),
        "visitor_then_account": (Author(visitor), account()),
        "stranger": (Author(uuid := uuid7()), Author(uuid)),
    }[_case]
    write(shop, first, now)

    # then
    for author in (second, signed_in if _case != "stranger" else second):
        with pytest.raises(InvalidInput) as refused:
            write(shop, author, now, rating=1)
        assert refused.value.field == "productId"
    assert [review.rating for review in ProductReview.objects.of(shop)] == [5]


def test_another_product_and_another_shop_are_another_review(shop, now):
    # given
    other = make_shop("other.example.com")
    MemoryHost(shop).shelf.products[PEAR.id] = PEAR

    # when
    write(shop, account(), now)
    write(shop, account(), now, product=PEAR.id)
    write(other, account(), now)

    # then
    assert ProductReview.objects.of(shop).count() == 2
    assert ProductReview.objects.of(other).count() == 1


def test_two_of_the_same_moment_are_one(shop, now, monkeypatch):
    # given: the second looks before the first is kept
    write(shop, account(), now)
    monkeypatch.setattr(writing, "written_by", lambda *_: _nobody())

    # then
    with pytest.raises(InvalidInput) as refused:
        write(shop, account(), now)
    assert refused.value.field == "productId"
    assert isinstance(refused.value.__cause__, IntegrityError)


def _nobody():
    from django.db.models import Q

    return Q(pk=None)


@pytest.mark.django_db(transaction=True)
def test_side_by_side_one_is_kept(shop, now):
    # given
    start, outcomes = threading.Barrier(4), []

    def run():
        start.wait()
        try:
            outcomes.append(write(shop, account(), now).pk)
        except InvalidInput as error:
            outcomes.append(error.field)
        finally:
            connection.close()

    # when
    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    # then
    assert outcomes.count("productId") == 3
    assert ProductReview.objects.of(shop).count() == 1


# Bad input.


@pytest.mark.parametrize(
    ("_case", "changes", "field"),
    [
        ("no_stars", {"rating": 0}, "rating"),
        ("six_stars", {"rating": 6}, "rating"),
        ("minus_one", {"rating": -1}, "rating"),
        ("long_text", {"text": "x" * 5001}, "text"),
        ("ten_megabytes", {"text": "x" * 10_000_000}, "text"),
        ("long_title", {"title": "x" * 201}, "title"),
        ("long_name", {"author_name": "x" * 61}, "authorName"),
        ("unknown_product", {"product": "UHJvZHVjdDo5OQ=="}, "productId"),
        ("no_product", {"product": ""}, "productId"),
        ("product_with_nul", {"product": "a\0"}, "productId"),
        ("long_product", {"product": "x" * 256}, "productId"),
    ],
)
def test_bad_input_is_refused_by_name_and_nothing_is_kept(_case, changes, field, shop, now):
    with pytest.raises(InvalidInput) as refused:
        write(shop, account(), now, **changes)
    assert refused.value.field == field
    assert ProductReview.objects.of(shop).count() == 0
    assert Person.objects.of(shop).count() == 0


@pytest.mark.parametrize("channel", ["", "x" * 256, "a\0"])
def test_a_channel_that_cannot_be_is_refused(channel, shop, now):
    with pytest.raises(InvalidInput) as refused:
        writing.create(shop, account(), channel, JUICE.id, writing.words(5), now)
    assert refused.value.field == "channel"


def test_a_product_that_is_not_for_sale_in_the_channel_is_refused(shop, now):
    MemoryHost(shop).shelf.unpublished.add((CHANNEL, JUICE.id))
    with pytest.raises(InvalidInput) as refused:
        write(shop, account(), now)
    assert refused.value.field == "productId"


# Who it is.


def signed(user_id, secret=SECRET):
    return f"{user_id}.{hmac.new(secret.encode(), user_id.encode(), hashlib.sha256).hexdigest()}"


def test_an_account_is_believed_only_signed(shop):
    # given
    shop.sealed_storefront_secret = crypto.seal(SECRET)

    # then
    assert author_of(shop, signed_user=signed(USER)) == account()
    for forged in (USER, f"{USER}.", signed(USER, "t" * 32), f"é.{'0' * 64}", "."):
        with pytest.raises(BadSignature):
            author_of(shop, signed_user=forged)


def test_without_a_secret_nobody_is_believed(shop):
    with pytest.raises(BadSignature):
        author_of(shop, signed_user=signed(USER, ""))


def test_a_token_of_another_shop_is_refused(shop):
    other = make_shop("other.example.com")
    token = access.visitor_token(access.new_visitor(other.pk))
    with pytest.raises(BadSignature):
        author_of(shop, token=token)


def test_nobody_at_all_is_refused(shop):
    with pytest.raises(InvalidInput) as refused:
        author_of(shop)
    assert refused.value.field == "token"


def test_the_account_the_shop_itself_knows_needs_no_signature(shop):
    assert author_of(shop, account=USER) == account()


# Erased.


def test_whoever_is_erased_leaves_only_their_words(shop, now):
    # given
    buy(shop, user_id=USER, email="anna@example.com")
    review = write(shop, account(), now)
    review.state = ReviewState.APPROVED
    review.save()

    # when
    capture(
        CustomerErased(
            shop=shop.pk, channel="", occurred_at=now, user=people.user_hash(USER), revision="1"
        )
    )
    consume()

    # then
    review.refresh_from_db()
    assert (review.rating, review.text, review.state) == (5, "Great taste", "APPROVED")
    assert (review.user, review.buyer, review.visitor, review.order_id) == ("", "", None, "")
    assert (review.person, review.sealed_author, name_of(review)) == (None, None, "")
    assert review.forgotten_at is not None


def test_a_guest_who_is_erased_by_address_is_forgotten_too(shop, anna, now):
    review = write(shop, anna, now)
    people.erase(Person.objects.of(shop).get())
    review.refresh_from_db()
    assert (name_of(review), review.visitor, review.order_id) == ("", None, "")


def test_somebody_elses_erasure_leaves_a_review_alone(shop, anna, now):
    review = write(shop, anna, now)
    before = ProductReview.objects.of(shop).values().get()
    other = make_shop("other.example.com")
    buy(other)
    people.erase(Person.objects.of(other).get())
    assert ProductReview.objects.of(shop).values().get() == before
    assert name_of(review) == "Anna"


def test_a_purchase_undone_verifies_a_review_no_longer(shop, now):
    # given
    order = buy(shop, user_id=USER)
    review = write(shop, account(), now)
    assert review.is_verified

    # when
    capture(facts.full_order(OrderCancelled, shop, order))
    consume()

    # then
    review.refresh_from_db()
    assert review.is_verified is False


# How often.


def test_one_visitor_writes_five_at_once_and_then_one_a_minute(shop, monkeypatch):
    # given
    clock = [1000.0]
    monkeypatch.setattr(admission.time, "monotonic", lambda: clock[0])
    author = stranger(shop)

    # then
    for _ in range(5):
        admission.admit(shop.pk, author, "")
    with pytest.raises(TooMany) as refused:
        admission.admit(shop.pk, author, "")
    assert refused.value.wait == pytest.approx(50)
    admission.admit(shop.pk, stranger(shop), "")
    clock[0] += 50
    admission.admit(shop.pk, author, "")


def test_one_account_in_many_browsers_is_one(shop):
    for _ in range(5):
        admission.admit(shop.pk, account(), "")
    with pytest.raises(TooMany):
        admission.admit(shop.pk, Author(uuid7(), people.user_hash(USER), USER), "")


def test_one_address_is_limited_whoever_writes(shop):
    for _ in range(50):
        admission.admit(shop.pk, stranger(shop), "192.0.2.1")
    with pytest.raises(TooMany):
        admission.admit(shop.pk, stranger(shop), "192.0.2.1")
    admission.admit(shop.pk, stranger(shop), "192.0.2.2")


def test_one_shop_is_limited_and_no_other(shop):
    for _ in range(2500):
        admission.admit(shop.pk, stranger(shop), "")
    with pytest.raises(TooMany):
        admission.admit(shop.pk, stranger(shop), "")
    admission.admit(uuid7(), stranger(shop), "")


def test_no_limit_is_none(shop, settings):
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"LIMIT_REVIEWS": 0.0}
    author = stranger(shop)
    for _ in range(100):
        admission.admit(shop.pk, author, "192.0.2.1")


def test_old_words_do_not_make_a_review_young(shop, now):
    review = write(shop, account(), now - timedelta(days=3))
    assert review.posted_at == now - timedelta(days=3)
