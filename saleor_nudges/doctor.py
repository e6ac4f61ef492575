"""What works and what does not, in words: the same findings for the command and for `readyz`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.apps import apps
from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from redis.exceptions import RedisClusterException, RedisError

from saleor_nudges import archive, conf, consent, growth, reconcile
from saleor_nudges.checks import redis_troubles
from saleor_nudges.events import Flow
from saleor_nudges.exceptions import StreamUnavailable
from saleor_nudges.models import Cursor, DeadLetter, Shop
from saleor_nudges.models.partitions import missing_partitions
from saleor_nudges.stream import get_stream, redis_clients

STALE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    is_well: bool
    what: str


def examine() -> list[Finding]:
    """Look at everything; a look that fails is a finding, never an error."""
    return [_look(name, look) for name, look in LOOKS.items()]


def clear_schema_cache() -> int:
    """Remove what Saleor cached of its introspection; return how many entries."""
    keys = list(getattr(cache, "keys", lambda *_: [])("*introspection*"))
    cache.delete_many(keys)
    return len(keys)


def remove_periodic_tasks() -> int:
    """Remove our rows from Saleor's scheduler; return how many."""
    if not apps.is_installed("django_celery_beat"):
        return 0
    registry: Any = apps  # not installed where types are checked
    table = registry.get_model("django_celery_beat", "PeriodicTask")
    deleted, _ = table.objects.filter(name__startswith="saleor-nudges-").delete()
    return int(deleted)


def _look(name: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(name, is_well=True, what=f"{name}: {look()}")
    except Exception as error:
        return Finding(name, is_well=False, what=f"{name}: {error or type(error).__name__}")


def _database() -> str:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes("saleor_nudges"))
    if plan:
        raise LookupError(f"{len(plan)} migrations are not applied; run migrate.")
    return "reachable, migrations applied"


def _partitions() -> str:
    missing = missing_partitions(datetime.now(UTC))
    if missing:
        raise LookupError(f"{len(missing)} partitions are missing; is beat running?")
    return "made ahead"


def _streams() -> str:
    try:
        waiting = {flow: get_stream(flow).pending() for flow in Flow}
    except StreamUnavailable as error:
        raise LookupError("a stream does not answer") from error
    return ", ".join(f"{count} {flow} waiting" for flow, count in waiting.items())


def _redis() -> str:
    settings = conf.get()
    if not settings.VIEWS_STREAM.endswith("RedisStream"):
        return "not used for views"
    try:
        told = redis_clients.server(settings.REDIS_URL, is_cluster=settings.REDIS_CLUSTER)
        troubles = [what for _, what, _ in redis_troubles(settings)]
    except (RedisError, RedisClusterException) as error:
        raise LookupError("it does not answer; views wait in Postgres.") from error
    if troubles:
        raise LookupError(" ".join(troubles))
    return f"answers, {int(told.get('used_memory', 0)) // 2**20} MiB used"


def _dead_letters() -> str:
    count = DeadLetter.objects.across_shops().count()
    if count:
        raise LookupError(
            f"{count} events could not be taken in and were put aside;"
            " `nudges dead-letters list` says why."
        )
    return "none put aside"


def _orders() -> str:
    return _caught_up(reconcile.ORDERS, "so nothing is sent there")


def _checkouts() -> str:
    return _caught_up(reconcile.CHECKOUTS, "so some that were left behind may not be known")


def _caught_up(kind: str, therefore: str) -> str:
    shops = Shop.objects.filter(is_active=True)
    known = reconcile.caught_up(kind, STALE)
    behind = shops.exclude(pk__in=known.values("shop"))
    if count := behind.count():
        cursors = Cursor.objects.across_shops().filter(kind=kind, shop__in=behind)
        oldest = cursors.order_by("position").values_list("position", flat=True).first()
        until = f"; the oldest is known up to {oldest:%Y-%m-%d %H:%M} UTC" if oldest else ""
        raise LookupError(f"{count} shops are not caught up, {therefore}{until}.")
    return f"caught up in {shops.count()} shops"


def _sending() -> str:
    on = Shop.objects.filter(sending_since__isnull=False)
    bound = on.filter(consent.sending_bound()).count()
    if on.count() != bound:
        raise LookupError("sending was switched on in another installation; switch it on again.")
    return f"on in {bound} shops" if conf.get().PUBLIC_URL else "off: PUBLIC_URL is not set"


def _archive() -> str:
    return archive.examine(datetime.now(UTC))


def _size() -> str:
    now = datetime.now(UTC)
    tables = ", ".join(_grown(flow, growth.growth(flow, now)) for flow in Flow)
    return f"{_bytes(growth.everything())} in all tables; {tables}"


def _grown(flow: Flow, found: growth.Growth) -> str:
    if found.a_day is None or found.later is None:
        return f"{flow} {_bytes(found.now)}, less than a day of events: too young to say more"
    a_day, later = _bytes(found.a_day), _bytes(found.later)
    return f"{flow} {_bytes(found.now)}, {a_day} a day, {later} in 90 days"


def _bytes(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


LOOKS: dict[str, Callable[[], str]] = {
    "database": _database,
    "partitions": _partitions,
    "streams": _streams,
    "redis": _redis,
    "dead letters": _dead_letters,
    "orders": _orders,
    "checkouts": _checkouts,
    "sending": _sending,
    "archive": _archive,
    "size": _size,
}
