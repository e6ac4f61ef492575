"""Signed links: back to the checkout, out of the list. Neither holds a checkout's id."""

from saleor_nudges import access, conf
from saleor_nudges.exceptions import BadSignature
from saleor_nudges.models import Send

RETURN, UNSUBSCRIBE = "return", "unsubscribe"


def return_url(send: Send) -> str:
    """Return the address that opens a fresh checkout with the same lines."""
    return f"{_base()}r/{access.link_token(RETURN, send.pk)}"


def unsubscribe_url(send: Send) -> str:
    """Return the address that ends all writing to this person."""
    return f"{_base()}u/{access.link_token(UNSUBSCRIBE, send.pk)}"


def send_of(purpose: str, token: str) -> Send:
    """Return the message a link was in; raises BadSignature for anything else."""
    send = (
        Send.objects.across_shops()
        .filter(pk=access.read_link(purpose, token), shop__is_active=True)
        .select_related("shop", "person", "checkout")
        .first()
    )
    if send is None:
        raise BadSignature("This link is not valid.")
    return send


def _base() -> str:
    return conf.get().PUBLIC_URL.rstrip("/") + "/"
