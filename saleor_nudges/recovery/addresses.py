"""Where the links of a channel begin, and where its shoppers go from there."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from django.utils.text import slugify

from saleor_nudges import conf
from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.models import Send, Shop

CHECKOUT: Final = "{checkout}"
LONGEST_URL: Final = 500
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
# What an address of ours or the shop's may hold; braces only where they are ours to fill.
PLAIN: Final = re.compile(r"[!-~]*")
UTM: Final = re.compile(r"utm_[a-z_]{1,32}")
MOST_UTM, LONGEST_UTM = 10, 200


@dataclass(frozen=True, slots=True)
class Addresses:
    """What differs in one channel; empty is as everywhere."""

    link_base_url: str = ""
    checkout_url: str = ""


def listed(shop: Shop) -> dict[str, Addresses]:
    """Return what differs, by channel."""
    return {slug: Addresses(**found) for slug, found in sorted(shop.channel_addresses.items())}


def change(shop: Shop, changes: Iterable[Mapping[str, Any]]) -> None:
    """Set the addresses of some channels, without saving; raises InvalidInput.

    A change names its `channel`. What it leaves out stays, what is empty is as everywhere again.
    """
    known = listed(shop)
    for named in changes:
        given = {key: value for key, value in named.items() if value is not None}
        channel = str(given.pop("channel"))
        found = Addresses(**asdict(known.get(channel, Addresses())) | given)
        _check(found)
        known[channel] = found
    kept = {slug: asdict(found) for slug, found in known.items() if found != Addresses()}
    shop.channel_addresses = kept


def link_base(shop: Shop, channel: str) -> str:
    """Return what the links in a channel's messages begin with, with a slash at the end."""
    return (_of(shop, channel).link_base_url or conf.get().PUBLIC_URL).rstrip("/") + "/"


def checkout_page(shop: Shop, channel: str) -> str:
    """Return the address of a channel's checkout, with {checkout}; empty where none is known."""
    return _of(shop, channel).checkout_url or shop.checkout_url


def shop_front(shop: Shop, channel: str) -> str:
    """Return where the shop itself is, as far as its checkout's address tells; else nothing."""
    parts = urlsplit(checkout_page(shop, channel))
    return f"{parts.scheme}://{parts.netloc}/" if parts.netloc else ""


def to_checkout(shop: Shop, channel: str, checkout: str, query: Mapping[str, str]) -> str:
    """Return the address of a checkout, with those of the query that say where somebody is from."""
    page = checkout_page(shop, channel).replace(CHECKOUT, quote(checkout, safe=":="))
    parts = urlsplit(page)
    # What the seller has written into the address counts before what came with the link.
    own = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    more = urlencode({name: value for name, value in _utm(query) if name not in own})
    return urlunsplit(parts._replace(query="&".join(filter(None, [parts.query, more]))))


def tagged(url: str, send: Send) -> str:
    """Return the address of a link with what the shop's own statistics know its visit by."""
    if not (source := conf.get().UTM_SOURCE):
        return url
    tags = {
        "utm_source": source,
        "utm_medium": send.message_channel.lower(),
        "utm_campaign": slugify(send.campaign.name, allow_unicode=True)[:LONGEST_UTM],
    }
    return f"{url}?{urlencode({name: tag for name, tag in tags.items() if tag})}"


def _of(shop: Shop, channel: str) -> Addresses:
    return Addresses(**shop.channel_addresses.get(channel, {}))


def _utm(query: Mapping[str, str]) -> list[tuple[str, str]]:
    found = [
        (name, value)
        for name, value in query.items()
        if UTM.fullmatch(name) and len(value) <= LONGEST_UTM and value.isprintable()
    ]
    return found[:MOST_UTM]


def _check(found: Addresses) -> None:
    if found.link_base_url:
        parts = _checked(found.link_base_url, "linkBaseUrl")
        if parts.query or parts.fragment or "{" in found.link_base_url:
            raise InvalidInput("Nothing may follow the path.", field="linkBaseUrl")
    if found.checkout_url:
        parts = _checked(found.checkout_url, "checkoutUrl")
        if CHECKOUT not in f"{parts.path}?{parts.query}#{parts.fragment}":
            raise InvalidInput(f"The address must hold {CHECKOUT}.", field="checkoutUrl")


def _checked(url: str, field: str) -> Any:
    if len(url) > LONGEST_URL:
        raise InvalidInput(f"An address has at most {LONGEST_URL} characters.", field=field)
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if not host or not PLAIN.fullmatch(url) or set(parts.netloc) & set("{}@\\"):
        raise InvalidInput("This is no address of a page.", field=field)
    if parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK):
        raise InvalidInput("An address begins with https://.", field=field)
    return parts
