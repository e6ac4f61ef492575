"""The archive as a seller sees it: which weeks left the database, and where they lie."""

from typing import Any

import graphene

from saleor_nudges.graphql.context import allowed
from saleor_nudges.graphql.errors import answered
from saleor_nudges.graphql.paging import page, paged
from saleor_nudges.graphql.standard import DateTime
from saleor_nudges.models import ArchiveState, EventArchive

PERMISSION = "MANAGE_SETTINGS"

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
        args=paged(),
        description="The archived weeks of events, newest first. Requires MANAGE_SETTINGS.",
    )

    @staticmethod
    @answered
    def resolve_event_archives(_root: Any, info: Any, **data: Any) -> Any:
        rows = EventArchive.objects.of(allowed(info, PERMISSION).shop)
        first, after = data.get("first"), data.get("after")
        return page(NudgeEventArchiveConnection, rows, first=first, after=after)
