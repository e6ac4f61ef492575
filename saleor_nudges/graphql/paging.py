"""Pages of rows, newest first, as Relay has them: a cursor is the name of the row before."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, Final
from uuid import UUID

import graphene
from django.db.models import Q, QuerySet

from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.models.base import Row

USUAL_PAGE: Final = 20
LARGEST_PAGE: Final = 100


def paged(**arguments: Any) -> dict[str, Any]:
    """Return the arguments of a field that answers in pages, beside its own."""
    return arguments | {
        "first": graphene.Int(
            description=f"At most so many; {USUAL_PAGE} when not said, {LARGEST_PAGE} at most."
        ),
        "after": graphene.String(description="Cursor to go on from."),
    }


def page[R: Row](
    connection: Any,
    rows: "QuerySet[R]",
    *,
    first: int | None,
    after: str | None,
    by: str = "id",
) -> Any:
    """Return one page of rows, newest first by this time; raises InvalidInput for bad arguments."""
    size = size_of(first)
    rows = rows.order_by(f"-{by}", "-id")
    found = list((_behind(rows, by, _position(after)) if after else rows)[: size + 1])
    edges = [connection.Edge(node=row, cursor=_cursor(row)) for row in found[:size]]
    info = graphene.relay.PageInfo(
        has_next_page=len(found) > size,
        has_previous_page=bool(after),
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else None,
    )
    return connection(edges=edges, page_info=info)


def size_of(first: int | None) -> int:
    """Return how many rows a page has; raises InvalidInput."""
    size = USUAL_PAGE if first is None else first
    if not 1 <= size <= LARGEST_PAGE:
        raise InvalidInput(f"A page has 1 to {LARGEST_PAGE} rows.", field="first")
    return size


def _behind[R: Row](rows: "QuerySet[R]", by: str, position: UUID) -> "QuerySet[R]":
    if by == "id":
        return rows.filter(pk__lt=position)
    # A cursor of another shop's row is none of these rows.
    moment = rows.filter(pk=position).values_list(by, flat=True).first()
    if moment is None:
        raise InvalidInput("This is not a cursor.", field="after")
    same = Q(**{by: moment}, pk__lt=position)
    return rows.filter(same | Q(**{f"{by}__lt": moment}))


def _cursor(row: Row) -> str:
    return urlsafe_b64encode(row.pk.bytes).decode()


def _position(cursor: str) -> UUID:
    try:
        return UUID(bytes=urlsafe_b64decode(cursor))
    except ValueError as error:
        raise InvalidInput("This is not a cursor.", field="after") from error
