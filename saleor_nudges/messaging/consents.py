"""How consent comes in, and how it ends: rows that `consent.may_write()` reads."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from saleor_nudges import people
from saleor_nudges.consent import ADDRESS
from saleor_nudges.events import (
    CheckoutFact,
    ConsentFact,
    ConsentGiven,
    CustomerErased,
    Event,
)
from saleor_nudges.models import Consent, MessageChannel, Person, Shop, Suppression


def fold(shop: Shop, events: Sequence[Event]) -> None:
    """Write down every answer among the events; forget whom the shop has forgotten."""
    for event in events:
        if isinstance(event, ConsentFact) and event.person:
            record(
                shop,
                event.person,
                MessageChannel(event.message_channel),
                given=isinstance(event, ConsentGiven),
                at=event.occurred_at,
                source=event.source,
            )
        elif isinstance(event, CheckoutFact) and event.marketing_consent is not None:
            _from_checkout(shop, event)
        elif isinstance(event, CustomerErased):
            _forget(shop, event)


def record(
    shop: Shop,
    person: UUID,
    message_channel: MessageChannel,
    *,
    given: bool,
    at: datetime,
    source: str,
) -> None:
    """Write down one answer; the same answer again adds nothing, but a later no is a later no."""
    answers = Consent.objects.of(shop).filter(person=person, message_channel=message_channel)
    newest = answers.order_by("-at", "-id").first()
    if newest is not None and newest.is_given == given:
        if not given and at > newest.at:
            # A yes from in between may still be on its way; it must not look like the newest.
            newest.at = at
            newest.save(update_fields=["at"])
        return
    answers.create(
        shop=shop,
        person_id=person,
        message_channel=message_channel,
        is_given=given,
        at=at,
        source=source,
    )


def unsubscribe(shop: Shop, person: Person, message_channel: MessageChannel, at: datetime) -> None:
    """Stop writing to this address, for good: even when the person's row is erased later."""
    with transaction.atomic():
        suppress(shop, message_channel, getattr(person, ADDRESS[message_channel]), "UNSUBSCRIBED")
        record(shop, person.pk, message_channel, given=False, at=at, source="unsubscribe link")


def suppress(
    shop: Shop, message_channel: MessageChannel, address_hash: str | None, reason: str
) -> None:
    """Put an address on the list of those that are never written to."""
    if address_hash is None:
        return
    Suppression.objects.of(shop).get_or_create(
        shop=shop,
        message_channel=message_channel,
        address_hash=address_hash,
        defaults={"reason": reason},
    )


def _from_checkout(shop: Shop, event: CheckoutFact) -> None:
    # The box in the shop's own checkout. An unticked box is silence, not a no; and one that stays
    # ticked while a cart changes does not take a no back that was said elsewhere.
    if not event.person or not event.marketing_consent:
        return
    said_no = Consent.objects.of(shop).filter(
        person=event.person, message_channel=MessageChannel.EMAIL, is_given=False
    )
    if not said_no.exists():
        record(
            shop,
            event.person,
            MessageChannel.EMAIL,
            given=True,
            at=event.occurred_at,
            source="checkout",
        )


def _forget(shop: Shop, event: CustomerErased) -> None:
    known = Person.objects.of(shop)
    found = known.filter(user_hash=event.user) if event.user else known.none()
    if event.person:
        found = found | known.filter(pk=event.person)
    for person in found:
        people.erase(person)
