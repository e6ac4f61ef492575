"""Where a checkout stands, and what keeps its shopper from buying. Pure functions over two looks.

A *look* is what was known of a checkout at one moment. What is None was not asked or could not be
known, and is never taken for a no. docs/campaigns.md says what Saleor tells where.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final


class Stage(StrEnum):
    """The furthest step that was done, first to last."""

    CART = "CART"  # there are lines
    CONTACT = "CONTACT"  # an email, a phone or an account is known
    ADDRESS = "ADDRESS"  # where it goes is known; where nothing is sent, who is billed
    DELIVERY = "DELIVERY"  # how it comes is chosen, or nothing is sent and who is billed is known
    PAYMENT = "PAYMENT"  # paying was tried


class Blocker(StrEnum):
    """What stands in the way. Where there are several, the first of this list is told first."""

    PAYMENT_REFUSED = "PAYMENT_REFUSED"  # the newest try to pay was refused
    NO_DELIVERY_METHOD = "NO_DELIVERY_METHOD"  # nothing can be sent to that address
    LINE_UNAVAILABLE = "LINE_UNAVAILABLE"  # a line cannot be bought, or not so many pieces of it
    VOUCHER_REJECTED = "VOUCHER_REJECTED"  # the code they used does not count any more
    PRICE_CHANGED = "PRICE_CHANGED"  # a line costs more than when they last looked


class Outcome(StrEnum):
    """What became of one try to pay."""

    OPEN = "OPEN"  # begun, waits for the bank or for the shopper
    REFUSED = "REFUSED"
    SUCCEEDED = "SUCCEEDED"


@dataclass(frozen=True, slots=True)
class LineLook:
    """One line: its variant's global id, pieces, gross price of one, whether it can be bought so.

    `unit_price` is None while the shop has not worked it out.
    """

    variant_id: str
    quantity: int
    unit_price: Decimal | None = None
    is_available: bool | None = None


@dataclass(frozen=True, slots=True)
class PaymentTry:
    """One try to pay, at an aware time."""

    at: datetime
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Look:
    """What was known of a checkout at one moment.

    `has_address`: where it is sent to; of the bill, where nothing is sent. `has_delivery`: a method
    or a place to fetch it is chosen *and* is still offered. `delivery_methods`: how many methods
    and places can be chosen. `payments`: every try so far. `voucher`: any fixed name of the code
    that is in, such as its hash; "" for none. `voucher_counts`: whether the code that is in now,
    or was in at the look before, is accepted for this checkout as it is now.
    """

    lines: tuple[LineLook, ...]
    currency: str = ""
    has_contact: bool | None = None
    has_address: bool | None = None
    needs_delivery: bool | None = None
    has_delivery: bool | None = None
    delivery_methods: int | None = None
    payments: tuple[PaymentTry, ...] | None = None
    voucher: str | None = None
    voucher_counts: bool | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a checkout stands.

    `stage` is the furthest step known to be done; `is_certain` is False where a later one may be
    done too. `blockers` were found and `ruled_out` were looked for and are not there; a blocker in
    neither could not be looked for. Both keep the order of Blocker.
    """

    stage: Stage
    is_certain: bool
    blockers: tuple[Blocker, ...]
    ruled_out: tuple[Blocker, ...]

    @property
    def blocker(self) -> Blocker | None:
        """The one to speak of, if there is any."""
        return self.blockers[0] if self.blockers else None


def standing(now: Look, seen: Look | None = None) -> Standing:
    """Return where a checkout stands now.

    `seen` is the look taken at its shopper's last sign of life: what they believe to be in it, and
    at which price. None means that they have seen it as it is.
    """
    answers = {
        Blocker.PAYMENT_REFUSED: _is_payment_refused(now),
        Blocker.NO_DELIVERY_METHOD: _is_undeliverable(now),
        Blocker.LINE_UNAVAILABLE: _is_line_unavailable(now),
        Blocker.VOUCHER_REJECTED: _is_voucher_rejected(seen or now, now),
        Blocker.PRICE_CHANGED: _is_dearer(seen or now, now),
    }
    done = [(stage, _is_done(stage, now)) for stage in reversed(Stage)]
    furthest = next(stage for stage, answer in done if answer)
    later = [answer for stage, answer in done if ORDER[stage] > ORDER[furthest]]
    return Standing(
        stage=furthest,
        is_certain=None not in later,
        blockers=tuple(one for one, answer in answers.items() if answer),
        ruled_out=tuple(one for one, answer in answers.items() if answer is False),
    )


ORDER: Final = {stage: place for place, stage in enumerate(Stage)}


def _is_done(stage: Stage, look: Look) -> bool | None:
    if stage is Stage.CART:
        return True
    if stage is Stage.CONTACT:
        return look.has_contact
    if stage is Stage.ADDRESS:
        return look.has_address
    if stage is Stage.DELIVERY:
        return look.has_address if look.needs_delivery is False else look.has_delivery
    return None if look.payments is None else bool(look.payments)


def _is_payment_refused(look: Look) -> bool | None:
    if look.payments is None:
        return None
    newest = max((one.at for one in look.payments), default=None)
    # Of two at the same moment the better one is believed: a refusal may be over.
    last = {one.outcome for one in look.payments if one.at == newest}
    return last == {Outcome.REFUSED}


def _is_undeliverable(look: Look) -> bool | None:
    # Without an address Saleor offers no method either; that blocks nobody.
    if look.needs_delivery is False or look.has_address is False or look.has_delivery:
        return False
    if look.needs_delivery is None or look.has_address is None or look.delivery_methods is None:
        return None
    return look.delivery_methods == 0


def _is_line_unavailable(look: Look) -> bool | None:
    answers = {line.is_available for line in look.lines}
    if False in answers:
        return True
    return None if None in answers else False


def _is_voucher_rejected(seen: Look, now: Look) -> bool | None:
    if not now.voucher and not seen.voucher:
        return None if None in (now.voucher, seen.voucher) else False
    # Whether the shop or the shopper took a code out, Saleor does not tell; hence it is asked
    # whether the code would still count.
    return None if now.voucher_counts is None else not now.voucher_counts


def _is_dearer(seen: Look, now: Look) -> bool | None:
    if seen is now:
        return False
    # Other lines or another code make other prices, and are not the shop's change of a price.
    if now.voucher is None or _terms(seen) != _terms(now):
        return None
    before, after = _prices(seen.lines), _prices(now.lines)
    if before is None or after is None:
        return None
    return any(price > old for old, price in zip(before, after, strict=True))


def _terms(look: Look) -> tuple[object, ...]:
    return look.currency, look.voucher, _pieces(look.lines)


def _pieces(lines: Iterable[LineLook]) -> list[tuple[str, int]]:
    return sorted((line.variant_id, line.quantity) for line in lines)


def _prices(lines: Iterable[LineLook]) -> list[Decimal] | None:
    priced = []
    for line in lines:
        if line.unit_price is None:
            return None
        priced.append((line.variant_id, line.quantity, line.unit_price))
    return [price for _, _, price in sorted(priced)]
