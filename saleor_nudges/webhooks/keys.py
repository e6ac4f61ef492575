"""The keys a shop signs with: stored when it registers, fetched again when they changed."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from django.db.models.functions import Now

from saleor_nudges import saleor_api, telemetry
from saleor_nudges.exceptions import BadSignature
from saleor_nudges.models import AppInstallation

KeySet = dict[str, Any]

# Somebody who sends forgeries must not make us ask the shop at their pace.
PAUSE: Final = timedelta(seconds=60)


def verified[T](installation: AppInstallation, check: Callable[[KeySet], T]) -> T:
    """Return what `check` makes of the shop's keys, fetched anew if the stored ones do not fit.

    Raises BadSignature; HostUnavailable when the new keys cannot be had, so that it is sent again.
    """
    try:
        return check(installation.key_set)
    except BadSignature:
        if not _may_fetch(installation):
            raise
    fresh = saleor_api.key_set(installation.api_url)
    if fresh != installation.key_set:
        _row(installation).update(key_set=fresh)
        telemetry.log(telemetry.Log.KEYS_REFETCHED)
    return check(fresh)


def _may_fetch(installation: AppInstallation) -> bool:
    # One UPDATE takes the turn: of many processes that see the same forgery, one asks.
    due = _row(installation).filter(key_set_fetched_at__lt=Now() - PAUSE)
    return bool(due.update(key_set_fetched_at=Now()))


def _row(installation: AppInstallation) -> Any:
    return AppInstallation.objects.of(installation.shop_id).filter(pk=installation.pk)
