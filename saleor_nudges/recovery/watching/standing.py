"""Write down where a tracked checkout stands, and find which of its lines can still be bought."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from decimal import Decimal
from typing import Any, Final

from saleor_nudges.host.looks import CheckoutLook, LineLook
from saleor_nudges.models import TrackedCheckout
from saleor_nudges.recovery.rules import stage
from saleor_nudges.recovery.rules.stage import Look, Outcome, Standing

# What a host tells in the same words: the lines and the payments have classes of their own.
TOLD_ALIKE: Final = tuple(
    field.name for field in fields(Look) if field.name not in ("lines", "payments")
)


def note(tracked: TrackedCheckout, now: CheckoutLook) -> Standing:
    """Write down where a checkout stands by what its shop says now, and return it. Does not save.

    What the row holds of the lines must still be what its shopper saw at their last sign of life:
    it is compared with what the shop says now.
    """
    found = stage.standing(look_of(now), seen(tracked))
    tracked.stage, tracked.is_stage_certain = found.stage, found.is_certain
    tracked.blockers, tracked.ruled_out = list(found.blockers), list(found.ruled_out)
    tracked.country = now.country or tracked.country
    return found


def buyable(lines: Sequence[dict[str, Any]], now: CheckoutLook) -> list[dict[str, Any]]:
    """Return those of a tracked checkout's lines that can still be bought, in as many pieces.

    What the shop took out of the checkout cannot be; what was not asked can.
    """
    left = _left(now.lines)
    found = []
    for line in lines:
        variant, wanted = line["variant_id"], line["quantity"]
        if variant not in left:
            continue
        there = left[variant]
        pieces = wanted if there is None else min(wanted, there)
        if there is not None:
            # Lines of one variant share what there is of it.
            left[variant] = there - pieces
        if pieces > 0:
            found.append(line | {"quantity": pieces})
    return found


def look_of(told: CheckoutLook) -> Look:
    """Return what a host tells as what stages are read from."""
    payments = None
    if told.payments is not None:
        payments = tuple(stage.PaymentTry(one.at, Outcome(one.outcome)) for one in told.payments)
    lines = tuple(
        stage.LineLook(one.variant_id, one.quantity, one.unit_price, one.is_available)
        for one in told.lines
    )
    alike = {name: getattr(told, name) for name in TOLD_ALIKE}
    return Look(lines=lines, payments=payments, **alike)


def seen(tracked: TrackedCheckout) -> Look:
    """Return what its shopper saw of a checkout at their last sign of life."""
    return Look(
        lines=tuple(
            # A price that the shop had not worked out is kept as nothing.
            stage.LineLook(
                line["variant_id"], line["quantity"], Decimal(line.get("unit_price", 0)) or None
            )
            for line in tracked.lines
        ),
        currency=tracked.currency,
        voucher=tracked.voucher,
    )


def _left(lines: Iterable[LineLook]) -> dict[str, int | None]:
    """Return how many pieces of each variant can be bought; None for as many as are wanted."""
    return {line.variant_id: _left_of(line) for line in lines}


def _left_of(line: LineLook) -> int | None:
    return (line.left or 0) if line.is_available is False else None
