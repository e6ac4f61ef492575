"""Who is who: the one row per person in which contact rests, sealed with that person's own key."""

from dataclasses import asdict, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import OuterRef, Q
from django.db.models.functions import Now

from saleor_nudges import crypto
from saleor_nudges.events import Contact
from saleor_nudges.models import Nudge, Person, ProductReview, Shop


def email_hash(email: str) -> str | None:
    """Return the keyed hash of an address, without case and outer space; None for none."""
    return crypto.keyed_hash("email", email.strip().lower()) if email.strip() else None


def phone_hash(phone: str) -> str | None:
    """Return the keyed hash of a phone number's digits; None for none."""
    digits = "".join(filter(str.isdigit, phone))
    return crypto.keyed_hash("phone", digits) if digits else None


def user_hash(user_id: str) -> str | None:
    """Return the keyed hash of a user's global id; None for none."""
    return crypto.keyed_hash("user", user_id) if user_id else None


def resolve(shop: Shop, contact: Contact) -> Person | None:
    """Return the person this contact belongs to, made or brought up to date; None if unknown.

    The address decides; without one the account, then the phone.
    """
    if not contact.is_known():
        return None
    hashes = _hashes(contact)
    person = _find(shop, hashes)
    if person is None:
        return _create(shop, contact, hashes)
    return _update(person, contact, hashes)


def find(shop: Shop, contact: Contact) -> Person | None:
    """Return the person this contact belongs to, if there is one; makes and changes nobody."""
    return _find(shop, _hashes(contact)) if contact.is_known() else None


def meet(shop: Shop, contact: Contact, said_at: datetime) -> Person | None:
    """Return the person of a contact that nobody vouches for: made if new, and never changed.

    None if somebody was erased since it was said, because it may have been they.
    """
    hashes = _hashes(contact)
    if (known := _find(shop, hashes)) is not None:
        return known
    if Person.objects.of(shop).filter(erased_at__gte=said_at).exists():
        return None
    return _create(shop, contact, hashes)


def contact_of(person: Person | None) -> Contact:
    """Return what we know of a person; an empty contact once they are erased."""
    if person is None:
        return Contact()
    sealed = person.sealed_contact
    known = crypto.unseal_for(_key(person), bytes(sealed) if sealed else None)
    return Contact(**known) if known else Contact()


def seal_about(person: Person, value: Any) -> bytes | None:
    """Seal something so that it is readable only while the person is not erased."""
    key = _key(person)
    return crypto.seal_for(key, value) if key else None


def unseal_about(person: Person | None, sealed: bytes | memoryview | None) -> Any | None:
    """Open what `seal_about` made; None once the person is erased."""
    return crypto.unseal_for(_key(person), bytes(sealed)) if person and sealed else None


def holds(person: Person | None, contact: Contact) -> bool:
    """Tell whether a person is known by all that this contact says; of the erased nobody asks."""
    if person is None or person.sealed_key is None:
        return True
    return all(
        getattr(person, field, None) == value for field, value in _hashes(contact).items() if value
    )


def same_person(person: str) -> Q:
    """Return the condition on a Person that it shares an address, account or phone.

    `person` is an OuterRef path such as "person"; use inside a subquery.
    """
    return (
        Q(pk=OuterRef(person))
        | Q(email_hash=OuterRef(f"{person}__email_hash"))
        | Q(user_hash=OuterRef(f"{person}__user_hash"))
        | Q(phone_hash=OuterRef(f"{person}__phone_hash"))
    )


def alike(shop: Shop, person_id: UUID) -> Any:
    """Return the keys of the people who share an address, an account or a phone with this one, as
    a query of dicts with `pk`.
    """
    people = Person.objects.of(shop)
    one = people.filter(pk=person_id).first()
    if one is None:
        return people.filter(pk=person_id).values("pk")
    same = Q(pk=one.pk)
    for name in ("email_hash", "user_hash", "phone_hash"):
        if value := getattr(one, name):
            same |= Q(**{name: value})
    return people.filter(same).values("pk")


def refuse_featuring(shop: Shop, person: UUID, at: datetime) -> bool:
    """Keep that neither name nor place of a person may be said; return whether that is new."""
    known = Person.objects.of(shop).filter(pk=person)
    if known.filter(refuses_featuring_at__isnull=True).update(refuses_featuring_at=at):
        return True
    # A yes from before this no may still be on its way.
    known.filter(refuses_featuring_at__lt=at).update(refuses_featuring_at=at)
    return False


def allow_featuring(shop: Shop, person: UUID, at: datetime) -> bool:
    """Take an older refusal back; return whether there was one. A later one stands."""
    known = Person.objects.of(shop).filter(pk=person, refuses_featuring_at__lt=at)
    return bool(known.update(refuses_featuring_at=None))


def erase(person: Person) -> None:
    """Throw a person's key away: what was sealed with it is unreadable everywhere, for good."""
    Person.objects.of(person.shop_id).filter(pk=person.pk).update(
        email_hash=None,
        phone_hash=None,
        user_hash=None,
        sealed_key=None,
        sealed_contact=None,
        erased_at=Now(),
    )
    # Whoever knows a city must not find them by it.
    Nudge.objects.of(person.shop_id).filter(person=person.pk).update(
        city_key="", region_key="", country_key=""
    )
    _forget_reviews(person)


def _forget_reviews(person: Person) -> None:
    # What they said of a product stays, without anything by which it could be told who said it.
    theirs = Q(person=person) | (Q(user=person.user_hash) if person.user_hash else Q())
    ProductReview.objects.of(person.shop_id).filter(theirs).update(
        person=None,
        sealed_author=None,
        user="",
        visitor=None,
        buyer="",
        order_id="",
        forgotten_at=Now(),
    )


def _hashes(contact: Contact) -> dict[str, str | None]:
    return {
        "email_hash": email_hash(contact.email),
        "user_hash": user_hash(contact.user_id),
        "phone_hash": phone_hash(contact.phone),
    }


def _find(shop: Shop, hashes: dict[str, str | None]) -> Person | None:
    people = Person.objects.of(shop)
    for field, value in hashes.items():
        if value is None:
            continue
        found = people.filter(**{field: value}).order_by("id").first()
        if found is not None and _agrees(found, hashes):
            return found
    return None


def _agrees(person: Person, hashes: dict[str, str | None]) -> bool:
    # Two addresses are two people, even on one account or phone.
    return not (
        person.email_hash and hashes["email_hash"] and person.email_hash != hashes["email_hash"]
    )


def _create(shop: Shop, contact: Contact, hashes: dict[str, str | None]) -> Person | None:
    key = crypto.new_person_key()
    person = Person(
        shop=shop,
        sealed_key=key,
        sealed_contact=crypto.seal_for(key, asdict(contact)),
        **hashes,
    )
    try:
        with transaction.atomic():
            person.save(force_insert=True)
    except IntegrityError:
        # Another worker met the same person in this very moment; theirs stands.
        return _find(shop, hashes)
    return person


def _update(person: Person, contact: Contact, hashes: dict[str, str | None]) -> Person:
    known = contact_of(person)
    changes = {key: value for key, value in asdict(contact).items() if value}
    merged = replace(known, **changes)
    if merged == known:
        return person
    key = _key(person)
    if key is None:
        return person
    person.sealed_contact = crypto.seal_for(key, asdict(merged))
    for field, value in hashes.items():
        if value:
            setattr(person, field, value)
    person.save(update_fields=["sealed_contact", *hashes])
    return person


def _key(person: Person) -> bytes | None:
    return bytes(person.sealed_key) if person.sealed_key else None
