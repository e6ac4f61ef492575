"""The environment: what is missing is named in one line, what is given is used."""

import json
import os
import subprocess
import sys

import pytest

from saleor_nudges.service.__main__ import arguments

GIVEN = {
    "SECRET_KEY": "not a secret: this is a test",
    "DATABASE_URL": "postgres://anna:word@db.example.com:5433/nudges",
}
SHOW = """
import json
from saleor_nudges.service import settings
names = {names}
print(json.dumps({{name: getattr(settings, name) for name in names}}))
"""


def run(*command, **environment):
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, *command],
        env=kept | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def settings_of(*names, **environment):
    result = run("-c", SHOW.format(names=names), **GIVEN, **environment)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize(
    ("_case", "environment", "said"),
    [
        ("nothing", {}, "saleor-nudges: Set SECRET_KEY and DATABASE_URL in the environment.\n"),
        (
            "no_database",
            {"SECRET_KEY": "x"},
            "saleor-nudges: Set DATABASE_URL in the environment.\n",
        ),
        (
            "no_url",
            {"SECRET_KEY": "x", "DATABASE_URL": "nonsense://"},
            "saleor-nudges: DATABASE_URL is not the URL of a database.\n",
        ),
        (
            "no_number",
            GIVEN | {"EMAIL_TIMEOUT": "soon"},
            "saleor-nudges: EMAIL_TIMEOUT must be a whole number, not 'soon'.\n",
        ),
    ],
)
def test_what_is_wrong_is_said_in_one_line(_case, environment, said):
    # when
    result = run("-m", "saleor_nudges.service", "check", **environment)

    # then
    assert (result.returncode, result.stdout, result.stderr) == (1, "", said)


def test_smallest_environment():
    assert settings_of(
        "SALEOR_NUDGES",
        "DEBUG",
        "ALLOWED_HOSTS",
        "CELERY_BROKER_URL",
        "CELERY_TASK_ALWAYS_EAGER",
        "EMAIL_HOST",
        "EMAIL_TIMEOUT",
    ) == {
        "SALEOR_NUDGES": {"HOST": "saleor_nudges.service.host.ServiceHost"},
        "DEBUG": False,
        "ALLOWED_HOSTS": [],
        "CELERY_BROKER_URL": "",
        "CELERY_TASK_ALWAYS_EAGER": True,
        "EMAIL_HOST": "localhost",
        "EMAIL_TIMEOUT": 20,
    }


def test_redis_carries_tasks_and_views():
    assert settings_of(
        "SALEOR_NUDGES",
        "ALLOWED_HOSTS",
        "CELERY_BROKER_URL",
        "CELERY_TASK_ALWAYS_EAGER",
        "EMAIL_HOST",
        "EMAIL_PORT",
        "EMAIL_USE_TLS",
        REDIS_URL="redis://cache.example.com/0",
        NUDGES_PUBLIC_URL="https://nudges.example.com/",
        EMAIL_URL="submission://anna:word@mail.example.com:587",
    ) == {
        "SALEOR_NUDGES": {
            "HOST": "saleor_nudges.service.host.ServiceHost",
            "REDIS_URL": "redis://cache.example.com/0",
            "VIEWS_STREAM": "saleor_nudges.stream.redis.RedisStream",
        },
        "ALLOWED_HOSTS": ["nudges.example.com"],
        "CELERY_BROKER_URL": "redis://cache.example.com/0",
        "CELERY_TASK_ALWAYS_EAGER": False,
        "EMAIL_HOST": "mail.example.com",
        "EMAIL_PORT": 587,
        "EMAIL_USE_TLS": True,
    }


def test_our_own_variables_win():
    assert settings_of(
        "SALEOR_NUDGES",
        "ALLOWED_HOSTS",
        "CELERY_BROKER_URL",
        "CELERY_TASK_DEFAULT_QUEUE",
        REDIS_URL="redis://cache.example.com/0",
        CELERY_BROKER_URL="redis://broker.example.com/1",
        NUDGES_VIEWS_STREAM="saleor_nudges.stream.postgres.PostgresStream",
        NUDGES_CELERY_QUEUE="nudges",
        ALLOWED_HOSTS="a.example.com, b.example.com",
    ) == {
        "SALEOR_NUDGES": {
            "HOST": "saleor_nudges.service.host.ServiceHost",
            "REDIS_URL": "redis://cache.example.com/0",
        },
        "ALLOWED_HOSTS": ["a.example.com", "b.example.com"],
        "CELERY_BROKER_URL": "redis://broker.example.com/1",
        "CELERY_TASK_DEFAULT_QUEUE": "nudges",
    }


def test_beat_knows_every_periodic_task():
    # given
    show = """
import django, json
django.setup()
from saleor_nudges.service.celery import app
app.loader.import_default_modules()
print(json.dumps([sorted(app.conf.beat_schedule), sorted(
    entry["task"] for entry in app.conf.beat_schedule.values() if entry["task"] not in app.tasks)]))
"""

    # when
    result = run("-c", show, DJANGO_SETTINGS_MODULE="saleor_nudges.service.settings", **GIVEN)

    # then
    assert result.returncode == 0, result.stderr
    scheduled, unknown = json.loads(result.stdout)
    assert "saleor-nudges-drain" in scheduled
    assert "saleor-nudges-reconcile" in scheduled
    assert unknown == []


@pytest.mark.parametrize(
    ("_case", "given", "expected"),
    [
        ("ours", ["doctor"], ["nudges", "doctor"]),
        ("ours_with_options", ["sweep", "--dry-run"], ["nudges", "sweep", "--dry-run"]),
        ("djangos", ["migrate", "--plan"], ["migrate", "--plan"]),
        ("named_in_full", ["nudges", "doctor"], ["nudges", "doctor"]),
        ("none", [], []),
        ("option", ["--help"], ["--help"]),
        ("help", ["help"], ["help"]),
    ],
)
def test_our_verbs_need_no_prefix(_case, given, expected, monkeypatch):
    # given
    known = {"migrate": "django.core", "check": "django.core", "nudges": "saleor_nudges"}
    monkeypatch.setattr("saleor_nudges.service.__main__.get_commands", lambda: known)

    # when / then
    assert arguments(["saleor-nudges", *given]) == ["saleor-nudges", *expected]
