"""What every mutation is: one permission, one transaction, one line in the audit log."""

from typing import Any, ClassVar

import graphene
from django.db import transaction

from saleor_nudges import exceptions
from saleor_nudges.asgi.requests import Caller
from saleor_nudges.asgi.views import caller_of
from saleor_nudges.audit import audit
from saleor_nudges.graphql.context import allowed, requester
from saleor_nudges.graphql.errors import NudgeError, answered, error_of
from saleor_nudges.host import Requester


def errors_field() -> graphene.List:
    """Return the field in which a mutation says what was wrong."""
    return graphene.List(
        graphene.NonNull(NudgeError),
        required=True,
        description="What was wrong; empty when it was done.",
    )


class SellerMutation(graphene.Mutation):
    """A change by the seller. Subclasses say which permission, and what to do."""

    class Meta:
        abstract = True

    permission: ClassVar[str]

    @classmethod
    @answered
    def mutate(cls, _root: Any, info: Any, **data: Any) -> Any:
        asker = allowed(info, cls.permission)
        try:
            with transaction.atomic():
                return cls.perform(asker, **data)
        except exceptions.PermissionDenied:
            raise
        except exceptions.NudgesError as error:
            return cls(errors=[error_of(error)])

    @classmethod
    def perform(cls, asker: Requester, **data: Any) -> Any:
        """Do it and return the answer; raising a NudgesError undoes it."""
        raise NotImplementedError

    @classmethod
    def wrote(
        cls,
        asker: Requester,
        target: str,
        after: dict[str, Any],
        before: dict[str, Any] | None = None,
    ) -> None:
        """Write the change down: the changed fields, as they were and as they are."""
        audit(asker, cls.__name__, target, before=before, after=after)


class ShopperMutation(graphene.Mutation):
    """A change by anyone, such as a beacon."""

    class Meta:
        abstract = True

    @classmethod
    @answered
    def mutate(cls, _root: Any, info: Any, **data: Any) -> Any:
        try:
            return cls.perform(requester(info), caller_of(info.context), **data)
        except exceptions.PermissionDenied:
            raise
        except exceptions.NudgesError as error:
            return cls(errors=[error_of(error)])

    @classmethod
    def perform(cls, asker: Requester, caller: Caller, **data: Any) -> Any:
        """Do it and return the answer."""
        raise NotImplementedError


def given(changes: dict[str, Any]) -> dict[str, Any]:
    """Return the input fields that were really given; null means untouched."""
    return {key: value for key, value in changes.items() if value is not None}
