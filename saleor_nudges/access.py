"""Who may come in: visitor tokens, signed links, Saleor's signatures and staff tokens."""

import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import jwt
from django.core import signing

from saleor_nudges import conf
from saleor_nudges.events.identity import uuid7
from saleor_nudges.exceptions import BadSignature, InvalidInput

ALGORITHM: Final = "RS256"
# A draft is looked at while it is being written.
PREVIEW_SECONDS: Final = 3600
LEEWAY: Final = timedelta(seconds=10)


# Visitors.


@dataclass(frozen=True, slots=True)
class Visitor:
    """An anonymous visitor of one shop."""

    id: UUID
    shop: UUID


def new_visitor(shop: UUID) -> Visitor:
    """Return a visitor nobody has seen before."""
    return Visitor(uuid7(), shop)


def visitor_token(visitor: Visitor) -> str:
    """Return a token for a visitor; it holds no personal data and expires."""
    return _signer("visitor").sign_object([visitor.id.hex, visitor.shop.hex])


def read_visitor(token: str, shop: UUID) -> Visitor:
    """Return whom a token is for; raises BadSignature if forged, expired or another shop's."""
    visitor, expires_at = _read_tokens.get(token) or _remember(token)
    if visitor.shop != shop or expires_at < time.time():
        raise BadSignature("The token is not valid here.")
    return visitor


# A visitor polls every few seconds: whose token was read once need not be signed again.
_MOST_REMEMBERED: Final = 50_000
_read_tokens: dict[str, tuple[Visitor, int]] = {}


def _remember(token: str) -> tuple[Visitor, int]:
    try:
        found = _signer("visitor").unsign_object(token)
        signed_at = signing.b62_decode(token.rsplit(":", 2)[1])
        expires_at = signed_at + conf.get().VISITOR_TOKEN_DAYS * 86_400
        visitor = Visitor(UUID(found[0]), UUID(found[1]))
    except (signing.BadSignature, ValueError, TypeError, IndexError) as error:
        raise BadSignature("The token is not valid here.") from error
    if len(_read_tokens) >= _MOST_REMEMBERED:
        _read_tokens.clear()
    _read_tokens[token] = (visitor, expires_at)
    return visitor, expires_at


def read_user(signed_user: str, storefront_secret: str) -> str:
    """Return the user id of `<user id>.<hex HMAC-SHA256>`; raises BadSignature."""
    user_id, _, signature = signed_user.rpartition(".")
    expected = hmac.new(storefront_secret.encode(), user_id.encode(), hashlib.sha256).hexdigest()
    if not storefront_secret or not hmac.compare_digest(expected, signature):
        raise BadSignature("The user is not signed with this shop's secret.")
    return user_id


# Links in messages.


def link_token(purpose: str, row: UUID) -> str:
    """Return the token of a link: it names a row of ours and is worth nothing elsewhere."""
    return _signer(f"link {purpose}").sign_object(row.hex)


def read_link(purpose: str, token: str) -> UUID:
    """Return the row a link names; raises BadSignature if it is forged. It never gets too old."""
    try:
        return UUID(_signer(f"link {purpose}").unsign_object(token))
    except (signing.BadSignature, ValueError, TypeError, AttributeError) as error:
        raise BadSignature("This link is not valid.") from error


# Drafts, shown to staff on the shop's own pages.


def preview_token(shop: UUID, draft: Any) -> str:
    """Return a token that holds a draft of one shop; it is good for PREVIEW_SECONDS."""
    return _signer("preview").sign_object([shop.hex, draft], compress=True)


def read_preview(token: str, shop: UUID) -> Any:
    """Return the draft of a token; raises BadSignature if forged, too old or another shop's."""
    try:
        owner, draft = _signer("preview").unsign_object(token, max_age=PREVIEW_SECONDS)
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise BadSignature("This preview is not valid any more: make a new link.") from error
    if owner != shop.hex:
        raise BadSignature("This preview is another shop's.")
    return draft


# Saleor.


def verify_webhook(body: bytes, signature: str, key_set: dict[str, Any]) -> None:
    """Raise BadSignature unless the detached JWS over these very bytes is by one of the keys.

    RFC 7797 (`b64: false`), as Saleor signs; the algorithm is ours to say, never the header's.
    """
    key = _key(signature, key_set)
    try:
        jwt.api_jws.decode(signature, key, algorithms=[ALGORITHM], detached_payload=body)
    except jwt.PyJWTError as error:
        raise BadSignature from error


def read_staff_token(
    token: str, key_set: dict[str, Any], *, issuer: str, app_id: str
) -> dict[str, Any]:
    """Return the claims of a Dashboard token for this app; raises BadSignature."""
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            _key(token, key_set),
            algorithms=[ALGORITHM],
            issuer=issuer,
            leeway=LEEWAY,
            options={"require": ["exp", "iss"], "verify_aud": False},
        )
    except jwt.PyJWTError as error:
        raise BadSignature("The token is not valid here.") from error
    if claims.get("app") != app_id or not claims.get("is_staff"):
        raise BadSignature("The token is not for this app.")
    return claims


def _key(token: str, key_set: dict[str, Any]) -> jwt.PyJWK:
    try:
        name = jwt.get_unverified_header(token).get("kid")
        keys = jwt.PyJWKSet.from_dict(key_set).keys
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError) as error:
        raise BadSignature from error
    for key in keys:
        if key.key_id == name and key.algorithm_name == ALGORITHM:
            return key
    raise BadSignature("No key of this shop has that name.")


# Addresses.


def origin_of(url: str) -> str:
    """Return scheme and host of an http(s) URL; raises InvalidInput for anything else."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise InvalidInput(f"{url!r} is not an http(s) address.", field="url")
    return f"{parts.scheme}://{parts.netloc}"


def is_allowed(value: str, patterns: tuple[str, ...]) -> bool:
    """Tell whether one of the patterns is the value, or `*`, or a suffix as in `*.example.com`."""
    return any(
        pattern in ("*", value)
        or (pattern.startswith("*.") and value.rpartition("//")[2].endswith(pattern[1:]))
        for pattern in patterns
    )


def allowed_origin(origin: str, patterns: tuple[str, ...]) -> str:
    """Return what Access-Control-Allow-Origin says to a page; nothing if it may not read us.

    Credentials are never sent, so `*` is as good as the page's own name, and one answer is for all.
    """
    if not origin or not is_allowed(origin, patterns):
        return ""
    return "*" if "*" in patterns else origin


def fingerprint(*parts: bytes) -> str:
    """Return the SHA-256 of what arrived, by which a repeated delivery is known."""
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def parsed(body: bytes) -> Any:
    """Return the JSON of a body; raises InvalidInput."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("The body is not JSON.", field="body") from error


def _signer(purpose: str) -> signing.TimestampSigner:
    return signing.TimestampSigner(key=conf.signing_key(purpose).decode(), salt=purpose)
