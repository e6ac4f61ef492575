"""Who is asking: a shopper, a member of staff, or an app."""

from typing import Any

from saleor_nudges.exceptions import PermissionDenied
from saleor_nudges.host import Requester, host_class


def requester(info: Any) -> Requester:
    """Return who sends this query, and for which shop."""
    return host_class().requester_of(info.context)


def allowed(info: Any, permission: str) -> Requester:
    """Return who sends this query; raises PermissionDenied without the permission."""
    found = requester(info)
    if not found.may(permission):
        raise PermissionDenied(
            f"To access this path, you need one of the following permissions: {permission}"
        )
    return found
