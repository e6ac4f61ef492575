"""A seller shapes a kind of nudge: every field is set, read back, and written down."""

from base64 import b64encode

import pytest

from saleor_nudges.models import AuditEntry, NudgeConfig, NudgeType
from saleor_nudges.nudges import KINDS
from saleor_nudges.testing import CHANNEL, make_shop
from tests.graphql.seller import ask, code_of, told

pytestmark = pytest.mark.django_db

PRODUCT, CATEGORY, COLLECTION = (
    b64encode(f"{kind}:1".encode()).decode() for kind in ("Product", "Category", "Collection")
)
FIELDS = """
    isEnabled isAnonymous hasHeaderTag hasTime priority windowSeconds minimum maximum stockRule
    coverDays pages texts { languageCode text } headings { languageCode text } highlightColor
    included { products categories collections } excluded { products categories collections }
    orderStatuses image imageUrl link linkUrl
"""
CHANGED = {
    "isEnabled": True,
    "isAnonymous": False,
    "hasHeaderTag": False,
    "hasTime": False,
    "priority": 3,
    "windowSeconds": 3600,
    "minimum": 2,
    "maximum": 9,
    "stockRule": "DAYS_OF_COVER",
    "coverDays": 12,
    "pages": ["HOME", "PRODUCT"],
    "texts": [
        {"languageCode": "de", "text": "{{ product }} gekauft"},
        {"languageCode": "pt-br", "text": "{{ product }}"},
    ],
    "headings": [{"languageCode": "en", "text": "Bought"}],
    "highlightColor": "#1a2b3c",
    "included": {"products": [PRODUCT], "categories": [CATEGORY], "collections": []},
    "excluded": {"products": [], "categories": [], "collections": [COLLECTION]},
    "orderStatuses": ["FULFILLED"],
    "image": "CUSTOM",
    "imageUrl": "https://shop.example.com/a.png",
    "link": "CUSTOM",
    "linkUrl": "https://shop.example.com/new",
}
UPDATE = f"""
    mutation(
        $channel: String!, $type: NudgeTypeEnum!, $input: NudgeConfigInput, $restore: Boolean
    ) {{
        nudgeConfigUpdate(
            channel: $channel, type: $type, input: $input, restoreDefaults: $restore
        ) {{
            nudgeConfig {{ {FIELDS} }}
            errors {{ field message code }}
        }}
    }}
"""


@pytest.fixture
def shop():
    return make_shop()


def update(kind="ORDER", *, restore=None, **changes):
    variables = {"channel": CHANNEL, "type": kind, "input": changes, "restore": restore}
    return told(UPDATE, variables)


def rows():
    return list(NudgeConfig.objects.across_shops().values())


def test_every_field_is_set_and_read_back(shop):
    # when
    answer = update(**CHANGED)

    # then
    assert answer == {"nudgeConfig": CHANGED, "errors": []}
    query = f'{{ nudgeConfig(channel: "{CHANNEL}", type: ORDER) {{ {FIELDS} }} }}'
    assert told(query) == CHANGED


def test_every_column_can_be_changed(shop):
    fixed = {"id", "created_at", "shop", "channel", "type"}
    columns = {field.name for field in NudgeConfig._meta.fields} - fixed
    assert len(CHANGED) == len(columns)
    update(**CHANGED)
    stored, fresh = NudgeConfig.objects.of(shop).get(), KINDS[NudgeType.ORDER].default(shop, "x")
    assert [name for name in columns if getattr(stored, name) == getattr(fresh, name)] == []


def test_every_kind_is_listed_with_what_it_ships(shop):
    query = f"""{{ nudgeConfigs(channel: "{CHANNEL}") {{
        type category isEnabled texts {{ text }} variables windowChoices
        defaultTexts {{ languageCode text }} defaultHeadings {{ languageCode }} }} }}"""
    found = {one["type"]: one for one in told(query)}
    assert set(found) == set(NudgeType.values)
    assert {one["isEnabled"] for one in found.values()} == {False}
    assert found["LIVE_VISITORS"]["variables"] == ["product", "count"]
    assert found["ORDER_SUMMARY"]["windowChoices"] == [3600, 86400, 604800, 2592000]
    assert found["ORDER"]["windowChoices"] == []
    assert found["ORDER"]["texts"] == []
    for kind, one in found.items():
        ours = KINDS[NudgeType(kind)]
        assert {text["languageCode"]: text["text"] for text in one["defaultTexts"]} == ours.texts
        assert {text["languageCode"] for text in one["defaultHeadings"]} == set(ours.headings)


def test_what_is_not_given_stays(shop):
    update(**CHANGED)
    answer = update(minimum=5)
    assert answer["nudgeConfig"] == CHANGED | {"minimum": 5}


def test_a_maximum_of_0_is_none(shop):
    update(maximum=9)
    assert update(maximum=0)["nudgeConfig"]["maximum"] is None


def test_what_ships_comes_back(shop):
    # given
    fresh = update()["nudgeConfig"]
    update(**CHANGED)

    # when
    answer = update(restore=True, minimum=4)

    # then
    assert answer["nudgeConfig"] == fresh | {"isEnabled": True, "minimum": 4}
    entry = AuditEntry.objects.of(shop).order_by("id").last()
    assert entry.before["texts"] == {"de": "{{ product }} gekauft", "pt-br": "{{ product }}"}
    assert entry.after["texts"] == {}
    assert "is_enabled" not in entry.after


@pytest.mark.parametrize(
    ("kind", "changes", "field", "words"),
    [
        ("ORDER", {"windowSeconds": 0}, "windowSeconds", "60"),
        ("ORDER", {"minimum": 5, "maximum": 4}, "minimum", "nothing would ever be shown"),
        ("ORDER", {"highlightColor": "blue"}, "highlightColor", "#1a2b3c"),
        ("ORDER", {"pages": []}, "pages", "HOME"),
        ("ORDER", {"image": "CUSTOM"}, "imageUrl", "image"),
        ("ORDER", {"included": {"products": ["1"]}}, "included", "products"),
        ("PRODUCT_VIEW", {"texts": [("en", "{% frobnicate %}")]}, "texts", "frobnicate"),
        ("PRODUCT_VIEW", {"texts": [("en", "{{ cuont }} people")]}, "texts", "cuont"),
        ("PRODUCT_VIEW", {"texts": [("en", "37 people viewed it")]}, "texts", "37"),
        ("PRODUCT_VIEW", {"headings": [("en", "37 people")]}, "headings", "37"),
        ("PRODUCT_VIEW", {"texts": [("de", "Jetzt angesehen")]}, "texts", "jetzt"),
        ("PRODUCT_VIEW", {"texts": [("pl", "Zostało tylko {{ count }}")]}, "texts", "zostało"),
        ("PRODUCT_VIEW", {"texts": [("en", "a"), ("EN", "b")]}, "texts", "twice"),
        ("PRODUCT_VIEW", {"texts": [("klingonisch", "a")]}, "texts", "klingonisch"),
        (
            "PRODUCT_VIEW",
            {"texts": [("en", "{{ product " + "| escape" * 300 + " }}")]},
            "texts",
            "2000",
        ),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_saved(kind, changes, field, words, shop):
    # given
    for name in {"texts", "headings"} & changes.keys():
        texts = [{"languageCode": code, "text": text} for code, text in changes[name]]
        changes = changes | {name: texts}
    before = rows()

    # when
    answer = update(kind, isEnabled=True, **changes)

    # then
    [error] = answer["errors"]
    assert (error["field"], error["code"]) == (field, "INVALID")
    assert words in error["message"]
    assert answer["nudgeConfig"] is None
    assert rows() == before
    assert AuditEntry.objects.of(shop).count() == 0


def test_the_refusal_of_words_says_why_and_by_whose_rule(shop):
    text = {"languageCode": "en", "text": "{{ count }} people look right now"}
    [error] = update("PRODUCT_VIEW", texts=[text])["errors"]
    for words in ("“right now” (en)", "this moment", "UK: DMCC Act 2024", "EU: Directive 2005/29"):
        assert words in error["message"]
    assert update("LIVE_VISITORS", texts=[text])["errors"] == []


@pytest.mark.parametrize(
    "arguments",
    [
        'channel: "c", type: NOTHING, input: {isEnabled: true}',
        'channel: "c", type: ORDER, input: {pages: [MOON]}',
        'channel: "c", type: ORDER, input: {stockRule: SOON}',
        'channel: "c", type: ORDER, input: {orderStatuses: [CANCELED]}',
    ],
)
def test_an_unknown_word_is_refused_with_its_argument(arguments, shop):
    answer = ask(f"mutation {{ nudgeConfigUpdate({arguments}) {{ errors {{ field }} }} }}")
    [error] = answer["errors"]
    assert 'Argument "' in error["message"]
    assert rows() == []


def test_a_channel_that_can_be_none_is_refused(shop):
    variables = {"channel": "", "type": "ORDER", "input": {"isEnabled": True}}
    assert [error["field"] for error in told(UPDATE, variables)["errors"]] == ["channel"]


def test_a_change_is_written_down_with_what_was_before(shop):
    # given
    update(minimum=3)

    # when
    update(minimum=4, isEnabled=True, isAnonymous=True)

    # then
    entry = AuditEntry.objects.of(shop).order_by("id").last()
    assert (entry.action, entry.target) == ("NudgeConfigUpdate", f"{CHANNEL}/ORDER")
    assert entry.before == {"minimum": 3, "is_enabled": False}
    assert entry.after == {"minimum": 4, "is_enabled": True}


def test_only_who_may_change_settings_shapes_nudges(shop):
    others = "MANAGE_CHECKOUTS,MANAGE_ORDERS,MANAGE_PRODUCTS,MANAGE_USERS"
    query = f'{{ nudgeConfig(channel: "{CHANNEL}", type: ORDER) {{ isEnabled }} }}'
    assert code_of(ask(query, may=others)) == "PermissionDenied"
    variables = {"channel": CHANNEL, "type": "ORDER", "input": {"isEnabled": True}}
    assert code_of(ask(UPDATE, variables, may=others)) == "PermissionDenied"
    assert rows() == []


def test_one_shop_shapes_nothing_of_another(shop):
    # given
    other = make_shop("other.example.com")
    variables = {"channel": CHANNEL, "type": "ORDER", "input": {"minimum": 7}}

    # when
    assert told(UPDATE, variables, shop=other)["errors"] == []

    # then
    assert NudgeConfig.objects.of(shop).count() == 0
    assert NudgeConfig.objects.of(other).get().minimum == 7
    assert AuditEntry.objects.of(shop).count() == 0
