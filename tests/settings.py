"""Django settings of the tests: the engine on real servers, the host in memory."""

import os
from pathlib import Path

# Tests that run side by side have a Redis each, as they have a database each.
if (worker := os.environ.get("PYTEST_XDIST_WORKER")) and "REDIS_URL" in os.environ:
    redis_url, _, _ = os.environ["REDIS_URL"].rpartition("/")
    os.environ["REDIS_URL"] = f"{redis_url}/{int(worker.removeprefix('gw')) + 1}"

SECRET_KEY = "not a secret: this is a test"
DEBUG = False
USE_TZ = True
TIME_ZONE = "UTC"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "saleor_nudges.urls"
INSTALLED_APPS = ["saleor_nudges", "demo"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES: dict[str, object] = {
    "default": {"ENGINE": "django.db.backends.postgresql", "NAME": "nudges"}
}
if url := os.environ.get("DATABASE_URL"):
    import dj_database_url

    DATABASES = {"default": dj_database_url.parse(url)}
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CELERY_BEAT_SCHEDULE: dict[str, object] = {}
# The demo shop is one of the hosts the contract suite asks.
DEMO_URL = "http://127.0.0.1:8400"
DEMO_DELAY = 20
DEMO_MAIL = Path("build/demo/mail")
SALEOR_NUDGES = {
    "HOST": "saleor_nudges.host.memory.MemoryHost",
    "EMAIL_CHANNEL": "saleor_nudges.messaging.channels.memory.MemoryChannel",
    "PUBLIC_URL": "https://nudges.example.com/",
    # A test is quicker than any visitor; what limits do is tested where they are set.
    "LIMIT_VISITOR": 0.0,
    "LIMIT_SHOP": 0.0,
    "REDIS_URL": os.environ.get("REDIS_URL", ""),
}
