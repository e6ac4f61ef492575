"""The view every webhook is: verify, parse, capture. Subclasses say how to verify and to parse."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from saleor_nudges import telemetry
from saleor_nudges.capture import capture
from saleor_nudges.events import Event
from saleor_nudges.events.identity import moment_of
from saleor_nudges.exceptions import (
    BadSignature,
    HostUnavailable,
    InvalidInput,
    NudgesError,
    StreamUnavailable,
    UnknownShop,
)
from saleor_nudges.host import host_class
from saleor_nudges.models import Shop
from saleor_nudges.models.partitions import oldest_kept

# What we raise is what the sender sees:
# - UnknownShop, BadSignature: 401 without a word; it is not sent again, and tells nobody apart
# - InvalidInput, InvalidEvent: 400, do not send it again
# - StreamUnavailable, HostUnavailable: 503, send it again later
STATUSES: Final[tuple[tuple[type[NudgesError], int], ...]] = (
    (UnknownShop, 401),
    (BadSignature, 401),
    (InvalidInput, 400),
    (StreamUnavailable, 503),
    (HostUnavailable, 503),
)
# A cart of a thousand lines is 700 KB.
LARGEST_BODY: Final = 2 * 1024 * 1024


@method_decorator(csrf_exempt, name="dispatch")
class WebhookView(View):
    """A door for one sender. 202 means: it is kept; nothing has been done with it yet."""

    http_method_names = ["post"]
    door: ClassVar[str]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Take one delivery in."""
        try:
            with host_class().writing():
                answer = self.take(_body(request), request)
        except RequestDataTooBig:
            return HttpResponse(status=413)
        except NudgesError as error:
            return self._refusal(error)
        except (OperationalError, InterfaceError):
            # The database is away: Saleor sends it again.
            telemetry.trouble(telemetry.Log.REQUEST_FAILED, door=self.door)
            return HttpResponse(status=503)
        return answer or HttpResponse(status=202)

    def take(self, body: bytes, request: HttpRequest) -> HttpResponse | None:
        """Verify, parse, capture. Nothing is read out of a body before it is verified.

        A door that has done its work at once may say so itself.
        """
        shop = self.verify(body, request)
        telemetry.shop_key.set(shop.key)
        now = datetime.now(UTC)
        # What is older than all we keep is no news: an old order may change any day.
        events = self.parse(shop, body, request, now)
        capture(*[e for e in events if moment_of(e.id) >= oldest_kept(e.flow, now)], now=now)
        return None

    # For subclasses:

    def verify(self, body: bytes, request: HttpRequest) -> Shop:
        """Return the shop a delivery is for; raises UnknownShop or BadSignature."""
        raise NotImplementedError

    def parse(
        self, shop: Shop, body: bytes, request: HttpRequest, now: datetime
    ) -> Sequence[Event]:
        """Return the events in this delivery; raises InvalidEvent if it makes no sense."""
        raise NotImplementedError

    def _refusal(self, error: NudgesError) -> HttpResponse:
        status = next((code for kind, code in STATUSES if isinstance(error, kind)), 500)
        telemetry.REFUSED.labels(door=self.door, code=error.code).inc()
        # Unverified, a delivery may be anybody's noise: it is counted, and not worth a warning.
        level = logging.DEBUG if status == 401 else logging.WARNING
        fields: dict[str, Any] = {"door": self.door, "code": error.code}
        telemetry.log(telemetry.Log.WEBHOOK_REFUSED, level, **fields)
        return HttpResponse(status=status)


def _body(request: HttpRequest) -> bytes:
    body = request.body
    if len(body) > LARGEST_BODY:
        raise RequestDataTooBig
    return body
