"""What a seller may choose; a bad choice names its field and changes nothing."""

import pytest

from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.models import NudgeConfig, NudgeSettings, NudgeType
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
    assert [config.is_enabled for config in found.values()] == [False, False]
    assert [config.is_anonymous for config in found.values()] == [True, True]
    assert rows(shop) == ([], [])


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("pages", ["HOME", "NOWHERE"], "pages"),
        ("window_seconds", 59, "windowSeconds"),
        ("window_seconds", 30 * 24 * 3600 + 1, "windowSeconds"),
        ("minimum", 0, "minimum"),
        ("minimum", 1_000_001, "minimum"),
        ("texts", {"en": "{% if %}"}, "texts"),
        ("texts", {"en": "fine", "de": "{{ product"}, "texts"),
        ("texts", {"en": "x" * 50_001}, "texts"),
    ],
)
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


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("desktop_position", "TOP"),
        ("mobile_position", "BOTTOM_LEFT"),
        ("theme", "PINK"),
        ("highlight_color", "red"),
        ("highlight_color", "#12345"),
        ("highlight_color", "#12345g"),
        ("highlight_color", "1a2b3c7"),
        ("initial_delay", -1),
        ("initial_delay", 301),
        ("gap", 0),
        ("gap", 601),
        ("duration", 1),
        ("duration", 121),
        ("max_per_page", 0),
        ("max_per_page", 21),
        ("max_per_session", 0),
        ("max_per_session", 101),
    ],
)
def test_a_bad_setting_changes_nothing(field, value, shop):
    # given
    configs.change_settings(shop, CHANNEL, {"gap": 13})
    before = rows(shop)

    # when
    with pytest.raises(InvalidInput) as raised:
        configs.change_settings(shop, CHANNEL, {"theme": "DARK", field: value})

    # then
    assert raised.value.field.replace("C", "_c") == field
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
        ("window_seconds", 30 * 24 * 3600),
        ("minimum", 1),
        ("pages", []),
        ("texts", {"de": "Neu: {{ product }}"}),
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
    }
