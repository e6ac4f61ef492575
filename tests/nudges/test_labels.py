"""What the widget itself says: in every language of ours, and about every kind there is."""

import re

import pytest

from saleor_nudges.events.identity import uuid7
from saleor_nudges.models import NudgeType
from saleor_nudges.nudges import KINDS, defaults, labels
from saleor_nudges.nudges.choose import in_language
from saleor_nudges.nudges.kinds.live_visitors import LiveVisitorsKind
from saleor_nudges.nudges.kinds.low_stock import LowStockKind
from saleor_nudges.nudges.kinds.measured import Measured

BUTTONS = {"close", "withdrawn", "why", "less", "off", "counted", "preview"}
LANGUAGES = ["de", "en", "pl"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_is_said_in_every_language(language):
    said = labels.of(language)
    assert said["language"] == language
    assert said.keys() == BUTTONS | {"language", "about"}
    assert said["about"].keys() == {str(name) for name in NudgeType}
    assert all(said[name] for name in BUTTONS)
    assert all(said["about"].values())


@pytest.mark.parametrize("language", ["de", "pl"])
def test_no_two_languages_say_the_same(language):
    said, english = labels.of(language), labels.of("en")
    assert [name for name in BUTTONS if said[name] == english[name]] == []
    assert [name for name in said["about"] if said["about"][name] == english["about"][name]] == []


@pytest.mark.parametrize(
    ("code", "language"),
    [("PL", "pl"), ("DE_AT", "de"), ("de-AT", "de"), ("PT_BR", "en"), ("", "en"), ("x" * 99, "en")],
)
def test_a_language_falls_back_to_its_family_and_then_to_english(code, language):
    assert labels.of(code)["language"] == language


def test_nudges_fall_back_likewise():
    texts = {"en": "Hello", "de": "Hallo", "pt-br": "Olá"}
    assert in_language(texts, "DE_AT") == "Hallo"
    assert in_language(texts, "PT_BR") == "Olá"


def test_a_kind_has_words_about_it_in_the_languages_of_its_texts():
    for kind in KINDS.values():
        assert sorted(kind.about) == sorted(kind.texts) == LANGUAGES


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.type)
def test_a_window_is_named_where_the_evidence_has_one(kind):
    # Deeds have none, and what is left is of a moment.
    is_counted = isinstance(kind, Measured) and not isinstance(kind, LowStockKind)
    expected = is_counted or isinstance(kind, LiveVisitorsKind)
    for text in kind.about.values():
        assert re.findall(r"\{.*?\}", text) == (["{window}"] if expected else [])


@pytest.mark.parametrize("language", LANGUAGES)
def test_only_the_time_is_filled_in_by_the_page(language):
    said = labels.of(language)
    assert re.findall(r"\{.*?\}", said["counted"]) == ["{time}"]
    assert [name for name in BUTTONS - {"counted"} if "{" in said[name]] == []


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.type)
def test_every_kind_has_a_drawing(kind):
    drawing = defaults.icon_of(kind)
    # Moves and lines only: it is put into a page as it is.
    assert re.fullmatch(r"[MmLlHhVvCcSsQqTtAaZz0-9 .,-]+", drawing)
    assert drawing == (kind.icon or defaults.ICONS[kind.category])


def test_a_kind_of_its_own_has_its_own_drawing():
    review, order = KINDS[NudgeType.PRODUCT_REVIEW], KINDS[NudgeType.ORDER]
    assert defaults.icon_of(review) == review.icon != ""
    assert defaults.icon_of(order) == defaults.ICONS["RECENT_PURCHASE"]


def test_a_page_that_invents_languages_costs_no_memory():
    for _ in range(50):
        assert labels.of(str(uuid7()))["language"] == "en"
    assert labels._of.cache_info().currsize <= len(labels.LABELS)
