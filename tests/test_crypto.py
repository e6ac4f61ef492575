"""Sealing, with keys that can be rotated; a person's key thrown away is the person forgotten."""

import pytest
from cryptography.fernet import Fernet, InvalidToken

from saleor_nudges import conf, crypto

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture
def keys(settings):
    def set_keys(*keys, **more):
        settings.SALEOR_NUDGES = {"ENCRYPTION_KEYS": keys} | more

    return set_keys


def test_what_is_sealed_can_be_opened_and_not_read(keys):
    keys(NEW)
    sealed = crypto.seal({"email": "anna@example.com"})
    assert crypto.unseal(sealed) == {"email": "anna@example.com"}
    assert b"anna" not in sealed
    assert crypto.seal("x") != crypto.seal("x")


def test_after_a_rotation_the_old_opens_and_the_new_seals(keys):
    # given
    keys(OLD)
    before = crypto.seal("anna")

    # when
    keys(NEW, OLD)
    after = crypto.seal("bert")

    # then
    assert (crypto.unseal(before), crypto.unseal(after)) == ("anna", "bert")
    keys(NEW)
    assert crypto.can_unseal(after) is True
    assert crypto.can_unseal(before) is False
    with pytest.raises(InvalidToken):
        crypto.unseal(before)


def test_what_was_sealed_before_keys_were_set_stays_readable(keys):
    keys()
    before = crypto.seal("anna")
    keys(NEW)
    after = crypto.seal("bert")
    assert crypto.unseal(before) == "anna"
    keys()
    assert crypto.can_unseal(after) is False


def test_a_persons_key_outlives_a_rotation(keys):
    keys(OLD)
    person = crypto.new_person_key()
    sealed = crypto.seal_for(person, {"city": "Wroclaw"})
    keys(NEW, OLD)
    assert crypto.unseal_for(person, sealed) == {"city": "Wroclaw"}


def test_without_the_persons_key_nothing_is_left(keys):
    keys(NEW)
    person, other = crypto.new_person_key(), crypto.new_person_key()
    sealed = crypto.seal_for(person, "Anna")
    assert crypto.unseal_for(None, sealed) is None
    assert crypto.unseal_for(person, None) is None
    with pytest.raises(InvalidToken):
        crypto.unseal_for(other, sealed)
    assert crypto.can_unseal(sealed) is False


def test_a_hash_finds_and_tells_nothing(keys):
    keys(NEW, HASH_KEY="one")
    found = crypto.keyed_hash("email", "anna@example.com")
    assert len(found) == 64
    assert crypto.keyed_hash("email", "anna@example.com") == found
    assert crypto.keyed_hash("phone", "anna@example.com") != found
    keys(OLD, HASH_KEY="one")
    assert crypto.keyed_hash("email", "anna@example.com") == found
    keys(OLD, HASH_KEY="two")
    assert crypto.keyed_hash("email", "anna@example.com") != found


def test_a_checkout_is_named_as_storefronts_name_it():
    assert crypto.checkout_hash("abc") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


def test_no_two_purposes_share_a_key():
    purposes = ("sealing", "hashing", "signing visitor", "signing link return")
    assert len({conf.derived_key(purpose) for purpose in purposes}) == 4
    assert conf.hash_key() not in conf.encryption_keys()
