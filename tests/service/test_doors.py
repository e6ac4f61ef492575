"""The App's own doors: alive, ready, the numbers; and what every request gets."""

import json
import re
from typing import Any

import pytest
from django.db import DatabaseError
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from saleor_nudges.capture import capture
from saleor_nudges.service import health, middleware
from saleor_nudges.service.urls import urlpatterns as own_urls
from saleor_nudges.testing import JUICE, viewed

pytestmark = pytest.mark.django_db


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("anna@example.com broke it")


urlpatterns = [path("broken/<str:token>", broken), *own_urls]
handler404 = middleware.missing
handler500 = middleware.failed


def test_alive_without_a_database(client, monkeypatch):
    # given
    monkeypatch.setattr(health, "connection", Away())

    # when
    response = client.get("/healthz")

    # then
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_ready(client):
    # when
    response = client.get("/readyz")

    # then
    assert (response.status_code, response.json()) == (
        200,
        {
            "status": "ok",
            "waiting": {"commerce": 0, "views": 0},
            "behind_seconds": {"orders": 0, "checkouts": 0},
        },
    )


class Away:
    """A database connection that is not there."""

    def cursor(self) -> Any:
        raise DatabaseError

    def __getattr__(self, name: str) -> Any:
        raise DatabaseError


def test_not_ready_without_a_database(client, monkeypatch):
    # given
    monkeypatch.setattr(health, "connection", Away())

    # when
    response = client.get("/readyz")

    # then
    assert response.status_code == 503
    assert response.json() == {
        "status": "unavailable",
        "reasons": {
            "database": "The database does not answer.",
            "migrations": "The database does not answer.",
        },
    }


def test_not_ready_before_migrations(client):
    # given
    applied = MigrationRecorder.Migration.objects.filter(app="saleor_nudges")
    applied.latest("id").delete()

    # when
    response = client.get("/readyz")

    # then
    assert response.status_code == 503
    assert response.json()["reasons"] == {"migrations": "1 migrations are not applied."}


def test_not_ready_without_the_redis_it_was_given(client, settings):
    # given
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"REDIS_URL": "redis://127.0.0.1:1/0"}

    # when
    response = client.get("/readyz")

    # then
    assert response.status_code == 503
    assert response.json()["reasons"] == {"redis": "Redis does not answer."}


def test_not_ready_when_nobody_reads_the_stream(client, shop, monkeypatch):
    # given
    capture(viewed(shop, JUICE.id))
    monkeypatch.setattr(health, "MOST_WAITING", 0)

    # when
    response = client.get("/readyz")

    # then
    assert response.status_code == 503
    assert response.json()["reasons"] == {"streams": "1 views events wait."}


def test_metrics_are_prometheus_text(client, shop):
    # given
    capture(viewed(shop, JUICE.id))

    # when
    response = client.get("/metrics")

    # then
    assert response["Content-Type"] == "text/plain; version=0.0.4"
    text = response.content.decode()
    assert 'nudges_stream_pending{flow="views"} 1.0' in text
    assert re.search(r'nudges_events_captured_total\{kind="product_viewed"\} \d', text)


@pytest.mark.parametrize("door", ["/healthz", "/readyz", "/metrics", "/manifest"])
def test_looking_is_all_one_can_do(door, client):
    assert client.post(door).status_code == 405


@pytest.mark.parametrize(
    ("_case", "given", "is_kept"),
    [
        ("named_by_a_proxy", "req-0123456789.abc", True),
        ("nameless", "", False),
        ("forged_line", 'x", "level": "INFO', False),
        ("endless", "x" * 129, False),
    ],
)
def test_request_has_a_name(_case, given, is_kept, client):
    # when
    response = client.get("/healthz", headers={"X-Request-Id": given})

    # then
    name = response["X-Request-Id"]
    assert (name == given) is is_kept
    assert is_kept or re.fullmatch("[0-9a-f]{32}", name)


def test_failure_is_answered_in_json_and_logged_once(settings, caplog):
    # given
    settings.ROOT_URLCONF = __name__
    client = Client(raise_request_exception=False)

    # when
    response = client.get("/broken/link-token", headers={"X-Request-Id": "named"})

    # then
    assert (response.status_code, json.loads(response.content)) == (
        500,
        {"error": {"code": "INTERNAL", "message": "Something went wrong on our side."}},
    )
    assert response["X-Request-Id"] == "named"
    lines = [record for record in caplog.records if record.name == "saleor_nudges"]
    assert [line.getMessage() for line in lines] == ["request failed"]
    assert lines[0].nudges == {"request_id": "named", "method": "GET"}


def test_nothing_there_is_answered_in_json(client):
    # when
    response = client.get("/nowhere")

    # then
    assert (response.status_code, response.json()) == (
        404,
        {"error": {"code": "NOT_FOUND", "message": "There is nothing here."}},
    )
