"""At the mark: what a message gives away, and whom it gives nothing."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from threading import Barrier

import pytest
from django.db import connections

from saleor_nudges import people
from saleor_nudges.events import Contact
from saleor_nudges.models import RecoveryVoucher, SeenOrder, Send, SendState, TrackedCheckout
from saleor_nudges.recovery.giving import promising
from saleor_nudges.testing import CHANNEL, a_cart, a_checkout, make_shop
from tests.recovery.giving.letters import TEN, a_gift, spoken_for, the_gift, why
from tests.recovery.letters import a_letter

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
LATER = NOON + timedelta(days=91)


@pytest.fixture
def shop():
    return make_shop()


def a_big_checkout(shop, quantity=20, **contact):
    return a_checkout(shop, cart=a_cart(quantity=quantity), **{"email": "b@example.com"} | contact)


# What.


def test_step_without_a_voucher_promises_nothing_and_writes_nothing(shop):
    assert promising.promise(a_letter(shop), NOON) is None
    assert RecoveryVoucher.objects.of(shop).count() == 0


def test_percentage_is_taken_of_the_goods(shop):
    # given: delivery is in the total, and a voucher takes nothing off it
    send = a_letter(shop, a_big_checkout(shop))
    send.checkout.total = Decimal(120)
    send.step.voucher = TEN | {"floor": {"EUR": "40"}}

    # when
    given = promising.promise(send, NOON)

    # then
    assert (given.worth, given.percent, given.currency) == (Decimal("10.00"), 10, "EUR")
    assert (given.state, given.floor, given.person) == ("RESERVED", Decimal(40), send.person)
    assert given.expires_at == NOON + timedelta(days=1)
    assert (given.sealed_code, given.code_hash) == (None, None)
    assert spoken_for(shop) == [Decimal(10)]


def test_amount_is_given_by_currency(shop):
    rule = TEN | {"percent": None, "amount": {"EUR": "3.50"}, "floor": {"EUR": "4"}}
    given = a_gift(shop, rule={key: value for key, value in rule.items() if value})
    assert (given.worth, given.percent) == (Decimal("3.50"), None)


def test_what_is_sold_out_does_not_count(shop):
    send = a_letter(shop, a_big_checkout(shop))
    send.lines = [send.checkout.lines[0] | {"quantity": 2}]
    send.step.voucher = TEN
    assert promising.promise(send, NOON).worth == Decimal(1)


def test_it_ends_no_later_than_the_way_to_it(shop, settings):
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"LINK_DAYS": 5}
    given = a_gift(shop, rule=TEN | {"expiresSeconds": 30 * 86400}, now=NOON)
    assert given.expires_at == NOON + timedelta(days=5)


# Not.


@pytest.mark.parametrize(
    ("_case", "rule", "changes", "expected"),
    [
        ("other_currency", {"dailyBudget": {"PLN": "100"}}, {}, "CURRENCY"),
        ("too_little", {"floor": {"EUR": "5.01"}}, {}, "FLOOR"),
        ("just_enough", {"floor": {"EUR": "5.00"}}, {}, ""),
        ("price_unknown", {}, {"lines": []}, "FLOOR"),
        ("code_in_it", {}, {"voucher": "a" * 64}, "HAS_CODE"),
        ("no_code_in_it", {}, {"voucher": ""}, ""),
        ("budget_too_small", {"dailyBudget": {"EUR": "0.49"}}, {}, "BUDGET"),
        ("budget_just_enough", {"dailyBudget": {"EUR": "0.50"}}, {}, ""),
    ],
)
def test_why_there_is_none(_case, rule, changes, expected, shop):
    # given
    send = a_letter(shop)
    send.step.voucher = TEN | rule
    for name, value in changes.items():
        setattr(send.checkout, name, value)

    # when
    given = promising.promise(send, NOON)

    # then
    assert (given is None, the_gift(shop).reason) == (bool(expected), expected)
    assert sum(spoken_for(shop)) == (0 if expected else Decimal("0.50"))


def test_nobody_known_gets_none(shop):
    send = a_letter(shop)
    send.person = None
    send.step.voucher = TEN
    assert promising.promise(send, NOON) is None
    assert the_gift(shop).reason == "NO_PERSON"


@pytest.mark.parametrize(
    ("_case", "contact"),
    [
        ("same_address", {"email": "Anna@Example.com"}),
        ("same_phone", {"email": "other@example.com", "phone": "+48 221 234 567"}),
        ("same_account", {"email": "third@example.com", "user_id": "VXNlcjox"}),
    ],
)
def test_one_person_gets_one_by_whatever_they_are_known(_case, contact, shop):
    # given
    assert a_gift(shop, phone="+48221234567", user_id="VXNlcjox")

    # when, then
    assert a_gift(shop, a_checkout(shop, **contact)) is None
    assert why(shop) == ("WITHHELD", "HAD_ONE")
    assert a_gift(shop, a_checkout(shop, email="somebody@else.example.com"))


def test_next_one_comes_after_the_rest(shop):
    a_gift(shop, now=NOON)
    RecoveryVoucher.objects.of(shop).update(created_at=NOON)
    assert a_gift(shop, a_checkout(shop, email="anna@example.com"), now=LATER)


def bought(shop, at, *, given=None, email="anna@example.com"):
    order = SeenOrder.objects.of(shop).create(
        shop=shop,
        channel=CHANNEL,
        order_id=f"Order:{at}",
        person=people.find(shop, Contact(email=email)),
        placed_at=at,
    )
    if given is not None:
        RecoveryVoucher.objects.of(shop).filter(pk=given.pk).update(order=order, state="USED")
    return order


def had(shop, at):
    """Let Anna have had one then."""
    given = a_gift(shop, a_checkout(shop, email="anna@example.com"), now=at)
    RecoveryVoucher.objects.of(shop).filter(pk=given.pk).update(created_at=at)
    TrackedCheckout.objects.of(shop).update(started_at=at)
    return given


def test_who_buys_with_one_only_waits_until_they_bought_without(shop):
    # given
    for start in (NOON, LATER):
        bought(shop, start + timedelta(hours=1), given=had(shop, start))
    much_later = LATER + timedelta(days=91)

    # when, then
    assert a_gift(shop, a_checkout(shop, email="anna@example.com"), now=much_later) is None
    assert why(shop) == ("WITHHELD", "ONLY_WITH")

    # when
    bought(shop, LATER + timedelta(days=2))

    # then
    assert a_gift(shop, a_checkout(shop, email="anna@example.com"), now=much_later)


@pytest.mark.parametrize(
    ("_case", "states", "age", "is_refused"),
    [
        ("often", ["OPEN", "RECOVERED", "GONE"], 5, True),
        ("not_so_often", ["OPEN", "OPEN"], 5, False),
        ("bought_by_themselves", ["ORDERED", "ORDERED", "ORDERED"], 5, False),
        ("long_ago", ["OPEN", "OPEN", "OPEN"], 31, False),
    ],
)
def test_who_leaves_one_after_the_other_since_gets_none(_case, states, age, is_refused, shop):
    # given
    had(shop, NOON)
    for state in states:
        send = a_letter(shop, a_checkout(shop, email="anna@example.com"))
        TrackedCheckout.objects.of(shop).filter(pk=send.checkout_id).update(
            state=state, started_at=LATER - timedelta(days=age)
        )

    # when
    given = a_gift(shop, a_checkout(shop, email="anna@example.com"), now=LATER)

    # then
    assert (given is None) is is_refused
    assert why(shop)[1] == ("LEAVES_OFTEN" if is_refused else "")


# The budget.


def test_day_is_the_shops_own(shop):
    # given
    shop.timezone = "Pacific/Auckland"
    shop.save()

    # when
    given = a_gift(shop, now=NOON)

    # then: one in the morning, there
    assert given.day == date(2026, 11, 3)


def test_each_day_and_each_currency_has_its_own(shop):
    rule = TEN | {"dailyBudget": {"EUR": "0.50", "PLN": "0.50"}}
    moments = [NOON, NOON, NOON + timedelta(days=1), NOON]
    found = []
    for number, (moment, currency) in enumerate(
        zip(moments, ["EUR", "EUR", "EUR", "PLN"], strict=True)
    ):
        send = a_letter(shop, a_checkout(shop, email=f"{number}@example.com"))
        send.step.voucher, send.checkout.currency = rule, currency
        found.append(promising.promise(send, moment) is not None)
    assert found == [True, False, True, True]


def test_what_was_promised_before_is_promised_again(shop):
    # given: a provider that was away after the mark
    send = a_letter(shop)
    send.step.voucher = TEN
    first = promising.promise(send, NOON)

    # when
    again = promising.promise(send, NOON + timedelta(hours=1))

    # then
    assert (again.pk, again.expires_at) == (first.pk, NOON + timedelta(days=1, hours=1))
    assert spoken_for(shop) == [Decimal("0.50")]


def test_what_was_withheld_is_asked_again(shop):
    # given
    send = a_letter(shop)
    send.step.voucher = TEN | {"dailyBudget": {"EUR": "0.49"}}
    assert promising.promise(send, NOON) is None

    # when
    send.step.voucher = TEN

    # then
    assert promising.promise(send, NOON) is not None
    assert RecoveryVoucher.objects.of(shop).count() == 1


def side_by_side(work, todo):
    barrier = Barrier(len(todo))

    def run(one):
        try:
            barrier.wait(10)
            return work(one)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(todo)) as pool:
        return list(pool.map(run, todo))


@pytest.mark.django_db(transaction=True)
def test_budget_is_never_overspent_side_by_side():
    # given: twelve messages of half a euro, and a budget for five
    shop = make_shop()
    rule = TEN | {"dailyBudget": {"EUR": "2.70"}}
    sends = [a_letter(shop, a_checkout(shop, email=f"{n}@example.com")) for n in range(12)]
    for send in sends:
        send.step.voucher = rule

    # when
    found = side_by_side(lambda send: promising.promise(send, NOON), sends)

    # then
    assert len([given for given in found if given]) == 5
    assert spoken_for(shop) == [Decimal("2.50")]
    assert RecoveryVoucher.objects.of(shop).filter(reason="BUDGET").count() == 7


@pytest.mark.django_db(transaction=True)
def test_one_person_gets_one_side_by_side():
    # given
    shop = make_shop()
    sends = [a_letter(shop, a_checkout(shop, email="anna@example.com")) for _ in range(4)]
    for send in sends:
        send.step.voucher = TEN

    # when
    found = side_by_side(lambda send: promising.promise(send, NOON), sends)

    # then
    assert len([given for given in found if given]) == 1
    assert spoken_for(shop) == [Decimal("0.50")]


@pytest.mark.parametrize("state", ["USED", "VOIDING", "VOID", "MINTED"])
def test_what_is_over_is_not_promised_anew(state, shop):
    send = a_letter(shop)
    send.step.voucher = TEN
    promising.promise(send, NOON)
    RecoveryVoucher.objects.of(shop).update(state=state)
    assert promising.promise(send, NOON) is None
    assert Send.objects.of(shop).get().state == SendState.SENT
