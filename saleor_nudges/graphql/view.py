"""The endpoint: POST one operation as JSON, as at Saleor's own."""

import json
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods
from graphql import GraphQLError, parse
from graphql.error import format_error as format_graphql_error
from graphql.language import ast
from pydantic import BaseModel, Field, ValidationError

from saleor_nudges import conf, telemetry
from saleor_nudges.access import allowed_origin, parsed
from saleor_nudges.exceptions import InvalidInput, NudgesError, PermissionDenied, UnknownShop
from saleor_nudges.graphql.errors import PermissionDenied as Denied
from saleor_nudges.graphql.errors import Refused
from saleor_nudges.graphql.schema import schema
from saleor_nudges.host import host_class

LARGEST_BODY = 256 * 1024
# A legitimate query of ours is five levels deep; parsing stops a hostile one before it is run.
DEEPEST = 12


@csrf_exempt
@require_http_methods(["POST", "OPTIONS"])
def graphql(request: HttpRequest) -> HttpResponse:
    """POST graphql/."""
    if request.method == "OPTIONS":
        return _with_origin(request, HttpResponse(status=204))
    try:
        with host_class().writing():
            host_class().requester_of(request)
            answer, status = _execute(request), 200
    except InvalidInput as error:
        answer, status = {"errors": [{"message": str(error)}]}, 400
    except SuspiciousOperation:
        # Django reads no more than its own limits; its answer would be a page of HTML.
        answer, status = {"errors": [{"message": "It is larger than we read."}]}, 400
    except UnknownShop as error:
        answer, status = {"errors": [{"message": str(error)}]}, 404
    except PermissionDenied as error:
        answer, status = {"errors": [{"message": str(error)}]}, 401
    return _with_origin(request, JsonResponse(answer, status=status))


class Operation(BaseModel):
    """One operation as a client sends it."""

    query: str
    variables: dict[str, Any] | None = None
    operation_name: str | None = Field(default=None, alias="operationName")


def _execute(request: HttpRequest) -> dict[str, Any]:
    operation = _read(request)
    result = schema().execute(
        _document(operation.query),
        variable_values=operation.variables or {},
        operation_name=operation.operation_name or None,
        context_value=request,
    )
    answer: dict[str, Any] = {"data": result.data}
    if result.errors:
        answer["errors"] = [_format(error) for error in result.errors]
    return answer


def _read(request: HttpRequest) -> Operation:
    if len(request.body) > LARGEST_BODY:
        raise InvalidInput(f"At most {LARGEST_BODY} bytes a query.", field="body")
    try:
        operation = Operation.model_validate(parsed(request.body))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(map(str, first["loc"])) or "body"
        raise InvalidInput(f"{field}: {first['msg']}", field=field) from error
    if not _is_storable(operation):
        raise InvalidInput("No NUL characters and no halves of characters.", field="body")
    return operation


def _document(query: str) -> Any:
    try:
        document = parse(query)
    except GraphQLError as error:
        raise InvalidInput(str(error), field="query") from error
    except RecursionError as error:
        raise InvalidInput("The query is nested too deeply.", field="query") from error
    if _depth(document) > DEEPEST:
        raise InvalidInput("The query is nested too deeply.", field="query")
    return document


def _is_storable(operation: Operation) -> bool:
    text = operation.query + json.dumps(operation.variables, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text and "\\u0000" not in text


def _format(error: Exception) -> dict[str, Any]:
    original = getattr(error, "original_error", error)
    if isinstance(error, GraphQLError):
        shown: dict[str, Any] = format_graphql_error(error)
    else:
        shown = {"message": str(error)}
    if not isinstance(error, GraphQLError | NudgesError):
        # Raised before any resolver was asked: graphql-core could not read a variable as its type.
        shown["message"] = "The query or its variables cannot be read."
    elif not isinstance(original, GraphQLError | NudgesError):
        # Whatever it was, it is ours to read and not theirs.
        telemetry.log(telemetry.Log.REQUEST_FAILED, error=type(original).__name__)
        shown["message"] = "Internal Server Error"
    code = type(original).__name__ if isinstance(original, Denied | Refused) else "GraphQLError"
    shown["extensions"] = {"exception": {"code": code}}
    return shown


def _depth(node: Any, depth: int = 0) -> int:
    children = list(_children(node))
    here = depth + isinstance(node, ast.Field)
    return max((_depth(child, here) for child in children), default=here)


def _children(node: Any) -> list[Any]:
    if isinstance(node, ast.Document):
        return list(node.definitions)
    selections = getattr(node, "selection_set", None)
    return list(selections.selections) if selections else []


def _with_origin(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    origin = request.headers.get("Origin", "")
    if allowed := allowed_origin(origin, conf.get().STOREFRONT_ORIGINS):
        response["Access-Control-Allow-Origin"] = allowed
        response["Access-Control-Allow-Methods"] = "POST, OPTIONS"
        response["Access-Control-Allow-Headers"] = (
            "Content-Type, Authorization, Authorization-Bearer, Saleor-Api-Url"
        )
        response["Vary"] = "Origin"
    return response
