"""What comes first of one kind: this product, what is like it, then the whole shop."""

from datetime import timedelta

import pytest

from saleor_nudges.events.identity import uuid7
from saleor_nudges.nudges.cards import Live
from tests.nudges.hands import NOW, a_board, a_card, feed, ids

ORDER, SEEN, LIVE = "ORDER", "PRODUCT_VIEW", "LIVE_VISITORS"
DRINKS, JUICES, TEAS = "drinks", "juices", "teas"
SUMMER = "summer"


def of_channel():
    return a_board(
        a_card("shop", ORDER, ""),
        a_card("bread", ORDER, categories=("food",)),
        a_card("tea", ORDER, categories=(TEAS, DRINKS)),
        a_card("tent", ORDER, categories=("camping",), collections=("winter", SUMMER)),
        a_card("pear", ORDER, categories=(JUICES, DRINKS)),
        a_card("fresh", ORDER, categories=("pressed", JUICES, DRINKS)),
        a_card("apple", ORDER, "P", categories=(JUICES, DRINKS)),
    )


def of_product():
    about = {"categories": (JUICES, DRINKS), "collections": (SUMMER,)}
    return a_board(a_card("apple", ORDER, "P", categories=(JUICES, DRINKS)), **about)


@pytest.mark.parametrize(
    ("_case", "boards", "asked", "expected"),
    [
        (
            "beside_a_product_its_own_its_category_its_collections_the_rest",
            (of_channel(), {"P": of_product()}),
            {"product": "P"},
            ["apple", "pear", "fresh", "tent", "shop", "bread", "tea"],
        ),
        (
            "on_a_category_page_those_of_the_category",
            (of_channel(),),
            {"category": DRINKS},
            ["tea", "pear", "fresh", "apple", "shop", "bread", "tent"],
        ),
        (
            "the_category_of_the_page_before_that_of_its_product",
            (of_channel(), {"P": of_product()}),
            {"product": "P", "category": TEAS},
            ["apple", "tea", "tent", "shop", "bread", "pear", "fresh"],
        ),
        (
            "elsewhere_the_newest",
            (of_channel(),),
            {},
            ["shop", "bread", "tea", "tent", "pear", "fresh", "apple"],
        ),
        (
            "of_a_product_that_belongs_nowhere",
            (of_channel(), {"Q": a_board(a_card("own", ORDER, "Q"))}),
            {"product": "Q"},
            ["own", "shop", "bread", "tea", "tent", "pear", "fresh", "apple"],
        ),
    ],
)
def test_the_nearest_come_first(_case, boards, asked, expected):
    assert ids(*boards, **asked) == expected


def test_the_visitors_country_comes_first_and_hides_nobody():
    countries = {"one": "DE", "two": "PL", "three": "", "four": "PL", "five": "DE"}
    board = a_board(*(a_card(name, ORDER, country=code) for name, code in countries.items()))
    assert ids(board, country="PL") == ["two", "four", "one", "three", "five"]
    assert ids(board, country="FR") == ids(board) == list(countries)


def test_the_country_matters_less_than_the_product():
    channel = a_board(a_card("far", ORDER, country="PL"))
    special = a_board(a_card("near", ORDER, "P", country="DE"))
    assert ids(channel, {"P": special}, product="P", country="PL") == ["near", "far"]


def test_on_a_listing_page_each_product_has_one_beside_it():
    # given products with several, one and none, and one that is theirs
    boards = {
        name: a_board(*(a_card(f"{name}{number}", ORDER, name) for number in range(count)))
        for name, count in (("a", 3), ("b", 0), ("c", 1))
    }
    mine = a_card("d0", ORDER, "d", own=frozenset({"me"}))
    boards["d"] = a_board(mine, a_card("d1", ORDER, "d"))
    general = a_board(a_card("shop", ORDER, ""))

    # then
    asked = {"listed": ("a", "b", "c", "d"), "user": "me", "exclude": ("a0",)}
    shown = feed(general, boards, **asked).nudges
    assert [(one.card.id, one.slot) for one in shown] == [
        ("shop", "TOAST"),
        ("a1", "INLINE"),
        ("c0", "INLINE"),
        ("d1", "INLINE"),
    ]


# Devices.


@pytest.mark.parametrize(
    ("device", "is_shown"), [("IOS", True), ("DESKTOP", False), ("OTHER", False), ("", True)]
)
def test_only_on_the_devices_the_seller_chose(device, is_shown):
    board = a_board(a_card("one", ORDER), devices=("IOS", "ANDROID"))
    found = feed(board, device=device)
    assert (len(found.nudges), found.enabled) == ((1, True) if is_shown else (0, False))


# Live numbers.


def a_live(**fields):
    defaults = {
        "id": "live-one",
        "type": LIVE,
        "product": "P",
        "body": {"id": "live-one", "type": LIVE},
        "templates": {"en": "{{ count }} look at {{ product }}"},
        "facts": {"product": "Juice"},
        "minimum": 3,
    }
    return Live(**defaults | fields)


def live_boards(**fields):
    channel = a_board(a_card("one", ORDER), kinds=(LIVE,), priorities={ORDER: 40, LIVE: 20})
    return channel, {"P": a_board(kinds=(LIVE,), live=a_live(**fields))}


@pytest.mark.parametrize(
    ("count", "visitor", "texts"),
    [
        (0, None, ["one"]),
        (2, None, ["one"]),
        (3, None, ["3 look at Juice", "one"]),
        (3, uuid7(), ["one"]),
        (4, uuid7(), ["3 look at Juice", "one"]),
    ],
)
def test_who_is_here_is_told_without_the_one_who_reads_it(count, visitor, texts):
    found = feed(*live_boards(), product="P", live=count, visitor=visitor)
    assert [shown.text for shown in found.nudges] == texts


def test_who_is_here_is_told_once():
    assert ids(*live_boards(), product="P", live=9, exclude=("live-one",)) == ["one"]


def test_who_is_here_is_told_only_beside_that_product():
    assert ids(*live_boards(), product="Q", live=9) == ["one"]


# What is on the page and stands no longer.


@pytest.mark.parametrize(
    ("_case", "changes", "asked", "gone"),
    [
        ("it_stands", {}, {}, False),
        ("it_stands_though_it_is_not_shown_again", {}, {"exclude": ("it",)}, False),
        ("it_stands_though_others_are_shown", {}, {"count": 0}, False),
        ("it_is_over", {"until": NOW}, {}, True),
        ("it_turned_out_to_be_theirs", {"own": frozenset({"me"})}, {"user": "me"}, True),
        ("it_is_not_for_this_page", {}, {"page": "CART"}, True),
        ("it_is_not_for_this_device", {}, {"device": "TV"}, True),
        ("the_number_is_too_low_now", {"value": 5}, {"visitor": uuid7()}, True),
    ],
)
@pytest.mark.parametrize("is_beside", [True, False])
def test_what_stands_no_longer_is_named(_case, changes, asked, gone, is_beside):
    board = a_board(a_card("it", ORDER, "P", **changes))
    boards = (a_board(kinds=(ORDER,)), {"P": board}) if is_beside else (board,)
    found = feed(*boards, product="P", shown=("it",), **asked)
    assert found.withdrawn == (("it",) if gone else ())
    assert found.as_json()["withdrawn"] == list(found.withdrawn)


def test_what_hangs_on_no_board_of_this_page_is_taken_for_gone():
    board = a_board(a_card("it", ORDER), a_card("that", ORDER))
    assert feed(board, shown=("it", "nobody", "that")).withdrawn == ("nobody",)


@pytest.mark.parametrize(("count", "gone"), [(9, ()), (3, ("live-one",)), (0, ("live-one",))])
def test_a_live_number_goes_when_too_few_are_left(count, gone):
    found = feed(*live_boards(), product="P", live=count, visitor=uuid7(), shown=("live-one",))
    assert found.withdrawn == gone


def test_a_page_that_shows_nothing_hears_nothing_of_it():
    assert "withdrawn" not in feed(a_board(a_card("it", ORDER))).as_json()


# The country is for choosing only.


def test_a_page_is_not_told_where_a_card_is_from():
    card = a_card("one", ORDER, country="PL", occurred_at=NOW - timedelta(hours=1))
    [shown] = feed(a_board(card), country="PL").as_json()["nudges"]
    assert "PL" not in str(shown)
    assert set(shown) == {"id", "evidence", "text", "tag", "slot"}
