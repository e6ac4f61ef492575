"""Django's entry: register the system checks, install the periodic tasks."""

from django.apps import AppConfig
from django.conf import settings as django_settings

from saleor_nudges import telemetry


class NudgesConfig(AppConfig):
    """The app, in both ways to run."""

    name = "saleor_nudges"
    verbose_name = "Saleor nudges"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        try:
            from saleor_nudges import checks, schedule

            checks.register_checks()
            schedules = getattr(django_settings, "CELERY_BEAT_SCHEDULE", None)
            if isinstance(schedules, dict):
                schedules.update(schedule.entries())
        except Exception:
            # The shop comes first: it starts without us, and the log says why.
            telemetry.trouble(telemetry.Log.SCHEDULE_NOT_SET)
