"""Fold events into each checkout's last sign of life, and into who has bought."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db.models import Exists, OuterRef, Q

from saleor_nudges import crypto, people
from saleor_nudges.events import (
    Cart,
    CheckoutContactKnown,
    CheckoutFact,
    CheckoutPaid,
    Event,
    MessageClicked,
    OrderCancelled,
    OrderFact,
    OrderRefunded,
    View,
)
from saleor_nudges.models import (
    CheckoutState,
    SeenOrder,
    Send,
    SendState,
    Shop,
    TrackedCheckout,
    statements,
)
from saleor_nudges.recovery import campaigns
from saleor_nudges.recovery.giving import using
from saleor_nudges.recovery.watching import cycles, devices, matching, thanks

UPSERT_VISITORS = """
    INSERT INTO saleor_nudges_visitorcheckout (shop_id, visitor, checkout, seen_at)
    SELECT * FROM jsonb_to_recordset(%s::text::jsonb) AS seen(
        shop_id uuid, visitor uuid, checkout text, seen_at timestamptz)
    -- In one order for all, so that two workers never wait for each other.
    ORDER BY visitor, checkout
    ON CONFLICT (shop_id, visitor, checkout) DO UPDATE
    SET seen_at = greatest(saleor_nudges_visitorcheckout.seen_at, excluded.seen_at)
"""
WRITTEN = (SendState.SENDING, SendState.SENT, SendState.IN_DOUBT)


def fold(shop: Shop, events: Sequence[Event]) -> None:
    """Take the new events of one shop in, oldest first."""
    seen = [e for e in events if isinstance(e, View) and e.visitor and e.checkout]
    _see(seen)
    devices.note(shop, seen)
    for event in events:
        if isinstance(event, View):
            continue
        if isinstance(event, CheckoutFact):
            _checkout(shop, event)
        elif isinstance(event, CheckoutContactKnown):
            _contact(shop, event)
        elif isinstance(event, OrderFact):
            _order(shop, event)
        elif isinstance(event, MessageClicked):
            Send.objects.of(shop).filter(pk=event.send, returned_at__isnull=True).update(
                returned_at=event.occurred_at
            )


def _see(views: Sequence[View]) -> None:
    """Remember whose page showed which checkout."""
    newest = {(view.visitor, view.checkout): view for view in views}
    if not newest:
        return
    seen = [
        {"shop_id": e.shop, "visitor": e.visitor, "checkout": e.checkout, "seen_at": e.occurred_at}
        for e in newest.values()
    ]
    statements.run(UPSERT_VISITORS, [msgspec.json.encode(seen).decode()])


def _checkout(shop: Shop, event: CheckoutFact) -> None:
    known = TrackedCheckout.objects.of(shop).select_for_update().filter(checkout=event.checkout)
    tracked = known.first()
    if isinstance(event, CheckoutPaid):
        known.update(is_payment_started=True)
        return
    if event.cart is None or (tracked and tracked.changed_at > event.occurred_at):
        return
    if tracked is None:
        if not event.cart.lines:
            return
        tracked = TrackedCheckout(
            shop=shop,
            channel=event.channel,
            checkout=event.checkout,
            sealed_checkout_id=crypto.seal(event.checkout_id),
            started_at=event.occurred_at,
        )
    before, owner = _things(tracked.lines), tracked.person_id
    look(tracked, event.cart, event.occurred_at, payment_started=event.payment_started)
    confirm(tracked, event.person)
    _close_if_ordered(tracked)
    if _things(tracked.lines) != before or tracked.person_id != owner:
        cycles.begin_again(tracked)
    tracked.next_due_at = campaigns.first_look(tracked)
    tracked.save()
    if tracked.state == CheckoutState.EMPTIED:
        cycles.look_again_at_others(tracked)
    if owner and owner != tracked.person_id:
        cycles.wake_others(shop.pk, [owner], [tracked.pk])


def confirm(tracked: TrackedCheckout, person: UUID | None) -> None:
    """Write down whose checkout the shop says it is, if it says so. Does not save."""
    if person:
        tracked.person_id, tracked.is_contact_typed = person, False


def _contact(shop: Shop, event: CheckoutContactKnown) -> None:
    """Take a typed address for a checkout's where the shop has told none; it allows nothing."""
    tracked = (
        TrackedCheckout.objects.of(shop)
        .select_for_update()
        .filter(checkout=event.checkout, channel=event.channel)
        .filter(state__in=(CheckoutState.OPEN, CheckoutState.EMPTIED))
        .filter(Q(person__isnull=True) | Q(is_contact_typed=True))
        .first()
    )
    if tracked is None or event.contact is None:
        return
    person = people.meet(shop, event.contact, event.occurred_at)
    if person is None:
        return
    tracked.person_id, tracked.is_contact_typed = person.pk, True
    # Who types is there: the silence begins now, though the shop has not seen them.
    tracked.seen_at = max(tracked.seen_at, event.occurred_at)
    tracked.next_due_at = campaigns.first_look(tracked)
    tracked.save(update_fields=["person", "is_contact_typed", "seen_at", "next_due_at"])


def look(
    tracked: TrackedCheckout, cart: Cart, changed_at: datetime, *, payment_started: bool
) -> None:
    """Write down what a checkout looks like now. Does not save."""
    tracked.lines = lines_json(cart)
    tracked.total, tracked.currency = cart.total, cart.currency
    tracked.language = cart.language or tracked.language
    tracked.voucher = cart.voucher
    tracked.changed_at = changed_at
    # Who typed an address later than that was there later.
    tracked.seen_at = max(tracked.seen_at or changed_at, changed_at)
    tracked.is_payment_started = payment_started
    if tracked.state in (CheckoutState.OPEN, CheckoutState.EMPTIED):
        tracked.state = CheckoutState.OPEN if cart.lines else CheckoutState.EMPTIED


def _things(lines: Sequence[dict[str, Any]]) -> list[tuple[str, int]]:
    """Return what is in a cart: a price that is worked out later does not change it."""
    return sorted((line["variant_id"], line["quantity"]) for line in lines)


def lines_json(cart: Cart) -> list[dict[str, Any]]:
    """Return the lines as they are stored; prices as strings, because they are money."""
    return [asdict(line) | {"unit_price": str(line.unit_price)} for line in cart.lines]


def _order(shop: Shop, event: OrderFact) -> None:
    is_void = isinstance(event, OrderCancelled | OrderRefunded)
    order, is_new = SeenOrder.objects.of(shop).get_or_create(
        shop=shop,
        order_id=event.order_id,
        defaults={
            "channel": event.channel,
            "checkout": event.checkout,
            "person_id": event.person,
            "placed_at": event.occurred_at,
            "is_void": is_void,
        },
    )
    if not is_new:
        order.is_void = order.is_void or is_void
        order.person_id = order.person_id or event.person
        order.checkout = order.checkout or event.checkout
        order.placed_at = min(order.placed_at, event.occurred_at)
        order.save()
    _close_checkouts(shop, order)
    thanks.note(shop, order)
    using.note(shop, order, event.cart)
    theirs = alike(shop, order.person_id) if order.person_id else None
    matching.match(shop, order, event.cart, theirs)


def _close_checkouts(shop: Shop, order: SeenOrder) -> None:
    """What its shopper left before this order is not left any more."""
    bought = Q(pk__in=[])
    if order.checkout:
        bought |= Q(checkout=order.checkout)
        children = TrackedCheckout.objects.of(shop).filter(checkout=order.checkout)
        bought |= Q(pk__in=children.filter(parent__isnull=False).values("parent"))
    same = bought
    if order.person_id:
        same |= Q(person__in=alike(shop, order.person_id), started_at__lte=order.placed_at)
    # A shop throws away the checkout an order is made of, and may say so first.
    found = Q(same, state=CheckoutState.OPEN) | Q(bought, state=CheckoutState.GONE)
    open_ones = TrackedCheckout.objects.of(shop).filter(found)
    written = Exists(Send.objects.across_shops().filter(checkout=OuterRef("pk"), state__in=WRITTEN))
    open_ones.filter(written).update(state=CheckoutState.RECOVERED, next_due_at=None)
    open_ones.update(state=CheckoutState.ORDERED, next_due_at=None)


def _close_if_ordered(tracked: TrackedCheckout) -> None:
    # An order may overtake the news of its own checkout on the way to us.
    if SeenOrder.objects.of(tracked.shop_id).filter(checkout=tracked.checkout).exists():
        tracked.state = CheckoutState.ORDERED


def alike(shop: Shop, person_id: UUID) -> Any:
    """Return the people who share an address, an account or a phone with this one."""
    return people.alike(shop, person_id)
