"""When a shopper's messages begin anew, and when an older checkout of theirs counts again."""

from datetime import timedelta

from django.db.models import Max
from django.db.models.functions import Coalesce, Now

from saleor_nudges.models import CheckoutState, Send, TrackedCheckout
from saleor_nudges.recovery.reasons import Reason
from saleor_nudges.recovery.shoppers import WRITTEN


def begin_again(tracked: TrackedCheckout) -> None:
    """Begin a new cycle of a checkout whose cart has changed, if its campaign's cool-down is over.

    Does not save. Before that the change belongs to the cycle that runs, and one whose messages
    have all gone stays silent.
    """
    if tracked.campaign is None:
        return
    ours = Send.objects.of(tracked.shop_id).filter(
        checkout=tracked, cycle=tracked.cycle, state__in=WRITTEN
    )
    last = ours.aggregate(last=Max(Coalesce("sent_at", "marked_at")))["last"]
    rest = timedelta(seconds=tracked.campaign.cool_down_seconds)
    if last is not None and tracked.changed_at >= last + rest:
        tracked.cycle += 1
        tracked.campaign = None


def look_again_at_others(*ended: TrackedCheckout) -> None:
    """Have older checkouts looked at that were silent only because these of one shop were newer."""
    people = {tracked.person_id for tracked in ended if tracked.person_id}
    if not people:
        return
    TrackedCheckout.objects.of(ended[0].shop_id).filter(
        person__in=people,
        state=CheckoutState.OPEN,
        next_due_at__isnull=True,
        reason=Reason.NEWER_CHECKOUT,
    ).exclude(pk__in=[tracked.pk for tracked in ended]).update(next_due_at=Now())
