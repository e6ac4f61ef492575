"""What strangers write becomes plain text, and takes no time."""

import time
from contextlib import suppress

import pytest

from saleor_nudges import wording
from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.reviews import plain


@pytest.mark.parametrize(
    ("_case", "said", "kept"),
    [
        ("plain", "Great taste, I <3 it: 5 < 6 & 7 > 3!", "Great taste, I <3 it: 5 < 6 & 7 > 3!"),
        ("emoji", "Lecker 👩‍👩‍👧 und مى‌خواهم", "Lecker 👩‍👩‍👧 und مى‌خواهم"),
        ("lines", "one\r\ntwo\n\n\n\n three \t x", "one\ntwo\n\nthree x"),
        ("entities", "Tom &amp; Jerry", "Tom & Jerry"),
        ("tag", "<b>bold</b> and <img src=x onerror=alert(1)> plain", "bold and plain"),
        ("script", "a<script>alert(1)</script>b<STYLE>*{}</STYLE >c", "a b c"),
        ("escaped_tag", "&lt;script&gt;alert(1)&lt;/script&gt;x", "x"),
        ("twice_escaped_tag", "&amp;amp;lt;b&amp;gt;x", "x"),
        ("unclosed_tag", "a <script src=//x.y", "a < script src=//x.y"),
        ("nested_tag", "<<b>script>x", "< script>x"),
        ("comment", "a<!-- x -->b", "a b"),
        ("nul", "a\0b", "ab"),
        ("nul_in_a_tag", "<\0b>x", "x"),
        ("escaped_control", "a&#x202e;b&#7;c", "abc"),
        ("bidi_and_halves", "a\u202eb\ud800c\u200bd\ue000e", "abcde"),
        ("link", "see https://evil.example/x?y now", "see […] now"),
        ("www", "www.evil.example", "[…]"),
        ("bare_domain", "at spam-shop.com!", "at […]!"),
        ("domain_with_path", "(evil.io/abc)", "([…]"),
        ("mail", "to anna.b+c@example.com.", "to […]."),
        ("script_link", "javascript:alert(1)", "[…]"),
        ("hidden_link", "ht\0tps://e\u200bvil.com", "[…]"),
        ("link_in_a_tag", '<a href="https://x.com">click</a>', "click"),
        ("no_link", "great.It works e.g. at 3.50 or so...", "great.It works e.g. at 3.50 or so..."),
        ("nothing", " \n ", ""),
    ],
)
def test_text_is_plain(_case, said, kept):
    assert plain.text(said) == kept
    assert plain.text(kept) == kept


def test_title_and_author_are_one_line():
    assert plain.title("<b>Very\n good</b> ") == "Very good"
    assert plain.author(" Anna\t\n B. ") == "Anna B."


@pytest.mark.parametrize(
    ("_case", "make", "field"),
    [
        ("text", lambda: plain.text("x" * 5001), "text"),
        ("grown_text", lambda: plain.text("<b" * 2500), "text"),
        ("ten_megabytes", lambda: plain.text("x" * 10_000_000), "text"),
        ("reply", lambda: plain.text("x" * 5001, field="reply"), "reply"),
        ("title", lambda: plain.title("x" * 201), "title"),
        ("author", lambda: plain.author("x" * 61), "authorName"),
        ("too_many_layers", lambda: plain.text("&" + "amp;" * 20 + "lt;b>"), "text"),
    ],
)
def test_what_is_no_review_is_refused_by_name(_case, make, field):
    with pytest.raises(InvalidInput) as refused:
        make()
    assert refused.value.field == field


@pytest.mark.parametrize("part", ["a", "a.", "<script>", "a@", "&lt;", "http://", "-", "a-", "<"])
def test_no_text_takes_long(part):
    # given
    said = (part * 5000)[:5000]

    # when
    start = time.perf_counter()
    with suppress(InvalidInput):
        plain.text(said)

    # then: the worst of them takes 15 ms.
    assert time.perf_counter() - start < 0.5


@pytest.mark.parametrize(
    ("_case", "text", "told"),
    [
        ("short", "Great\n taste", "Great taste"),
        ("exact", "x" * 20, "x" * 20),
        ("words", "Great taste, and cheap", "Great taste, and…"),
        ("punctuation", "Great taste, no, but a", "Great taste, no…"),
        ("one_word", "x" * 21, "x" * 19 + "…"),
    ],
)
def test_excerpt_is_cut_between_words(_case, text, told):
    assert wording.excerpt(text, 20) == told
    assert len(told) <= 20
