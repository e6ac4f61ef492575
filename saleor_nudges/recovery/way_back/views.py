"""The two links in a message. Looking changes nothing: only a shopper's own POST does."""

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from http import HTTPStatus
from typing import Any, Final

from django.core.exceptions import SuspiciousOperation
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.multipartparser import MultiPartParserError
from django.views import View

from saleor_nudges import access, conf, telemetry
from saleor_nudges.exceptions import (
    BadSignature,
    HostUnavailable,
    InvalidInput,
    NotFound,
    TooMany,
)
from saleor_nudges.host import host_class
from saleor_nudges.messaging import consents
from saleor_nudges.models import CheckoutState, MessageChannel, Send
from saleor_nudges.recovery import addresses
from saleor_nudges.recovery.way_back import links, pages, returning

BOUGHT: Final = (CheckoutState.ORDERED, CheckoutState.RECOVERED)
# A form of ours, or a storefront's few words; nobody has more to say here.
LARGEST_BODY: Final = 4096
JSON: Final = "application/json"


class LinkView(View):
    """A page with one button; the button POSTs to the same address."""

    http_method_names = ["get", "head", "post", "options"]
    template: str

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with host_class().writing():
            try:
                kwargs["send"] = self.send_of(kwargs.pop("token"))
                response: HttpResponse = super().dispatch(request, *args, **kwargs)  # type: ignore[assignment]
            except BadSignature:
                response = pages.page(request, self.template, "invalid")
            except Exception:
                # Not let through: whoever answers for us then would log the path, and its token.
                telemetry.trouble(telemetry.Log.REQUEST_FAILED, method=request.method)
                response = pages.page(request, self.template, "away")
        return pages.unnamed(response)

    @staticmethod
    def send_of(token: str) -> Send:
        """Return the message a link was in; raises BadSignature for anything else."""
        raise NotImplementedError


class ReturnView(LinkView):
    """Back to a cart with the same things: a fresh checkout that carries no personal data."""

    template = "saleor_nudges/return.html"
    send_of = staticmethod(links.returning)

    def get(self, request: HttpRequest, send: Send) -> HttpResponse:
        if state := _closed(send):
            return self._page(request, state, send)
        left = returning.pieces_left(send)
        return self._page(request, "ask" if left is None or left else "sold_out", send, left)

    def post(self, request: HttpRequest, send: Send) -> HttpResponse:
        if state := _closed(send):
            return self._page(request, state, send)
        said = _said(request)
        try:
            present = said.get("checkout") or _in_cookie(request, send)
            opened = returning.open_checkout(send, present)
        except NotFound:
            return self._page(request, "sold_out", send, {})
        except TooMany:
            return self._page(request, "used_up", send)
        except (HostUnavailable, OperationalError):
            telemetry.trouble(telemetry.Log.HOST_UNAVAILABLE, send=send.pk)
            return self._page(request, "away", send)
        if "told" in said and _is_news(send, opened, said["told"]):
            return self._page(request, "changed", send, opened.pieces)
        telemetry.log(telemetry.Log.CHECKOUT_RETURNED, send=send.pk)
        query = {name: str(request.GET[name]) for name in request.GET}
        page = addresses.to_checkout(send.shop, send.channel, opened.checkout_id, query)
        return _CheckoutRedirect(page)

    def _page(
        self, request: HttpRequest, state: str, send: Send, left: dict[str, int] | None = None
    ) -> HttpResponse:
        is_listed = state in ("ask", "changed", "sold_out")
        lines = pages.shown(request, send, left) if is_listed else []
        return pages.page(
            request,
            self.template,
            state,
            send,
            lines=lines,
            is_less=any(line.note for line in lines),
            told=_told(send, left) if left is not None else "",
        )


class UnsubscribeView(LinkView):
    """Out of the list, by one POST without a login (RFC 8058)."""

    template = "saleor_nudges/unsubscribe.html"
    send_of = staticmethod(links.unsubscribing)

    def get(self, request: HttpRequest, send: Send) -> HttpResponse:
        return pages.page(request, self.template, "out", send)

    def post(self, request: HttpRequest, send: Send) -> HttpResponse:
        if send.person is not None:
            consents.unsubscribe(
                send.shop,
                send.person,
                MessageChannel(send.message_channel),
                datetime.now(UTC),
            )
        return pages.page(request, self.template, "done", send)


class _CheckoutRedirect(HttpResponseRedirect):
    status_code = HTTPStatus.SEE_OTHER


def _closed(send: Send) -> str:
    """Return why a link leads to no cart any more; empty if it does."""
    if links.has_expired(send, datetime.now(UTC)):
        return "expired"
    return "bought" if send.checkout.state in BOUGHT else ""


def _said(request: HttpRequest) -> Mapping[str, Any]:
    """Return what came with a POST, as a form or as JSON; what cannot be read says nothing."""
    if not 0 < int(request.META.get("CONTENT_LENGTH") or 0) <= LARGEST_BODY:
        return {}
    with suppress(InvalidInput, MultiPartParserError, SuspiciousOperation):
        found = access.parsed(request.body) if request.content_type == JSON else request.POST.dict()
        return found if isinstance(found, dict) else {}
    return {}


def _in_cookie(request: HttpRequest, send: Send) -> str:
    """Return the checkout a storefront keeps for its shopper, where links are on its own domain."""
    name = conf.get().CHECKOUT_COOKIE.replace("{channel}", send.channel)
    return request.COOKIES.get(name, "") if name else ""


def _is_news(send: Send, opened: returning.Opened, told: Any) -> bool:
    """Tell whether less is in the fresh checkout than the page before has said."""
    if opened.pieces is None:
        return False
    is_less = any(
        opened.pieces.get(line.variant_id, 0) < line.quantity for line in returning.lines_of(send)
    )
    return is_less and told != _told(send, opened.pieces)


def _told(send: Send, left: Mapping[str, int]) -> str:
    """Return a short name of what a page says of the amounts, by which the next one knows it."""
    wanted: dict[str, int] = {}
    for line in returning.lines_of(send):
        wanted[line.variant_id] = wanted.get(line.variant_id, 0) + line.quantity
    said = sorted((key, min(amount, left.get(key, 0))) for key, amount in wanted.items())
    return sha256(json.dumps(said).encode()).hexdigest()[:16]
