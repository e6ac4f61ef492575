"""Back to a checkout left behind: a fresh one with the same things, and nothing of the person."""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from cryptography.fernet import InvalidToken
from django.db import connection, transaction

from saleor_nudges import conf, crypto, people
from saleor_nudges.capture import capture
from saleor_nudges.events import Line, MessageClicked
from saleor_nudges.exceptions import HostUnavailable, TooMany
from saleor_nudges.host import Checkout, Host, get_host
from saleor_nudges.models import FreshCheckout, Send, TrackedCheckout
from saleor_nudges.recovery.giving import minting

# A shopper opens one or two; whoever wants more than this is no shopper.
MOST_PER_LINK: Final = 10
LONGEST_ID: Final = 200
LONGEST_VALUE: Final = 255
ONE_AT_A_TIME: Final = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"


@dataclass(frozen=True, slots=True)
class Opened:
    """A fresh checkout, and how many pieces of each variant are in it; None where not known."""

    checkout_id: str
    pieces: dict[str, int] | None


def lines_of(send: Send) -> list[Line]:
    """Return what was left behind, without what it cost then."""
    return [
        Line(
            product_id=line["product_id"],
            variant_id=line["variant_id"],
            quantity=line["quantity"],
            product_name=line["product_name"],
            image_url=line["image_url"],
        )
        for line in send.checkout.lines
    ]


def pieces_left(send: Send) -> dict[str, int] | None:
    """Return how much of it could be bought now, by variant; None if the shop does not say."""
    try:
        return get_host(send.shop).buyable(send.channel, lines_of(send))
    except HostUnavailable:
        return None


def open_checkout(send: Send, present: Any = "") -> Opened:
    """Return a fresh checkout with what can still be bought, and with what the present one holds.

    Asked again, it is the same one as long as nobody has touched it. What the message gives away is
    on it, where the shop takes it. Raises NotFound if nothing is left, HostUnavailable, and TooMany
    once the link has opened its share.
    """
    minting.choose_code(send)
    with transaction.atomic():
        _one_at_a_time(send)
        host = get_host(send.shop)
        lines = _merged(lines_of(send), _lines_at_hand(host, send, present))
        opened = FreshCheckout.objects.of(send.shop).filter(send=send)
        newest = opened.select_related("checkout", "send").order_by("-id").first()
        if newest and (again := _untouched(host, newest, lines)):
            return again
        if opened.count() >= MOST_PER_LINK:
            raise TooMany
        return _open(host, send, lines)


def _one_at_a_time(send: Send) -> None:
    # Two taps at once must not open two: the second waits, and finds the first's.
    with connection.cursor() as cursor:
        cursor.execute(ONE_AT_A_TIME, [f"way back {send.pk}"])


def _open(host: Host, send: Send, lines: list[Line]) -> Opened:
    old = send.checkout
    fresh_id = host.new_checkout(send.channel, lines, old.language, _carried(host, send))
    if not minting.put_on(host, send, fresh_id):
        _carry_code(host, send, fresh_id)
    found = _read(host, fresh_id)
    now = datetime.now(UTC)
    FreshCheckout.objects.of(send.shop).create(
        shop=send.shop,
        channel=send.channel,
        send=send,
        checkout=_tracked(send, fresh_id, now),
        lines_hash=_hash(lines),
        changed_at=found.changed_at if found else None,
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
    return Opened(fresh_id, _pieces(found.cart.lines) if found else None)


def _read(host: Host, fresh_id: str) -> Checkout | None:
    # It is open: what it holds can wait, the shopper cannot.
    with suppress(HostUnavailable):
        return host.checkouts([fresh_id]).get(fresh_id)
    return None


def _tracked(send: Send, fresh_id: str, now: datetime) -> TrackedCheckout:
    """Know the fresh one for a child of the old: an order of it is the old one's, too."""
    old = send.checkout
    # A child starts no cycle of its own, even where the shop's news of it came first.
    child = {"parent": old, "next_due_at": None}
    tracked, _ = TrackedCheckout.objects.of(send.shop).update_or_create(
        shop=send.shop,
        checkout=crypto.checkout_hash(fresh_id),
        defaults=child,
        create_defaults={
            **child,
            "channel": old.channel,
            "sealed_checkout_id": crypto.seal(fresh_id),
            "lines": old.lines,
            "total": old.total,
            "currency": old.currency,
            "language": old.language,
            "started_at": now,
            "changed_at": now,
            "seen_at": now,
        },
    )
    return tracked


def _untouched(host: Host, newest: FreshCheckout, lines: list[Line]) -> Opened | None:
    """Return the checkout that was opened last, if it is still as it was and asked for again."""
    if newest.lines_hash != _hash(lines):
        return None
    fresh_id = crypto.unseal(bytes(newest.checkout.sealed_checkout_id))
    found = host.checkouts([fresh_id]).get(fresh_id)
    # Whatever its shopper has written into it since is not for everybody who holds the link.
    if found is None or found.changed_at != newest.changed_at or found.contact.is_known():
        return None
    if minting.is_missing(newest.send) and minting.put_on(host, newest.send, fresh_id):
        # That was we, not its shopper.
        found = _read(host, fresh_id) or found
        newest.changed_at = found.changed_at
        newest.save(update_fields=["changed_at"])
    return Opened(fresh_id, _pieces(found.cart.lines))


# What the shopper has in the shop by now.


def _lines_at_hand(host: Host, send: Send, present: Any) -> tuple[Line, ...]:
    """Return the lines of the shopper's present checkout, or nothing if it is not surely theirs."""
    if not (isinstance(present, str) and 0 < len(present) <= LONGEST_ID and present.isprintable()):
        return ()
    try:
        found = host.checkouts([present]).get(present)
    except HostUnavailable:
        # Some shops do not answer to what is no id at all.
        return ()
    if found is None or found.channel != send.channel or found.payment_started:
        return ()
    return found.cart.lines if _may_be_theirs(send, found) else ()


def _may_be_theirs(send: Send, found: Checkout) -> bool:
    """Tell whether nobody else is known to own it."""
    if found.contact.is_known():
        owner = people.find(send.shop, found.contact)
        return owner is not None and owner.pk == send.person_id
    mine = TrackedCheckout.objects.of(send.shop).filter(checkout=crypto.checkout_hash(found.id))
    return not mine.exclude(person=None).exclude(person=send.person_id).exists()


def _merged(left: Iterable[Line], at_hand: Iterable[Line]) -> list[Line]:
    """Return both, each variant once: of what is in both, the larger number of pieces."""
    merged = _by_variant(left)
    for key, line in _by_variant(at_hand).items():
        known = merged.get(key)
        if known is None or line.quantity > known.quantity:
            merged[key] = line
    return list(merged.values())


def _by_variant(lines: Iterable[Line]) -> dict[str, Line]:
    found: dict[str, Line] = {}
    for line in lines:
        known = found.get(line.variant_id)
        more = known.quantity if known else 0
        found[line.variant_id] = replace(line, quantity=line.quantity + more)
    return found


# What goes along.


def _carried(host: Host, send: Send) -> dict[str, str]:
    """Return what of the old checkout's metadata the seller wants in the fresh one."""
    if not (keys := conf.get().CARRIED_METADATA):
        return {}
    try:
        old = crypto.unseal(bytes(send.checkout.sealed_checkout_id))
        found = host.metadata(old, keys)
    except (HostUnavailable, InvalidToken):
        return {}
    return {key: value for key, value in found.items() if not _is_personal(value, send)}


def _carry_code(host: Host, send: Send, fresh_id: str) -> None:
    """Put the code that is on the old checkout on the fresh one, where it still counts there."""
    # It is open, with or without: a code that is refused, or a silent shop, holds nobody up.
    with suppress(HostUnavailable, InvalidToken):
        code = host.code_of(crypto.unseal(bytes(send.checkout.sealed_checkout_id)))
        if code and not _is_personal(code, send):
            host.put_voucher(fresh_id, code)


def _is_personal(value: str, send: Send) -> bool:
    """Tell whether a value may say who somebody is: the link may be in other hands by now."""
    contact = people.contact_of(send.person)
    digits = "".join(filter(str.isdigit, value))
    phone = "".join(filter(str.isdigit, contact.phone))
    said = value.casefold()
    return (
        "@" in value
        or len(value) > LONGEST_VALUE
        or bool(phone and phone in digits)
        or any(part.casefold() in said for part in (contact.first_name, contact.user_id) if part)
    )


def _pieces(lines: Iterable[Line]) -> dict[str, int]:
    return {key: line.quantity for key, line in _by_variant(lines).items()}


def _hash(lines: Iterable[Line]) -> str:
    return sha256(json.dumps(sorted(_pieces(lines).items())).encode()).hexdigest()
