"""What every request gets: a name in the logs, and a JSON answer when it fails."""

import re
from collections.abc import Callable
from typing import Final
from uuid import uuid4

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse

from saleor_nudges import telemetry

HEADER: Final = "X-Request-Id"
# What a proxy may name a request; anything else could forge a log line.
NAME: Final = re.compile(r"[\w.:=+-]{1,128}", re.ASCII)


class RequestContext:
    """Names the request in every log line it causes, and in its answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get(HEADER, "")
        name = given if NAME.fullmatch(given) else uuid4().hex
        named = telemetry.request_id.set(name)
        # Filled in by the host, once it knows that there is such a shop.
        shop = telemetry.shop_key.set("")
        try:
            response = self.get_response(request)
        finally:
            telemetry.request_id.reset(named)
            telemetry.shop_key.reset(shop)
        response[HEADER] = name
        return response

    def process_exception(
        self,
        request: HttpRequest,
        exception: Exception,
    ) -> HttpResponse | None:
        """Answer what a view let through; what Django has a status for is Django's to answer."""
        if isinstance(exception, Http404 | PermissionDenied | SuspiciousOperation):
            return None
        return failed(request)


def failed(request: HttpRequest) -> HttpResponse:
    """Answer 500 and log the exception being handled; never the path, which may hold a token."""
    telemetry.trouble(telemetry.Log.REQUEST_FAILED, method=request.method)
    return refused("INTERNAL", "Something went wrong on our side.", 500)


def missing(
    request: HttpRequest,  # noqa: ARG001 - Django's own signature
    exception: Exception,  # noqa: ARG001
) -> HttpResponse:
    """Answer 404."""
    return refused("NOT_FOUND", "There is nothing here.", 404)


def refused(code: str, message: str, status: int) -> HttpResponse:
    """Return an error as every door of ours words it."""
    return JsonResponse({"error": {"code": code, "message": message}}, status=status)
