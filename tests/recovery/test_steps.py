"""What a campaign does, read and checked whole."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import example, given

from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.models import MessageChannel as StoredChannel
from saleor_nudges.recovery.campaigns import steps, triggers, vouchers
from saleor_nudges.recovery.campaigns.steps import (
    ALWAYS,
    CHOSEN,
    MOST_STEPS,
    MOST_WINDOWS,
    USUAL_EXITS,
    Exit,
    Kind,
    Sequence,
    Step,
    dump,
    parse,
)
from saleor_nudges.recovery.campaigns.triggers import EVERYBODY
from saleor_nudges.recovery.campaigns.vouchers import Voucher
from saleor_nudges.recovery.message_channels import MessageChannel
from saleor_nudges.recovery.rules.deserving import Refusal
from saleor_nudges.recovery.rules.hours import Window
from tests.recovery import strategies as made
from tests.test_docs import blocks, code, names, rows, section

ONE = {"delaySeconds": 1800}
GIVEN = {"percent": 10, "expiresSeconds": 604_800, "dailyBudget": {"EUR": "200"}}
AMOUNT = {
    "amount": {"EUR": "5"},
    "expiresSeconds": 604_800,
    "dailyBudget": {"EUR": "200"},
    "floor": {"EUR": "50"},
}


def one(**fields):
    return {"steps": [ONE | fields]}


def giving(**fields):
    return one(voucher=GIVEN | fields)


def amount(**fields):
    return one(voucher=AMOUNT | fields)


# What is read.


def test_a_delay_is_all_a_seller_must_say():
    # when
    found = parse({"steps": [{"delaySeconds": 1800}, {"delaySeconds": 86_400}]})

    # then
    assert found == Sequence(
        steps=(
            Step(
                number=1,
                delay=timedelta(minutes=30),
                message_channels=(MessageChannel.EMAIL,),
                kind=Kind.REMINDER,
                template="",
                voucher=None,
                condition=EVERYBODY,
                windows=(),
            ),
            Step(number=2, delay=timedelta(days=1)),
        ),
        trigger=EVERYBODY,
        exits=(Exit.TRIGGER_ENDED, Exit.REPLIED),
        cool_down=timedelta(days=7),
        priority=50,
    )


def test_everything_a_seller_may_say_is_kept():
    # given
    source = {
        "trigger": {"country": ["PT"]},
        "steps": [
            {
                "delaySeconds": 60,
                "messageChannels": ["WHATSAPP", "SMS", "EMAIL"],
                "kind": "REMINDER",
                "template": "second",
                "voucher": AMOUNT,
                "condition": {"stage": ["PAYMENT"]},
                "sendWindow": [
                    {"opens": "22:00", "closes": "02:00", "days": ["SUN", "MON"]},
                    {"opens": "00:00", "closes": "00:00"},
                ],
            },
            {"delaySeconds": 30, "kind": "THANK_YOU"},
        ],
        "exits": ["CLICKED", "ORDERED"],
        "coolDownSeconds": 86_400,
        "priority": 1,
    }

    # when
    found = parse(source)

    # then
    assert found == Sequence(
        steps=(
            Step(
                number=1,
                delay=timedelta(minutes=1),
                message_channels=(
                    MessageChannel.WHATSAPP,
                    MessageChannel.SMS,
                    MessageChannel.EMAIL,
                ),
                template="second",
                voucher=Voucher(
                    expires=timedelta(days=7),
                    daily_budget=(("EUR", Decimal(200)),),
                    amount=(("EUR", Decimal(5)),),
                    floor=(("EUR", Decimal(50)),),
                ),
                condition=triggers.parse({"stage": ["PAYMENT"]}),
                windows=(
                    Window(time(22), time(2), frozenset({0, 6})),
                    Window(time(0), time(0), frozenset(range(7))),
                ),
            ),
            Step(number=2, delay=timedelta(seconds=30), kind=Kind.THANK_YOU),
        ),
        trigger=triggers.parse({"country": ["PT"]}),
        exits=(Exit.CLICKED,),
        cool_down=timedelta(days=1),
        priority=1,
    )


@made.briefly
@given(made.sequences())
def test_what_is_written_is_read_back(sequence):
    # when
    written = dump(sequence)

    # then
    assert parse(written) == sequence
    assert parse(json.loads(json.dumps(written))) == sequence


WORDS = (*steps.FIELDS, *steps.STEP_FIELDS, *vouchers.FIELDS, "opens", "EUR", "EMAIL", "09:00")


@made.unhurried
@given(
    made.anything(WORDS)
    | made.anything(WORDS).map(lambda found: {"steps": [found]})
    | made.anything(WORDS).map(lambda found: one(voucher=found))
    | made.anything(WORDS).map(lambda found: one(sendWindow=[found]))
    | made.anything(WORDS).map(lambda found: {"steps": [ONE], "exits": found})
)
@example({"steps": [ONE | {"template": "\ud800"}]})
@example({"steps": [ONE | {"delaySeconds": float("nan")}]})
def test_whatever_comes_is_read_or_refused_with_its_place(source):
    # when
    found, refused = made.tried(parse, source)

    # then
    if refused:
        assert re.fullmatch(r"\w+(\.\w+|\[\d+\])*", refused.field)
        assert len(str(refused)) < 400
    else:
        assert parse(dump(found)) == found


# What is refused.


@pytest.mark.parametrize(
    ("source", "field"),
    [
        (None, "sequence"),
        ([], "sequence"),
        ({"step": []}, "sequence"),
        ({}, "steps"),
        ({"steps": []}, "steps"),
        ({"steps": {}}, "steps"),
        ({"steps": [{"delaySeconds": n + 1} for n in range(MOST_STEPS + 1)]}, "steps"),
        ({"steps": ["30 min"]}, "steps[0]"),
        ({"steps": [{"delay": 30}]}, "steps[0]"),
        ({"steps": [{}]}, "steps[0].delaySeconds"),
        (one(delaySeconds=0), "steps[0].delaySeconds"),
        (one(delaySeconds=30 * 86_400 + 1), "steps[0].delaySeconds"),
        (one(delaySeconds="1800"), "steps[0].delaySeconds"),
        (one(delaySeconds=1800.0), "steps[0].delaySeconds"),
        (one(delaySeconds=True), "steps[0].delaySeconds"),
        ({"steps": [ONE, ONE]}, "steps[1].delaySeconds"),
        ({"steps": [ONE, {"delaySeconds": 60}]}, "steps[1].delaySeconds"),
        (
            {"steps": [ONE, {"delaySeconds": 9, "kind": "THANK_YOU"}, {"delaySeconds": 60}]},
            "steps[2].delaySeconds",
        ),
        (one(messageChannels=[]), "steps[0].messageChannels"),
        (one(messageChannels="EMAIL"), "steps[0].messageChannels"),
        (one(messageChannels=["EMAIL", "EMAIL"]), "steps[0].messageChannels"),
        (one(messageChannels=["FAX"]), "steps[0].messageChannels"),
        (one(kind="INVOICE"), "steps[0].kind"),
        (one(kind=None), "steps[0].kind"),
        (one(template=7), "steps[0].template"),
        (one(template="a\nb"), "steps[0].template"),
        (one(template="x" * 256), "steps[0].template"),
        (one(condition=None), "steps[0].condition"),
        (one(condition={"all": [{"country": ["UK"]}]}), "steps[0].condition.all[0].country"),
        (one(kind="THANK_YOU", condition={"not": {"stage": ["CART"]}}), "steps[0].condition"),
        (one(kind="THANK_YOU", condition={"blocker": ["PRICE_CHANGED"]}), "steps[0].condition"),
        (one(sendWindow={"opens": "09:00", "closes": "10:00"}), "steps[0].sendWindow"),
        (
            one(sendWindow=[{"opens": "09:00", "closes": "10:00"}] * (MOST_WINDOWS + 1)),
            "steps[0].sendWindow",
        ),
        (one(sendWindow=[{"closes": "10:00"}]), "steps[0].sendWindow[0].opens"),
        (one(sendWindow=[{"opens": "9:00", "closes": "10:00"}]), "steps[0].sendWindow[0].opens"),
        (one(sendWindow=[{"opens": "09:00", "closes": "24:00"}]), "steps[0].sendWindow[0].closes"),
        (one(sendWindow=[{"opens": "09:00", "closes": "09:00"}]), "steps[0].sendWindow[0]"),
        (
            one(sendWindow=[{"opens": "09:00", "closes": "10:00", "days": []}]),
            "steps[0].sendWindow[0].days",
        ),
        (
            one(sendWindow=[{"opens": "09:00", "closes": "10:00", "days": ["FUNDAY"]}]),
            "steps[0].sendWindow[0].days",
        ),
        (
            one(sendWindow=[{"opens": "09:00", "closes": "10:00", "tz": "UTC"}]),
            "steps[0].sendWindow[0]",
        ),
        ({"steps": [ONE], "trigger": {"all": [{"lines": {}}]}}, "trigger.all[0].lines"),
        ({"steps": [ONE], "exits": ["BORED"]}, "exits"),
        ({"steps": [ONE], "exits": None}, "exits"),
        ({"steps": [ONE], "coolDownSeconds": 86_399}, "coolDownSeconds"),
        ({"steps": [ONE], "coolDownSeconds": 365 * 86_400 + 1}, "coolDownSeconds"),
        ({"steps": [ONE], "priority": 0}, "priority"),
        ({"steps": [ONE], "priority": 101}, "priority"),
        ({"steps": [ONE], "priority": 10**5_000}, "priority"),
        # vouchers
        (one(voucher={}), "steps[0].voucher.expiresSeconds"),
        (one(voucher="10 %"), "steps[0].voucher"),
        (giving(code="SAVE10"), "steps[0].voucher"),
        (giving(percent=0), "steps[0].voucher.percent"),
        (giving(percent=100), "steps[0].voucher.percent"),
        (giving(percent=None), "steps[0].voucher"),
        (giving(amount={"EUR": "5"}), "steps[0].voucher"),
        (giving(expiresSeconds=60), "steps[0].voucher.expiresSeconds"),
        (giving(dailyBudget={}), "steps[0].voucher.dailyBudget"),
        (
            one(voucher={"percent": 10, "expiresSeconds": 604_800}),
            "steps[0].voucher.dailyBudget",
        ),
        (giving(dailyBudget={"EUR": -1}), "steps[0].voucher.dailyBudget.EUR"),
        (giving(floor={"XX": "1"}), "steps[0].voucher.floor"),
        (giving(oncePerSeconds=0), "steps[0].voucher.oncePerSeconds"),
        (amount(amount={"EUR": "0"}), "steps[0].voucher.amount.EUR"),
        (amount(amount={"EUR": "50"}), "steps[0].voucher.amount.EUR"),
        (amount(floor={"PLN": "50"}), "steps[0].voucher.amount.EUR"),
        (amount(dailyBudget={"EUR": "4.99"}), "steps[0].voucher.amount.EUR"),
        (amount(amount={"EUR": "5", "PLN": "20"}), "steps[0].voucher.amount.PLN"),
    ],
)
def test_what_is_wrong_is_refused_by_its_place(source, field):
    # when
    with pytest.raises(InvalidInput) as refused:
        parse(source)

    # then
    assert refused.value.field == field


@pytest.mark.parametrize(
    "source",
    [
        {"steps": [{"delaySeconds": n + 1} for n in range(MOST_STEPS)]},
        one(delaySeconds=1),
        one(delaySeconds=30 * 86_400),
        # each kind counts from its own beginning
        {"steps": [ONE, {"delaySeconds": 60, "kind": "THANK_YOU"}]},
        {"steps": [ONE | {"kind": "THANK_YOU"}]},
        one(kind="THANK_YOU", condition={"history": ["NEW"]}),
        one(template="x" * 255),
        one(voucher=None),
        giving(percent=99),
        amount(amount={"EUR": "49.99"}),
        amount(dailyBudget={"EUR": "5"}),
        {"steps": [ONE], "exits": []},
        {"steps": [ONE], "coolDownSeconds": 365 * 86_400, "priority": 100},
    ],
)
def test_what_is_just_right_is_read(source):
    assert parse(dump(parse(source))) == parse(source)


# When it ends, and begins again.


@pytest.mark.parametrize("end", ALWAYS)
def test_some_things_end_every_sequence(end):
    # given
    sequence = parse({"steps": [ONE], "exits": []})

    # then
    assert sequence.exit_by({end}) is end


@pytest.mark.parametrize("end", CHOSEN)
def test_what_a_seller_chose_ends_it_and_nothing_else_does(end):
    # given
    chosen = parse({"steps": [ONE], "exits": [end]})
    others = parse({"steps": [ONE], "exits": [one for one in CHOSEN if one is not end]})

    # then
    assert chosen.exit_by([end]) is end
    assert others.exit_by([end]) is None


def test_of_several_ends_the_first_in_the_list_is_told():
    # given
    sequence = parse({"steps": [ONE], "exits": ["REPLIED"]})

    # then
    assert sequence.exit_by([Exit.REPLIED, Exit.CLICKED, Exit.ORDERED]) is Exit.ORDERED
    assert sequence.exit_by([Exit.CLICKED]) is None
    assert sequence.exit_by([]) is None


def test_exits_that_always_hold_need_not_be_kept():
    assert parse({"steps": [ONE], "exits": ["ORDERED", "ERASED"]}).exits == ()


def test_a_person_may_begin_again_after_the_cool_down():
    # given
    sequence = parse({"steps": [ONE], "coolDownSeconds": 86_400})
    sent_at = datetime(2026, 3, 28, 12, tzinfo=UTC)

    # then
    assert sequence.may_begin_at(sent_at) == datetime(2026, 3, 29, 12, tzinfo=UTC)
    assert sequence.may_begin_at(None) is None


def test_reminders_are_apart_from_thanks():
    # given
    sequence = parse({"steps": [{"delaySeconds": 60, "kind": "THANK_YOU"}, ONE]})

    # then
    assert [step.number for step in sequence.of_kind(Kind.REMINDER)] == [2]
    assert [step.number for step in sequence.of_kind(Kind.THANK_YOU)] == [1]


# What a voucher is worth.


@pytest.mark.parametrize(
    ("source", "total", "currency", "worth"),
    [
        (GIVEN, "80.00", "EUR", "8.00"),
        (GIVEN, "80.00", "PLN", None),
        (GIVEN | {"floor": {"EUR": "80"}}, "80.00", "EUR", "8.00"),
        (GIVEN | {"floor": {"EUR": "80"}}, "79.99", "EUR", None),
        (GIVEN | {"floor": {"PLN": "80"}}, "1.00", "EUR", "0.10"),
        (AMOUNT, "50", "EUR", "5"),
        (AMOUNT, "49.99", "EUR", None),
        (AMOUNT | {"dailyBudget": {"EUR": "200", "PLN": "900"}}, "500", "PLN", None),
    ],
)
def test_a_checkout_is_given_what_the_rule_says(source, total, currency, worth):
    # given
    voucher = vouchers.parse(source, "voucher")

    # when
    found = voucher.worth(Decimal(total), currency)

    # then
    assert found == (None if worth is None else Decimal(worth))


@made.unhurried
@given(made.vouchers())
def test_an_amount_never_makes_a_checkout_free(voucher):
    for currency, floor in voucher.floor:
        worth = replace(voucher, percent=None).worth(floor, currency)
        assert worth is None or worth < floor


# The page that teaches it, and the ledger it ends in.


def test_the_whole_example_can_be_read():
    # given
    (example_,) = (
        found
        for block in blocks("docs/campaigns.md", "json")
        if "steps" in (found := json.loads(block))
    )

    # when
    sequence = parse(example_)

    # then
    assert [step.delay for step in sequence.steps] == [
        timedelta(minutes=30),
        timedelta(days=1),
        timedelta(days=3),
    ]
    assert sequence.exits == USUAL_EXITS


@pytest.mark.parametrize(
    ("heading", "fields"),
    [
        ("## A sequence", steps.FIELDS),
        ("## A step", steps.STEP_FIELDS),
        ("## A voucher", vouchers.FIELDS),
        ("## Who gets no voucher", tuple(Refusal)),
        ("## What ends it", tuple(Exit)),
    ],
)
def test_every_field_and_exit_is_taught(heading, fields):
    assert sorted(names(section("docs/campaigns.md", heading))) == sorted(fields)


def test_the_page_says_which_exits_are_chosen():
    # when
    table = {code(row[0]): row[2] for row in rows(section("docs/campaigns.md", "## What ends it"))}

    # then
    assert {name for name, chosen in table.items() if chosen == "always"} == set(ALWAYS)
    assert {name for name, chosen in table.items() if chosen.startswith("unless")} == set(
        USUAL_EXITS
    )


def test_what_the_ledger_can_hold_has_the_same_names():
    assert set(StoredChannel.values) <= set(MessageChannel)
