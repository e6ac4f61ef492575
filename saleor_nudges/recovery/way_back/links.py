"""The links in a message: back to the checkout, out of the list. Neither holds a checkout's id.

The way out is signed, because it must work for years. The way back is a token that expires, that
nobody can guess and whose hash alone is stored; a message handed over again has the same.
"""

from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from django.db.models import QuerySet

from saleor_nudges import access, conf, crypto
from saleor_nudges.exceptions import BadSignature
from saleor_nudges.models import Send
from saleor_nudges.recovery import addresses

UNSUBSCRIBE: Final = "unsubscribe"
# 192 bits; as text, a third more than that.
TOKEN_BYTES, LONGEST_TOKEN = 24, 64


def return_url(send: Send) -> str:
    """Return the address that opens a fresh checkout with the same lines, once it is stored."""
    base = addresses.link_base(send.shop, send.channel)
    return addresses.tagged(f"{base}r/{_token(send)}", send)


def way_back(send: Send) -> dict[str, Any]:
    """Return what a message's row must hold so that its link leads back: by column."""
    expires_at = datetime.now(UTC) + timedelta(days=conf.get().LINK_DAYS)
    return {"link_hash": _hash(_token(send)), "link_expires_at": expires_at}


def unsubscribe_url(send: Send) -> str:
    """Return the address that ends all writing to this person."""
    base = addresses.link_base(send.shop, send.channel)
    return f"{base}u/{access.link_token(UNSUBSCRIBE, send.pk)}"


def returning(token: str) -> Send:
    """Return the message whose way back this is, expired or not; raises BadSignature."""
    is_one = token.isascii() and len(token) <= LONGEST_TOKEN
    return _only(_sends().filter(link_hash=_hash(token)) if is_one else _sends().none())


def unsubscribing(token: str) -> Send:
    """Return the message whose way out this is; raises BadSignature."""
    return _only(_sends().filter(pk=access.read_link(UNSUBSCRIBE, token)))


def has_expired(send: Send, now: datetime) -> bool:
    """Tell whether the way back of this message is closed."""
    return send.link_expires_at is None or send.link_expires_at <= now


def _sends() -> QuerySet[Send]:
    open_shops = Send.objects.across_shops().filter(shop__is_active=True)
    return open_shops.select_related("shop", "person", "checkout")


def _only(found: QuerySet[Send]) -> Send:
    if (send := found.first()) is None:
        raise BadSignature("This link is not valid.")
    return send


def _token(send: Send) -> str:
    keyed = bytes.fromhex(crypto.keyed_hash("way back", send.pk.hex))
    return urlsafe_b64encode(keyed[:TOKEN_BYTES]).decode()


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()
