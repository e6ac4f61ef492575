"""Windows in words, facts of a nudge, and what a slip in the seller's words costs."""

from datetime import timedelta

import pytest

from saleor_nudges.models import NudgeConfig, NudgeType
from saleor_nudges.nudges import KINDS, telling
from saleor_nudges.nudges.kinds.base import Scope
from saleor_nudges.nudges.telling import Facts

ORDER = KINDS[NudgeType.ORDER]
FACTS = Facts(
    product="Apple Juice",
    window=86400,
    scope=Scope.PRODUCT,
    name="Anna",
    where={"city": "", "region": "", "country": "NL"},
    details={"rating": 5, "product": "nothing may stand in for a fact"},
    count=12,
)


@pytest.mark.parametrize(
    ("window", "en", "de", "pl"),
    [
        (timedelta(minutes=1), "minute", "der letzten Minute", "ostatniej minuty"),
        (timedelta(minutes=15), "15 minutes", "den letzten 15 Minuten", "ostatnich 15 minut"),
        (timedelta(minutes=90), "90 minutes", "den letzten 90 Minuten", "ostatnich 90 minut"),
        (timedelta(seconds=90), "90 seconds", "den letzten 90 Sekunden", "ostatnich 90 sekund"),
        (timedelta(hours=1), "hour", "der letzten Stunde", "ostatniej godziny"),
        (timedelta(hours=3), "3 hours", "den letzten 3 Stunden", "ostatnich 3 godzin"),
        (timedelta(days=1), "24 hours", "den letzten 24 Stunden", "ostatnich 24 godzin"),
        (timedelta(hours=36), "36 hours", "den letzten 36 Stunden", "ostatnich 36 godzin"),
        (timedelta(days=2), "2 days", "den letzten 2 Tagen", "ostatnich 2 dni"),
        (timedelta(days=7), "7 days", "den letzten 7 Tagen", "ostatnich 7 dni"),
        (timedelta(days=30), "30 days", "den letzten 30 Tagen", "ostatnich 30 dni"),
    ],
)
def test_a_window_is_said_as_people_say_it(window, en, de, pl):
    said = telling.window(int(window.total_seconds()))
    assert (said["en"], said["de"], said["pl"]) == (en, de, pl)


@pytest.mark.parametrize(
    ("seconds", "numbers"),
    [
        (90, {}),
        (5400, {"minutes": 90}),
        (7200, {"minutes": 120, "hours": 2}),
        (172800, {"minutes": 2880, "hours": 48, "days": 2}),
    ],
)
def test_a_window_has_numbers_where_it_is_whole(seconds, numbers):
    said = telling.window(seconds)
    assert {name: said[name] for name in said.keys() - {"en", "de", "pl"}} == numbers


def test_what_a_template_knows():
    known = FACTS.said("en")
    assert known.pop("window")["en"] == "24 hours"
    assert known == {
        "product": "Apple Juice",
        "name": "Anna",
        "city": "",
        "region": "",
        "country": "the Netherlands",
        "place": "the Netherlands",
        "count": 12,
        "scope": "PRODUCT",
        "rating": 5,
    }
    assert FACTS.said("de")["place"] == "Niederlande"


def test_whatever_a_kind_says_it_knows_it_is_told():
    known = Facts(product="", window=60, scope=Scope.PRODUCT).said("en")
    missing = {kind.type: set(kind.variables) - known.keys() for kind in KINDS.values()}
    details = {name: more for name, more in missing.items() if more}
    assert details == {NudgeType.PRODUCT_REVIEW: {"rating", "excerpt", "verified"}}


def a_config(**fields):
    return NudgeConfig(type=NudgeType.ORDER, window_seconds=60, **fields)


def test_the_sellers_words_before_ours_language_by_language():
    config = a_config(texts={"de": "Neu: {{ product }}", "fr": "Vendu"}, headings={"fr": "Ici"})
    texts = telling.texts(ORDER, config, FACTS)
    assert (texts["de"], texts["fr"]) == ("Neu: Apple Juice", "Vendu")
    assert texts["en"] == "Anna from the Netherlands bought Apple Juice"
    assert telling.tags(ORDER, config, FACTS) == {**ORDER.headings, "fr": "Ici"}


def test_a_slip_costs_the_sellers_words_and_says_no_name():
    config = a_config(texts={"en": "{{ name | nosuchfilter }}"}, headings={"fr": "{{ x | no }}"})
    assert telling.texts(ORDER, config, FACTS)["en"] == (
        "Someone from the Netherlands bought Apple Juice"
    )
    assert telling.tags(ORDER, config, FACTS)["fr"] == "Recently bought"


def test_no_name_is_remembered_by_the_process():
    telling._said.cache_clear()
    telling.texts(ORDER, a_config(), FACTS)
    assert telling._said.cache_info().currsize == 0
