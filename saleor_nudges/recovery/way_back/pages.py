"""How the pages behind a message's links are answered: plain, unnamed, kept by nobody."""

from dataclasses import dataclass
from http import HTTPStatus
from secrets import token_urlsafe
from typing import Any, Final
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from saleor_nudges.models import Send
from saleor_nudges.recovery import addresses
from saleor_nudges.recovery.way_back import words

# No script at all, styles of our own only, pictures from anywhere safe. A form's target counts for
# the redirects after it too, and where the shop's checkout sends people on to is not ours to know.
POLICY: Final = (
    "default-src 'none'; style-src 'nonce-{nonce}'; img-src https:; "
    "form-action 'self' https:{shop}; base-uri 'none'; frame-ancestors 'none'"
)
STATUS: Final = {
    "invalid": HTTPStatus.NOT_FOUND,
    "expired": HTTPStatus.GONE,
    "sold_out": HTTPStatus.GONE,
    "used_up": HTTPStatus.TOO_MANY_REQUESTS,
    "away": HTTPStatus.SERVICE_UNAVAILABLE,
}
# What the button of a page says, where there is one.
BUTTON: Final = {"ask": "back", "changed": "back", "away": "again"}
LONGEST_HEADER: Final = 64


@dataclass(frozen=True, slots=True)
class ShownLine:
    """One thing of a cart. `note` says what is not as it was."""

    name: str
    image: str
    pieces: int
    note: str = ""


def page(
    request: HttpRequest, template: str, state: str, send: Send | None = None, **facts: Any
) -> HttpResponse:
    """Return the page of a state, in the shopper's language."""
    language = _language(request, send)
    nonce = token_urlsafe(16)
    shop_url = addresses.shop_front(send.shop, send.channel) if send else ""
    told = words.WORDS[language]
    known = {
        "state": state,
        "language": language,
        "words": told,
        "title": told[state],
        "text": told[f"{state}_text"],
        "button": told.get(BUTTON.get(state, "")) if send else None,
        "shop": send.shop.name if send else "",
        "shop_url": shop_url,
        "nonce": nonce,
    }
    response = render(request, template, known | facts, status=STATUS.get(state, HTTPStatus.OK))
    # A shop of a developer answers without https.
    plain = f" {shop_url}" if shop_url.startswith("http:") else ""
    response["Content-Security-Policy"] = POLICY.format(nonce=nonce, shop=plain)
    return response


def unnamed(response: HttpResponse) -> HttpResponse:
    """Return an answer that tells nobody its address: no page after it, no cache, no log."""
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["X-Content-Type-Options"] = "nosniff"
    # Django would write the path of what is refused into its log, and the path is the token.
    response._has_been_logged = True  # type: ignore[attr-defined] # noqa: SLF001
    return response


def shown(request: HttpRequest, send: Send, left: dict[str, int] | None) -> list[ShownLine]:
    """Return what a cart holds, with a note where less of it is left than was in it."""
    language = _language(request, send)
    rest = dict(left) if left is not None else None
    lines = []
    for line in send.checkout.lines:
        wanted, note = line["quantity"], ""
        if rest is not None:
            some = min(wanted, rest.get(line["variant_id"], 0))
            rest[line["variant_id"]] = rest.get(line["variant_id"], 0) - some
            note = _note(some, wanted, language)
        lines.append(ShownLine(line["product_name"], _picture(line["image_url"]), wanted, note))
    return lines


def _note(some: int, wanted: int, language: str) -> str:
    told = words.WORDS[language]
    if some <= 0:
        return told["sold"]
    return told["left"].format(left=some) if some < wanted else ""


def _picture(url: str) -> str:
    return url if urlsplit(url).scheme == "https" else ""


def _language(request: HttpRequest, send: Send | None) -> str:
    if send is not None:
        return words.language_of(send.checkout.language or send.shop.default_language)
    accepted = request.headers.get("Accept-Language", "")[:LONGEST_HEADER]
    return words.language_of(accepted.partition(",")[0].partition(";")[0].strip())
