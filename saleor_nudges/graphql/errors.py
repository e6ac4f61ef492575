"""Our exceptions as errors a client can switch on: in `errors` of a mutation, or of the answer."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import graphene
from graphene.utils.str_converters import to_camel_case
from graphql import GraphQLError

from saleor_nudges import exceptions
from saleor_nudges.host import host_class


class PermissionDenied(GraphQLError):
    """Its name is the code the client reads, as it is in Saleor."""


class Refused(GraphQLError):
    """A query could not be answered because of what was asked."""


class NudgeErrorCode(graphene.Enum):
    """Why a mutation of saleor-nudges changed nothing."""

    INVALID = "INVALID"
    INVALID_EVENT = "INVALID_EVENT"
    NOT_FOUND = "NOT_FOUND"
    BAD_SIGNATURE = "BAD_SIGNATURE"
    HOST_UNAVAILABLE = "HOST_UNAVAILABLE"
    STREAM_UNAVAILABLE = "STREAM_UNAVAILABLE"
    TOO_MANY = "TOO_MANY"
    NUDGES_ERROR = "NUDGES_ERROR"


class NudgeError(graphene.ObjectType):
    """One thing that was wrong with a mutation."""

    field = graphene.String(description="Name of the input field that is wrong, if it is one.")
    message = graphene.String(description="What is wrong, in words.")
    code = graphene.Field(NudgeErrorCode, required=True, description="What is wrong, as a code.")

    class Meta:
        description = "Represents an error in a mutation of saleor-nudges."


def error_of(error: exceptions.NudgesError) -> NudgeError:
    """Return what a mutation answers for an exception."""
    known = {code.value for code in NudgeErrorCode._meta.enum}
    code = error.code if error.code in known else "NUDGES_ERROR"
    field = getattr(error, "field", None)
    return NudgeError(field=to_camel_case(field) if field else None, message=str(error), code=code)


def answered[F: Callable[..., Any]](resolver: F) -> F:
    """Let a resolver use the database, and turn our exceptions into errors of the answer."""

    @wraps(resolver)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            with host_class().writing():
                return resolver(*args, **kwargs)
        except exceptions.PermissionDenied as error:
            raise PermissionDenied(str(error)) from error
        except exceptions.NudgesError as error:
            raise Refused(str(error)) from error

    return wrapper  # type: ignore[return-value]
