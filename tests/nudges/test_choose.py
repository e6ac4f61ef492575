"""Which nudges a visitor sees, and above all which not."""

from datetime import UTC, datetime, timedelta

import pytest

from saleor_nudges import crypto, people
from saleor_nudges.capture import capture
from saleor_nudges.events import Contact
from saleor_nudges.events.identity import uuid7
from saleor_nudges.host import ProductCard
from saleor_nudges.models import Nudge, NudgeConfig, NudgeType, Shop
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

ME = uuid7()


@pytest.fixture
def shop():
    shop = make_shop()
    switch_on_nudge(shop, NudgeType.ORDER)
    return shop


def feed(shop, **ask):
    return choose(shop, Ask(**{"channel": CHANNEL, "page": "HOME"} | ask), datetime.now(UTC))


def ids(shop, **ask):
    return [shown.card.id for shown in feed(shop, **ask).nudges]


def bought(shop, card=JUICE, **contact):
    checkout = a_checkout(shop, cart=a_cart(card), **{"email": "anna@example.com"} | contact)
    checkout_seen(shop, checkout)
    order_placed(shop, checkout)
    return checkout


# Off.


def test_everything_is_off_until_switched_on():
    shop = make_shop(tracking_since=None)
    bought(shop)
    found = feed(shop)
    assert (found.nudges, found.enabled, found.as_json()["pollAfter"]) == ((), False, None)
    assert NudgeConfig.objects.of(shop).count() == 0


@pytest.mark.parametrize(
    ("_case", "changes"),
    [
        ("never", {"tracking_since": None}),
        ("not_yet", {"tracking_since": datetime.now(UTC) + timedelta(hours=1)}),
        ("removed", {"is_active": False}),
    ],
)
def test_a_shop_that_does_not_watch_shows_nothing(_case, changes, shop):
    bought(shop)
    assert len(feed(shop).nudges) == 1
    Shop.objects.filter(pk=shop.pk).update(**changes)
    assert feed(Shop.objects.get(pk=shop.pk)).nudges == ()


def test_only_on_the_pages_the_seller_chose(shop):
    bought(shop)
    switch_on_nudge(shop, NudgeType.ORDER, pages=["CART"])
    assert len(ids(shop, page="CART")) == 1
    assert ids(shop, page="HOME") == []


def test_only_in_its_own_channel(shop):
    bought(shop)
    assert ids(shop, channel="other-channel") == []


# Not one's own.


def test_nothing_of_the_own_checkout_by_its_hash(shop):
    mine = bought(shop)
    assert ids(shop, checkout=crypto.checkout_hash(mine.id)) == []
    assert len(ids(shop, checkout=crypto.checkout_hash("Checkout:other"))) == 1


def test_nothing_of_the_own_person_by_another_checkout(shop):
    # given
    bought(shop)

    # when the same person has begun another cart
    another = a_checkout(shop, email="anna@example.com")
    checkout_seen(shop, another)

    # then
    assert ids(shop, checkout=crypto.checkout_hash(another.id)) == []


def test_nothing_of_the_own_checkout_by_the_visitors_token(shop):
    # given a visitor whose page once said which checkout is theirs
    mine = bought(shop)
    capture(viewed(shop, JUICE.id, ME, checkout=crypto.checkout_hash(mine.id)))
    consume()

    # then
    assert ids(shop, visitor=ME) == []
    assert len(ids(shop, visitor=uuid7())) == 1


def test_nothing_of_the_own_person_by_the_visitors_token(shop):
    bought(shop)
    another = a_checkout(shop, email="ANNA@example.com")
    checkout_seen(shop, another)
    capture(viewed(shop, JUICE.id, ME, checkout=crypto.checkout_hash(another.id)))
    consume()
    assert ids(shop, visitor=ME) == []


def test_nothing_of_the_own_account(shop):
    bought(shop, user_id="VXNlcjox")
    assert ids(shop, user=people.user_hash("VXNlcjox")) == []
    assert len(ids(shop, user=people.user_hash("VXNlcjoy"))) == 1


def test_nothing_of_the_own_account_that_was_a_guest_then(shop):
    bought(shop)
    people.resolve(shop, Contact(email="anna@example.com", user_id="VXNlcjox"))
    assert ids(shop, user=people.user_hash("VXNlcjox")) == []


def test_an_order_of_nobody_known_is_told_to_those_who_say_who_they_are(shop):
    bought(shop, email="")
    assert len(ids(shop, visitor=ME, checkout="0" * 64, user=people.user_hash("x"))) == 1


# Not again, not withdrawn, not too many.


def test_what_was_shown_is_not_shown_again(shop):
    for number in range(3):
        bought(shop, email=f"anna{number}@example.com")
    first = ids(shop, count=2)
    rest = ids(shop, count=20, exclude=tuple(first))
    assert (len(first), len(rest)) == (2, 1)
    assert set(first) & set(rest) == set()


def test_what_was_withdrawn_is_not_shown(shop):
    bought(shop)
    Nudge.objects.of(shop).update(withdrawn_at=datetime.now(UTC))
    assert ids(shop) == []


@pytest.mark.parametrize(
    ("asked", "got"), [(-1, 0), (0, 0), (1, 1), (3, 3), (20, 20), (21, 20), (999, 20)]
)
def test_as_many_as_asked_and_at_most_twenty(asked, got, shop):
    for number in range(22):
        bought(shop, email=f"anna{number}@example.com")
    found = ids(shop, count=asked)
    assert (len(found), len(set(found))) == (got, got)


def test_the_newest_come_first_and_those_of_this_product_before_all(shop):
    pear = ProductCard("UHJvZHVjdDoy", "Pear Juice", "pear-juice")
    bought(shop, JUICE, email="a@example.com")
    bought(shop, pear, email="b@example.com")
    bought(shop, JUICE, email="c@example.com")
    bought(shop, pear, email="d@example.com")
    products = [shown.card.product for shown in feed(shop, product=JUICE.id, count=4).nudges]
    assert products == [JUICE.id, JUICE.id, pear.id, pear.id]


def test_a_measured_number_is_shown_only_beside_its_product(shop):
    switch_on_nudge(shop, NudgeType.ORDER, is_enabled=False)
    switch_on_nudge(shop, NudgeType.PRODUCT_VIEW)
    capture(*[viewed(shop, JUICE.id) for _ in range(9)])
    consume()
    assert len(ids(shop, page="PRODUCT", product=JUICE.id)) == 1
    assert ids(shop, page="PRODUCT", product="UHJvZHVjdDoy") == []
    assert ids(shop, page="PRODUCT") == []


# Words.


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Someone bought Apple Juice"),
        ("de", "Jemand hat Apple Juice gekauft"),
        ("DE-at", "Jemand hat Apple Juice gekauft"),
        ("pl", "Ktoś: zakup Apple Juice"),
        ("xx", "Someone bought Apple Juice"),
        ("", "Someone bought Apple Juice"),
    ],
)
def test_in_the_visitors_language_or_in_english(language, text, shop):
    bought(shop)
    assert [shown.text for shown in feed(shop, language=language).nudges] == [text]


@pytest.mark.parametrize(
    ("language", "text"),
    [("de", "Neu: Apple Juice"), ("pt-br", "Vendido!"), ("en", "Someone bought Apple Juice")],
)
def test_the_sellers_words_before_ours(language, text, shop):
    bought(shop)
    switch_on_nudge(shop, NudgeType.ORDER, texts={"de": "Neu: {{ product }}", "pt-br": "Vendido!"})
    assert [shown.text for shown in feed(shop, language=language).nudges] == [text]


def test_a_slip_in_the_sellers_words_costs_only_their_words(shop):
    bought(shop)
    broken = "{{ product | nosuchfilter }}"
    NudgeConfig.objects.of(shop).update(texts={"en": broken})
    assert [shown.text for shown in feed(shop).nudges] == ["Someone bought Apple Juice"]


def test_what_a_page_reads(shop):
    bought(shop, city="Wroclaw")
    answer = feed(shop).as_json()
    orders = Nudge.objects.of(shop).filter(type=NudgeType.ORDER)
    nudge = orders.select_related("evidence").get()
    assert answer["pollAfter"] == 5
    assert answer["nudges"] == [
        {
            "id": nudge.public_id,
            "type": "ORDER",
            "category": "RECENT_PURCHASE",
            "title": "Apple Juice",
            "text": "Someone bought Apple Juice",
            "tag": "Recently bought",
            "product": {"id": JUICE.id, "name": "Apple Juice", "slug": "apple-juice"},
            "image": None,
            "href": "https://shop.example.com/default-channel/products/apple-juice",
            "occurredAt": nudge.occurred_at.isoformat(),
            "showTime": True,
            "highlight": "#16803c",
            "icon": "M6 8h12l1 12H5L6 8Zm3 0V7a3 3 0 0 1 6 0v1",
            "evidence": {
                "metric": "orders",
                "value": 1,
                "windowSeconds": None,
                "computedAt": nudge.evidence.computed_at.isoformat(),
            },
            "slot": "TOAST",
        }
    ]
    assert len(nudge.public_id) == 8
