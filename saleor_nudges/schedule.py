"""When the periodic tasks run: one dict. Each wakes a sweep over rows that are due; none waits."""

from datetime import timedelta
from typing import Any

from celery.schedules import crontab

from saleor_nudges import conf

# name: how often. A run that could not start before the next one is due is dropped, not queued.
EVERY: dict[str, timedelta] = {
    "drain": timedelta(seconds=1),
    "sweep": timedelta(seconds=2),
    "measure": timedelta(seconds=15),
    "products": timedelta(seconds=15),
    "reconcile": timedelta(seconds=60),
    "vouchers": timedelta(seconds=60),
    # Jobs whose worker was killed; a recount calls its workers itself.
    "recount": timedelta(seconds=60),
    "trim": timedelta(minutes=20),
}
# Partitions are made and dropped while shops sleep; twice, because a worker may be down once.
HOUSEKEEPING = crontab(hour="3,15", minute="17")
# Nothing becomes cold but on the first of a month; what was interrupted then is gone on with.
ARCHIVE = crontab(day_of_month="1", hour="0", minute="0")
ARCHIVE_UNFINISHED = crontab(minute="40")


def entries() -> dict[str, dict[str, Any]]:
    """Return the entries for CELERY_BEAT_SCHEDULE."""
    found = {name: _entry(name, every, every.total_seconds()) for name, every in EVERY.items()}
    found["housekeeping"] = _entry("housekeeping", HOUSEKEEPING, 3600)
    found["archive"] = _entry("archive", ARCHIVE, 3600)
    found["archive_unfinished"] = _entry("archive_unfinished", ARCHIVE_UNFINISHED, 3600)
    return {f"saleor-nudges-{name}": entry for name, entry in found.items()}


def _entry(name: str, schedule: object, expires: float) -> dict[str, Any]:
    options: dict[str, Any] = {"expires": max(expires, 5.0)}
    if queue := conf.get().CELERY_QUEUE:
        options["queue"] = queue
    return {
        "task": f"saleor_nudges.tasks.{name}",
        "schedule": schedule,
        "options": options,
    }
