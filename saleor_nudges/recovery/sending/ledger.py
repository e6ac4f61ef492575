"""A record of the ledger outside its database: a restored one that is behind it sends nothing.

The record is the time of the newest mark, kept in our Redis. Without one, or while it is away, a
database that went back in time on the same host is not noticed.
"""

import logging
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from saleor_nudges import conf, telemetry
from saleor_nudges.models import Send, Shop
from saleor_nudges.stream import redis_clients

# What sending is bound to once the ledger was found behind: no installation has this fingerprint.
NOWHERE: Final = "behind its record"
# Of one transaction the mark and the record differ by less.
SLACK: Final = 60.0
# What this process has noted last: messages that were planned together have one time.
_noted: dict[UUID, datetime] = {}


def note(shop: UUID, marked_at: datetime) -> None:
    """Keep that a message was marked then; an older time changes nothing."""
    if _noted.get(shop) == marked_at or (client := _client()) is None:
        return
    try:
        client.zadd(_key(shop), {"marked": marked_at.timestamp()}, gt=True)
        _noted[shop] = marked_at
    except redis_clients.TROUBLE:
        telemetry.log(telemetry.Log.STREAM_AWAY, logging.WARNING)


def stop_if_behind(shop: Shop) -> bool:
    """Pause a shop's sending if messages were marked that its ledger knows nothing of.

    It goes on by `nudges resume-sending`, or when the seller switches sending off and on.
    """
    if (record := _record(shop.pk)) is None:
        return False
    marked = Send.objects.of(shop).filter(marked_at__isnull=False).order_by("-marked_at")
    newest = marked.values_list("marked_at", flat=True).first()
    if newest is not None and newest.timestamp() + SLACK >= record:
        return False
    Shop.objects.filter(pk=shop.pk).update(sending_installation=NOWHERE)
    telemetry.log(telemetry.Log.LEDGER_BEHIND, logging.ERROR, shop=shop.key)
    return True


def forget(shop: UUID) -> None:
    """Forget the record: somebody has confirmed that the ledger is right as it is."""
    _noted.pop(shop, None)
    if (client := _client()) is not None:
        client.delete(_key(shop))


def _record(shop: UUID) -> float | None:
    if (client := _client()) is None:
        return None
    try:
        score: float | None = client.zscore(_key(shop), "marked")
    except redis_clients.TROUBLE:
        return None
    return score


def _client() -> Any:
    settings = conf.get()
    if not settings.REDIS_URL:
        return None
    return redis_clients.client(settings.REDIS_URL, is_cluster=settings.REDIS_CLUSTER)


def _key(shop: UUID) -> str:
    return f"nudges:{{{shop}}}:ledger"
