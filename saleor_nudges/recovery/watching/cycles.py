"""When a shopper's messages begin anew, and when an older checkout of theirs counts again."""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Max, Q
from django.db.models.functions import Coalesce, Now

from saleor_nudges.models import CheckoutState, Person, Send, TrackedCheckout
from saleor_nudges.recovery.planning.shoppers import HASHES, PASSED, WRITTEN
from saleor_nudges.recovery.reasons import Reason


def begin_again(tracked: TrackedCheckout) -> None:
    """Begin a new cycle of a checkout that was changed, if its campaign's cool-down is over.

    Does not save. Before that the change belongs to the cycle that runs, and one whose messages
    have all gone stays silent. A cycle in which none could go is over with the change.
    """
    if tracked.campaign is None:
        return
    ledger = Send.objects.of(tracked.shop_id).filter(checkout=tracked, cycle=tracked.cycle)
    ours = ledger.filter(state__in=WRITTEN)
    if not ours.exists():
        if ledger.filter(state__in=PASSED).exists():
            tracked.cycle, tracked.campaign = tracked.cycle + 1, None
        return
    last = ours.aggregate(last=Max(Coalesce("sent_at", "marked_at")))["last"]
    rest = timedelta(seconds=tracked.campaign.cool_down_seconds)
    if last is not None and tracked.changed_at >= last + rest:
        tracked.cycle += 1
        tracked.campaign = None


def look_again_at_others(*ended: TrackedCheckout) -> None:
    """Have older checkouts looked at that were silent only because these of one shop were newer."""
    people = {tracked.person_id for tracked in ended if tracked.person_id}
    if people:
        wake_others(ended[0].shop_id, people, [tracked.pk for tracked in ended])


def wake_others(shop: UUID, people: Collection[UUID], but: Collection[UUID]) -> None:
    """The same of people: everybody who shares an address, an account or a phone with them."""
    asked = Person.objects.of(shop).filter(pk__in=people)
    same = Q(pk__in=list(people))
    for name in HASHES:
        known = asked.filter(**{f"{name}__isnull": False}).values(name)
        same |= Q(**{f"{name}__in": known})
    alike = Person.objects.of(shop).filter(same).values("pk")
    silent = (
        TrackedCheckout.objects.of(shop)
        .filter(
            person__in=alike,
            state=CheckoutState.OPEN,
            next_due_at__isnull=True,
            reason=Reason.NEWER_CHECKOUT,
        )
        .exclude(pk__in=list(but))
    )
    with transaction.atomic():
        # Whoever calls holds rows already: waiting for one more could close a circle.
        free = silent.select_for_update(skip_locked=True).values_list("pk", flat=True)
        TrackedCheckout.objects.of(shop).filter(pk__in=list(free)).update(next_due_at=Now())
    # What somebody else held is woken when nothing of ours is held any more.
    transaction.on_commit(lambda: silent.update(next_due_at=Now()), robust=True)
