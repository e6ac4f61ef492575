"""Sealing personal data: keyed hashes to find a person, a key per person to forget one."""

import hashlib
import hmac
import json
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from saleor_nudges import conf


def seal(value: Any) -> bytes:
    """Encrypt a JSON value with the installation's newest key."""
    return _installation(conf.encryption_keys()).encrypt(_dump(value))


def unseal(sealed: bytes) -> Any:
    """Decrypt what `seal` made; raises InvalidToken when none of the keys opens it."""
    return json.loads(_installation(conf.encryption_keys()).decrypt(bytes(sealed)))


def new_person_key() -> bytes:
    """Return a fresh key for one person, itself sealed. Throwing it away erases the person."""
    return _installation(conf.encryption_keys()).encrypt(Fernet.generate_key())


def seal_for(person_key: bytes, value: Any) -> bytes:
    """Encrypt a JSON value so that it is readable only while the person's key exists."""
    return _person(person_key).encrypt(_dump(value))


def unseal_for(person_key: bytes | None, sealed: bytes | None) -> Any | None:
    """Decrypt what `seal_for` made; None once the person has been erased."""
    if not person_key or not sealed:
        return None
    return json.loads(_person(person_key).decrypt(bytes(sealed)))


def repeatable_for(person_key: bytes) -> AESSIV:
    """Return a cipher of one person that makes the same bytes of the same value, every time."""
    return _repeatable(_installation(conf.encryption_keys()).decrypt(bytes(person_key)))


def repeatable() -> list[AESSIV]:
    """Return such ciphers of the installation: the first seals, all of them open."""
    return [_repeatable(key) for key in conf.encryption_keys()]


def keyed_hash(purpose: str, value: str) -> str:
    """Return 64 hex digits by which `value` can be found again but not read."""
    message = f"{purpose}\0{value}".encode()
    return hmac.new(conf.hash_key(), message, hashlib.sha256).hexdigest()


def checkout_hash(checkout_id: str) -> str:
    """Return the SHA-256 of a checkout's global id, as storefronts send it. The id is a secret."""
    return hashlib.sha256(checkout_id.encode()).hexdigest()


def can_unseal(sealed: bytes) -> bool:
    """Tell whether one of today's keys opens it."""
    try:
        unseal(sealed)
    except InvalidToken:
        return False
    return True


def _dump(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


@lru_cache(maxsize=4)
def _installation(keys: tuple[bytes, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def _repeatable(key: bytes) -> AESSIV:
    hkdf = HKDF(algorithm=SHA256(), length=64, salt=None, info=b"saleor-nudges archive")
    return AESSIV(hkdf.derive(key))


def _person(sealed_key: bytes) -> Fernet:
    return Fernet(_installation(conf.encryption_keys()).decrypt(bytes(sealed_key)))
