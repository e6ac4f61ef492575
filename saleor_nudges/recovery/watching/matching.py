"""Which messages came before an order: every candidate is kept, with what ties it to the order."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Q

from saleor_nudges.events import Cart
from saleor_nudges.models import (
    MatchedBy,
    RecoveredOrder,
    SeenOrder,
    Send,
    Shop,
    TrackedCheckout,
)
from saleor_nudges.recovery.planning.shoppers import WRITTEN

# The widest window in which a message may be said to have earned an order.
WIDEST: Final = timedelta(days=30)


def match(shop: Shop, order: SeenOrder, cart: Cart | None, people: Any) -> None:
    """Keep which messages came before an order; told again it adds what was not known before.

    `people` are the keys of all rows of the order's person, as a query; None for nobody.
    """
    checkouts = _checkouts(shop, order)
    wanted = Q(checkout__in=list(checkouts))
    if people is not None:
        wanted |= Q(person__in=people)
    sends = Send.objects.of(shop).filter(
        wanted,
        state__in=WRITTEN,
        # Whoever was thanked had bought before.
        order__isnull=True,
        marked_at__lte=order.placed_at,
        marked_at__gt=order.placed_at - WIDEST,
    )
    rows = [_row(order, send, cart, checkouts) for send in sends.order_by("id")]
    RecoveredOrder.objects.bulk_create(rows, ignore_conflicts=True)
    if cart is not None:
        # The first news of an order may say only that there is one.
        RecoveredOrder.objects.of(shop).filter(order=order).update(
            amount=cart.total, currency=cart.currency
        )


def _checkouts(shop: Shop, order: SeenOrder) -> dict[UUID, MatchedBy]:
    """Return the order's own checkout, and those it was made from by a link of ours."""
    if not order.checkout:
        return {}
    own = TrackedCheckout.objects.of(shop).filter(checkout=order.checkout).first()
    if own is None:
        return {}
    found = {own.pk: MatchedBy.CHECKOUT}
    if own.parent_id:
        found[own.parent_id] = MatchedBy.LINK
    return found


def _row(
    order: SeenOrder, send: Send, cart: Cart | None, checkouts: dict[UUID, MatchedBy]
) -> RecoveredOrder:
    at = send.marked_at or order.placed_at
    return RecoveredOrder(
        shop_id=order.shop_id,
        channel=order.channel,
        order=order,
        send=send,
        matched_by=checkouts.get(send.checkout_id, MatchedBy.PERSON),
        amount=cart.total if cart else 0,
        currency=cart.currency if cart else "",
        seconds=max(int((order.placed_at - at).total_seconds()), 0),
        is_clicked=send.returned_at is not None and send.returned_at <= order.placed_at,
        counts_in_holdout=order.placed_at >= send.ready_at,
    )


def of_checkouts(shop: Shop, checkouts: Iterable[UUID]) -> list[RecoveredOrder]:
    """Return the orders that messages about these checkouts came before; void ones are left out."""
    rows = RecoveredOrder.objects.of(shop).filter(send__checkout__in=list(checkouts))
    return list(rows.filter(order__is_void=False).select_related("order", "send").order_by("id"))
