"""Who changed what: every change of a seller or an app, with the values before and after."""

import json
from typing import Any

import graphene

from saleor_nudges.graphql.context import allowed
from saleor_nudges.graphql.errors import answered
from saleor_nudges.graphql.paging import page, paged
from saleor_nudges.graphql.standard import DateTime
from saleor_nudges.models import AuditEntry


class NudgeAuditEntry(graphene.ObjectType):
    """Who changed what, when."""

    at = DateTime(required=True, description="When.")
    actor = graphene.String(required=True, description="Who.")
    action = graphene.String(required=True, description="What was done.")
    target = graphene.String(required=True, description="To what, such as channel/kind.")
    before = graphene.String(
        required=True, description="Values of the changed fields before, as a JSON object."
    )
    after = graphene.String(
        required=True, description="Values of the changed fields after, as a JSON object."
    )

    class Meta:
        description = "Represents a change a seller or an app made."

    @staticmethod
    def resolve_at(root: AuditEntry, _info: Any) -> Any:
        return root.created_at

    @staticmethod
    def resolve_before(root: AuditEntry, _info: Any) -> str:
        return json.dumps(root.before, ensure_ascii=False, sort_keys=True)

    @staticmethod
    def resolve_after(root: AuditEntry, _info: Any) -> str:
        return json.dumps(root.after, ensure_ascii=False, sort_keys=True)


class NudgeAuditEntryConnection(graphene.relay.Connection):
    """Changes, newest first."""

    class Meta:
        node = NudgeAuditEntry


class AuditQueries(graphene.ObjectType):
    """What can be asked about changes."""

    audit_log = graphene.Field(
        NudgeAuditEntryConnection,
        required=True,
        args=paged(),
        description="What was changed and by whom, newest first. Requires MANAGE_SETTINGS.",
    )

    @staticmethod
    @answered
    def resolve_audit_log(
        _root: Any, info: Any, first: int | None = None, after: str | None = None
    ) -> Any:
        rows = AuditEntry.objects.of(allowed(info, "MANAGE_SETTINGS").shop)
        return page(NudgeAuditEntryConnection, rows, first=first, after=after)
