"""When the shopper of an order may be thanked: the campaign that brought them back says so."""

from datetime import datetime, timedelta

from saleor_nudges.models import (
    CampaignStep,
    CheckoutState,
    SeenOrder,
    Send,
    Shop,
    StepKind,
    TrackedCheckout,
)
from saleor_nudges.recovery.campaigns import sandbox


def note(shop: Shop, order: SeenOrder) -> None:
    """Write down when an order's first thank-you is due, if it has one; told again, only once."""
    mine = SeenOrder.objects.of(shop).filter(pk=order.pk)
    if order.is_void:
        mine.update(thanks_due_at=None)
        return
    if Send.objects.of(shop).filter(order=order).exists():
        return
    tracked = won_back(order)
    if tracked is not None and tracked.campaign_id is not None:
        mine.update(thanks_due_at=due_at(order, tracked, after=timedelta(0)))


def won_back(order: SeenOrder) -> TrackedCheckout | None:
    """Return the checkout whose messages came before an order of it, or of one it was made into."""
    if not order.checkout:
        return None
    rows = TrackedCheckout.objects.of(order.shop_id).select_related("parent")
    own = rows.filter(checkout=order.checkout).first()
    for one in (own.parent, own) if own else ():
        if one is not None and one.state == CheckoutState.RECOVERED:
            return one
    return None


def due_at(order: SeenOrder, tracked: TrackedCheckout, *, after: timedelta) -> datetime | None:
    """Return when the first thank-you is due whose delay is longer than `after`; None for none."""
    steps = CampaignStep.objects.of(order.shop_id).filter(
        campaign=tracked.campaign_id, kind=StepKind.THANK_YOU, is_retired=False
    )
    later = steps.filter(delay_seconds__gt=int(after.total_seconds()))
    first = later.order_by("delay_seconds").first()
    if first is None:
        return None
    return order.placed_at + sandbox.paced(timedelta(seconds=first.delay_seconds))
