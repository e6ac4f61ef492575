"""What is written down of where a checkout stands, and which lines can still be bought."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from saleor_nudges.events import Cart, Line
from saleor_nudges.host import CheckoutLook, LineLook, PaymentOutcome, PaymentTry
from saleor_nudges.models import TrackedCheckout
from saleor_nudges.recovery.rules import stage
from saleor_nudges.recovery.rules.stage import Blocker, Look, Stage
from saleor_nudges.recovery.watching import standing, watch

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
LINES = (LineLook("a", 1, Decimal(10), is_available=True), LineLook("b", 2, Decimal(5), True))
GOOD = CheckoutLook(
    id="Checkout:one",
    changed_at=NOON,
    lines=LINES,
    currency="EUR",
    country="PT",
    has_contact=True,
    has_address=True,
    needs_delivery=True,
    has_delivery=True,
    delivery_methods=2,
    payments=(),
    voucher="",
)


def a_tracked(**fields_):
    """Return a checkout as its shopper saw it, not saved."""
    tracked = TrackedCheckout()
    lines = (
        Line("P:a", "a", 1, unit_price=Decimal(10)),
        Line("P:b", "b", 2, unit_price=Decimal(5)),
    )
    cart = Cart(lines=lines, total=Decimal(20), currency="EUR", voucher="")
    watch.look(tracked, replace(cart, **fields_), NOON, payment_started=False)
    return tracked


def noted(look, **seen):
    tracked = a_tracked(**seen)
    standing.note(tracked, look)
    return tracked


def test_all_of_it_is_written_down():
    # when
    tracked = noted(GOOD)

    # then
    assert (tracked.stage, tracked.is_stage_certain) == ("DELIVERY", True)
    assert tracked.blockers == []
    assert tracked.ruled_out == [str(blocker) for blocker in Blocker]
    assert tracked.country == "PT"


def test_what_was_not_asked_is_not_certain():
    # given
    plain = CheckoutLook(id="", changed_at=NOON, lines=LINES, currency="EUR", has_contact=True)

    # when
    tracked = noted(plain)

    # then
    assert (tracked.stage, tracked.is_stage_certain) == ("CONTACT", False)
    assert tracked.blockers == []
    assert tracked.ruled_out == ["LINE_UNAVAILABLE"]


@pytest.mark.parametrize(
    ("look", "seen", "blocker"),
    [
        (
            replace(GOOD, payments=(PaymentTry(NOON, PaymentOutcome.REFUSED),)),
            {},
            "PAYMENT_REFUSED",
        ),
        (replace(GOOD, has_delivery=False, delivery_methods=0), {}, "NO_DELIVERY_METHOD"),
        (
            replace(GOOD, lines=(LINES[0], replace(LINES[1], is_available=False))),
            {},
            "LINE_UNAVAILABLE",
        ),
        (replace(GOOD, voucher="x", voucher_counts=False), {"voucher": "x"}, "VOUCHER_REJECTED"),
        (
            replace(GOOD, lines=(LINES[0], replace(LINES[1], unit_price=Decimal(6)))),
            {},
            "PRICE_CHANGED",
        ),
    ],
)
def test_each_blocker_is_written_down(look, seen, blocker):
    # when
    tracked = noted(look, **seen)

    # then
    assert tracked.blockers == [blocker]
    assert blocker not in tracked.ruled_out


def test_blocker_that_is_over_is_taken_out():
    # given
    tracked = noted(replace(GOOD, has_delivery=False, delivery_methods=0))
    assert tracked.blockers == ["NO_DELIVERY_METHOD"]

    # when
    standing.note(tracked, GOOD)

    # then
    assert tracked.blockers == []


def test_newest_try_to_pay_counts():
    tries = (
        PaymentTry(NOON + timedelta(minutes=1), PaymentOutcome.OPEN),
        PaymentTry(NOON, PaymentOutcome.REFUSED),
    )
    tracked = noted(replace(GOOD, payments=tries))
    assert (tracked.stage, tracked.blockers) == ("PAYMENT", [])


@pytest.mark.parametrize(
    ("_case", "seen"),
    [
        ("a price they never saw", {"lines": (Line("P:a", "a", 1), Line("P:b", "b", 2))}),
        ("another code", {"voucher": "x"}),
        ("a code nobody told of", {"voucher": None}),
        ("another currency", {"currency": "PLN"}),
        ("another line", {"lines": (Line("P:a", "a", 1, unit_price=Decimal(1)),)}),
    ],
)
def test_price_is_compared_with_the_same_cart_only(_case, seen):
    tracked = noted(GOOD, **seen)
    assert "PRICE_CHANGED" not in tracked.blockers
    assert "PRICE_CHANGED" not in tracked.ruled_out


def test_country_that_is_not_told_stays():
    tracked = noted(GOOD)
    standing.note(tracked, replace(GOOD, country=""))
    assert tracked.country == "PT"


def test_standing_is_returned_too():
    found = standing.note(a_tracked(), GOOD)
    assert found.stage is Stage.DELIVERY
    assert found.blocker is None


def test_host_and_stage_speak_the_same_words():
    assert {field.name for field in fields(Look)} <= {field.name for field in fields(CheckoutLook)}
    assert [str(one) for one in PaymentOutcome] == [str(one) for one in stage.Outcome]


# What can still be bought.


def a_line(variant, quantity):
    return {"variant_id": variant, "quantity": quantity, "product_name": variant.upper()}


def look_of(*lines):
    return replace(GOOD, lines=lines)


def short(variant, quantity, left):
    return LineLook(variant, quantity, is_available=False, left=left)


@pytest.mark.parametrize(
    ("_case", "lines", "now", "left"),
    [
        ("all of it", [("a", 1), ("b", 2)], LINES, [("a", 1), ("b", 2)]),
        ("not asked", [("a", 1)], [LineLook("a", 1)], [("a", 1)]),
        ("gone", [("a", 1), ("b", 2)], [LINES[0], short("b", 2, 0)], [("a", 1)]),
        ("gone, uncounted", [("a", 1)], [LineLook("a", 1, is_available=False)], []),
        ("fewer", [("b", 3)], [short("b", 3, 2)], [("b", 2)]),
        ("taken out by the shop", [("a", 1), ("b", 2)], [LINES[0]], [("a", 1)]),
        (
            "two lines share what there is",
            [("b", 2), ("b", 2)],
            [short("b", 2, 3), short("b", 2, 3)],
            [("b", 2), ("b", 1)],
        ),
        (
            "nothing is left for the second",
            [("b", 2), ("b", 2)],
            [short("b", 2, 2), short("b", 2, 2)],
            [("b", 2)],
        ),
        ("nothing", [("a", 1)], [short("a", 1, 0)], []),
        ("no lines", [], LINES, []),
    ],
)
def test_lines_that_can_still_be_bought(_case, lines, now, left):
    # when
    found = standing.buyable([a_line(*line) for line in lines], look_of(*now))

    # then
    assert found == [a_line(*line) for line in left]


def test_what_is_stored_stays_as_it_is():
    lines = [a_line("b", 3)]
    standing.buyable(lines, look_of(short("b", 3, 1)))
    assert lines == [a_line("b", 3)]
