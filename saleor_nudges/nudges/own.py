"""When we learn whose a nudge is: the pages that show it must learn it too."""

from collections.abc import Sequence

from django.db.models import Q, QuerySet

from saleor_nudges.events import CheckoutFact, Event, View
from saleor_nudges.models import Nudge, Shop, TrackedCheckout, VisitorCheckout
from saleor_nudges.nudges.kinds.base import refresh


def fold(shop: Shop, events: Sequence[Event]) -> None:
    """Have those boards made anew whose nudges turn out to be a visitor's own.

    Called before the ties themselves are written, so that only new ones count.
    """
    about = _newly_visited(shop, events) | _newly_named(shop, events)
    if about:
        standing = Nudge.objects.of(shop).filter(withdrawn_at__isnull=True)
        refresh(shop, standing.filter(about))


def _newly_visited(shop: Shop, events: Sequence[Event]) -> Q:
    pairs = {
        (event.visitor, event.checkout)
        for event in events
        if isinstance(event, View) and event.visitor and event.checkout
    }
    if not pairs:
        return Q()
    known = VisitorCheckout.objects.of(shop).filter(visitor__in={visitor for visitor, _ in pairs})
    new = {name for _, name in pairs - set(known.values_list("visitor", "checkout"))}
    if not new:
        return Q()
    people = _confirmed(shop).filter(checkout__in=new, person__isnull=False)
    return Q(checkout__in=new) | Q(person__in=people.values("person"))


def _newly_named(shop: Shop, events: Sequence[Event]) -> Q:
    pairs = {
        (event.checkout, event.person)
        for event in events
        if isinstance(event, CheckoutFact) and event.person
    }
    if not pairs:
        return Q()
    tracked = _confirmed(shop).filter(checkout__in={name for name, _ in pairs})
    new = {person for _, person in pairs - set(tracked.values_list("checkout", "person"))}
    return Q(person__in=new) if new else Q()


def _confirmed(shop: Shop) -> "QuerySet[TrackedCheckout]":
    # A typed address ties nobody to anything.
    return TrackedCheckout.objects.of(shop).filter(is_contact_typed=False)
