"""Reviews from outside services: a batch signed with the shop's own secret, judged one by one.

A review is known by the service's id of it, and by when the service spoke of it: a delivery that
comes twice, late or in the wrong order changes nothing that is newer.
"""

import hashlib
import hmac
from dataclasses import asdict
from datetime import UTC, datetime
from typing import ClassVar, Final

from django.http import HttpRequest, HttpResponse, JsonResponse

from saleor_nudges import crypto, telemetry
from saleor_nudges.exceptions import BadSignature, InvalidInput
from saleor_nudges.host import host_class
from saleor_nudges.models import Shop
from saleor_nudges.reviews import bringing
from saleor_nudges.webhooks.base import WebhookView

HEADER: Final = "Nudges-Signature"
SCHEME: Final = "sha256="


class ReviewsWebhookView(WebhookView):
    """POST webhooks/reviews/: the answer says which reviews were taken in, and why others not."""

    door: ClassVar[str] = "reviews"

    def take(self, body: bytes, request: HttpRequest) -> HttpResponse:
        """Verify, then take in; a body is not read before it is verified."""
        shop = self.verify(body, request)
        telemetry.shop_key.set(shop.key)
        now = datetime.now(UTC)
        try:
            delivery = bringing.read(body)
        except InvalidInput as error:
            return _wrong(error)
        if not bringing.is_recent(delivery, now):
            raise BadSignature("This delivery is too old: it is a replay.")
        rejected = bringing.take(shop, delivery, now)
        accepted = len(delivery.reviews) - len(rejected)
        return JsonResponse({"accepted": accepted, "rejected": list(map(asdict, rejected))})

    def verify(self, body: bytes, request: HttpRequest) -> Shop:
        shop = host_class().shop_of(request)
        sealed = shop.sealed_reviews_secret
        given = request.headers.get(HEADER, "").removeprefix(SCHEME)
        # Comparing anything but ASCII in constant time is not defined.
        if not sealed or not given.isascii():
            raise BadSignature
        secret = str(crypto.unseal(bytes(sealed))).encode()
        if not hmac.compare_digest(hmac.new(secret, body, hashlib.sha256).hexdigest(), given):
            raise BadSignature
        return shop


def _wrong(error: InvalidInput) -> HttpResponse:
    # The service is who it says it is: it may know what was wrong.
    telemetry.REFUSED.labels(door=ReviewsWebhookView.door, code=error.code).inc()
    body = {"code": error.code, "message": str(error), "field": error.field}
    return JsonResponse({"error": body}, status=400)
