"""The archive as a seller sees it: which weeks left the database, and where they lie."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any
from uuid import UUID

import graphene

from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.graphql.context import allowed
from saleor_nudges.graphql.errors import answered
from saleor_nudges.graphql.standard import DateTime
from saleor_nudges.models import ArchiveState, EventArchive, Shop

PERMISSION = "MANAGE_SETTINGS"
LARGEST_PAGE = 100

NudgeArchiveStateEnum = graphene.Enum(
    "NudgeArchiveStateEnum", [(state.name, state.value) for state in ArchiveState]
)


class NudgeEventArchive(graphene.ObjectType):
    """One object of the archive."""

    table = graphene.String(required=True, description="Which events it holds.")
    start = DateTime(required=True, description="From when on.")
    end = DateTime(required=True, description="Until when, not included.")
    key = graphene.String(required=True, description="Its name in the bucket.")
    format = graphene.String(required=True, description="How it is written.")
    schema_version = graphene.Int(required=True, description="Which columns it has.")
    state = graphene.Field(NudgeArchiveStateEnum, required=True, description="How far it is.")
    rows = graphene.Float(required=True, description="Events in it, once verified.")
    bytes = graphene.Float(required=True, description="Its size, once verified.")
    sha256 = graphene.String(required=True, description="Its checksum, once verified.")
    verified_at = DateTime(description="When it was read back and found right.")
    dropped_at = DateTime(description="When its events left the database.")
    restored_at = DateTime(description="When its events were brought back.")

    class Meta:
        description = "Represents one week of events that was archived."


class NudgeEventArchiveConnection(graphene.relay.Connection):
    """Objects of the archive, newest first."""

    class Meta:
        node = NudgeEventArchive


class ArchiveQueries(graphene.ObjectType):
    """What can be asked about the archive."""

    event_archives = graphene.Field(
        NudgeEventArchiveConnection,
        required=True,
        first=graphene.Int(description="At most so many; 20 when not said, 100 at most."),
        after=graphene.String(description="Cursor to go on from."),
        description="The archived weeks of events, newest first. Requires MANAGE_SETTINGS.",
    )

    @staticmethod
    @answered
    def resolve_event_archives(_root: Any, info: Any, **data: Any) -> Any:
        shop = allowed(info, PERMISSION).shop
        return _page(shop, _size(data.get("first")), data.get("after"))


def _page(shop: Shop, size: int, after: str | None) -> NudgeEventArchiveConnection:
    rows = EventArchive.objects.of(shop).order_by("-id")
    if after:
        rows = rows.filter(pk__lt=_position(after))
    found = list(rows[: size + 1])
    edge = NudgeEventArchiveConnection.Edge
    edges = [edge(node=row, cursor=_cursor(row)) for row in found[:size]]
    info = graphene.relay.PageInfo(
        has_next_page=len(found) > size,
        has_previous_page=bool(after),
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else None,
    )
    return NudgeEventArchiveConnection(edges=edges, page_info=info)


def _size(first: int | None) -> int:
    size = 20 if first is None else first
    if not 1 <= size <= LARGEST_PAGE:
        raise InvalidInput(f"A page has 1 to {LARGEST_PAGE} rows.", field="first")
    return size


def _cursor(row: EventArchive) -> str:
    return urlsafe_b64encode(row.pk.bytes).decode()


def _position(cursor: str) -> UUID:
    try:
        return UUID(bytes=urlsafe_b64decode(cursor))
    except ValueError as error:
        raise InvalidInput("This is not a cursor.", field="after") from error
