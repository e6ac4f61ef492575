"""Where a checkout stands, and what keeps its shopper from buying."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saleor_nudges.recovery.rules.stage import (
    Blocker,
    LineLook,
    Look,
    Outcome,
    PaymentTry,
    Stage,
    standing,
)
from tests.recovery.strategies import unhurried
from tests.test_docs import names, section

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
LINES = (LineLook("a", 1, Decimal(10), True), LineLook("b", 2, Decimal(5), True))
NOTHING_DONE = Look(
    lines=LINES,
    currency="EUR",
    has_contact=False,
    has_address=False,
    needs_delivery=True,
    has_delivery=False,
    delivery_methods=3,
    payments=(),
    voucher="",
)
CONTACT = replace(NOTHING_DONE, has_contact=True)
ADDRESS = replace(CONTACT, has_address=True)
DELIVERY = replace(ADDRESS, has_delivery=True)


def tries(*outcomes):
    return tuple(
        PaymentTry(NOON + timedelta(minutes=minute), outcome)
        for minute, outcome in enumerate(outcomes)
    )


PAYMENT = replace(DELIVERY, payments=tries(Outcome.OPEN))
REFUSED, OPEN, SUCCEEDED = Outcome.REFUSED, Outcome.OPEN, Outcome.SUCCEEDED


# The stage.


@pytest.mark.parametrize(
    ("look", "stage", "is_certain"),
    [
        (NOTHING_DONE, Stage.CART, True),
        (CONTACT, Stage.CONTACT, True),
        (ADDRESS, Stage.ADDRESS, True),
        (DELIVERY, Stage.DELIVERY, True),
        (PAYMENT, Stage.PAYMENT, True),
        # the furthest counts, whatever was left out before it
        (replace(NOTHING_DONE, has_address=True), Stage.ADDRESS, True),
        (replace(PAYMENT, has_contact=False, has_delivery=False), Stage.PAYMENT, True),
        # nothing is sent: with the address all is done but paying
        (replace(ADDRESS, needs_delivery=False), Stage.DELIVERY, True),
        (replace(CONTACT, needs_delivery=False), Stage.CONTACT, True),
        # a method that was chosen and is not offered any more is none
        (replace(DELIVERY, has_delivery=False), Stage.ADDRESS, True),
        # what is not known is not done, and says so
        (replace(DELIVERY, payments=None), Stage.DELIVERY, False),
        (replace(ADDRESS, has_delivery=None), Stage.ADDRESS, False),
        (replace(ADDRESS, needs_delivery=None), Stage.ADDRESS, True),
        (replace(PAYMENT, has_delivery=None, has_contact=None), Stage.PAYMENT, True),
        (Look(LINES), Stage.CART, False),
    ],
)
def test_a_checkout_stands_at_the_furthest_step_that_was_done(look, stage, is_certain):
    # when
    found = standing(look)

    # then
    assert (found.stage, found.is_certain) == (stage, is_certain)


# Each blocker: found, ruled out, or not known.

FOUND, RULED_OUT, UNKNOWN = "found", "ruled out", "unknown"


def answer(found, blocker):
    assert not set(found.blockers) & set(found.ruled_out)
    if blocker in found.blockers:
        return FOUND
    return RULED_OUT if blocker in found.ruled_out else UNKNOWN


@pytest.mark.parametrize(
    ("payments", "expected"),
    [
        ((), RULED_OUT),
        (None, UNKNOWN),
        (tries(REFUSED), FOUND),
        (tries(OPEN), RULED_OUT),
        (tries(SUCCEEDED), RULED_OUT),
        (tries(OPEN, REFUSED), FOUND),
        (tries(REFUSED, OPEN), RULED_OUT),
        (tries(REFUSED, SUCCEEDED), RULED_OUT),
        (tries(SUCCEEDED, REFUSED), FOUND),
        (tuple(reversed(tries(OPEN, REFUSED))), FOUND),
        (tuple(reversed(tries(REFUSED, OPEN))), RULED_OUT),
        ((PaymentTry(NOON, REFUSED), PaymentTry(NOON, SUCCEEDED)), RULED_OUT),
        ((PaymentTry(NOON, REFUSED), PaymentTry(NOON, REFUSED)), FOUND),
    ],
)
def test_the_newest_try_to_pay_counts(payments, expected):
    # when
    found = standing(replace(DELIVERY, payments=payments))

    # then
    assert answer(found, Blocker.PAYMENT_REFUSED) == expected


@pytest.mark.parametrize(
    ("look", "expected"),
    [
        (replace(ADDRESS, delivery_methods=0), FOUND),
        (ADDRESS, RULED_OUT),
        (replace(ADDRESS, delivery_methods=None), UNKNOWN),
        # without an address Saleor offers none either
        (replace(CONTACT, delivery_methods=0), RULED_OUT),
        (replace(ADDRESS, has_address=None, delivery_methods=0), UNKNOWN),
        (replace(ADDRESS, needs_delivery=False, delivery_methods=0), RULED_OUT),
        (replace(ADDRESS, needs_delivery=None, delivery_methods=0), UNKNOWN),
        (replace(DELIVERY, delivery_methods=None), RULED_OUT),
        (replace(DELIVERY, delivery_methods=0), RULED_OUT),
        (replace(ADDRESS, has_delivery=None, delivery_methods=0), FOUND),
    ],
)
def test_only_an_address_can_have_no_delivery(look, expected):
    assert answer(standing(look), Blocker.NO_DELIVERY_METHOD) == expected


@pytest.mark.parametrize(
    ("available", "expected"),
    [
        ((True, True), RULED_OUT),
        ((True, False), FOUND),
        ((None, False), FOUND),
        ((None, True), UNKNOWN),
        ((), RULED_OUT),
    ],
)
def test_one_line_that_cannot_be_bought_is_enough(available, expected):
    # given
    lines = tuple(LineLook(str(n), 1, is_available=one) for n, one in enumerate(available))

    # then
    assert answer(standing(Look(lines)), Blocker.LINE_UNAVAILABLE) == expected


@pytest.mark.parametrize(
    ("seen", "now", "counts", "expected"),
    [
        ("", "", None, RULED_OUT),
        ("", "", False, RULED_OUT),
        ("x", "x", True, RULED_OUT),
        ("x", "x", False, FOUND),
        ("x", "x", None, UNKNOWN),
        # it is gone: who took it out is not told, whether it would count is
        ("x", "", False, FOUND),
        ("x", "", True, RULED_OUT),
        ("x", "", None, UNKNOWN),
        ("", "x", False, FOUND),
        (None, "", None, UNKNOWN),
        ("", None, None, UNKNOWN),
        (None, None, False, UNKNOWN),
    ],
)
def test_a_code_is_rejected_only_where_the_shop_says_so(seen, now, counts, expected):
    # given
    before = replace(DELIVERY, voucher=seen)
    after = replace(DELIVERY, voucher=now, voucher_counts=counts)

    # then
    assert answer(standing(after, before), Blocker.VOUCHER_REJECTED) == expected


def priced(*prices, variants="abcdef", quantity=1, **fields):
    lines = tuple(
        LineLook(variant, quantity, None if price is None else Decimal(price))
        for variant, price in zip(variants, prices, strict=False)
    )
    return replace(DELIVERY, lines=lines, **fields)


@pytest.mark.parametrize(
    ("seen", "now", "expected"),
    [
        (priced("10", "5"), priced("10", "5.00"), RULED_OUT),
        (priced("10", "5"), priced("10", "5.01"), FOUND),
        (priced("10", "5"), priced("9", "5.01"), FOUND),
        # cheaper keeps nobody from buying
        (priced("10", "5"), priced("8", "5"), RULED_OUT),
        # the order of the lines is not the point
        (priced("10", "5"), priced("5", "10", variants="ba"), RULED_OUT),
        (priced("10", "5"), priced("5", "11", variants="ba"), FOUND),
        (priced("10", "5", variants="aa"), priced("5", "10", variants="aa"), RULED_OUT),
        # what cannot be compared is not known
        (priced("10"), priced("10", "20"), UNKNOWN),
        (priced("10", "20"), priced("10"), UNKNOWN),
        (priced("10"), priced("12", variants="b"), UNKNOWN),
        (priced("10", quantity=2), priced("12"), UNKNOWN),
        (priced("10"), priced("12", currency="USD"), UNKNOWN),
        (priced("10", voucher="x"), priced("12"), UNKNOWN),
        (priced("10", voucher=None), priced("12", voucher=None), UNKNOWN),
        (priced(None), priced("12"), UNKNOWN),
        (priced("10"), priced(None), UNKNOWN),
    ],
)
def test_a_price_has_changed_where_the_same_lines_cost_more(seen, now, expected):
    assert answer(standing(now, seen), Blocker.PRICE_CHANGED) == expected


def test_at_the_first_look_nothing_has_changed():
    assert answer(standing(DELIVERY), Blocker.PRICE_CHANGED) == RULED_OUT


def test_of_several_blockers_the_first_is_spoken_of():
    # given
    seen = replace(ADDRESS, lines=(LineLook("a", 1, Decimal(10)),))
    now = replace(
        seen,
        lines=(LineLook("a", 1, Decimal(11), False),),
        delivery_methods=0,
        payments=tries(REFUSED),
        voucher_counts=False,
    )

    # when
    found = standing(now, seen)

    # then
    assert found.blockers == (
        Blocker.PAYMENT_REFUSED,
        Blocker.NO_DELIVERY_METHOD,
        Blocker.LINE_UNAVAILABLE,
        Blocker.PRICE_CHANGED,
    )
    assert found.blocker is Blocker.PAYMENT_REFUSED
    assert found.ruled_out == (Blocker.VOUCHER_REJECTED,)


def test_nothing_in_the_way_is_nothing_to_speak_of():
    # when
    found = standing(PAYMENT)

    # then
    assert found.blocker is None
    assert found.ruled_out == tuple(Blocker)


# Properties.

answers = st.none() | st.booleans()
lines = st.lists(
    st.builds(
        LineLook,
        st.sampled_from("abc"),
        st.integers(1, 3),
        st.none() | st.decimals(0, 100, places=2),
        answers,
    ),
    max_size=3,
).map(tuple)
payments = st.lists(
    st.builds(
        PaymentTry,
        st.integers(0, 3).map(lambda minute: NOON + timedelta(minutes=minute)),
        st.sampled_from(Outcome),
    ),
    max_size=3,
).map(tuple)
looks = st.builds(
    Look,
    lines=lines,
    currency=st.sampled_from(("EUR", "PLN")),
    has_contact=answers,
    has_address=answers,
    needs_delivery=answers,
    has_delivery=answers,
    delivery_methods=st.none() | st.integers(0, 2),
    payments=st.none() | payments,
    voucher=st.none() | st.sampled_from(("", "x", "y")),
    voucher_counts=answers,
)


@unhurried
@given(looks, looks)
def test_there_is_an_answer_for_any_two_looks(now, seen):
    # when
    found = standing(now, seen)

    # then
    assert found.stage in Stage
    assert list(found.blockers) == [one for one in Blocker if one in found.blockers]
    assert list(found.ruled_out) == [one for one in Blocker if one in found.ruled_out]
    assert not set(found.blockers) & set(found.ruled_out)


@unhurried
@given(looks)
def test_a_shopper_who_saw_it_as_it_is_found_no_other_price(now):
    assert Blocker.PRICE_CHANGED not in standing(now, replace(now)).blockers


@unhurried
@given(lines)
def test_where_nothing_was_asked_nothing_is_claimed(held):
    # given
    held = tuple(replace(line, is_available=None) for line in held)

    # when
    found = standing(Look(held), Look(held))

    # then
    assert (found.stage, found.is_certain) == (Stage.CART, False)
    assert found.blockers == ()


# The page that teaches it.


def test_every_stage_and_blocker_is_taught_in_its_order():
    assert names(section("docs/campaigns.md", "## Where a checkout stands")) == [*Stage, *Blocker]
