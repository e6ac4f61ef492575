"""Django settings of the demo: the App's own, with the demo shop as the host."""

import os
from pathlib import Path

from saleor_nudges.service.settings import *  # noqa: F403
from saleor_nudges.service.settings import INSTALLED_APPS, SALEOR_NUDGES

DEMO_URL = os.environ["DEMO_URL"]
DEMO_MAIL = Path(os.environ["DEMO_MAIL"])
# How long a shopper may be away before we write, in seconds. A real shop says 30 minutes.
DEMO_DELAY = int(os.environ.get("DEMO_DELAY") or 20)

ROOT_URLCONF = "demo.urls"
INSTALLED_APPS = [*INSTALLED_APPS, "demo"]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["demo.views.everywhere"]},
    }
]
SALEOR_NUDGES = SALEOR_NUDGES | {"HOST": "demo.host.DemoHost"}
