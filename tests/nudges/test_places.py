"""Where a buyer is: told only as exactly as enough other buyers allow, and not of who refuses."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saleor_nudges import people
from saleor_nudges.capture import capture
from saleor_nudges.events import Contact, FeaturingAllowed, FeaturingRefused
from saleor_nudges.models import Nudge, NudgeConfig, NudgeSettings, NudgeType, Person
from saleor_nudges.nudges import boards, places
from saleor_nudges.nudges.choose import Ask, choose
from saleor_nudges.testing import (
    CHANNEL,
    a_checkout,
    checkout_seen,
    consume,
    make_shop,
    order_placed,
    switch_on_nudge,
)
from tests.nudges.rows import MINUTE, a_person, ago, deed

pytestmark = pytest.mark.django_db

A = "UHJvZHVjdDoxMDE="
WROCLAW = {"name": "Anna", "city": "Wroclaw", "region": "", "country": "PL"}
KRAKOW = WROCLAW | {"city": "Kraków"}
WORDS = {"en": "{{ name }}|{{ city }}|{{ region }}|{{ country }}|{{ place }}"}
NOBODY = "||||"


@pytest.fixture
def shop():
    shop = make_shop()
    # Its own measure of enough: k is 5 unless the seller says otherwise.
    switch_on_nudge(shop, NudgeType.ORDER, is_anonymous=False, texts=WORDS)
    return shop


def cards(shop, channel=CHANNEL):
    return boards.build(shop, channel, "", datetime.now(UTC)).cards["ORDER"]


def said(shop):
    return [card.texts["en"] for card in cards(shop)]


def buyers(shop, count, who=WROCLAW, **fields):
    return [deed(shop, NudgeType.ORDER, A, who=who, **fields) for _ in range(count)]


# How exactly.


@pytest.mark.parametrize(
    ("here", "told"),
    [(4, "Anna||||"), (5, "Anna|Wroclaw||Poland|Wroclaw"), (6, "Anna|Wroclaw||Poland|Wroclaw")],
)
def test_a_city_is_named_when_five_buyers_share_it(here, told, shop):
    buyers(shop, here)
    assert set(said(shop)) == {told}


def test_until_then_its_country_is_when_five_buyers_share_that(shop):
    buyers(shop, 3)
    buyers(shop, 2, KRAKOW)
    assert set(said(shop)) == {"Anna|||Poland|Poland"}


def test_a_region_comes_between(shop):
    boston = {"name": "", "city": "Boston", "region": "MA", "country": "US"}
    buyers(shop, 2, boston)
    buyers(shop, 3, boston | {"city": "Salem"})
    assert set(said(shop)) == {"||MA|the United States|MA"}
    buyers(shop, 3, boston)
    assert set(said(shop)) == {"||MA|the United States|MA", "|Boston|MA|the United States|Boston"}


def test_a_city_of_the_same_name_elsewhere_is_another_one(shop):
    springfield = {"name": "", "city": "Springfield", "region": "IL", "country": "US"}
    buyers(shop, 4, springfield)
    buyers(shop, 4, springfield | {"region": "MO"})
    assert set(said(shop)) == {"|||the United States|the United States"}


def test_capitals_and_spaces_make_no_other_city(shop):
    buyers(shop, 3)
    buyers(shop, 2, WROCLAW | {"city": " wroclaw "})
    assert {text.partition("|")[2].partition("|")[0].strip() for text in said(shop)} == {
        "Wroclaw",
        "wroclaw",
    }


def test_one_buyer_with_many_orders_is_one(shop):
    anna = a_person(shop)
    buyers(shop, 40, person=anna)
    buyers(shop, 3)
    assert set(said(shop)) == {"Anna||||"}
    buyers(shop, 1)
    assert set(said(shop)) == {"Anna|Wroclaw||Poland|Wroclaw"}


@pytest.mark.parametrize(
    ("_case", "changes"),
    [
        ("taken_back", {"withdrawn_at": ago(MINUTE)}),
        ("before_the_window", {"occurred_at": ago(timedelta(days=7, minutes=1))}),
        ("in_another_channel", {"channel": "other"}),
        ("of_nobody_known", {"person_id": None}),
        ("not_bought_only_put_into_a_cart", {"type": NudgeType.ADD_TO_CART}),
    ],
)
def test_who_does_not_count(_case, changes, shop):
    [last, *_] = buyers(shop, 5)
    assert set(said(shop)) == {"Anna|Wroclaw||Poland|Wroclaw"}
    Nudge.objects.of(shop).filter(pk=last.pk).update(**changes)
    assert set(said(shop)) <= {"Anna||||", NOBODY}


def test_buyers_of_another_shop_do_not_count(shop):
    buyers(make_shop("other.example.com"), 5)
    buyers(shop, 4)
    assert set(said(shop)) == {"Anna||||"}


def test_the_seller_says_how_many_are_enough(shop):
    buyers(shop, 2)
    NudgeSettings.objects.of(shop).create(shop=shop, channel=CHANNEL, buyers_per_place=2)
    assert set(said(shop)) == {"Anna|Wroclaw||Poland|Wroclaw"}


def test_each_kind_asks_for_buyers_of_its_own_window(shop):
    # given four buyers of today and one of the day before yesterday
    switch_on_nudge(shop, NudgeType.ADD_TO_CART, texts=WORDS)
    buyers(shop, 4)
    buyers(shop, 1, occurred_at=ago(timedelta(days=2)))
    deed(shop, NudgeType.ADD_TO_CART, A, who=WROCLAW)

    # then a cart of today is of a city without enough buyers
    built = boards.build(shop, CHANNEL, "", datetime.now(UTC)).cards
    assert {card.texts["en"] for card in built["ORDER"]} == {"Anna|Wroclaw||Poland|Wroclaw"}
    assert [card.texts["en"] for card in built["ADD_TO_CART"]] == [NOBODY]


TOWNS = (
    {"city": "Boston", "region": "MA", "country": "US"},
    {"city": "Salem", "region": "MA", "country": "US"},
    {"city": "Salem", "region": "OR", "country": "US"},
    {"city": "Salem", "region": "", "country": "DE"},
    {"city": "", "region": "", "country": "DE"},
    {"city": "Nowhere", "region": "", "country": ""},
)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    orders=st.lists(
        st.tuples(st.integers(0, 7), st.sampled_from(TOWNS), st.booleans(), st.booleans()),
        max_size=30,
    ),
    least=st.integers(1, 4),
)
def test_a_place_is_never_named_with_fewer_buyers(shop, orders, least):
    # given random orders of a few people, some old, some taken back
    Nudge.objects.of(shop).all().delete()
    NudgeSettings.objects.of(shop).update_or_create(
        shop=shop, channel=CHANNEL, defaults={"buyers_per_place": least}
    )
    known = [a_person(shop, f"{number}@example.com") for number in range(8)]
    standing = []
    for person, town, is_old, is_gone in orders:
        age = timedelta(days=8) if is_old else MINUTE
        gone = {"withdrawn_at": datetime.now(UTC)} if is_gone else {}
        who = {"name": "", **town}
        deed(shop, NudgeType.ORDER, A, who=who, person=known[person], occurred_at=ago(age), **gone)
        if not (is_old or is_gone):
            standing.append((person, town))

    # when
    told = [text.split("|")[1:4] for text in said(shop)]

    # then whatever is named together is shared by enough different people
    codes = {"the United States": "US", "Germany": "DE", "": ""}
    assert len(told) == len(standing)
    for city, region, country in told:
        named = {"city": city, "region": region, "country": codes[country]}
        named = {level: name for level, name in named.items() if name}
        sharing = {
            person
            for person, town in standing
            if all(town[level] == name for level, name in named.items())
        }
        assert not named or len(sharing) >= least


def test_a_card_says_a_country_only_for_choosing_and_only_with_enough_buyers(shop):
    buyers(shop, 4)
    assert {card.country for card in cards(shop)} == {""}
    buyers(shop, 1)
    assert {card.country for card in cards(shop)} == {"PL"}
    assert "PL" not in str([card.body for card in cards(shop)])


@pytest.mark.parametrize(
    ("code", "language", "name"),
    [
        ("PL", "en", "Poland"),
        ("NL", "en", "the Netherlands"),
        ("NL", "en-gb", "the Netherlands"),
        ("PL", "de", "Polen"),
        ("DE", "pl", "Niemcy"),
        ("DE", "pt-br", "Alemanha"),
        ("DE", "xx-yy", "Germany"),
        ("DE", "not a language", "Germany"),
        ("ZZZ", "en", ""),
        ("12", "en", ""),
        ("", "en", ""),
    ],
)
def test_countries_have_names(code, language, name):
    assert places.country_name(code, language) == name


def test_where_somebody_is_cannot_be_read_from_a_row(shop):
    nudge = deed(shop, NudgeType.ORDER, A, who=WROCLAW)
    kept = [nudge.city_key, nudge.region_key, nudge.country_key]
    assert [len(key) for key in kept] == [16, 0, 16]
    assert "wroclaw" not in str(vars(nudge)).lower()


def test_erasing_a_person_takes_the_keys_away(shop):
    nudge = deed(shop, NudgeType.ORDER, A, who=WROCLAW)
    people.erase(nudge.person)
    nudge.refresh_from_db()
    assert (nudge.city_key, nudge.region_key, nudge.country_key) == ("", "", "")


# Names.


def bought(shop, **contact):
    checkout = a_checkout(shop, **{"email": "anna@example.com", "first_name": "Anna"} | contact)
    checkout_seen(shop, checkout)
    return order_placed(shop, checkout)


def feed(shop, **ask):
    found = choose(shop, Ask(**{"channel": CHANNEL, "page": "HOME"} | ask), datetime.now(UTC))
    return [(shown.card.id, shown.text) for shown in found.nudges], found.withdrawn


def answered(shop, kind, *, at=None, email="anna@example.com"):
    now = at or datetime.now(UTC)
    fact = kind(
        shop=shop.pk,
        channel=CHANNEL,
        occurred_at=now,
        revision=now.isoformat(),
        source="account page",
        contact=Contact(email=email),
    )
    capture(fact)
    consume()


def test_a_name_is_said_only_where_the_seller_has_turned_anonymous_off(shop):
    bought(shop)
    [(_, text)], _ = feed(shop)
    assert text == "Anna||||"
    switch_on_nudge(shop, NudgeType.ORDER, is_anonymous=True)
    [(_, text)], _ = feed(shop)
    assert text == NOBODY


def test_who_refuses_is_named_no_more_and_pages_take_the_name_away(shop):
    # given a page that names Anna and where she is
    NudgeSettings.objects.of(shop).create(shop=shop, channel=CHANNEL, buyers_per_place=1)
    bought(shop, city="Wroclaw", country="PL")
    [(old, text)], _ = feed(shop)
    assert text == "Anna|Wroclaw||Poland|Wroclaw"

    # when she refuses
    answered(shop, FeaturingRefused)

    # then the next poll takes it away; that somebody bought it stays true
    [(new, text)], gone = feed(shop, shown=(old,))
    assert (text, gone) == (NOBODY, (old,))
    assert new != old
    assert feed(shop, shown=(new,))[1] == ()


def test_who_refused_before_they_bought_is_not_named(shop):
    answered(shop, FeaturingRefused, email="ANNA@example.com")
    bought(shop)
    assert [text for _, text in feed(shop)[0]] == [NOBODY]


def test_who_changes_their_mind_is_named_again(shop):
    bought(shop)
    answered(shop, FeaturingRefused, at=ago(2 * MINUTE))
    answered(shop, FeaturingAllowed, at=ago(MINUTE))
    assert [text for _, text in feed(shop)[0]] == ["Anna||||"]


def test_a_yes_from_before_the_no_changes_nothing(shop):
    bought(shop)
    answered(shop, FeaturingRefused, at=ago(MINUTE))
    answered(shop, FeaturingAllowed, at=ago(2 * MINUTE))
    assert [text for _, text in feed(shop)[0]] == [NOBODY]


def test_others_are_still_named(shop):
    bought(shop)
    answered(shop, FeaturingRefused, email="bert@example.com")
    assert [text for _, text in feed(shop)[0]] == ["Anna||||"]
    assert Person.objects.of(shop).filter(refuses_featuring_at__isnull=False).count() == 1


def test_a_box_in_the_checkout_is_a_refusal(shop):
    from dataclasses import replace

    checkout = a_checkout(shop, email="anna@example.com", first_name="Anna")
    checkout_seen(shop, replace(checkout, refuses_featuring=True))
    order_placed(shop, checkout)
    assert [text for _, text in feed(shop)[0]] == [NOBODY]


def test_a_box_that_is_not_ticked_takes_no_refusal_back(shop):
    answered(shop, FeaturingRefused, at=ago(timedelta(days=1)))
    bought(shop)
    assert [text for _, text in feed(shop)[0]] == [NOBODY]
    assert NudgeConfig.objects.of(shop).get(type=NudgeType.ORDER).is_anonymous is False
