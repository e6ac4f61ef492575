"""The App's web process: `uvicorn saleor_nudges.service.asgi:application`."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "saleor_nudges.service.settings")

from saleor_nudges import conf  # after the settings are named

# Shared tasks called from a request go to the App's broker.
from saleor_nudges.service import celery  # noqa: F401 - after the settings are named

application = get_asgi_application()
# A wrong setting stops the start, and not the first request.
conf.get()
