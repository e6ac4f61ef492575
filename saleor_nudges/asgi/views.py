"""The hot requests as Django views: the fallback where no process of their own serves them."""

from collections.abc import Callable
from datetime import UTC, datetime

from django.core.exceptions import SuspiciousOperation, TooManyFieldsSent
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods

from saleor_nudges import conf, telemetry
from saleor_nudges.access import allowed_origin
from saleor_nudges.asgi import guard, requests
from saleor_nudges.asgi.answers import Answer, refusal
from saleor_nudges.exceptions import InvalidInput, NudgesError, StreamUnavailable
from saleor_nudges.host import host_class
from saleor_nudges.models import Shop

Handler = Callable[[Shop, datetime, requests.Caller], Answer]


@csrf_exempt
@require_http_methods(["POST", "OPTIONS"])
def session(request: HttpRequest) -> HttpResponse:
    """POST v1/session."""
    return _serve(request, lambda *who: requests.session(who[0], request.body, *who[1:]))


@csrf_exempt
@require_http_methods(["POST", "OPTIONS"])
def events(request: HttpRequest) -> HttpResponse:
    """POST v1/events."""
    return _serve(request, lambda *who: requests.events(who[0], request.body, *who[1:]))


@require_GET
def nudges(request: HttpRequest) -> HttpResponse:
    """GET v1/nudges."""
    return _serve(request, lambda *who: requests.nudges(who[0], request.GET, *who[1:]))


@require_GET
def device(request: HttpRequest) -> HttpResponse:
    """GET v1/device."""
    answer = requests.device(request.headers.get("User-Agent", ""))
    return _with_origin(request, _response(answer))


@require_GET
def words(request: HttpRequest) -> HttpResponse:
    """GET v1/words."""
    answer = requests.words(request.GET.get("languageCode", ""))
    return _with_origin(request, _response(answer))


def _serve(request: HttpRequest, handler: Handler) -> HttpResponse:
    if request.method == "OPTIONS":
        return _with_origin(request, HttpResponse(status=204))
    try:
        with host_class().writing():
            shop = host_class().shop_of(request)
            answer = handler(shop, datetime.now(UTC), caller_of(request))
    except (OperationalError, InterfaceError):
        telemetry.trouble(telemetry.Log.REQUEST_FAILED, door="v1")
        answer = refusal(StreamUnavailable())
    except SuspiciousOperation as error:
        # Django reads no more than its own limits; its answer would be a page of HTML.
        part = "query" if isinstance(error, TooManyFieldsSent) else "body"
        answer = refusal(InvalidInput("It is larger than we read.", field=part))
    except NudgesError as error:
        answer = refusal(error)
        telemetry.REFUSED.labels(door="v1", code=error.code).inc()
    return _with_origin(request, _response(answer))


def caller_of(request: HttpRequest) -> requests.Caller:
    """Return who is on the other end of a request of Django's."""
    peer = request.META.get("REMOTE_ADDR", "")
    forwarded = request.headers.get("X-Forwarded-For", "")
    address = guard.in_force().address(peer, forwarded)
    country = conf.get().COUNTRY_HEADER
    said = request.headers.get(country, "") if country else ""
    return requests.Caller(address, request.headers.get("User-Agent", ""), said)


def _response(answer: Answer) -> HttpResponse:
    headers = {"Cache-Control": "no-store"} | answer.headers
    return JsonResponse(answer.body, status=answer.status, headers=headers)


def _with_origin(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    origin = request.headers.get("Origin", "")
    if allowed := allowed_origin(origin, conf.get().STOREFRONT_ORIGINS):
        response["Access-Control-Allow-Origin"] = allowed
        response["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
        response["Access-Control-Allow-Headers"] = "Content-Type"
        response["Access-Control-Expose-Headers"] = "Retry-After"
        patch_vary_headers(response, ["Origin"])
    return response
