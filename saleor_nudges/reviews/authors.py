"""Who writes a review: a visitor, an account, and what ties the two to an order."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import Q

from saleor_nudges import access, crypto, people
from saleor_nudges.events import Contact
from saleor_nudges.exceptions import BadSignature, InvalidInput
from saleor_nudges.models import Person, ProductReview, Shop, VisitorCheckout

# A visitor leaves a handful of checkouts behind while a token is valid.
MOST_CHECKOUTS: Final = 50


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes, as far as it is proven; at least one of visitor and account is known.

    `user` is the keyed hash of the account, by which it is found once its id is forgotten.
    """

    visitor: UUID | None = None
    user: str = ""
    user_id: str = ""


def author_of(shop: Shop, *, token: str = "", signed_user: str = "", account: str = "") -> Author:
    """Return who writes: by a visitor's token, by an account the shop's server signed for, or by
    the account the host itself knows.

    Raises BadSignature for what is forged, InvalidInput when nobody is named.
    """
    visitor = access.read_visitor(token, shop.pk).id if token else None
    user_id = _signed(shop, signed_user) if signed_user else account
    if visitor is None and not user_id:
        raise InvalidInput("A visitor's token or a signed user is needed.", field="token")
    return Author(visitor, people.user_hash(user_id) or "", user_id)


def checkouts_of(shop: Shop, author: Author) -> set[str]:
    """Return the hashes of the checkouts that the visitor's pages have shown, the newest ones."""
    if author.visitor is None:
        return set()
    seen = VisitorCheckout.objects.of(shop).filter(visitor=author.visitor).order_by("-seen_at")
    return set(seen.values_list("checkout", flat=True)[:MOST_CHECKOUTS])


def person_of(shop: Shop, author: Author, buyer: Person | None, *, is_named: bool) -> Person | None:
    """Return the row that holds the author's key: the account's, the buyer's, or a fresh one.

    Someone without account and order gets a row only where there is a name to seal.
    """
    if author.user_id:
        return people.resolve(shop, Contact(user_id=author.user_id))
    if buyer is not None or not is_named:
        return buyer
    return stranger(shop)


def stranger(shop: Shop) -> Person:
    """Return a new person of whom nothing is known; their key can be thrown away as anybody's."""
    return Person.objects.of(shop).create(shop=shop, sealed_key=crypto.new_person_key())


def buyer_key(author: Author, person: Person | None) -> str:
    """Return by what the one review of a buyer is known."""
    if author.user:
        return author.user
    known = (person.user_hash or person.email_hash or person.pk.hex) if person else ""
    return known or (author.visitor.hex if author.visitor else "")


def written_by(author: Author, person: Person | None) -> Q:
    """Return the condition that a review is by this author, by whatever name they came before."""
    same = Q(buyer=buyer_key(author, person))
    if author.user:
        same |= Q(user=author.user)
    if author.visitor:
        same |= Q(visitor=author.visitor)
    return same | Q(person=person) if person else same


def name_of(review: ProductReview) -> str:
    """Return the name a review was written under; nothing if there is none, or none any more."""
    return people.unseal_about(review.person, review.sealed_author) or ""


def _signed(shop: Shop, signed_user: str) -> str:
    sealed = shop.sealed_storefront_secret
    # Comparing anything but ASCII in constant time is not defined.
    if not sealed or not signed_user.isascii():
        raise BadSignature("The user is not signed with this shop's secret.")
    return access.read_user(signed_user, str(crypto.unseal(bytes(sealed))))
