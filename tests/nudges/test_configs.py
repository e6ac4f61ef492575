"""What a seller may choose; a bad choice names its field and changes nothing."""

from base64 import b64encode
from threading import Barrier, Thread

import pytest
from django.db import connection

from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.models import NudgeConfig, NudgeSettings, NudgeType, Shop
from saleor_nudges.nudges import KINDS, configs
from saleor_nudges.testing import CHANNEL, make_shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return make_shop()


def rows(shop):
    return (
        list(NudgeConfig.objects.of(shop).values()),
        list(NudgeSettings.objects.of(shop).values()),
    )


def test_every_kind_is_off_and_anonymous_by_default(shop):
    found = configs.configs(shop, CHANNEL)
    assert set(found) == set(KINDS) == set(NudgeType)
    assert {config.is_enabled for config in found.values()} == {False}
    assert {config.is_anonymous for config in found.values()} == {True}
    assert rows(shop) == ([], [])


DAY = 24 * 3600
PRODUCT, CATEGORY = (b64encode(name.encode()).decode() for name in ("Product:1", "Category:2"))

# A field, a value that is refused, and the name GraphQL has for the field.
BAD = [
    ("pages", ["HOME", "NOWHERE"], "pages"),
    ("pages", ["HOME", "HOME"], "pages"),
    ("pages", [], "pages"),
    ("window_seconds", 0, "windowSeconds"),
    ("window_seconds", 59, "windowSeconds"),
    ("window_seconds", 30 * DAY + 1, "windowSeconds"),
    ("minimum", 0, "minimum"),
    ("minimum", 1_000_001, "minimum"),
    ("maximum", 0, "maximum"),
    ("maximum", 1_000_001, "maximum"),
    ("priority", -1, "priority"),
    ("priority", 101, "priority"),
    ("stock_rule", "SOON", "stockRule"),
    ("cover_days", 0, "coverDays"),
    ("cover_days", 91, "coverDays"),
    ("highlight_color", "red", "highlightColor"),
    ("highlight_color", "#12345", "highlightColor"),
    ("highlight_color", "#1234567", "highlightColor"),
    ("highlight_color", "#12345g", "highlightColor"),
    ("included", {"products": [CATEGORY]}, "included"),
    ("included", {"products": ["1"]}, "included"),
    ("included", {"products": ["Product:1"]}, "included"),
    ("included", {"brands": []}, "included"),
    ("excluded", {"categories": [PRODUCT]}, "excluded"),
    ("excluded", {"products": [PRODUCT] * 501}, "excluded"),
    ("order_statuses", ["CANCELED"], "orderStatuses"),
    ("order_statuses", ["FULFILLED", "FULFILLED"], "orderStatuses"),
    ("image", "AVATAR", "image"),
    ("image", "CUSTOM", "imageUrl"),
    ("image_url", "http://shop.example.com/a.png", "imageUrl"),
    ("image_url", "https://shop.example.com/" + "a" * 480, "imageUrl"),
    ("image_url", "https://", "imageUrl"),
    ("link", "MOON", "link"),
    ("link", "CUSTOM", "linkUrl"),
    ("link_url", "javascript:alert(1)", "linkUrl"),
    ("link_url", "https://shop.example.com/a b", "linkUrl"),
    ("link_url", "https://user@evil.example.com/", "linkUrl"),
    ("texts", {"en": "{% if %}"}, "texts"),
    ("texts", {"en": "fine", "de": "{{ product"}, "texts"),
    ("texts", {"en": "x" * 50_001}, "texts"),
    ("texts", {"en": "x" * 201}, "texts"),
    ("texts", {"en": "{% frobnicate %}"}, "texts"),
    ("texts", {"en": "{% for n in product %}x{% endfor %}"}, "texts"),
    ("texts", {"en": "{{ prodcut }}"}, "texts"),
    ("texts", {"en": "{% if prodcut %}x{% endif %}"}, "texts"),
    ("texts", {"en": "{{ window.xx }}"}, "texts"),
    ("texts", {"en": "{{ count }}"}, "texts"),
    ("texts", {"en": "{{ product | run }}"}, "texts"),
    ("texts", {"en": "{{ product | append: '!' }}"}, "texts"),
    ("texts", {"en": "{% if city %}{{ product | replace: 'a', 'b' }}{% endif %}"}, "texts"),
    ("texts", {"en": "{% assign a = product | size %}x"}, "texts"),
    ("texts", {"en": "{% assign product = 'a' %}{{ product }}"}, "texts"),
    ("texts", {"en": "{% assign a = product %}{{ a }}"}, "texts"),
    ("texts", {"en": "{% capture a %}x{% endcapture %}"}, "texts"),
    ("texts", {"en": "{% if scope > 3 %}x{% endif %}y"}, "texts"),
    ("texts", {"en": "{{ 'abc' | truncate: 'x' }}"}, "texts"),
    ("texts", {"en": "{{ window.en | truncate: 4 }}"}, "texts"),
    ("texts", {"en": "{{ product }}" + "{% if city %}a{% else %}b{% endif %}" * 9}, "texts"),
    ("texts", {"en": "a\0b"}, "texts"),
    ("texts", {"en": "a\u202eb"}, "texts"),
    ("texts", {"english": "{{ product }}"}, "texts"),
    ("texts", {"": "{{ product }}"}, "texts"),
    ("texts", {f"{a}{b}": "x" for a in "abcdefgh" for b in "abcdefg"}, "texts"),
    ("headings", {"en": "x" * 61}, "headings"),
    ("headings", {"en": "{{ product"}, "headings"),
]


@pytest.mark.parametrize(("field", "value", "named"), BAD)
@pytest.mark.parametrize("is_known", [False, True])
def test_a_bad_config_changes_nothing(is_known, field, value, named, shop):
    # given
    if is_known:
        configs.change_config(shop, CHANNEL, NudgeType.ORDER, {"minimum": 7})
    before = rows(shop)

    # when
    with pytest.raises(InvalidInput) as raised:
        configs.change_config(shop, CHANNEL, NudgeType.ORDER, {"is_enabled": True, field: value})

    # then
    assert raised.value.field == named
    assert rows(shop) == before


def test_a_misspelt_variable_is_named(shop):
    with pytest.raises(InvalidInput) as raised:
        configs.change_config(
            shop, CHANNEL, NudgeType.PRODUCT_VIEW, {"texts": {"en": "{{ cuont }} people"}}
        )
    assert raised.value.field == "texts"
    assert "“cuont”" in str(raised.value)
    assert "count" in str(raised.value).replace("cuont", "")


@pytest.mark.parametrize(
    ("kind", "changes", "named"),
    [
        ("PRODUCT_VIEW", {"minimum": 9, "maximum": 8}, "minimum"),
        ("PRODUCT_VIEW", {"maximum": 4}, "maximum"),
        ("LOW_STOCK", {"minimum": 6}, "minimum"),
        ("PRODUCT_REVIEW", {"minimum": 6}, "minimum"),
        ("ORDER_SUMMARY", {"window_seconds": DAY + 1}, "windowSeconds"),
        ("LIVE_VISITORS", {"window_seconds": DAY}, "windowSeconds"),
        (
            "ORDER",
            {"included": {"products": [PRODUCT]}, "excluded": {"products": [PRODUCT]}},
            "excluded",
        ),
    ],
)
def test_what_would_never_be_shown_is_refused(kind, changes, named, shop):
    with pytest.raises(InvalidInput) as raised:
        configs.change_config(shop, CHANNEL, NudgeType(kind), changes)
    assert raised.value.field == named
    assert rows(shop) == ([], [])


@pytest.mark.parametrize("kind", list(NudgeType))
def test_what_ships_may_be_saved_as_it_is(kind, shop):
    # given: the seller writes our own words as theirs.
    ours = KINDS[kind]
    words = {"texts": ours.texts, "headings": ours.headings}

    # when
    config = configs.change_config(shop, CHANNEL, kind, {"is_enabled": True, **words})

    # then
    assert config.texts == ours.texts
    for window in ours.windows:
        changes = {"window_seconds": int(window.total_seconds())}
        configs.change_config(shop, CHANNEL, kind, changes)


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("desktop_position", "TOP", "desktopPosition"),
        ("mobile_position", "BOTTOM_LEFT", "mobilePosition"),
        ("theme", "PINK", "theme"),
        ("highlight_color", "red", "highlightColor"),
        ("highlight_color", "#12345", "highlightColor"),
        ("highlight_color", "#12345g", "highlightColor"),
        ("highlight_color", "1a2b3c7", "highlightColor"),
        ("initial_delay", -1, "initialDelay"),
        ("initial_delay", 301, "initialDelay"),
        ("gap", 0, "gap"),
        ("gap", 601, "gap"),
        ("duration", 1, "duration"),
        ("duration", 121, "duration"),
        ("max_per_page", 0, "maxPerPage"),
        ("max_per_page", 21, "maxPerPage"),
        ("max_per_session", 0, "maxPerSession"),
        ("max_per_session", 101, "maxPerSession"),
        ("devices", [], "devices"),
        ("devices", ["TOASTER"], "devices"),
        ("consent_mode", "MAYBE", "consentMode"),
        ("buyers_per_place", 1, "buyersPerPlace"),
        ("buyers_per_place", 101, "buyersPerPlace"),
    ],
)
def test_a_bad_setting_changes_nothing(field, value, named, shop):
    # given
    configs.change_settings(shop, CHANNEL, {"gap": 13})
    before = rows(shop)

    # when
    with pytest.raises(InvalidInput) as raised:
        configs.change_settings(shop, CHANNEL, {"theme": "DARK", field: value})

    # then
    assert raised.value.field == named
    assert rows(shop) == before


@pytest.mark.parametrize("channel", ["", "x" * 256])
def test_a_channel_has_a_slug(channel, shop):
    for change in (
        lambda: configs.change_config(shop, channel, NudgeType.ORDER, {}),
        lambda: configs.change_settings(shop, channel, {}),
    ):
        with pytest.raises(InvalidInput) as raised:
            change()
        assert raised.value.field == "channel"
    assert rows(shop) == ([], [])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("window_seconds", 60),
        ("window_seconds", 30 * DAY),
        ("minimum", 1),
        ("maximum", 1),
        ("maximum", 1_000_000),
        ("priority", 0),
        ("priority", 100),
        ("stock_rule", "DAYS_OF_COVER"),
        ("cover_days", 90),
        ("pages", ["HOME"]),
        ("highlight_color", "#1A2b3c"),
        ("included", {"products": [PRODUCT], "categories": [CATEGORY]}),
        ("excluded", {"products": [PRODUCT] * 1}),
        ("order_statuses", ["FULFILLED", "PARTIALLY_RETURNED"]),
        ("image", "NONE"),
        ("image_url", "https://shop.example.com/a.png?x=1"),
        ("link_url", "https://shop.example.com/sale#top"),
        ("texts", {"de": "Neu: {{ product }}", "pt-br": "Novo: {{ product }}"}),
        ("texts", {"en": "{% if city %}{{ city }}{% else %}{{ place }}{% endif %}"}),
        ("texts", {"en": "x" * 200}),
        ("headings", {"en": "x" * 60}),
        ("has_header_tag", False),
        ("has_time", False),
    ],
)
def test_a_good_config_is_kept(field, value, shop):
    configs.change_config(shop, CHANNEL, NudgeType.ORDER, {field: value})
    stored = configs.configs(shop, CHANNEL)[NudgeType.ORDER]
    assert getattr(stored, field) == value
    assert NudgeConfig.objects.of(shop).count() == 1


def test_one_channel_changes_no_other(shop):
    configs.change_config(shop, CHANNEL, NudgeType.ORDER, {"is_enabled": True})
    configs.change_settings(shop, CHANNEL, {"theme": "DARK", "highlight_color": "#1A2b3c"})
    assert configs.configs(shop, "other")[NudgeType.ORDER].is_enabled is False
    assert configs.settings_of(shop, "other").theme == "AUTO"
    assert configs.display_of(configs.settings_of(shop, CHANNEL)) == {
        "position": {"desktop": "BOTTOM_LEFT", "mobile": "BOTTOM"},
        "theme": "DARK",
        "highlight": "#1A2b3c",
        "initialDelay": 4,
        "gap": 12,
        "duration": 8,
        "maxPerPage": 3,
        "maxPerSession": 10,
        "devices": ["DESKTOP", "ANDROID", "IOS", "OTHER"],
        "quietInCheckout": True,
        "consentMode": "OPT_OUT",
        "capturesContact": False,
    }


def test_the_words_of_a_language_with_nothing_in_it_are_ours(shop):
    config = configs.change_config(
        shop, CHANNEL, NudgeType.ORDER, {"texts": {"DE": "Neu", "en": "  "}}
    )
    assert config.texts == {"de": "Neu"}


def test_switching_off_needs_no_repair(shop):
    # given: something that was fine once
    configs.change_config(shop, CHANNEL, NudgeType.ORDER, {"is_enabled": True})
    NudgeConfig.objects.of(shop).update(pages=["MOON"])

    # when
    configs.change_config(shop, CHANNEL, NudgeType.ORDER, {"is_enabled": False})

    # then
    assert configs.configs(shop, CHANNEL)[NudgeType.ORDER].is_enabled is False
    with pytest.raises(InvalidInput) as raised:
        configs.change_config(shop, CHANNEL, NudgeType.ORDER, {"is_enabled": True})
    assert raised.value.field == "pages"


def test_what_ships_is_restored_but_for_whether_it_is_on(shop):
    # given
    fresh = KINDS[NudgeType.PRODUCT_VIEW].default(shop, CHANNEL)
    changes = {"minimum": 9, "texts": {"en": "{{ count }} people"}, "pages": ["HOME"]}
    configs.change_config(shop, CHANNEL, NudgeType.PRODUCT_VIEW, {"is_enabled": True, **changes})

    # when
    change = configs.edit_config(
        shop, CHANNEL, NudgeType.PRODUCT_VIEW, {"priority": 7}, is_restored=True
    )

    # then
    assert change.before == {**changes, "priority": fresh.priority}
    assert change.after == {"minimum": 5, "texts": {}, "pages": ["PRODUCT"], "priority": 7}
    assert change.row.is_enabled is True


def test_what_ships_is_restored_in_the_settings(shop):
    configs.change_settings(shop, CHANNEL, {"theme": "DARK", "gap": 99})
    change = configs.edit_settings(shop, CHANNEL, {"gap": 5}, is_restored=True)
    assert change.before == {"theme": "DARK", "gap": 99}
    assert change.after == {"theme": "AUTO", "gap": 5}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_known", [False, True])
def test_two_sellers_at_once_lose_nothing(is_known):
    # given
    shop = make_shop()
    if is_known:
        configs.change_config(shop, CHANNEL, NudgeType.ORDER, {"is_anonymous": False})
        configs.change_settings(shop, CHANNEL, {"duration": 9})
    everyone = Barrier(4)

    def at_once(change, *arguments):
        try:
            everyone.wait(timeout=30)
            change(*arguments)
        finally:
            connection.close()

    # when
    kind = NudgeType.ORDER
    work = [
        (configs.change_config, shop, CHANNEL, kind, {"minimum": 7}),
        (configs.change_config, shop, CHANNEL, kind, {"window_seconds": 600}),
        (configs.change_settings, shop, CHANNEL, {"theme": "DARK"}),
        (configs.change_settings, shop, CHANNEL, {"gap": 77}),
    ]
    threads = [Thread(target=at_once, args=one) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    # then
    config = NudgeConfig.objects.of(shop).get()
    assert (config.minimum, config.window_seconds) == (7, 600)
    settings = NudgeSettings.objects.of(shop).get()
    assert (settings.theme, settings.gap) == ("DARK", 77)
    assert config.is_anonymous is not is_known


# The shop's rules.


def test_a_shop_follows_at_least_one_set_of_rules(shop):
    for bad in ([], ["MARS"], ["UK", "UK"]):
        with pytest.raises(InvalidInput) as raised:
            configs.edit_shop(shop, {"claim_rules": bad})
        assert raised.value.field == "claimRules"
    configs.edit_shop(shop, {"claim_rules": ["US", "UK"]})
    assert Shop.objects.get(pk=shop.pk).claim_rules == ["UK", "US"]


def test_new_rules_must_fit_the_words_that_stand(shop):
    # given: praise, which the United States let pass
    configs.edit_shop(shop, {"claim_rules": ["US"]})
    configs.change_config(shop, "berlin", NudgeType.ORDER, {"texts": {"en": "Our favourite"}})

    # when
    with pytest.raises(InvalidInput) as raised:
        configs.edit_shop(shop, {"claim_rules": ["US", "EU"]})

    # then
    assert raised.value.field == "claimRules"
    for word in ("berlin", "ORDER", "texts", "favourite", "Directive 2005/29/EC"):
        assert word in str(raised.value)
    assert Shop.objects.get(pk=shop.pk).claim_rules == ["US"]


def test_a_longer_window_must_fit_the_words_that_stand(shop):
    texts = {"en": "{{ count }} people viewed this today"}
    configs.change_config(
        shop, CHANNEL, NudgeType.PRODUCT_VIEW, {"texts": texts, "window_seconds": DAY}
    )
    with pytest.raises(InvalidInput) as raised:
        configs.change_config(shop, CHANNEL, NudgeType.PRODUCT_VIEW, {"window_seconds": 2 * DAY})
    assert raised.value.field == "texts"
    assert "“today” (en)" in str(raised.value)
