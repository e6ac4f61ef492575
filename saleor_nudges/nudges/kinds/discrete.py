"""Nudges of what one person did: made of a fact, with that fact as their evidence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from saleor_nudges import people, wording
from saleor_nudges.events import (
    CheckoutFact,
    Contact,
    CustomerErased,
    Event,
    Line,
    OrderFact,
    ProductWithdrawn,
)
from saleor_nudges.models import Evidence, Nudge, NudgeType, Person, Shop
from saleor_nudges.nudges import activity, places, shelf
from saleor_nudges.nudges.kinds.base import Kind, places_of


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody did with one product, and the fact that says so.

    `subject` names what it can be taken back by; `details` is shown to nobody as it is.
    """

    fact: CheckoutFact | OrderFact
    line: Line
    occurred_at: datetime
    subject: str
    details: dict[str, Any]


def make(shop: Shop, kind: Kind, metric: str, deeds: Sequence[Deed]) -> None:
    """Make a nudge of each of these deeds, with its evidence, and have it shown."""
    if not deeds:
        return
    now = timezone.now()
    proofs = Evidence.objects.bulk_create(
        Evidence(
            shop=shop,
            channel=deed.fact.channel,
            type=kind.type,
            product_id=deed.line.product_id,
            metric=metric,
            value=1,
            computed_at=now,
            rule_version=kind.rule_version,
            source_event=deed.fact.id,
        )
        for deed in deeds
    )
    known = people_of(shop, [deed.fact for deed in deeds])
    Nudge.objects.bulk_create(
        _nudge(shop, kind, deed, proof, known) for deed, proof in zip(deeds, proofs, strict=True)
    )
    made = {(deed.fact.channel, deed.line.product_id) for deed in deeds}
    shelf.take_down(shop.pk, activity.places(made))


def _nudge(shop: Shop, kind: Kind, deed: Deed, proof: Evidence, known: dict[UUID, Person]) -> Nudge:
    line, fact = deed.line, deed.fact
    return Nudge(
        shop=shop,
        channel=fact.channel,
        type=kind.type,
        product_id=line.product_id,
        product={
            "id": line.product_id,
            "name": line.product_name,
            "slug": line.product_slug,
            "image": line.image_url,
        },
        occurred_at=deed.occurred_at,
        evidence=proof,
        source_event=fact.id,
        source_subject=deed.subject,
        checkout=fact.checkout,
        details=deed.details,
        **maker(fact, known),
    )


def maker(fact: CheckoutFact | OrderFact, known: dict[UUID, Person]) -> dict[str, Any]:
    """Return what a nudge keeps of whoever made it, by field; readable while they exist."""
    person = known.get(fact.person) if fact.person else None
    if person is None:
        return {}
    maker = who(fact)
    return {
        "user": person.user_hash or "",
        "person": person,
        "sealed_who": people.seal_about(person, maker),
        **places.keys(maker),
    }


def who(fact: CheckoutFact | OrderFact) -> dict[str, str]:
    """Return what may be said of whoever a fact is about."""
    contact = fact.contact or Contact()
    # Saleor keeps the cities of some countries in capitals, as their post offices want them.
    city = contact.city.title() if contact.city.isupper() else contact.city
    return {
        "name": wording.plain_name(contact.first_name),
        "city": wording.plain_name(city),
        "region": wording.plain_name(contact.region),
        "country": contact.country,
    }


def people_of(shop: Shop, facts: Sequence[CheckoutFact | OrderFact]) -> dict[UUID, Person]:
    """Return the people these facts are about, in one query."""
    return Person.objects.of(shop).in_bulk({fact.person for fact in facts if fact.person})


def take_back(shop: Shop, about: Q) -> None:
    """Take back the nudges that stand and that this is true of: gone with the next poll."""
    standing: QuerySet[Nudge] = Nudge.objects.of(shop).filter(about, withdrawn_at__isnull=True)
    found = places_of(standing)
    if found:
        standing.update(withdrawn_at=timezone.now())
        # Only now: where nothing is left to commit, the boards come down at once.
        shelf.take_down(shop.pk, found)


def forget(shop: Shop, events: Sequence[Event]) -> None:
    """Take back what is about products that are gone, or of people who are to be forgotten.

    Called after the kinds: what they made of the same events goes too.
    """
    gone = {event.product_id for event in events if isinstance(event, ProductWithdrawn)}
    if gone:
        take_back(shop, Q(product_id__in=gone))
    checkouts = activity.forgotten_checkouts(shop, events)
    if checkouts is not None:
        take_back(shop, Q(type=NudgeType.ADD_TO_CART, source_subject__in=checkouts))
    erased = activity.of_erased(events)
    if erased is not None:
        erasures = [event for event in events if isinstance(event, CustomerErased)]
        users = {event.user for event in erasures if event.user}
        take_back(shop, erased | Q(user__in=users))
