"""The two links in a message. Looking changes nothing: only a shopper's own POST does."""

from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views import View

from saleor_nudges import crypto, telemetry
from saleor_nudges.capture import capture
from saleor_nudges.events import Line, MessageClicked
from saleor_nudges.exceptions import BadSignature, HostUnavailable, NotFound
from saleor_nudges.host import get_host, host_class
from saleor_nudges.messaging import consents
from saleor_nudges.models import CheckoutState, MessageChannel, Send, TrackedCheckout
from saleor_nudges.recovery import links

BOUGHT = (CheckoutState.ORDERED, CheckoutState.RECOVERED)


class LinkView(View):
    """A page with one button; the button POSTs to the same address."""

    purpose: str
    template: str

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with host_class().writing():
            try:
                kwargs["send"] = links.send_of(self.purpose, kwargs.pop("token"))
            except BadSignature:
                return self.page(request, "invalid", status=404)
            response: HttpResponse = super().dispatch(request, *args, **kwargs)  # type: ignore[assignment]
        response["Referrer-Policy"] = "no-referrer"
        response["Cache-Control"] = "no-store"
        response["X-Robots-Tag"] = "noindex"
        return response

    def get(self, request: HttpRequest, send: Send) -> HttpResponse:
        return self.page(request, "ask", send=send)

    def page(
        self, request: HttpRequest, state: str, *, send: Send | None = None, status: int = 200
    ) -> HttpResponse:
        facts = {
            "state": state,
            "shop": send.shop.name if send else "",
            "lines": send.checkout.lines if send else [],
        }
        return render(request, self.template, facts, status=status)


class ReturnView(LinkView):
    """Back to a cart with the same things: a fresh checkout that carries no personal data."""

    purpose = links.RETURN
    template = "saleor_nudges/return.html"

    def get(self, request: HttpRequest, send: Send) -> HttpResponse:
        return self.page(request, "bought" if send.checkout.state in BOUGHT else "ask", send=send)

    def post(self, request: HttpRequest, send: Send) -> HttpResponse:
        if send.checkout.state in BOUGHT:
            return self.page(request, "bought", send=send)
        try:
            fresh = self._fresh_checkout(send)
        except NotFound:
            return self.page(request, "sold_out", send=send, status=410)
        except HostUnavailable:
            telemetry.trouble(telemetry.Log.HOST_UNAVAILABLE, send=send.pk)
            return self.page(request, "away", send=send, status=503)
        telemetry.log(telemetry.Log.CHECKOUT_RETURNED, send=send.pk)
        return _to_checkout(send.shop.checkout_url.replace("{checkout}", fresh))

    def _fresh_checkout(self, send: Send) -> str:
        old = send.checkout
        lines = [
            Line(
                product_id=line["product_id"],
                variant_id=line["variant_id"],
                quantity=line["quantity"],
                product_name=line["product_name"],
            )
            for line in old.lines
        ]
        fresh = get_host(send.shop).new_checkout(old.channel, lines, old.language)
        now = datetime.now(UTC)
        TrackedCheckout.objects.of(send.shop).update_or_create(
            shop=send.shop,
            checkout=crypto.checkout_hash(fresh),
            defaults={"parent": old},
            create_defaults={
                "channel": old.channel,
                "parent": old,
                "sealed_checkout_id": crypto.seal(fresh),
                "lines": old.lines,
                "total": old.total,
                "currency": old.currency,
                "language": old.language,
                "started_at": now,
                "changed_at": now,
                "seen_at": now,
            },
        )
        capture(
            MessageClicked(
                shop=send.shop_id,
                channel=send.channel,
                occurred_at=now,
                send=str(send.pk),
                revision=now.isoformat(),
            )
        )
        return fresh


class UnsubscribeView(LinkView):
    """Out of the list, by one POST without a login (RFC 8058)."""

    purpose = links.UNSUBSCRIBE
    template = "saleor_nudges/unsubscribe.html"

    def post(self, request: HttpRequest, send: Send) -> HttpResponse:
        if send.person is not None:
            consents.unsubscribe(
                send.shop,
                send.person,
                MessageChannel(send.message_channel),
                datetime.now(UTC),
            )
        return self.page(request, "done", send=send)


class _CheckoutRedirect(HttpResponseRedirect):
    status_code = 303


def _to_checkout(url: str) -> HttpResponse:
    return _CheckoutRedirect(url)
