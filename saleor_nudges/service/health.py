"""For whoever watches us: alive, ready, and the numbers."""

from collections.abc import Callable
from typing import Final

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET
from redis import Redis
from redis.exceptions import RedisError

from saleor_nudges import conf, reconcile, telemetry
from saleor_nudges.events import Flow
from saleor_nudges.exceptions import StreamUnavailable
from saleor_nudges.stream import get_stream

# Ten minutes of work for one slow worker: past it, more requests would only wait longer.
MOST_WAITING: Final = 100_000
# A probe must answer before whoever asks gives up, which is after a second in Kubernetes.
REDIS_SECONDS: Final = 0.5


@require_GET
def alive(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's own signature
    """GET healthz: the process answers. Says nothing of the database on purpose."""
    return JsonResponse({"status": "ok"})


@require_GET
def ready(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's own signature
    """GET readyz: everything needed to serve is there; else 503, and what is not."""
    reasons = {name: reason for name, check in CHECKS.items() if (reason := check())}
    if reasons:
        return JsonResponse({"status": "unavailable", "reasons": reasons}, status=503)
    # A shop that is behind stops its own messages, not this process: it is said, and no reason.
    behind = {kind: round(seconds) for kind, seconds in reconcile.seconds_behind().items()}
    waits = {flow: waiting(flow) for flow in Flow}
    return JsonResponse({"status": "ok", "waiting": waits, "behind_seconds": behind})


@require_GET
def metrics(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's own signature
    """GET metrics: Prometheus' text format."""
    for flow in Flow:
        telemetry.PENDING.labels(flow=flow).set(waiting(flow))
        telemetry.LAG.labels(flow=flow).set(get_stream(flow).lag())
    for kind, seconds in reconcile.seconds_behind().items():
        telemetry.BEHIND.labels(kind=kind).set(seconds)
    return HttpResponse(telemetry.exposition(), content_type="text/plain; version=0.0.4")


def waiting(flow: Flow) -> int:
    """Return how many events of a flow wait to be counted."""
    return get_stream(flow).pending()


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "The database does not answer."
    return ""


def _migrations() -> str:
    try:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return "The database does not answer."
    return f"{len(plan)} migrations are not applied." if plan else ""


def _redis() -> str:
    url = conf.get().REDIS_URL
    if not url:
        return ""
    try:
        with Redis.from_url(
            url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS
        ) as client:
            client.ping()
    except RedisError:
        return "Redis does not answer."
    return ""


def _streams() -> str:
    try:
        counts = {flow: waiting(flow) for flow in Flow}
    except (DatabaseError, StreamUnavailable):
        return "A stream does not answer."
    slow = [
        f"{count} {flow} events wait." for flow, count in counts.items() if count > MOST_WAITING
    ]
    return " ".join(slow)


CHECKS: Final[dict[str, Callable[[], str]]] = {
    "database": _database,
    "migrations": _migrations,
    "redis": _redis,
    "streams": _streams,
}
