"""Who does not want to be named: what they bought is still told, but no longer by whom or where."""

from collections.abc import Sequence
from uuid import UUID

from saleor_nudges import people
from saleor_nudges.events import CheckoutFact, Event, FeaturingAllowed, FeaturingRefused
from saleor_nudges.models import Nudge, Shop
from saleor_nudges.models.nudges import public_id
from saleor_nudges.nudges.kinds.base import refresh


def fold(shop: Shop, events: Sequence[Event]) -> None:
    """Write down every answer among the events, and have the pages made anew that name them."""
    changed = {person for event in events if (person := _changed(shop, event)) is not None}
    if changed:
        _rename(shop, changed)


def _changed(shop: Shop, event: Event) -> UUID | None:
    """Return whose answer this event changes."""
    if event.person is None:
        return None
    answer = people.refuse_featuring if _is_no(event) else None
    if isinstance(event, FeaturingAllowed):
        answer = people.allow_featuring
    is_new = answer is not None and answer(shop, event.person, event.occurred_at)
    return event.person if is_new else None


def _is_no(event: Event) -> bool:
    # A box that is not ticked in a checkout is silence: it takes no refusal back.
    is_ticked = isinstance(event, CheckoutFact) and event.refuses_featuring
    return is_ticked or isinstance(event, FeaturingRefused)


def _rename(shop: Shop, persons: set[UUID]) -> None:
    """Give their nudges new public names: a page that shows the old one takes it away."""
    standing = Nudge.objects.of(shop).filter(person__in=persons, withdrawn_at__isnull=True)
    named = list(standing.filter(sealed_who__isnull=False).select_for_update().order_by("pk"))
    for nudge in named:
        nudge.public_id = public_id()
    Nudge.objects.of(shop).bulk_update(named, ["public_id"], batch_size=500)
    refresh(shop, standing)
