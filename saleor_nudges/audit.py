"""Who changed what: one row per change a seller or an app makes."""

from typing import Any

from saleor_nudges.host import Requester
from saleor_nudges.models import AuditEntry


def audit(
    requester: Requester,
    action: str,
    target: str = "",
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Write down a change, in the transaction that makes it. Give nothing secret or personal."""
    AuditEntry.objects.of(requester.shop).create(
        shop=requester.shop,
        actor=requester.name,
        action=action,
        target=target,
        before=before or {},
        after=after or {},
    )
