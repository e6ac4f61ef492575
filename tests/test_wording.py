"""Liquid with hard limits: a seller's slip or an attack is an error with a name, never a hang."""

import pytest

from saleor_nudges import wording
from saleor_nudges.exceptions import InvalidInput


@pytest.mark.parametrize(
    ("_case", "template", "facts", "expected"),
    [
        ("fact", "{{ name }} bought", {"name": "Anna"}, "Anna bought"),
        ("trimmed", "  {{ name }}\n", {"name": "Anna"}, "Anna"),
        ("unknown_fact", "[{{ nothing }}]", {}, "[]"),
        ("blank_is_false", "{% if name %}A{% else %}B{% endif %}", {"name": ""}, "B"),
        (
            "blank_inside_is_false",
            "{% for l in lines %}{% if l.image %}A{% else %}B{% endif %}{% endfor %}",
            {"lines": [{"image": ""}, {"image": "x"}]},
            "BA",
        ),
        ("zero_is_true", "{% if n %}A{% endif %}", {"n": 0}, "A"),
        ("not_escaped", "{{ name }}", {"name": "<b>"}, "<b>"),
    ],
)
def test_text(_case, template, facts, expected):
    assert wording.text(template, facts) == expected


def test_in_html_every_fact_is_escaped():
    facts = {"name": "<script>'\"&"}
    assert wording.html("<b>{{ name }}</b>", facts) == "<b>&lt;script&gt;&#39;&#34;&amp;</b>"


@pytest.mark.parametrize(
    ("_case", "template"),
    [
        ("open_tag", "{% if a %}"),
        ("open_output", "{{ name"),
        ("unknown_tag", "{% run %}"),
        ("too_long", "x" * 50_001),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(_case, template):
    with pytest.raises(InvalidInput) as raised:
        wording.check(template, field="subject")
    assert raised.value.field == "subject"


def test_the_longest_text_is_fine():
    wording.check("x" * 50_000, field="text")


DOUBLING = "{% assign a = a | append: a %}"


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    ("_case", "template"),
    [
        ("long_loop", "{% for n in (1..1001) %}x{% endfor %}"),
        (
            "loop_in_loop",
            "{% for n in (1..100) %}{% for m in (1..100) %}x{% endfor %}{% endfor %}",
        ),
        (
            "much_output",
            "{% for n in (1..900) %}" + "x" * 1000 + "{% endfor %}",
        ),
        (
            "doubling",
            "{% assign a = 'xxxxxxxx' %}{% for n in (1..900) %}" + DOUBLING + "{% endfor %}",
        ),
        ("ten_times_as_long", "{{ 'a' " + "| replace: 'a', 'aaaaaaaaaa' " * 9 + "}}"),
        ("a_third_longer", "{{ name " + "| base64_encode " * 200 + "}}"),
        ("long_join", "{{ '" + "a " * 9_000 + "' | split: ' ' | join: '" + "b" * 99 + "' }}"),
        ("much_times", "{{ 9 " + "| times: 999999999999999999 " * 4_000 + "}}"),
        ("a_word_for_a_number", "{{ name | slice: 'x' }}"),
        ("include", "{% include 'settings' %}"),
        ("render", "{% render 'settings' %}"),
        ("unknown_filter", "{{ name | run }}"),
        ("division_by_zero", "{{ 1 | divided_by: 0 }}"),
    ],
)
def test_what_takes_too_much_is_stopped(_case, template):
    with pytest.raises(InvalidInput):
        wording.text(template, {"name": "Anna"})


def test_nothing_of_ours_can_be_reached():
    class Thing:
        secret = "s3cret"

    for path in ("thing.secret", "thing.__class__", "name.__class__.__mro__", "thing['secret']"):
        assert "s3cret" not in wording.text("{{ %s }}" % path, {"thing": Thing(), "name": "x"})  # noqa: UP031
        assert "class" not in wording.text("{{ name.__class__ }}", {"name": "x"})


@pytest.mark.parametrize(
    ("_case", "template"),
    [
        ("a_range_counts_out_in_full", "{% assign n = (1..20000000) | join %}"),
        ("a_range_in_an_output", "{{ (1..20000000) | join: '' }}"),
        ("a_thousand_tags", "{" * 1_001),
    ],
)
def test_what_would_keep_a_worker_busy_is_refused_when_it_is_written(_case, template):
    with pytest.raises(InvalidInput) as refused:
        wording.check(template, field="text")
    assert refused.value.field == "text"


@pytest.mark.parametrize(
    ("_case", "text", "said"),
    [
        ("a_name", "Anna-Maria O'Neill", "Anna-Maria O'Neill"),
        ("an_initial", "J. Smith", "J. Smith"),
        ("a_city", "Łódź", "Łódź"),
        ("an_address", "Win at evil.example", ""),
        ("a_link", "https://evil", ""),
        ("a_number", "call 0900123", ""),
        ("a_speech", "A" * 41, ""),
    ],
)
def test_what_is_no_name_is_not_said(_case, text, said):
    assert wording.plain_name(text) == said


def test_a_filter_that_stays_small_works():
    facts = {"name": "Anna"}
    assert wording.text("{{ name | replace: 'n', 'm' | append: '!' }}", facts) == "Amma!"
    assert wording.text("{{ 'a b' | split: ' ' | join: '-' }}", facts) == "a-b"
    assert wording.text("{{ 6 | times: 7 }}", facts) == "42"
