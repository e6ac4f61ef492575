"""What is kept how long: partitions made ahead, views dropped at their age, visitors forgotten."""

from datetime import datetime, timedelta

from django.db import connection
from django.db.models.functions import Now

from saleor_nudges import conf, telemetry
from saleor_nudges.events import Flow
from saleor_nudges.events.identity import smallest_at
from saleor_nudges.models import ProductVisitor, ViewEvent, VisitorCheckout
from saleor_nudges.models.partitions import existing, missing_partitions, oldest_kept

# The longest window a nudge may look back over visitors.
VISITORS_KEPT = timedelta(days=1)


def make_partitions(now: datetime) -> int:
    """Create what is missing; return how many partitions were made."""
    missing = missing_partitions(now)
    with connection.cursor() as cursor:
        for piece in missing:
            cursor.execute(
                f'CREATE TABLE IF NOT EXISTS "{piece.name}" PARTITION OF "{piece.table}" '
                f"FOR VALUES FROM ('{smallest_at(piece.start)}') TO ('{smallest_at(piece.end)}')"
            )
    telemetry.log(telemetry.Log.PARTITIONS_MADE, count=len(missing))
    return len(missing)


def drop_old_views(now: datetime) -> int:
    """Drop the view partitions that are past their age; return how many."""
    table = ViewEvent._meta.db_table
    limit = f"{table}_{oldest_kept(Flow.VIEWS, now):%Y%m%d}"
    old = sorted(name for name in existing() if name.startswith(f"{table}_") and name < limit)
    with connection.cursor() as cursor:
        for name in old:
            cursor.execute(f'DROP TABLE IF EXISTS "{name}"')
    return len(old)


def forget_visitors() -> int:
    """Forget who looked at what once no window can count it, and whose cart was whose once no
    visitor's token is that old; return how many rows went.
    """
    token_age = timedelta(days=conf.get().VISITOR_TOKEN_DAYS)
    views, _ = (
        ProductVisitor.objects.across_shops().filter(last_seen__lt=Now() - VISITORS_KEPT).delete()
    )
    carts, _ = VisitorCheckout.objects.across_shops().filter(seen_at__lt=Now() - token_age).delete()
    return views + carts
