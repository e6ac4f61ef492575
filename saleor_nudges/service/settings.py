"""Django settings of the App, from the environment. With `conf`, the only reader of it.

    SECRET_KEY, DATABASE_URL     needed
    REDIS_URL                    broker of the tasks and buffer of storefront views
    EMAIL_URL                    smtp://user:password@host:587/?ssl=..., as dj-email-url reads it
    ALLOWED_HOSTS                comma-separated; the host of NUDGES_PUBLIC_URL if not given
    CELERY_BROKER_URL, DEBUG, LOG_LEVEL, EMAIL_TIMEOUT

What is ours to configure is named NUDGES_*; docs/settings.md lists it.
"""

import os
from typing import Any, Final
from urllib.parse import urlsplit

import dj_database_url
import dj_email_url
from django.core.exceptions import ImproperlyConfigured

REQUIRED: Final = ("SECRET_KEY", "DATABASE_URL")
if missing := [name for name in REQUIRED if not os.environ.get(name)]:
    raise ImproperlyConfigured(f"Set {' and '.join(missing)} in the environment.")


def _is_on(name: str) -> bool:
    return os.environ.get(name, "").lower() in {"1", "true", "yes", "on"}


def _number(name: str, default: int) -> int:
    text = os.environ.get(name, "")
    if text and not text.isdecimal():
        raise ImproperlyConfigured(f"{name} must be a whole number, not {text!r}.")
    return int(text or default)


def _ours(**defaults: str) -> dict[str, Any]:
    """Return what the App sets for itself, unless NUDGES_* says otherwise."""
    return {name: value for name, value in defaults.items() if f"NUDGES_{name}" not in os.environ}


SECRET_KEY = os.environ["SECRET_KEY"]
DEBUG = _is_on("DEBUG")
REDIS_URL = os.environ.get("REDIS_URL", "")

SALEOR_NUDGES: dict[str, Any] = _ours(HOST="saleor_nudges.service.host.ServiceHost")
if REDIS_URL:
    SALEOR_NUDGES |= _ours(
        REDIS_URL=REDIS_URL, VIEWS_STREAM="saleor_nudges.stream.redis.RedisStream"
    )

# Doors.

ROOT_URLCONF = "saleor_nudges.service.urls"
ASGI_APPLICATION = "saleor_nudges.service.asgi.application"
_public_host = urlsplit(os.environ.get("NUDGES_PUBLIC_URL", "")).hostname or ""
ALLOWED_HOSTS = [
    host.strip()
    for host in os.environ.get("ALLOWED_HOSTS", _public_host).split(",")
    if host.strip()
]
INSTALLED_APPS = ["saleor_nudges", "django.contrib.staticfiles"]
# No sessions and no cookies, hence nothing a forged cross-site request could use.
MIDDLEWARE = [
    "saleor_nudges.service.middleware.RequestContext",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
# The sum of what one request may carry; each door has a smaller limit of its own.
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
STATIC_URL = "/static/"
# The builds lie in the package: nothing to collect.
WHITENOISE_USE_FINDERS = True

# Data.

try:
    # Under ASGI each request has a thread of its own, which a kept connection would outlive.
    DATABASES = {"default": dj_database_url.parse(os.environ["DATABASE_URL"], conn_max_age=0)}
except ValueError as error:
    raise ImproperlyConfigured("DATABASE_URL is not the URL of a database.") from error
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"

# Mail. Without EMAIL_URL: a server on this machine.

_mail: dict[str, Any] = dj_email_url.parse(os.environ.get("EMAIL_URL", "smtp://localhost:25"))
EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
EMAIL_HOST = _mail["EMAIL_HOST"]
EMAIL_PORT = _mail["EMAIL_PORT"]
EMAIL_HOST_USER = _mail["EMAIL_HOST_USER"]
EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_PASSWORD"]
EMAIL_FILE_PATH = _mail["EMAIL_FILE_PATH"]
EMAIL_USE_TLS = _mail["EMAIL_USE_TLS"]
EMAIL_USE_SSL = _mail["EMAIL_USE_SSL"]
# Far below the lease of a message being sent, so that a hanging server ends first.
EMAIL_TIMEOUT = _number("EMAIL_TIMEOUT", 20)

# Tasks. Without a broker they run where they are called, and nothing runs by itself.

CELERY_BROKER_URL = os.environ.get("CELERY_BROKER_URL", REDIS_URL)
CELERY_TASK_ALWAYS_EAGER = not CELERY_BROKER_URL
CELERY_TASK_DEFAULT_QUEUE = os.environ.get("NUDGES_CELERY_QUEUE") or "saleor-nudges"
CELERY_TASK_IGNORE_RESULT = True
# Tasks are idempotent: one whose worker died is handed to another.
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
# Filled by our AppConfig, from `schedule`.
CELERY_BEAT_SCHEDULE: dict[str, Any] = {}

# Logs: one JSON object a line, without anything personal.

_level = os.environ.get("LOG_LEVEL", "INFO").upper()
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "saleor_nudges.service.logs.formatter"}},
    "filters": {"unforeseen": {"()": "saleor_nudges.service.logs.Unforeseen"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": _level},
    "loggers": {
        "django": {"handlers": [], "level": _level, "propagate": True},
        "celery": {"handlers": [], "level": _level, "propagate": True},
        # These write the paths of requests, and a path may be the token of a shopper's link.
        # What fails is logged by our own middleware, without it.
        "django.request": {"level": "CRITICAL"},
        "django.server": {"handlers": [], "level": "ERROR", "propagate": True},
        # Anybody may be refused as often as they like, without a line of ours each time.
        "graphql.execution.executor": {"filters": ["unforeseen"], "propagate": True},
        "uvicorn": {"handlers": [], "level": _level, "propagate": True},
        "uvicorn.access": {"handlers": [], "level": "CRITICAL", "propagate": False},
    },
}
