"""The App's Celery: `celery --app saleor_nudges.service.celery worker`, and `beat`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "saleor_nudges.service.settings")

app = Celery("saleor_nudges")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["saleor_nudges"])
