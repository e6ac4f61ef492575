"""“Anna gave Apple Juice 5 stars: “Great taste…””. From reviews that a seller has let through."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from django.db.models import Q
from django.utils import timezone

from saleor_nudges import people, wording
from saleor_nudges.events import Event, ReviewFact, ReviewPosted
from saleor_nudges.models import (
    Evidence,
    Nudge,
    NudgeType,
    ProductReview,
    ReviewState,
    Shop,
    ShopProduct,
)
from saleor_nudges.nudges import activity, shelf
from saleor_nudges.nudges.kinds import discrete
from saleor_nudges.nudges.kinds.base import Claim, Kind

METRIC: Final = "reviews"
LONGEST_EXCERPT: Final = 120

Card = dict[str, str]


class ProductReviewKind(Kind):
    """One nudge per review; the seller says from how many stars on, and whether by name."""

    type: ClassVar[NudgeType] = NudgeType.PRODUCT_REVIEW
    category: ClassVar[str] = "RECENT_PURCHASE"
    rule_version: ClassVar[str] = "product-review-1"
    window: ClassVar[timedelta] = timedelta(days=90)
    longest_window: ClassVar[timedelta] = timedelta(days=365)
    # Of the stars, which are 1 to 5.
    minimum: ClassVar[int] = 4
    largest_minimum: ClassVar[int] = 5
    priority: ClassVar[int] = 45
    texts: ClassVar[dict[str, str]] = {
        "en": "{% if name %}{{ name }}{% else %}Someone{% endif %} gave {{ product }}"
        " {{ rating }} {% if rating == 1 %}star{% else %}stars{% endif %}"
        "{% if excerpt %}: “{{ excerpt }}”{% endif %}",
        "de": "{% if name %}{{ name }}{% else %}Jemand{% endif %} hat {{ product }}"
        " {{ rating }} {% if rating == 1 %}Stern{% else %}Sterne{% endif %} gegeben"
        "{% if excerpt %}: „{{ excerpt }}“{% endif %}",
        "pl": "{% if name %}{{ name }}{% else %}Ktoś{% endif %}: {{ rating }}/5"
        " dla {{ product }}{% if excerpt %}: „{{ excerpt }}”{% endif %}",
    }
    headings: ClassVar[dict[str, str]] = {
        "en": "Reviewed",
        "de": "Bewertet",
        "pl": "Opinia",
    }
    about: ClassVar[dict[str, str]] = {
        "en": "Somebody wrote this review, and the shop approved it.",
        "de": "Jemand hat diese Bewertung geschrieben, und der Shop hat sie freigegeben.",
        "pl": "Ktoś napisał tę opinię, a sklep ją zatwierdził.",
    }
    # A speech bubble.
    icon: ClassVar[str] = "M4 5h16v11H9l-5 4Z"
    claims: ClassVar[frozenset[Claim]] = frozenset({Claim.REVIEWS})
    variables: ClassVar[tuple[str, ...]] = (*Kind.variables, "rating", "excerpt", "verified")

    def fold(self, shop: Shop, events: Sequence[Event]) -> None:
        told = {event.review_id for event in events if isinstance(event, ReviewFact)}
        if not told:
            return
        # What the review itself says counts: news may come twice, late or in any order.
        public = _public(shop, told)
        standing = _standing(shop, told)
        agreeing = {
            nudge.source_subject
            for nudge in standing
            if _agrees(nudge, public.get(nudge.source_subject))
        }
        over = [nudge.pk for nudge in standing if nudge.source_subject not in agreeing]
        if over:
            discrete.take_back(shop, Q(pk__in=over))
        posted = {event.review_id: event for event in events if isinstance(event, ReviewPosted)}
        missing = sorted((public.keys() & posted.keys()) - agreeing)
        self._make(shop, [(posted[name], public[name]) for name in missing])

    def _make(self, shop: Shop, news: Sequence[tuple[ReviewPosted, ProductReview]]) -> None:
        now = timezone.now()
        news = [one for one in news if one[1].posted_at > now - self.longest_window]
        if not news:
            return
        proofs = Evidence.objects.bulk_create(
            self._evidence(shop, event, review, now) for event, review in news
        )
        cards = _cards(shop, [review for _, review in news])
        Nudge.objects.bulk_create(
            self._nudge(event, review, proof, cards)
            for (event, review), proof in zip(news, proofs, strict=True)
        )
        made = {(review.channel, review.product_id) for _, review in news}
        shelf.take_down(shop.pk, activity.places(made))

    def _evidence(
        self, shop: Shop, event: ReviewPosted, review: ProductReview, now: datetime
    ) -> Evidence:
        return Evidence(
            shop=shop,
            channel=review.channel,
            type=self.type,
            product_id=review.product_id,
            metric=METRIC,
            value=1,
            computed_at=now,
            rule_version=self.rule_version,
            source_event=event.id,
        )

    def _nudge(
        self,
        event: ReviewPosted,
        review: ProductReview,
        proof: Evidence,
        cards: dict[tuple[str, str], Card],
    ) -> Nudge:
        person = review.person
        return Nudge(
            shop_id=review.shop_id,
            channel=review.channel,
            type=self.type,
            product_id=review.product_id,
            product=cards.get((review.channel, review.product_id), {"id": review.product_id}),
            occurred_at=review.posted_at,
            evidence=proof,
            source_event=event.id,
            source_subject=str(review.pk),
            # A page without an account knows its author by the visitor.
            user=review.user or (review.visitor.hex if review.visitor else ""),
            person=person,
            sealed_who=people.seal_about(person, _who(review)) if person else None,
            details=_details(review),
        )


def _public(shop: Shop, names: Collection[str]) -> dict[str, ProductReview]:
    """Return those of the reviews that may be told of, by name."""
    found = ProductReview.objects.of(shop).filter(
        pk__in=names, state=ReviewState.APPROVED, forgotten_at__isnull=True
    )
    return {str(review.pk): review for review in found.select_related("person")}


def _standing(shop: Shop, names: Collection[str]) -> list[Nudge]:
    found = Nudge.objects.of(shop).filter(
        type=NudgeType.PRODUCT_REVIEW, source_subject__in=names, withdrawn_at__isnull=True
    )
    return list(found.select_related("person"))


def _agrees(nudge: Nudge, review: ProductReview | None) -> bool:
    """Tell whether what stands is still what the review says, and who says it."""
    if review is None or (nudge.channel, nudge.product_id) != (review.channel, review.product_id):
        return False
    who = people.unseal_about(nudge.person, nudge.sealed_who) or {}
    return (
        nudge.details == _details(review)
        and nudge.occurred_at == review.posted_at
        and who.get("name", "") == _who(review)["name"]
    )


def _details(review: ProductReview) -> dict[str, Any]:
    return {
        "rating": review.rating,
        "excerpt": wording.excerpt(review.text or review.title, LONGEST_EXCERPT),
        # Looked up by us; what a service outside calls verified is its own word.
        "verified": review.is_verified and bool(review.order_id),
    }


def _who(review: ProductReview) -> Card:
    """Return the first name of whoever wrote it: no more of a name is ever said."""
    name = people.unseal_about(review.person, review.sealed_author) or ""
    return {"name": wording.plain_name(name.partition(" ")[0])}


def _cards(shop: Shop, reviews: Sequence[ProductReview]) -> dict[tuple[str, str], Card]:
    """Return what is known of the products so far; boards ask for what is newer."""
    known = ShopProduct.objects.of(shop).filter(
        channel__in={review.channel for review in reviews},
        product_id__in={review.product_id for review in reviews},
    )
    return {
        (row.channel, row.product_id): {
            "id": row.product_id,
            "name": row.name,
            "slug": row.slug,
            "image": row.image_url,
        }
        for row in known
    }
