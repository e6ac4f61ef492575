"""Reviews an outside service brings: a batch of them, judged one by one, known by their ids."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal

import msgspec
from django.db import connection, transaction

from saleor_nudges import people
from saleor_nudges.events import Contact
from saleor_nudges.exceptions import InvalidInput, Stale
from saleor_nudges.host import get_host
from saleor_nudges.models import Person, ProductReview, ReviewState, Shop
from saleor_nudges.models.reviews import STOREFRONT
from saleor_nudges.reviews import plain
from saleor_nudges.reviews.announcing import announce, told
from saleor_nudges.reviews.authors import name_of, stranger
from saleor_nudges.reviews.writing import check_rating, is_storable, sealed_name
from saleor_nudges.stream.codec import explained

MOST_REVIEWS: Final = 100
# How far the service's clock and ours may lie apart, its queue included.
CLOCKS_APART: Final = timedelta(minutes=5)
SOURCE: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s]{1,189}")

WITHDRAWN: Final = "WITHDRAWN"

Aware = Annotated[datetime, msgspec.Meta(tz=True)]


class Brought(msgspec.Struct, rename="camel", frozen=True):
    """One review as a service writes it. By `email` its author is known where they buy, and can be
    forgotten. WITHDRAWN: its author took it back, and its words are not kept.
    """

    external_id: str
    product: str
    rating: int
    created_at: Aware
    title: str | None = None
    text: str | None = None
    author: str | None = None
    email: str | None = None
    verified: bool = False
    state: Literal["PENDING", "APPROVED", "REJECTED", "WITHDRAWN"] = "PENDING"


class Delivery(msgspec.Struct, rename="camel", frozen=True):
    """What a service sends: who it is, of which channel it speaks, and when it spoke."""

    source: str
    channel: str
    sent_at: Aware
    reviews: list[Any]


@dataclass(frozen=True, slots=True)
class Rejected:
    """One review that was not taken in, and why."""

    index: int
    code: str
    message: str


def read(body: bytes) -> Delivery:
    """Return what a verified body says; raises InvalidInput and names the field."""
    try:
        found = msgspec.json.decode(body, type=Delivery)
    except msgspec.ValidationError as error:
        message, field = explained(error)
        raise InvalidInput(message, field=field or "body") from error
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise InvalidInput("The body is not JSON.", field="body") from error
    if not SOURCE.fullmatch(found.source) or found.source == STOREFRONT:
        raise InvalidInput(
            f"A source is a word in lower case, and not {STOREFRONT!r}.", field="source"
        )
    if not is_storable(found.channel):
        raise InvalidInput("A channel's slug has 1 to 255 characters.", field="channel")
    if len(found.reviews) > MOST_REVIEWS:
        raise InvalidInput(f"At most {MOST_REVIEWS} reviews at once.", field="reviews")
    return found


def is_recent(delivery: Delivery, now: datetime) -> bool:
    """Tell whether a delivery was sent just now: an older one is a replay."""
    return abs(now - delivery.sent_at) <= CLOCKS_APART


def take(shop: Shop, delivery: Delivery, now: datetime) -> list[Rejected]:
    """Take in what is new, or newer than what is known; return what was not taken in.

    Raises HostUnavailable and StreamUnavailable, and then nothing is kept.
    """
    products = set(filter(None, map(_product, delivery.reviews)))
    shown = set(get_host(shop).product_cards(delivery.channel, products))
    rejected = []
    seen: set[str] = set()
    with transaction.atomic():
        _one_at_a_time(shop)
        for index, item in enumerate(delivery.reviews):
            try:
                brought = _review(item, shown, seen, now)
                _keep(shop, delivery, brought, now)
            except Stale as error:
                rejected.append(Rejected(index, error.code, str(error)))
            except InvalidInput as error:
                message = f"{error.field}: {error}" if error.field else str(error)
                rejected.append(Rejected(index, error.code, message))
    return rejected


def _one_at_a_time(shop: Shop) -> None:
    # Two deliveries about the same reviews, in two orders, would wait for each other for ever.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 2))", [str(shop.pk)])


def _product(item: Any) -> str:
    product = item.get("product") if isinstance(item, dict) else None
    return product if isinstance(product, str) and is_storable(product) else ""


def _review(item: Any, shown: set[str], seen: set[str], now: datetime) -> Brought:
    try:
        brought = msgspec.convert(item, Brought)
    except msgspec.ValidationError as error:
        message, field = explained(error)
        raise InvalidInput(message, field=field) from error
    check_rating(brought.rating)
    if not is_storable(brought.external_id):
        raise InvalidInput("This has 1 to 255 printable characters.", field="externalId")
    if brought.external_id in seen:
        raise InvalidInput("This is in the delivery twice.", field="externalId")
    if brought.product not in shown:
        raise InvalidInput("This channel shows no such product.", field="product")
    if brought.email and not EMAIL.fullmatch(brought.email):
        raise InvalidInput("This is not an email address.", field="email")
    if brought.created_at > now + CLOCKS_APART:
        raise InvalidInput("This lies in the future.", field="createdAt")
    seen.add(brought.external_id)
    return brought


def _keep(shop: Shop, delivery: Delivery, brought: Brought, now: datetime) -> None:
    known = _known(shop, delivery.source, brought.external_id)
    named = {"source": delivery.source, "external_id": brought.external_id}
    review = known or ProductReview(shop=shop, **named)
    content, name = _content(delivery.channel, brought), _name(brought)
    is_edited = _is_edited(review, content, name)
    state = _state(review, brought, is_edited=is_edited)
    if known is not None and not is_edited and state == review.state:
        return
    if review.told_at is not None and delivery.sent_at <= review.told_at:
        raise Stale
    before = told(review) if known else None
    _change(review, content, state)
    _sign(review, name, brought)
    review.told_at = delivery.sent_at
    review.save()
    announce(review, before, now)


def _change(review: ProductReview, content: dict[str, Any], state: ReviewState) -> None:
    if state == ReviewState.REJECTED and review.state == ReviewState.APPROVED:
        # The service takes back what the seller let through: it may also bring it again.
        review.moderated_at = None
    for field, value in content.items():
        setattr(review, field, value)
    review.state = state


def _is_edited(review: ProductReview, content: dict[str, Any], name: str) -> bool:
    if any(getattr(review, field) != value for field, value in content.items()):
        return True
    return not review.forgotten_at and name != name_of(review)


def _name(brought: Brought) -> str:
    return plain.author("" if _is_gone(brought) else brought.author or "", field="author")


def _known(shop: Shop, source: str, external_id: str) -> ProductReview | None:
    found = ProductReview.objects.of(shop).filter(source=source, external_id=external_id)
    return found.select_related("person").select_for_update(of=("self",)).first()


def _is_gone(brought: Brought) -> bool:
    return brought.state == WITHDRAWN


def _content(channel: str, brought: Brought) -> dict[str, Any]:
    gone = _is_gone(brought)
    return {
        "channel": channel,
        "product_id": brought.product,
        "rating": brought.rating,
        "title": plain.title("" if gone else brought.title or ""),
        "text": plain.text("" if gone else brought.text or ""),
        "posted_at": brought.created_at,
        "is_verified": brought.verified,
    }


def _state(review: ProductReview, brought: Brought, *, is_edited: bool) -> ReviewState:
    """Return what becomes of a review: the stricter of service and seller has its way."""
    if brought.state in (WITHDRAWN, ReviewState.REJECTED):
        return ReviewState.REJECTED
    if review.moderated_at is None:
        return ReviewState(brought.state)
    if review.state == ReviewState.APPROVED and is_edited:
        # The seller has approved other words than these.
        return ReviewState(brought.state)
    return ReviewState(review.state)


def _sign(review: ProductReview, name: str, brought: Brought) -> None:
    """Write down who wrote it; whoever asked to be forgotten stays forgotten."""
    if review.forgotten_at:
        return
    person = _person(review, name, brought)
    if person != review.person or name != name_of(review):
        review.person, review.sealed_author = person, sealed_name(person, name)


def _person(review: ProductReview, name: str, brought: Brought) -> Person | None:
    if brought.email and not _is_gone(brought):
        return people.resolve(review.shop, Contact(email=brought.email))
    return review.person or (stranger(review.shop) if name else None)
