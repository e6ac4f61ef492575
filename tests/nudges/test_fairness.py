"""Several kinds have something to say: each has its turn, and who is nearest begins."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saleor_nudges.nudges.cards import Board
from tests.nudges.hands import a_board, a_card, ids

ORDER, SEEN, SOLD = "ORDER", "PRODUCT_VIEW", "ORDER_SUMMARY"


def cards(kind: str, count: int, **fields: Any):
    return [a_card(f"{kind}-{number}", kind, **fields) for number in range(count)]


def kinds_of(names: list[str]) -> list[str]:
    return [name.partition("-")[0] for name in names]


def test_no_kind_comes_twice_before_the_others_had_their_turn():
    board = a_board(*cards(ORDER, 5), *cards(SEEN, 2), *cards(SOLD, 1))
    assert ids(board) == [
        *("ORDER-0", "PRODUCT_VIEW-0", "ORDER_SUMMARY-0"),
        *("ORDER-1", "PRODUCT_VIEW-1"),
        *("ORDER-2", "ORDER-3", "ORDER-4"),
    ]


def test_the_smaller_priority_begins():
    board = a_board(*cards(ORDER, 2), *cards(SEEN, 2), priorities={ORDER: 9, SEEN: 1})
    assert kinds_of(ids(board, count=3)) == [SEEN, ORDER, SEEN]


def test_whoever_is_nearer_to_the_page_begins_whatever_their_priority():
    general = a_board(*cards(ORDER, 1), kinds=(SEEN,), priorities={ORDER: 1, SEEN: 9})
    special = a_board(*cards(SEEN, 1))
    assert kinds_of(ids(general, {"P": special}, product="P")) == [SEEN, ORDER]


def test_the_next_poll_goes_on_where_the_last_one_stopped():
    board = a_board(*cards(ORDER, 3), *cards(SEEN, 3), *cards(SOLD, 3))
    first = ids(board, count=2)
    second = ids(board, count=2, exclude=tuple(first))
    third = ids(board, count=2, exclude=(*first, *second))
    assert [kinds_of(poll) for poll in (first, second, third)] == [
        [ORDER, SEEN],
        [SOLD, ORDER],
        [SEEN, SOLD],
    ]


def test_a_kind_that_may_show_nothing_holds_nobody_up():
    mine = cards(ORDER, 3, own=frozenset({"me"}))
    board = a_board(*mine, *cards(SEEN, 2))
    assert kinds_of(ids(board, user="me")) == [SEEN, SEEN]


@pytest.mark.parametrize("count", [0, 1, 20])
def test_nothing_comes_of_nothing(count):
    assert ids(a_board(kinds=(ORDER, SEEN)), count=count) == []


KINDS = ("A", "B", "C", "D")


@st.composite
def boards(draw: st.DrawFn) -> tuple[Board, dict[str, Board]]:
    """Draw a channel's board and maybe a product's, with up to five cards of each kind on each."""
    counts = {kind: draw(st.integers(0, 5)) for kind in KINDS}
    priorities = {kind: draw(st.integers(1, 3)) for kind in KINDS}
    channel = [card for kind, count in counts.items() for card in cards(kind, count)]
    beside = [
        a_card(f"{kind}-p{number}", kind)
        for kind in KINDS
        for number in range(draw(st.integers(0, 2)))
    ]
    general = a_board(*channel, kinds=KINDS, priorities=priorities)
    return general, {"P": a_board(*beside, kinds=KINDS)} if draw(st.booleans()) else {}


@given(boards(), st.lists(st.integers(1, 5), min_size=1, max_size=20))
def test_over_many_polls_no_kind_comes_twice_before_every_other(drawn, polls):
    # given a page that polls again and again, and shows all it gets
    general, products = drawn
    everything = {
        card.id: card.type
        for board in (general, *products.values())
        for pile in board.cards.values()
        for card in pile
    }
    shown: list[str] = []
    for count in polls:
        shown += ids(general, products, product="P", count=count, exclude=tuple(shown))

    # then nothing comes twice, and between two of one kind every other that still has something
    assert len(shown) == len(set(shown))
    kinds = [everything[name] for name in shown]
    for place, kind in enumerate(kinds):
        if kind not in kinds[:place]:
            continue
        before = max(i for i in range(place) if kinds[i] == kind)
        left = {everything[name] for name in everything.keys() - set(shown[:place])} - {kind}
        assert left <= set(kinds[before + 1 : place])


@given(boards())
def test_everything_that_may_be_shown_comes_in_the_end(drawn):
    general, products = drawn
    piles = [pile for board in (general, *products.values()) for pile in board.cards.values()]
    everything = {card.id for pile in piles for card in pile}
    shown: list[str] = []
    for _ in range(len(everything) + 1):
        shown += ids(general, products, product="P", count=1, exclude=tuple(shown))
    assert (len(shown), set(shown)) == (len(everything), everything)
