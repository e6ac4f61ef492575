"""Query and Mutation: the table of contents. Mixed into Saleor's own, or a schema by itself."""

from functools import lru_cache

import graphene

from saleor_nudges.graphql.archives import ArchiveQueries
from saleor_nudges.graphql.audit import AuditQueries
from saleor_nudges.graphql.messaging import MessagingMutations, MessagingQueries
from saleor_nudges.graphql.nudges import NudgeMutations, NudgeQueries
from saleor_nudges.graphql.recovery import RecoveryMutations, RecoveryQueries
from saleor_nudges.graphql.reviews import ReviewMutations, ReviewQueries


class NudgesQuery(
    NudgeQueries, ReviewQueries, RecoveryQueries, MessagingQueries, ArchiveQueries, AuditQueries
):
    """Everything that can be asked."""


class NudgesMutation(NudgeMutations, ReviewMutations, RecoveryMutations, MessagingMutations):
    """Everything that can be changed."""


class Query(NudgesQuery):
    """The root of our own endpoint."""


class Mutation(NudgesMutation):
    """The root of our own endpoint."""


# What a merged schema must be told of beside the roots: nothing yet.
TYPES: list[type] = []


@lru_cache(maxsize=1)
def schema() -> graphene.Schema:
    """Return our own schema."""
    return graphene.Schema(query=Query, mutation=Mutation, types=TYPES)
