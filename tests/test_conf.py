"""Settings: from the dict, then the environment, then the default; a wrong one is named."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from saleor_nudges import conf


@pytest.fixture
def given(settings):
    def give(**values):
        settings.SALEOR_NUDGES = values
        return conf.get()

    return give


def test_without_any_setting_the_defaults_hold(given):
    assert given() == conf.Settings()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("REDIS_URL", "redis://localhost", "redis://localhost"),
        ("BATCH_SIZE", 5, 5),
        ("DRAIN_SECONDS", 2, 2.0),
        ("STOREFRONT_ORIGINS", ["a", "b"], ("a", "b")),
        ("ALLOW_PRIVATE_ADDRESSES", True, True),
    ],
)
def test_a_setting_is_taken(name, value, expected, given):
    assert getattr(given(**{name: value}), name) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NO_SUCH_SETTING", 1),
        ("BATCH_SIZE", "5"),
        ("BATCH_SIZE", True),
        ("BATCH_SIZE", 1.5),
        ("DRAIN_SECONDS", True),
        ("REDIS_URL", None),
        ("STOREFRONT_ORIGINS", "https://shop.example.com"),
        ("STOREFRONT_ORIGINS", [1]),
        ("ALLOW_PRIVATE_ADDRESSES", 1),
    ],
)
def test_a_wrong_setting_is_named(name, value, given):
    with pytest.raises(ImproperlyConfigured, match=name):
        given(**{name: value})


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("BATCH_SIZE", "7", 7),
        ("DRAIN_SECONDS", "0.5", 0.5),
        ("STOREFRONT_ORIGINS", " a , b,", ("a", "b")),
        ("STOREFRONT_ORIGINS", "", ()),
        ("ALLOW_PRIVATE_ADDRESSES", "Yes", True),
        ("ALLOW_PRIVATE_ADDRESSES", "0", False),
    ],
)
def test_the_environment_is_read(name, text, expected, given, monkeypatch):
    monkeypatch.setenv(f"NUDGES_{name}", text)
    assert getattr(given(), name) == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [("BATCH_SIZE", "many"), ("DRAIN_SECONDS", "soon"), ("ALLOW_PRIVATE_ADDRESSES", "perhaps")],
)
def test_a_wrong_environment_is_named(name, text, given, monkeypatch):
    monkeypatch.setenv(f"NUDGES_{name}", text)
    with pytest.raises(ImproperlyConfigured, match=f"NUDGES_{name}"):
        given()


def test_the_dict_wins_over_the_environment(given, monkeypatch):
    monkeypatch.setenv("NUDGES_BATCH_SIZE", "7")
    assert given(BATCH_SIZE=9).BATCH_SIZE == 9


def test_what_cannot_be_imported_is_named():
    with pytest.raises(ImproperlyConfigured, match=r"no\.such\.Host"):
        conf.load("no.such.Host")


def test_an_installation_is_its_address_and_its_id(given):
    given(PUBLIC_URL="https://a.example.com/", INSTALLATION_ID="1")
    first = conf.installation_id()
    given(PUBLIC_URL="https://b.example.com/", INSTALLATION_ID="1")
    second = conf.installation_id()
    given(PUBLIC_URL="https://a.example.com/", INSTALLATION_ID="2")
    assert len({first, second, conf.installation_id()}) == 3
