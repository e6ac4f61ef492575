"""What goes back to a storefront, and what an error becomes."""

import math
from dataclasses import dataclass, field
from typing import Any, Final

from saleor_nudges.exceptions import (
    BadSignature,
    InvalidInput,
    NudgesError,
    StreamUnavailable,
    TooMany,
    UnknownShop,
)

# Which status each error is; what is not here is our own fault.
STATUSES: Final[dict[type[NudgesError], int]] = {
    InvalidInput: 400,
    BadSignature: 401,
    UnknownShop: 404,
    TooMany: 429,
    StreamUnavailable: 503,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: JSON, a status, and headers beside the usual ones."""

    body: dict[str, Any]
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def refusal(error: NudgesError) -> Answer:
    """Return the answer an error becomes."""
    status = next((code for kind, code in STATUSES.items() if isinstance(error, kind)), 500)
    body = {"code": error.code, "message": str(error)}
    if isinstance(error, InvalidInput) and error.field:
        body["field"] = error.field
    headers = {"Retry-After": "5"} if status == 503 else {}
    if isinstance(error, TooMany):
        headers = {"Retry-After": str(max(1, math.ceil(error.wait)))}
    return Answer({"error": body}, status, headers)
