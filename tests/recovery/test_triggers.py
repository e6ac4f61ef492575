"""Whom a campaign is for: read, written back, asked, explained."""

import json
import re
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.recovery.campaigns import triggers
from saleor_nudges.recovery.campaigns.clauses import WORDS, Facts, Verdict
from saleor_nudges.recovery.campaigns.triggers import (
    DEEPEST,
    EVERYBODY,
    JOINS,
    MOST_CONDITIONS,
    AllOf,
    AnyOf,
    Asks,
    Not,
    dump,
    explain,
    holds,
    judge,
    parse,
)
from saleor_nudges.recovery.campaigns.wants import LARGEST_NUMBER, MOST_IDS, Names
from saleor_nudges.recovery.message_channels import MessageChannel
from saleor_nudges.recovery.rules.stage import Blocker, Stage
from tests.recovery import strategies as made
from tests.recovery.ids import global_id, ids_of
from tests.test_docs import blocks, code, names, rows, section

YES, NO, UNKNOWN = Verdict.YES, Verdict.NO, Verdict.UNKNOWN
PRODUCT, OTHER = ids_of("Product", 2)
CATEGORY = global_id("Category", 7)
FROM_10 = {"value": {"EUR": {"from": "10"}}}
PORTUGAL, SPAIN = {"country": ["PT"]}, {"country": ["ES"]}


def nested(depth, word="not"):
    inner = PORTUGAL
    for _ in range(depth - 1):
        inner = {word: inner if word == "not" else [inner]}
    return inner


# What a word asks.


@pytest.mark.parametrize(
    ("source", "facts", "verdict"),
    [
        # value: the ends are in, another currency is neither more nor less
        (FROM_10, Facts(total=Decimal("10.00"), currency="EUR"), YES),
        (FROM_10, Facts(total=Decimal("9.99"), currency="EUR"), NO),
        ({"value": {"EUR": {"to": 10}}}, Facts(total=Decimal(10), currency="EUR"), YES),
        ({"value": {"EUR": {"to": 10}}}, Facts(total=Decimal("10.01"), currency="EUR"), NO),
        (
            {"value": {"EUR": {"from": "9"}, "PLN": {"from": "90"}}},
            Facts(total=Decimal(50), currency="PLN"),
            NO,
        ),
        (FROM_10, Facts(total=Decimal(50), currency="PLN"), UNKNOWN),
        (FROM_10, Facts(total=Decimal(50)), UNKNOWN),
        (FROM_10, Facts(currency="EUR"), UNKNOWN),
        (FROM_10, Facts(total=Decimal("NaN"), currency="EUR"), UNKNOWN),
        (FROM_10, Facts(total=Decimal(0), currency="EUR"), NO),
        # lines and items
        ({"lines": {"from": 2, "to": 3}}, Facts(lines=2), YES),
        ({"lines": {"from": 2, "to": 3}}, Facts(lines=3, items=9), YES),
        ({"lines": {"from": 2, "to": 3}}, Facts(lines=4), NO),
        ({"lines": {"from": 2, "to": 3}}, Facts(items=2), UNKNOWN),
        ({"items": {"to": 5}}, Facts(items=5, lines=1), YES),
        ({"items": {"to": 5}}, Facts(items=6, lines=1), NO),
        # products, categories, collections
        ({"products": {"include": [PRODUCT]}}, Facts(products=frozenset({PRODUCT, OTHER})), YES),
        ({"products": {"include": [PRODUCT]}}, Facts(products=frozenset({OTHER})), NO),
        ({"products": {"exclude": [PRODUCT]}}, Facts(products=frozenset({PRODUCT, OTHER})), NO),
        ({"products": {"exclude": [PRODUCT]}}, Facts(products=frozenset({OTHER})), YES),
        (
            {"products": {"include": [OTHER], "exclude": [PRODUCT]}},
            Facts(products=frozenset({PRODUCT, OTHER})),
            NO,
        ),
        ({"products": {"exclude": [PRODUCT]}}, Facts(), UNKNOWN),
        ({"products": {"exclude": [PRODUCT]}}, Facts(products=frozenset()), YES),
        ({"categories": {"include": [CATEGORY]}}, Facts(categories=frozenset({CATEGORY})), YES),
        ({"categories": {"include": [CATEGORY]}}, Facts(products=frozenset({PRODUCT})), UNKNOWN),
        (
            {"collections": {"include": [global_id("Collection", 3)]}},
            Facts(collections=frozenset()),
            NO,
        ),
        # who they are
        ({"customer": ["GUEST"]}, Facts(has_account=False), YES),
        ({"customer": ["GUEST"]}, Facts(has_account=True), NO),
        ({"customer": ["KNOWN"]}, Facts(has_account=True), YES),
        ({"customer": ["GUEST", "KNOWN"]}, Facts(), UNKNOWN),
        ({"history": ["NEW"]}, Facts(has_bought=False), YES),
        ({"history": ["RETURNING"]}, Facts(has_bought=True), YES),
        ({"history": ["NEW"]}, Facts(has_bought=True), NO),
        ({"history": ["NEW"]}, Facts(has_account=False), UNKNOWN),
        # where, and in which words
        ({"country": ["PT", "ES"]}, Facts(country="ES"), YES),
        ({"country": ["PT", "ES"]}, Facts(country="DE"), NO),
        ({"country": ["PT", "ES"]}, Facts(country=""), UNKNOWN),
        ({"language": ["pt"]}, Facts(language="pt-br"), YES),
        ({"language": ["pt"]}, Facts(language="PT_BR"), YES),
        ({"language": ["pt-br"]}, Facts(language="pt-BR"), YES),
        ({"language": ["pt-br"]}, Facts(language="pt"), NO),
        ({"language": ["pt-br"]}, Facts(language="pt-pt"), NO),
        ({"language": ["pt"]}, Facts(language=""), UNKNOWN),
        ({"device": ["ANDROID", "IOS"]}, Facts(device="IOS"), YES),
        ({"device": ["ANDROID", "IOS"]}, Facts(device="DESKTOP"), NO),
        ({"device": ["ANDROID", "IOS"]}, Facts(), UNKNOWN),
        # where it stands
        ({"stage": ["PAYMENT"]}, Facts(stage=Stage.PAYMENT), YES),
        ({"stage": ["PAYMENT"]}, Facts(stage=Stage.CART), NO),
        ({"stage": ["CART"]}, Facts(), UNKNOWN),
        (
            {"blocker": ["PRICE_CHANGED", "PAYMENT_REFUSED"]},
            Facts(blockers=frozenset({Blocker.PAYMENT_REFUSED})),
            YES,
        ),
        (
            {"blocker": ["PRICE_CHANGED", "PAYMENT_REFUSED"]},
            Facts(ruled_out=frozenset({Blocker.PRICE_CHANGED})),
            UNKNOWN,
        ),
        (
            {"blocker": ["PRICE_CHANGED", "PAYMENT_REFUSED"]},
            Facts(
                blockers=frozenset({Blocker.LINE_UNAVAILABLE}),
                ruled_out=frozenset({Blocker.PRICE_CHANGED, Blocker.PAYMENT_REFUSED}),
            ),
            NO,
        ),
        # what they allowed
        ({"consent": ["EMAIL"]}, Facts(agreed_to=frozenset({MessageChannel.EMAIL})), YES),
        ({"consent": ["SMS"]}, Facts(agreed_to=frozenset({MessageChannel.EMAIL})), NO),
        ({"consent": ["EMAIL"]}, Facts(agreed_to=frozenset()), NO),
        ({"consent": ["EMAIL"]}, Facts(), UNKNOWN),
    ],
)
def test_a_word_is_judged_by_its_fact(source, facts, verdict):
    # when
    found = judge(parse(source), facts)

    # then
    assert found is verdict
    assert holds(parse(source), facts) is (verdict is YES)


A, B = Facts(country="PT"), Facts(country="ES")


@pytest.mark.parametrize(
    ("source", "facts", "verdict"),
    [
        ({}, Facts(), YES),
        ({"all": [PORTUGAL]}, A, YES),
        ({"all": [PORTUGAL, SPAIN]}, A, NO),
        ({"all": [PORTUGAL, FROM_10]}, A, UNKNOWN),
        ({"all": [SPAIN, FROM_10]}, A, NO),
        ({"any": [SPAIN, PORTUGAL]}, A, YES),
        ({"any": [FROM_10, PORTUGAL]}, A, YES),
        ({"any": [FROM_10, SPAIN]}, A, UNKNOWN),
        ({"any": [SPAIN]}, A, NO),
        ({"not": SPAIN}, A, YES),
        ({"not": PORTUGAL}, A, NO),
        ({"not": FROM_10}, A, UNKNOWN),
        ({"not": {"not": FROM_10}}, A, UNKNOWN),
        ({"not": {"all": [SPAIN, FROM_10]}}, A, YES),
        ({"not": {"any": [SPAIN, FROM_10]}}, A, UNKNOWN),
        ({"not": {"any": [SPAIN, SPAIN]}}, A, YES),
    ],
)
def test_conditions_are_joined(source, facts, verdict):
    assert judge(parse(source), facts) is verdict


@pytest.mark.parametrize("word", WORDS)
@made.briefly
@given(data=st.data())
def test_of_a_checkout_nothing_is_known_of_neither_a_word_nor_its_opposite_holds(word, data):
    # given
    condition = data.draw(made.asks((word,)))

    # then
    assert judge(condition, Facts()) is UNKNOWN
    assert not holds(condition, Facts())
    assert not holds(Not(condition), Facts())


# Properties.


@made.unhurried
@given(made.conditions())
def test_what_is_written_is_read_back(condition):
    # when
    written = dump(condition)

    # then
    assert parse(written) == condition
    assert parse(json.loads(json.dumps(written))) == condition


@made.unhurried
@given(made.anything((*JOINS, *WORDS, "from", "to", "include", "EUR", "PT", "EMAIL", PRODUCT)))
@example({"country": ["ß"]})
@example({"products": {"include": ["é" * 10]}})
@example({"\ud800": []})
def test_whatever_comes_is_read_or_refused_with_its_place(source):
    # when
    found, refused = made.tried(parse, source)

    # then
    if refused:
        assert re.fullmatch(r"trigger(\.\w+|\[\d+\])*", refused.field)
        assert len(str(refused)) < 400
    else:
        assert parse(dump(found)) == found


@pytest.mark.parametrize(
    "source",
    [
        nested(50_000),
        nested(50_000, "all"),
        {"all": "x" * 10**6},
        {"country": ["x" * 10**6]},
        {"x" * 10**6: []},
        {"value": {"EUR": {"from": 10**5_000}}},
        {"lines": {"from": 10**5_000}},
    ],
    ids=lambda source: str(*source)[:20],
)
def test_what_is_enormous_is_refused_in_a_few_words(source):
    # when
    with pytest.raises(InvalidInput) as refused:
        parse(source)

    # then
    assert len(str(refused.value)) < 400


@made.unhurried
@given(made.conditions(), made.facts)
def test_every_condition_can_be_judged_and_explained_for_every_checkout(condition, facts):
    # when
    verdict, told = judge(condition, facts), explain(condition, facts)

    # then
    assert bool(told) is (verdict is not YES)
    assert {one.verdict for one in told} <= {NO, UNKNOWN}
    assert (verdict is not NO) or NO in {one.verdict for one in told}


@made.unhurried
@given(made.conditions(), made.facts)
def test_a_condition_and_its_opposite_never_both_hold(condition, facts):
    assert not (holds(condition, facts) and holds(Not(condition), facts))


def richer(facts):
    """Facts that know what these do not."""
    known = Facts(
        total=Decimal(50),
        currency="EUR",
        lines=2,
        items=3,
        products=frozenset({PRODUCT}),
        categories=frozenset({CATEGORY}),
        collections=frozenset(),
        has_account=True,
        has_bought=True,
        country="PT",
        language="pt",
        device="IOS",
        stage=Stage.ADDRESS,
        agreed_to=frozenset({MessageChannel.EMAIL}),
    )
    names_ = [name for name in Facts.__slots__ if name not in ("blockers", "ruled_out")]
    filled = {name: getattr(facts, name) for name in Facts.__slots__}
    filled |= {name: getattr(known, name) for name in names_ if filled[name] is None}
    filled["ruled_out"] |= frozenset(Blocker) - facts.blockers
    return Facts(**filled)


@made.unhurried
@given(made.conditions(), made.facts)
def test_what_holds_while_little_is_known_still_holds_when_more_is(condition, facts):
    # given: a fact that was not known, not one that was something else
    known = facts if facts.currency else Facts()

    # then
    if holds(condition, known):
        assert holds(condition, richer(known))


# Refusals.


@pytest.mark.parametrize(
    ("source", "field"),
    [
        (None, "trigger"),
        ([], "trigger"),
        ("country", "trigger"),
        ({"land": ["PT"]}, "trigger"),
        ({1: ["PT"]}, "trigger"),
        ({**PORTUGAL, **FROM_10}, "trigger"),
        ({"all": []}, "trigger.all"),
        ({"all": PORTUGAL}, "trigger.all"),
        ({"all": [{}]}, "trigger.all[0]"),
        ({"all": [PORTUGAL, {"country": ["UK"]}]}, "trigger.all[1].country"),
        ({"all": [PORTUGAL, {"any": [{"not": {"lines": {}}}]}]}, "trigger.all[1].any[0].not.lines"),
        ({"not": [PORTUGAL]}, "trigger.not"),
        ({"all": [PORTUGAL] * (MOST_CONDITIONS + 1)}, "trigger.all"),
        ({"all": [{"all": [PORTUGAL] * 26}, {"any": [SPAIN] * 25}]}, "trigger"),
        (nested(DEEPEST + 1), "trigger" + ".not" * DEEPEST),
        (nested(DEEPEST + 1, "all"), "trigger" + ".all[0]" * (DEEPEST - 1) + ".all"),
        ({"country": []}, "trigger.country"),
        ({"country": "PT"}, "trigger.country"),
        ({"country": ["pt"]}, "trigger.country"),
        ({"country": ["EU"]}, "trigger.country"),
        ({"country": ["ZZ"]}, "trigger.country"),
        ({"country": ["PT", "PT"]}, "trigger.country"),
        ({"country": [["PT"]]}, "trigger.country"),
        ({"language": ["pt-BR"]}, "trigger.language"),
        ({"language": ["Portuguese"]}, "trigger.language"),
        ({"device": ["PHONE"]}, "trigger.device"),
        ({"stage": ["ORDER"]}, "trigger.stage"),
        ({"blocker": ["NONE"]}, "trigger.blocker"),
        ({"consent": ["FAX"]}, "trigger.consent"),
        ({"customer": [True]}, "trigger.customer"),
        ({"history": ["OLD"]}, "trigger.history"),
        ({"value": {}}, "trigger.value"),
        ({"value": {"EURO": {"from": "1"}}}, "trigger.value"),
        ({"value": {"eur": {"from": "1"}}}, "trigger.value"),
        ({"value": {"EUR": {}}}, "trigger.value.EUR"),
        ({"value": {"EUR": {"least": "1"}}}, "trigger.value.EUR"),
        ({"value": {"EUR": {"from": 1.5}}}, "trigger.value.EUR.from"),
        ({"value": {"EUR": {"from": True}}}, "trigger.value.EUR.from"),
        ({"value": {"EUR": {"from": "-1"}}}, "trigger.value.EUR.from"),
        ({"value": {"EUR": {"from": "1e3"}}}, "trigger.value.EUR.from"),
        ({"value": {"EUR": {"from": "NaN"}}}, "trigger.value.EUR.from"),
        ({"value": {"EUR": {"from": "1.00001"}}}, "trigger.value.EUR.from"),
        ({"value": {"EUR": {"from": "٣"}}}, "trigger.value.EUR.from"),
        ({"value": {"EUR": {"from": "2", "to": "1"}}}, "trigger.value.EUR"),
        ({"lines": {"from": 0}}, "trigger.lines.from"),
        ({"lines": {"from": "2"}}, "trigger.lines.from"),
        ({"lines": {"from": True}}, "trigger.lines.from"),
        ({"items": {"to": LARGEST_NUMBER + 1}}, "trigger.items.to"),
        ({"items": {"from": 3, "to": 2}}, "trigger.items"),
        ({"products": {}}, "trigger.products"),
        ({"products": [PRODUCT]}, "trigger.products"),
        ({"products": {"include": []}}, "trigger.products.include"),
        ({"products": {"include": [CATEGORY]}}, "trigger.products.include"),
        ({"products": {"include": ["118"]}}, "trigger.products.include"),
        (
            {"products": {"include": list(ids_of("Product", MOST_IDS + 1))}},
            "trigger.products.include",
        ),
        ({"products": {"include": [PRODUCT], "exclude": [PRODUCT]}}, "trigger.products"),
    ],
)
def test_what_is_wrong_is_refused_by_its_place(source, field):
    # when
    with pytest.raises(InvalidInput) as refused:
        parse(source)

    # then
    assert refused.value.field == field


def test_the_path_begins_where_the_caller_says():
    with pytest.raises(InvalidInput) as refused:
        parse({"country": ["XX"]}, field="steps[1].condition")

    assert refused.value.field == "steps[1].condition.country"
    assert str(refused.value) == "“XX” is no country such as PT."


@pytest.mark.parametrize(
    "source",
    [
        {"all": [PORTUGAL] * MOST_CONDITIONS},
        nested(DEEPEST),
        nested(DEEPEST, "any"),
        {"products": {"include": list(ids_of("Product", MOST_IDS))}},
        {"value": {"EUR": {"from": "1", "to": "1"}}},
    ],
)
def test_what_is_just_small_enough_is_read(source):
    assert parse(dump(parse(source))) == parse(source)


def test_everybody_is_an_empty_object():
    assert parse({}) == EVERYBODY
    assert dump(EVERYBODY) == {}


# Explanations.


@pytest.mark.parametrize(
    ("source", "facts", "told"),
    [
        (PORTUGAL, A, []),
        (
            {"all": [PORTUGAL, {"lines": {"from": 2}}, FROM_10]},
            Facts(country="DE", lines=1),
            [
                ("trigger.all[0].country", NO, "country: DE; wanted: PT"),
                ("trigger.all[1].lines", NO, "lines: 1; wanted: at least 2"),
                ("trigger.all[2].value", UNKNOWN, "value: not known; wanted: at least 10 EUR"),
            ],
        ),
        (
            {"any": [PORTUGAL, {"country": ["ES", "FR"]}]},
            Facts(country="DE"),
            [
                ("trigger.any[0].country", NO, "country: DE; wanted: PT"),
                ("trigger.any[1].country", NO, "country: DE; wanted: ES or FR"),
            ],
        ),
        (
            {"not": {"any": [PORTUGAL, SPAIN]}},
            A,
            [("trigger.not.any[0].country", NO, "country: PT; not wanted: PT")],
        ),
        (
            {"not": {"not": PORTUGAL}},
            B,
            [("trigger.not.not.country", NO, "country: ES; wanted: PT")],
        ),
        (
            {"value": {"EUR": {"from": "10", "to": "20.50"}, "PLN": {"to": 9}}},
            Facts(total=Decimal("30.00"), currency="USD"),
            [
                (
                    "trigger.value",
                    UNKNOWN,
                    "value: 30.00 USD; wanted: at least 10 and at most 20.50 EUR or at most 9 PLN",
                )
            ],
        ),
        (
            {"blocker": ["PRICE_CHANGED"]},
            Facts(ruled_out=frozenset(Blocker)),
            [("trigger.blocker", NO, "blocker: none; wanted: PRICE_CHANGED")],
        ),
        (
            {"blocker": ["PRICE_CHANGED"]},
            Facts(),
            [("trigger.blocker", UNKNOWN, "blocker: not known; wanted: PRICE_CHANGED")],
        ),
        (
            {"products": {"include": ["UHJvZHVjdDox"], "exclude": ["UHJvZHVjdDoy"]}},
            Facts(products=frozenset({"UHJvZHVjdDoy"})),
            [
                (
                    "trigger.products",
                    NO,
                    (
                        "products: UHJvZHVjdDoy; "
                        "wanted: some of UHJvZHVjdDox and nothing of UHJvZHVjdDoy"
                    ),
                )
            ],
        ),
        (
            {"country": ["AT", "BE", "BG", "CY", "CZ", "DE", "DK"]},
            A,
            [("trigger.country", NO, "country: PT; wanted: AT, BE, BG, CY, CZ or 2 more")],
        ),
        (
            {"consent": ["SMS"]},
            Facts(agreed_to=frozenset()),
            [("trigger.consent", NO, "consent: none; wanted: SMS")],
        ),
    ],
)
def test_what_failed_is_said_with_its_place(source, facts, told):
    # when
    found = explain(parse(source), facts)

    # then
    assert [(one.path, one.verdict, one.text) for one in found] == told


def test_an_explanation_names_the_place_the_caller_knows():
    # when
    (found,) = explain(parse(SPAIN), A, field="steps[2].condition")

    # then
    assert found.path == "steps[2].condition.country"


@made.unhurried
@given(st.lists(made.asks(), min_size=1, max_size=5))
def test_the_words_of_a_condition_are_told_as_often_as_they_are_asked(asked):
    # given
    condition = AllOf((AnyOf(tuple(asked)), Not(Asks("country", Names(("PT",))))))

    # then
    assert list(triggers.words(condition)) == [one.word for one in asked] + ["country"]


# The page that teaches it.


def test_every_example_of_a_condition_can_be_read():
    # given
    examples = [json.loads(block) for block in blocks("docs/campaigns.md", "json")]
    conditions = [one for one in examples if "steps" not in one]

    # then
    assert len(conditions) == 5
    for source in conditions:
        assert parse(dump(parse(source))) == parse(source)


def test_the_examples_use_every_word():
    # given
    examples = [json.loads(block) for block in blocks("docs/campaigns.md", "json")]
    conditions = [one["trigger"] if "steps" in one else one for one in examples]

    # when
    used = {word for source in conditions for word in triggers.words(parse(source))}

    # then
    assert used == set(WORDS)


def test_every_word_is_taught():
    # when
    taught = names(section("docs/campaigns.md", "## Conditions"))

    # then
    assert taught == [*JOINS, *WORDS]


def test_the_limits_are_taught():
    # when
    said = section("docs/campaigns.md", "## Conditions")

    # then
    assert f"At most {MOST_CONDITIONS} conditions, at most {DEEPEST} deep." in said
    (products,) = (row for row in rows(said) if code(row[0]) == "products")
    assert f"up to {MOST_IDS} each" in products[1]
