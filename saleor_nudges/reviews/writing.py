"""A shopper writes a review: one per buyer and product, pending until a seller has read it."""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from saleor_nudges import people
from saleor_nudges.exceptions import HostUnavailable, InvalidInput
from saleor_nudges.host import get_host
from saleor_nudges.models import Person, ProductReview, Shop
from saleor_nudges.models.reviews import BEST_RATING, LEAST_RATING
from saleor_nudges.reviews import plain, purchases
from saleor_nudges.reviews.authors import Author, buyer_key, person_of, written_by
from saleor_nudges.reviews.purchases import Purchase

LONGEST_ID = 255


@dataclass(frozen=True, slots=True)
class Words:
    """What a shopper wrote, as plain text, and stars from 1 to 5."""

    rating: int
    title: str = ""
    text: str = ""
    author_name: str = ""


def words(rating: int, *, title: str = "", text: str = "", author_name: str = "") -> Words:
    """Return what was written, made plain; raises InvalidInput and names the field."""
    check_rating(rating)
    return Words(rating, plain.title(title), plain.text(text), plain.author(author_name))


def create(
    shop: Shop,
    author: Author,
    channel: str,
    product_id: str,
    said: Words,
    now: datetime,
    *,
    order_id: str = "",
) -> ProductReview:
    """Keep a review that waits for a seller.

    Raises InvalidInput, HostUnavailable while the shop cannot say what it sells.
    """
    check_product(shop, channel, product_id)
    purchase = _purchase(shop, author, product_id, order_id)
    try:
        with transaction.atomic():
            return _keep(shop, author, purchase, said, channel, product_id, now)
    except IntegrityError as error:
        # The same buyer in this very moment: the other one stands.
        raise _twice() from error


def check_rating(rating: int) -> None:
    """Raise InvalidInput unless these are stars from 1 to 5."""
    if isinstance(rating, bool) or not LEAST_RATING <= rating <= BEST_RATING:
        raise InvalidInput(
            f"A rating lies between {LEAST_RATING} and {BEST_RATING}.", field="rating"
        )


def check_product(shop: Shop, channel: str, product_id: str) -> None:
    """Raise InvalidInput unless the channel shows this product; raises HostUnavailable."""
    if not is_storable(channel):
        raise InvalidInput("A channel's slug has 1 to 255 characters.", field="channel")
    known = is_storable(product_id) and get_host(shop).product_cards(channel, [product_id])
    if not known:
        raise InvalidInput("This channel shows no such product.", field="productId")


def is_storable(name: str) -> bool:
    """Tell whether this can be an id at all: a database cannot even be asked for some texts."""
    return 0 < len(name) <= LONGEST_ID and name.isprintable()


def _purchase(shop: Shop, author: Author, product_id: str, order_id: str) -> Purchase:
    if order_id:
        return purchases.named(shop, author, product_id, order_id)
    try:
        return purchases.found(shop, author, product_id)
    except HostUnavailable:
        # It is looked up again when a seller approves it.
        return purchases.NONE


def _keep(
    shop: Shop,
    author: Author,
    purchase: Purchase,
    said: Words,
    channel: str,
    product_id: str,
    now: datetime,
) -> ProductReview:
    person = person_of(shop, author, purchase.buyer, is_named=bool(said.author_name))
    same = ProductReview.objects.of(shop).filter(product_id=product_id)
    if same.filter(written_by(author, person)).exists():
        raise _twice()
    return ProductReview.objects.of(shop).create(
        shop=shop,
        channel=channel,
        product_id=product_id,
        rating=said.rating,
        title=said.title,
        text=said.text,
        posted_at=now,
        person=person,
        sealed_author=sealed_name(person, said.author_name),
        user=author.user,
        visitor=author.visitor,
        buyer=buyer_key(author, person),
        order_id=purchase.order_id,
        is_verified=bool(purchase.order_id),
    )


def sealed_name(person: Person | None, name: str) -> bytes | None:
    """Return a name that is readable only while its person is not erased."""
    return people.seal_about(person, name) if person and name else None


def _twice() -> InvalidInput:
    return InvalidInput("You have written about this product already.", field="productId")
