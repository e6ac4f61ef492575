"""A wrong setting fails at start, by number."""

import pytest
from cryptography.fernet import Fernet

from saleor_nudges.checks import check_settings

KEY = Fernet.generate_key().decode()
GOOD = {
    "ENCRYPTION_KEYS": [KEY],
    "HASH_KEY": "secret",
    "PUBLIC_URL": "https://nudges.example.com/",
}


@pytest.mark.parametrize(
    ("_case", "changes", "ids"),
    [
        ("good", {}, []),
        ("unknown", {"NO_SUCH": 1}, ["E001"]),
        ("wrong_type", {"BATCH_SIZE": "1"}, ["E001"]),
        ("no_such_host", {"HOST": "no.such.Host"}, ["E001"]),
        ("no_such_stream", {"COMMERCE_STREAM": "no.such.Stream"}, ["E001"]),
        ("no_such_views_stream", {"VIEWS_STREAM": "no.such.Stream"}, ["E001"]),
        ("no_such_channel", {"EMAIL_CHANNEL": "no.such.Channel"}, ["E001"]),
        ("no_fernet_key", {"ENCRYPTION_KEYS": [KEY, "secret"]}, ["E002"]),
        ("no_keys", {"ENCRYPTION_KEYS": [], "HASH_KEY": ""}, ["W003"]),
        ("only_encryption_keys", {"HASH_KEY": ""}, ["W003"]),
        ("only_a_hash_key", {"ENCRYPTION_KEYS": []}, ["W003"]),
        ("no_address", {"PUBLIC_URL": ""}, ["W004"]),
        ("address_without_host", {"PUBLIC_URL": "nudges"}, ["W004"]),
        ("address_in_the_clear", {"PUBLIC_URL": "http://nudges.example.com/"}, ["W005"]),
        (
            "redis_without_address",
            {"VIEWS_STREAM": "saleor_nudges.stream.redis.RedisStream"},
            ["E006"],
        ),
    ],
)
def test_each_mistake_has_its_number(_case, changes, ids, settings):
    settings.SALEOR_NUDGES = GOOD | changes
    assert [found.id for found in check_settings()] == [f"saleor_nudges.{name}" for name in ids]


def test_while_developing_an_address_in_the_clear_is_fine(settings):
    settings.SALEOR_NUDGES = GOOD | {"PUBLIC_URL": "http://localhost:8400/"}
    settings.DEBUG = True
    assert check_settings() == []


def test_a_misspelt_variable_is_named(monkeypatch):
    monkeypatch.setenv("NUDGES_BATCH_SIZ", "5")
    found = [one for one in check_settings() if one.id == "saleor_nudges.W007"]
    assert [one.msg for one in found] == [
        "NUDGES_BATCH_SIZ in the environment is no setting of ours, so it does nothing."
    ]
