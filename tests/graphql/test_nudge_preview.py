"""A configuration is tried before it is saved: with what is real, or plainly with a sample."""

import pytest
from django.apps import apps

from saleor_nudges.capture import capture
from saleor_nudges.models import Nudge, NudgeType
from saleor_nudges.testing import (
    CHANNEL,
    JUICE,
    a_checkout,
    consume,
    make_shop,
    order_placed,
    switch_on_nudge,
    viewed,
)
from tests.graphql.seller import ask, code_of, told

pytestmark = pytest.mark.django_db

PREVIEW = """
    query($channel: String!, $type: NudgeTypeEnum!, $input: NudgeConfigInput, $code: String) {
        nudgePreview(channel: $channel, type: $type, input: $input, languageCode: $code) {
            isSample
            nudge {
                type category title tag text productId image href highlight showsTime occurredAt
                evidence { metric value windowSeconds }
            }
            findings { field languageCode words rule reason sources { rules source } }
            errors { field message code }
        }
    }
"""


@pytest.fixture
def shop():
    return make_shop()


def preview(kind="ORDER", code="en", may="MANAGE_SETTINGS", **changes):
    for name in {"texts", "headings"} & changes.keys():
        changes[name] = [{"languageCode": k, "text": v} for k, v in changes[name].items()]
    variables = {"channel": CHANNEL, "type": kind, "input": changes, "code": code}
    return told(PREVIEW, variables, may=may)


def everything():
    models = apps.get_app_config("saleor_nudges").get_models()
    return {m.__name__: list(m._base_manager.values().order_by("pk")) for m in models}


def bought(shop, **contact):
    contact = {"email": "anna@example.com", "first_name": "Anna", "country": "PL"} | contact
    order_placed(shop, a_checkout(shop, **contact))


def test_the_latest_nudge_of_the_shop_is_shown_in_the_new_words(shop):
    # given
    bought(shop)
    before = everything()

    # when
    answer = preview(
        texts={"en": "{% if name %}{{ name }}{% else %}Who{% endif %} bought {{ product }}"},
        headings={"en": "Sold"},
        isAnonymous=False,
        highlightColor="#123456",
    )

    # then
    assert answer["isSample"] is False
    assert (answer["errors"], answer["findings"]) == ([], [])
    nudge = answer["nudge"]
    assert (nudge["text"], nudge["tag"]) == ("Anna bought Apple Juice", "Sold")
    assert (nudge["title"], nudge["productId"]) == ("Apple Juice", JUICE.id)
    assert (nudge["highlight"], nudge["showsTime"]) == ("#123456", True)
    assert nudge["evidence"] == {"metric": "orders", "value": 1, "windowSeconds": None}
    assert everything() == before


def test_nothing_stored_is_needed_and_a_sample_says_so(shop):
    before = everything()
    answer = preview()
    assert answer["isSample"] is True
    assert answer["nudge"]["text"] == "Someone from Wrocław bought Apple Juice"
    assert answer["nudge"]["evidence"] is None
    assert answer["nudge"]["productId"] is None
    assert everything() == before


def test_a_sample_has_a_name_only_where_one_would_be_said(shop):
    assert preview(isAnonymous=False)["nudge"]["text"].startswith("Anna ")
    assert preview(isAnonymous=True)["nudge"]["text"].startswith("Someone ")


@pytest.mark.parametrize("kind", list(NudgeType))
@pytest.mark.parametrize("code", ["en", "de", "pl"])
def test_every_kind_has_a_sample_in_every_language_of_ours(code, kind, shop):
    answer = preview(kind, code, minimum=3)
    assert answer["isSample"] is True
    assert (answer["errors"], answer["findings"]) == ([], [])
    assert answer["nudge"]["text"]
    assert answer["nudge"]["tag"]
    assert answer["nudge"]["highlight"].startswith("#")
    assert "{{" not in answer["nudge"]["text"]


def test_a_sample_lies_between_the_sellers_numbers(shop):
    text = {"en": "{{ count }}"}
    assert preview("PRODUCT_VIEW", texts=text, minimum=40)["nudge"]["text"] == "40"
    assert preview("PRODUCT_VIEW", texts=text, minimum=2, maximum=7)["nudge"]["text"] == "7"


def test_a_real_number_is_shown_with_its_evidence(shop):
    # given
    switch_on_nudge(shop, NudgeType.PRODUCT_VIEW)
    capture(*[viewed(shop, JUICE.id) for _ in range(6)])
    consume()

    # when
    answer = preview("PRODUCT_VIEW", texts={"en": "{{ count }} looked at this"})

    # then
    assert answer["isSample"] is False
    assert answer["nudge"]["text"] == "6 looked at this"
    assert answer["nudge"]["evidence"]["value"] == 6


@pytest.mark.parametrize(
    ("_case", "changes"),
    [
        ("excluded", {"excluded": {"products": [JUICE.id]}}),
        ("not_counted", {"orderStatuses": ["PARTIALLY_RETURNED"]}),
    ],
)
def test_what_the_configuration_leaves_out_is_not_shown(_case, changes, shop):
    bought(shop)
    assert preview(**changes)["isSample"] is True


def test_what_was_taken_back_is_not_shown(shop):
    bought(shop)
    Nudge.objects.of(shop).update(withdrawn_at="2026-01-01T00:00:00Z")
    assert preview()["isSample"] is True


def test_words_that_would_be_refused_are_found_and_still_shown(shop):
    answer = preview("PRODUCT_VIEW", texts={"en": "{{ count }} people here right now"})
    assert answer["nudge"]["text"] == "12 people here right now"
    [finding] = answer["findings"]
    assert finding["words"] == "right now"
    assert (finding["field"], finding["languageCode"], finding["rule"]) == ("texts", "en", "NOW")
    assert {source["rules"] for source in finding["sources"]} == {"UK", "EU", "US"}
    assert answer["errors"] == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"texts": {"en": "{{ cuont }}"}}, "texts"),
        ({"texts": {"en": "{% run %}"}}, "texts"),
        ({"highlightColor": "blue"}, "highlightColor"),
        ({"windowSeconds": 0}, "windowSeconds"),
        ({"minimum": 9, "maximum": 1}, "maximum"),
    ],
)
def test_what_could_not_be_saved_is_named(changes, field, shop):
    answer = preview("PRODUCT_VIEW", **changes)
    assert answer["nudge"] is None
    assert [(error["field"], error["code"]) for error in answer["errors"]] == [(field, "INVALID")]


def test_a_language_that_nobody_wrote_falls_back_to_english(shop):
    assert preview(code="fi")["nudge"]["text"] == "Someone from Wrocław bought Apple Juice"


def test_only_who_may_change_settings_tries_them(shop):
    others = "MANAGE_CHECKOUTS,MANAGE_ORDERS,MANAGE_PRODUCTS,MANAGE_USERS"
    variables = {"channel": CHANNEL, "type": "ORDER"}
    assert code_of(ask(PREVIEW, variables, may=others)) == "PermissionDenied"


def test_one_shop_sees_nothing_of_another(shop):
    # given
    bought(shop)
    other = make_shop("other.example.com")

    # when
    variables = {"channel": CHANNEL, "type": "ORDER"}
    assert told(PREVIEW, variables, shop=shop)["isSample"] is False

    # then
    assert told(PREVIEW, variables, shop=other)["isSample"] is True
