"""System checks: a wrong setting fails at start, by number. Numbers are never used twice."""

from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings as django_settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from redis.exceptions import RedisClusterException, RedisError

from saleor_nudges import conf
from saleor_nudges.stream import redis_clients


def check_settings(**kwargs: Any) -> list[checks.CheckMessage]:  # noqa: ARG001 - Django's own signature
    """Look at every setting once, at start."""
    try:
        settings = conf.get()
        conf.load(settings.HOST)
        conf.load(settings.COMMERCE_STREAM)
        conf.load(settings.VIEWS_STREAM)
        conf.load(settings.EMAIL_CHANNEL)
    except ImproperlyConfigured as error:
        return [checks.Error(str(error), id="saleor_nudges.E001")]
    found: list[checks.CheckMessage] = []
    found += _check_keys(settings)
    found += _check_addresses(settings)
    found += _check_streams(settings)
    found += [_unknown(name) for name in conf.unknown_in_environment()]
    return found


def _unknown(name: str) -> checks.CheckMessage:
    return checks.Warning(
        f"{name} in the environment is no setting of ours, so it does nothing.",
        hint="docs/settings.md lists them all.",
        id="saleor_nudges.W007",
    )


def _check_keys(settings: conf.Settings) -> list[checks.CheckMessage]:
    try:
        for key in settings.ENCRYPTION_KEYS:
            Fernet(key.encode())
    except ValueError:
        return [
            checks.Error(
                "SALEOR_NUDGES['ENCRYPTION_KEYS'] holds something that is not a Fernet key.",
                hint="Make one with cryptography.fernet.Fernet.generate_key().",
                id="saleor_nudges.E002",
            )
        ]
    if not (settings.ENCRYPTION_KEYS and settings.HASH_KEY):
        return [
            checks.Warning(
                "Personal data is sealed and found again with keys derived from SECRET_KEY;"
                " changing SECRET_KEY would lose it, and who said no to messages.",
                hint="Set ENCRYPTION_KEYS and HASH_KEY before the first person is known.",
                id="saleor_nudges.W003",
            )
        ]
    return []


def _check_addresses(settings: conf.Settings) -> list[checks.CheckMessage]:
    parts = urlsplit(settings.PUBLIC_URL)
    if not parts.netloc:
        return [
            checks.Warning(
                "PUBLIC_URL is not set: links in messages would lead nowhere, so nothing is sent.",
                id="saleor_nudges.W004",
            )
        ]
    if parts.scheme != "https" and not django_settings.DEBUG:
        return [checks.Warning("PUBLIC_URL is not https.", id="saleor_nudges.W005")]
    return []


def _check_streams(settings: conf.Settings) -> list[checks.CheckMessage]:
    if settings.VIEWS_STREAM.endswith("RedisStream") and not settings.REDIS_URL:
        return [
            checks.Error("VIEWS_STREAM is Redis, but REDIS_URL is empty.", id="saleor_nudges.E006"),
        ]
    broker = str(getattr(django_settings, "CELERY_BROKER_URL", "") or "")
    if _uses_redis(settings) and _database_of(settings.REDIS_URL) == _database_of(broker):
        return [
            checks.Warning(
                "Views wait in the very Redis that is Celery's broker: a backlog of the one takes"
                " the other's memory.",
                hint="Give CELERY_BROKER_URL or NUDGES_REDIS_URL a server of its own.",
                id="saleor_nudges.W008",
            )
        ]
    return []


def _uses_redis(settings: conf.Settings) -> bool:
    return settings.VIEWS_STREAM.endswith("RedisStream") and bool(settings.REDIS_URL)


def _database_of(url: str) -> tuple[str | None, int, str]:
    parts = urlsplit(url)
    port = parts.port or 6379
    return parts.hostname, port, parts.path.strip("/") or "0"


def check_redis(**kwargs: Any) -> list[checks.CheckMessage]:  # noqa: ARG001 - Django's own signature
    """Ask Redis whether it may lose what waits in it; only with `check --deploy`."""
    try:
        return [
            checks.Warning(what, hint=hint, id=number)
            for number, what, hint in redis_troubles(conf.get())
        ]
    except (ImproperlyConfigured, RedisError, RedisClusterException):
        # Whether it answers is no matter of settings; the doctor says it.
        return []


def redis_troubles(settings: conf.Settings) -> list[tuple[str, str, str]]:
    """Return number, sentence and hint of what is wrong with Redis; raises redis' own errors."""
    if not _uses_redis(settings):
        return []
    told = redis_clients.server(settings.REDIS_URL, is_cluster=settings.REDIS_CLUSTER)
    found = []
    if (policy := told.get("maxmemory_policy", "noeviction")) != "noeviction":
        found.append(
            (
                "saleor_nudges.W009",
                f"Redis evicts keys when it is full ({policy}), and with them views that wait.",
                "Set its maxmemory-policy to noeviction.",
            )
        )
    if not told.get("aof_enabled", 1):
        found.append(
            (
                "saleor_nudges.W010",
                "Redis keeps no append-only file: views that wait are lost with its process.",
                "Set its appendonly to yes.",
            )
        )
    return found


def register_checks() -> None:
    """Make Django run them."""
    checks.register(check_settings)
    checks.register(check_redis, deploy=True)
