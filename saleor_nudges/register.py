"""The install handshake: Saleor brings a token, we prove it and keep it, per shop."""

import logging
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from saleor_nudges import access, conf, crypto, saleor_api, telemetry
from saleor_nudges.exceptions import HostUnavailable, InvalidInput
from saleor_nudges.models import AppInstallation, Shop

WHO: Final = "query NudgesApp { app { id identifier } shop { name } }"
LARGEST_BODY: Final = 16 * 1024


@dataclass(frozen=True, slots=True)
class Application:
    """A shop that wants us, as it says itself."""

    api_url: str
    token: str
    saleor_version: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What the shop at that address says of the token, and the keys it signs with."""

    app_id: str
    shop_name: str
    key_set: dict[str, Any]


class Refused(Exception):
    """A registration we do not take. The codes are those of Saleor's own app-sdk."""

    def __init__(self, code: str, status: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


@csrf_exempt
@require_POST
def view(request: HttpRequest) -> HttpResponse:
    """POST register: Saleor shows the message of our refusal to whoever installs us."""
    # Nothing is stored before everything is proved:
    # - INVALID 400, SALEOR_URL_PROHIBITED 403: we have asked nobody anything
    # - UNKNOWN_APP_ID 401, JWKS_NOT_AVAILABLE 401: the shop at that address did not confirm it
    application = None
    try:
        application = _read(request)
        _check_address(application.api_url)
        store(application, prove(application))
    except Refused as refusal:
        url = application.api_url[:200] if application else ""
        telemetry.log(telemetry.Log.REGISTER_REFUSED, logging.WARNING, code=refusal.code, url=url)
        error = {"code": refusal.code, "message": str(refusal)}
        return JsonResponse({"success": False, "error": error}, status=refusal.status)
    return JsonResponse({"success": True})


def prove(application: Application) -> Proof:
    """Ask the shop itself whether this token is ours; raises Refused."""
    api = saleor_api.SaleorApi(application.api_url, application.token)
    try:
        data = api.ask(WHO, {})
    except HostUnavailable as error:
        raise Refused("UNKNOWN_APP_ID", 401, f"The token could not be proved. {error}") from None
    app = data.get("app") or {}
    # Another app's token would be genuine too, and would put that app in our place.
    if not app.get("id") or app.get("identifier") != saleor_api.IDENTIFIER:
        raise Refused("UNKNOWN_APP_ID", 401, "The token is not this app's.")
    try:
        key_set = saleor_api.key_set(application.api_url)
    except HostUnavailable as error:
        raise Refused("JWKS_NOT_AVAILABLE", 401, f"The shop's keys are missing. {error}") from None
    return Proof(str(app["id"]), str((data.get("shop") or {}).get("name") or ""), key_set)


def store(application: Application, proof: Proof) -> Shop:
    """Keep how the shop is reached. What its seller had set before stays as it was."""
    with transaction.atomic():
        shop, _ = Shop.objects.update_or_create(
            key=application.api_url,
            defaults={"is_active": True},
            create_defaults={"name": proof.shop_name or urlsplit(application.api_url).netloc},
        )
        AppInstallation.objects.of(shop).update_or_create(
            shop=shop,
            defaults={
                "api_url": application.api_url,
                "app_id": proof.app_id,
                "sealed_token": crypto.seal(application.token),
                "saleor_version": application.saleor_version[:32],
                "key_set": proof.key_set,
                "key_set_fetched_at": Now(),
            },
        )
    telemetry.shop_key.set(shop.key)
    telemetry.log(telemetry.Log.SHOP_REGISTERED)
    return shop


def _read(request: HttpRequest) -> Application:
    if len(request.body) > LARGEST_BODY:
        raise Refused("INVALID", 400, "The body is too large.")
    try:
        data = access.parsed(request.body)
    except InvalidInput as error:
        raise Refused("INVALID", 400, str(error)) from None
    token = data.get("auth_token") if isinstance(data, dict) else None
    api_url = request.headers.get("Saleor-Api-Url", "")
    if not isinstance(token, str) or not token:
        raise Refused("INVALID", 400, "The body lacks `auth_token`.")
    if not api_url:
        raise Refused("INVALID", 400, "The header Saleor-Api-Url is missing.")
    return Application(api_url, token, request.headers.get("Saleor-Schema-Version", ""))


def _check_address(api_url: str) -> None:
    """Raise Refused unless this address is one that NUDGES_ALLOWED_SHOPS lets in."""
    parts = urlsplit(api_url)
    settings = conf.get()
    prohibited = Refused(
        "SALEOR_URL_PROHIBITED", 403, "This shop is not in NUDGES_ALLOWED_SHOPS of this app."
    )
    try:
        origin = access.origin_of(api_url)
    except InvalidInput:
        raise prohibited from None
    if parts.username is not None or parts.query or parts.fragment or len(api_url) > 500:
        raise prohibited
    if parts.scheme != "https" and not settings.ALLOW_PRIVATE_ADDRESSES:
        raise Refused("SALEOR_URL_PROHIBITED", 403, "A shop must be reached by https.")
    # Nobody is let in unless they are named: whoever runs this decides who may fill its database.
    if not any(access.is_allowed(name, settings.ALLOWED_SHOPS) for name in (origin, api_url)):
        raise prohibited
