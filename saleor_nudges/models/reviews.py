"""What buyers think of products: Saleor keeps no reviews, so they are ours."""

from typing import Final

from django.db import models

from saleor_nudges.models.base import ChannelRow, ScopedManager

LONGEST_TITLE: Final = 200
LEAST_RATING, BEST_RATING = 1, 5
# Who wrote in the shop itself; other sources are services outside.
STOREFRONT: Final = "storefront"


class ReviewState(models.TextChoices):
    """Whether shoppers can read a review."""

    PENDING = "PENDING", "Nobody has decided yet."
    APPROVED = "APPROVED", "Everybody can read it."
    REJECTED = "REJECTED", "Nobody can read it."


class ProductReview(ChannelRow):
    """One buyer's word on one product: plain text, and stars from 1 to 5.

    `sealed_author` is the name its author chose, sealed with the key of `person`. `user` (a keyed
    hash) and `visitor` are by what a page knows its author; `buyer` is whose only review of the
    product this is, empty for reviews from outside, which `external_id` names in their `source`.
    """

    product_id = models.CharField(max_length=255)
    rating = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=LONGEST_TITLE, blank=True)
    text = models.TextField(blank=True)
    posted_at = models.DateTimeField()

    person = models.ForeignKey(
        "saleor_nudges.Person", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    sealed_author = models.BinaryField(null=True)
    user = models.CharField(max_length=64, blank=True)
    visitor = models.UUIDField(null=True)
    buyer = models.CharField(max_length=64, blank=True)
    # Whoever wrote this is forgotten: it stays without an author, and is told to nobody unasked.
    forgotten_at = models.DateTimeField(null=True)

    order_id = models.CharField(max_length=255, blank=True)
    is_verified = models.BooleanField(default=False)

    state = models.CharField(
        max_length=16, choices=ReviewState.choices, default=ReviewState.PENDING
    )
    # When the seller decided: an outside service cannot overrule that.
    moderated_at = models.DateTimeField(null=True)
    reply = models.TextField(blank=True)
    replied_at = models.DateTimeField(null=True)

    source = models.CharField(max_length=64, default=STOREFRONT)
    external_id = models.CharField(max_length=255, blank=True)
    # When the outside service last spoke of it: what it said before that is old news.
    told_at = models.DateTimeField(null=True)

    objects = ScopedManager["ProductReview"]()

    class Meta(ChannelRow.Meta):
        constraints = (
            models.CheckConstraint(
                condition=models.Q(rating__gte=LEAST_RATING, rating__lte=BEST_RATING),
                name="nudges_review_stars",
            ),
            models.UniqueConstraint(
                fields=["shop", "product_id", "buyer"],
                name="nudges_review_per_buyer",
                condition=~models.Q(buyer=""),
            ),
            models.UniqueConstraint(
                fields=["shop", "source", "external_id"],
                name="nudges_review_from_outside",
                condition=~models.Q(external_id=""),
            ),
        )
        indexes = (
            models.Index(
                fields=["shop", "channel", "product_id", "state", "-posted_at", "-id"],
                name="nudges_reviews_of_product",
            ),
            models.Index(
                fields=["shop", "channel", "state", "-posted_at", "-id"],
                name="nudges_reviews_of_channel",
            ),
            models.Index(
                fields=["shop", "order_id"],
                name="nudges_reviews_of_order",
                condition=~models.Q(order_id=""),
            ),
        )
