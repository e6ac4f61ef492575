"""Django settings of the process of the hot requests, from the environment. It imports no Saleor.

    SECRET_KEY, DATABASE_URL     the same as Saleor's

What is ours to configure is named NUDGES_*, and must be the same too; docs/settings.md lists it.
The App has settings already: there DJANGO_SETTINGS_MODULE names saleor_nudges.service.settings.
"""

import os
from typing import Any, Final

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

REQUIRED: Final = ("SECRET_KEY", "DATABASE_URL")
if missing := [name for name in REQUIRED if not os.environ.get(name)]:
    raise ImproperlyConfigured(f"Set {' and '.join(missing)} in the environment.")

SECRET_KEY = os.environ["SECRET_KEY"]
INSTALLED_APPS = ["saleor_nudges"]
# Boards are built in a few threads that live as long as the process.
DATABASES = {"default": dj_database_url.parse(os.environ["DATABASE_URL"], conn_max_age=None)}
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
SALEOR_NUDGES: dict[str, Any] = {}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": os.environ.get("LOG_LEVEL", "INFO").upper()},
    # It writes the query of every request, and a query holds tokens.
    "loggers": {"uvicorn.access": {"handlers": [], "level": "CRITICAL", "propagate": False}},
}
