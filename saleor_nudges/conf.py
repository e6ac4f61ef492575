"""Every setting, typed, with its default. The only reader of django.conf.

A setting is looked up in `settings.SALEOR_NUDGES[NAME]`, then in the environment as `NUDGES_NAME`
(comma-separated where a list is wanted), then here. `docs/settings.md` lists them; a test compares.
"""

import os
from base64 import urlsafe_b64encode
from dataclasses import dataclass, fields
from functools import lru_cache
from types import GenericAlias
from typing import Any, Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

TRUE: Final = frozenset({"1", "true", "yes", "on"})
FALSE: Final = frozenset({"0", "false", "no", "off", ""})
NOTHING_SET: Final[dict[str, Any]] = {}

# Defaults where Saleor's own settings are in force: installing the package there is enough.
INSIDE_SALEOR: Final[dict[str, Any]] = {
    "HOST": "saleor_nudges.plugin.host.PluginHost",
    "SCALAR_DATETIME": "saleor.graphql.core.scalars.DateTime",
    "SCALAR_DECIMAL": "saleor.graphql.core.scalars.Decimal",
    "SCALAR_JSON": "saleor.graphql.core.scalars.JSON",
}
PLUGIN_PATH: Final = "plugins/global/saleor-nudges/"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a deployment can set; what a seller can set lives in the database."""

    # Who we run in, and where events wait.
    HOST: str = "saleor_nudges.host.memory.MemoryHost"
    COMMERCE_STREAM: str = "saleor_nudges.stream.postgres.PostgresStream"
    VIEWS_STREAM: str = "saleor_nudges.stream.postgres.PostgresStream"
    REDIS_URL: str = ""
    REDIS_CLUSTER: bool = False
    REDIS_MOST_BYTES: int = 536_870_912
    SPILL_MOST_EVENTS: int = 1_000_000
    EMAIL_CHANNEL: str = "saleor_nudges.messaging.channels.mail.MailChannel"

    # Secrets. Empty means derived from Django's SECRET_KEY; see `encryption_keys()`.
    ENCRYPTION_KEYS: tuple[str, ...] = ()
    HASH_KEY: str = ""
    INSTALLATION_ID: str = ""

    # Addresses.
    PUBLIC_URL: str = ""
    STOREFRONT_ORIGINS: tuple[str, ...] = ("*",)
    ALLOWED_SHOPS: tuple[str, ...] = ()
    ALLOW_PRIVATE_ADDRESSES: bool = False
    # A header in which whoever stands in front says the visitor's country, two letters long.
    COUNTRY_HEADER: str = ""

    # How often the hot requests may be asked, per second and per process; 0 is no limit. Addresses
    # are known only if it is known how many proxies stand in front: -1 is unknown.
    TRUSTED_PROXIES: int = -1
    LIMIT_VISITOR: float = 20.0
    LIMIT_ADDRESS: float = 100.0
    LIMIT_SESSIONS: float = 2.0
    LIMIT_SHOP: float = 20000.0
    LIMIT_REVIEWS: float = 0.02

    # Work. An empty queue name means Celery's default queue.
    CELERY_QUEUE: str = ""
    BATCH_SIZE: int = 1000
    DRAIN_SECONDS: float = 0.9
    SEND_LEASE_SECONDS: int = 120
    SEND_BATCH: int = 100
    STALE_ORDERS_SECONDS: int = 300
    RECOUNT_SECONDS: float = 600.0
    FIRST_ORDERS_DAYS: int = 30

    # To try everything: messages go to these addresses only, and delays are so much shorter.
    SANDBOX_RECIPIENTS: tuple[str, ...] = ()
    SANDBOX_TIME_FACTOR: float = 1.0

    # How long things are kept, in days or, where the name says so, in months.
    VIEWS_KEPT_DAYS: int = 30
    INTERACTIONS_KEPT_DAYS: int = 30
    FACTS_KEPT_MONTHS: int = 25
    COUNTS_KEPT_MONTHS: int = 25
    EVIDENCE_KEPT_MONTHS: int = 13
    DEAD_LETTERS_KEPT_DAYS: int = 90
    VISITOR_TOKEN_DAYS: int = 90
    LINK_DAYS: int = 30

    # The way back: what links tell the shop's own statistics, where a storefront keeps a shopper's
    # checkout, and which of a checkout's metadata its fresh one gets.
    UTM_SOURCE: str = "saleor-nudges"
    CHECKOUT_COOKIE: str = ""
    CARRIED_METADATA: tuple[str, ...] = ()

    # Whether the App asks shops for the permission that vouchers need; the plugin needs none.
    APP_VOUCHERS: bool = False

    # The archive of cold events. Without a bucket there is none.
    ARCHIVE_BUCKET: str = ""
    ARCHIVE_PREFIX: str = "saleor-nudges/"
    ARCHIVE_ENDPOINT_URL: str = ""
    ARCHIVE_FORMAT: str = "csv.gz"
    RESTORED_KEPT_DAYS: int = 30

    # GraphQL scalars; inside Saleor these are Saleor's own classes, because it owns the names.
    SCALAR_DATETIME: str = "graphene.DateTime"
    SCALAR_DECIMAL: str = "graphene.Decimal"
    SCALAR_JSON: str = "saleor_nudges.graphql.json_scalar.JSON"


def get() -> Settings:
    """Return the settings in force. Raises ImproperlyConfigured and names the wrong one."""
    global _last
    given = getattr(django_settings, "SALEOR_NUDGES", NOTHING_SET)
    # Asked several times a request: the same dict as a moment ago needs no second look.
    if given is not _last[0]:
        _last = (given, _read(_Identity(given)))
    return _last[1]


def unknown_in_environment() -> list[str]:
    """Return the variables that look like settings of ours and are none: misspelt, most likely."""
    names = {f"NUDGES_{field.name}" for field in fields(Settings)}
    return sorted(name for name in os.environ if name.startswith("NUDGES_") and name not in names)


def load(dotted_path: str) -> Any:
    """Import what a setting names."""
    try:
        return import_string(dotted_path)
    except ImportError as error:
        raise ImproperlyConfigured(
            f"SALEOR_NUDGES names {dotted_path!r}, which cannot be imported: {error}"
        ) from error


def encryption_keys() -> tuple[bytes, ...]:
    """Return the Fernet keys that seal personal data; the first seals, all of them open.

    The derived key always opens: what was sealed before keys were set stays readable.
    """
    return (*(key.encode() for key in get().ENCRYPTION_KEYS), derived_key("sealing"))


def hash_key() -> bytes:
    """Return the key of the hashes by which a person is found. It must never change."""
    return get().HASH_KEY.encode() or derived_key("hashing")


def signing_key(purpose: str) -> bytes:
    """Return the key that signs links or visitor tokens."""
    return derived_key(f"signing {purpose}")


def installation_id() -> str:
    """Return what tells this installation from a copy of its database on another host."""
    return f"{get().INSTALLATION_ID}|{get().PUBLIC_URL}"


@lru_cache(maxsize=16)
def _derive(secret: str, purpose: str) -> bytes:
    hkdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"saleor-nudges {purpose}".encode())
    return urlsafe_b64encode(hkdf.derive(secret.encode()))


def derived_key(purpose: str) -> bytes:
    """Return a key for one purpose, derived from Django's SECRET_KEY."""
    return _derive(str(django_settings.SECRET_KEY), purpose)


class _Identity:
    """A settings dict by identity: override_settings is noticed, and reading it stays cheap."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.given = given

    def __hash__(self) -> int:
        return id(self.given)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and other.given is self.given


@lru_cache(maxsize=4)
def _read(identity: _Identity) -> Settings:
    given = identity.given
    names = {field.name for field in fields(Settings)}
    for name in given:
        if name not in names:
            raise ImproperlyConfigured(f"SALEOR_NUDGES has no setting {name!r}.")
    values = _inside_saleor()
    for field in fields(Settings):
        if field.name in given:
            values[field.name] = _checked(field.name, field.type, given[field.name])
        elif (text := os.environ.get(f"NUDGES_{field.name}")) is not None:
            values[field.name] = _parsed(field.name, field.type, text)
    return Settings(**values)


_last: tuple[Any, Settings] = (object(), Settings())


def _inside_saleor() -> dict[str, Any]:
    if "saleor.plugins" not in getattr(django_settings, "INSTALLED_APPS", ()):
        return {}
    base = getattr(django_settings, "PUBLIC_URL", None)
    address = {"PUBLIC_URL": f"{base.rstrip('/')}/{PLUGIN_PATH}"} if base else {}
    return {**INSIDE_SALEOR, **address}


def _checked(name: str, kind: Any, value: Any) -> Any:
    if isinstance(kind, GenericAlias):
        if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
            return tuple(value)
        raise ImproperlyConfigured(f"SALEOR_NUDGES[{name!r}] must be a list of strings.")
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not kind:
        raise ImproperlyConfigured(f"SALEOR_NUDGES[{name!r}] must be of type {kind.__name__}.")
    return value


def _parsed(name: str, kind: Any, text: str) -> Any:
    if isinstance(kind, GenericAlias):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if kind is bool:
        if text.lower() in TRUE | FALSE:
            return text.lower() in TRUE
        raise ImproperlyConfigured(f"NUDGES_{name} must be true or false, not {text!r}.")
    try:
        return kind(text)
    except ValueError as error:
        raise ImproperlyConfigured(f"NUDGES_{name} must be of type {kind.__name__}.") from error
