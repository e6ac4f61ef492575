"""A review and a list of them, as shoppers and sellers read them."""

from functools import cached_property
from typing import Any

import graphene

from saleor_nudges.graphql.errors import answered
from saleor_nudges.graphql.standard import DateTime
from saleor_nudges.models import ProductReview, ReviewState
from saleor_nudges.reviews import listing
from saleor_nudges.reviews.authors import name_of

ProductReviewStateEnum = graphene.Enum(
    "ProductReviewStateEnum", [(state.name, state.value) for state in ReviewState]
)
ProductReviewSortEnum = graphene.Enum(
    "ProductReviewSortEnum", [(sort.name, sort.value) for sort in listing.Sort]
)


class ProductReviewType(graphene.ObjectType):
    """One review."""

    id = graphene.ID(required=True, description="Our own name of it.")
    channel = graphene.String(required=True, description="Slug of the channel.")
    product_id = graphene.ID(required=True, description="Global id of the product.")
    rating = graphene.Int(required=True, description="Stars, from 1 to 5.")
    title = graphene.String(required=True, description="Its title as plain text, or empty.")
    text = graphene.String(required=True, description="Its text as plain text, or empty.")
    author_name = graphene.String(
        required=True, description="Name its author chose; empty when there is none, or none left."
    )
    is_verified = graphene.Boolean(
        required=True, description="Whether its author is known to have bought the product."
    )
    posted_at = DateTime(required=True, description="When it was written.")
    state = graphene.Field(
        ProductReviewStateEnum, required=True, description="Whether shoppers can read it."
    )
    reply = graphene.String(required=True, description="The seller's answer, or empty.")
    replied_at = DateTime(description="When the seller answered.")
    source = graphene.String(
        required=True, description="Where it was written: storefront, or the name of a service."
    )

    class Meta:
        name = "ProductReview"
        description = "Represents what one buyer thinks of a product."

    @staticmethod
    @answered
    def resolve_author_name(root: ProductReview, _info: Any) -> str:
        return name_of(root)


class ProductReviewConnection(graphene.relay.Connection):
    """Reviews, and what all of them say together."""

    total_count = graphene.Int(required=True, description="How many there are on all pages.")
    average_rating = graphene.Float(
        description="Average stars of all of them to two places; null where there are none."
    )

    class Meta:
        node = ProductReviewType
        name = "ProductReviewConnection"

    # All the reviews this is a page of.
    reviews: Any = None

    @cached_property
    def summary(self) -> listing.Summary:
        """Return what all of them say together: asked once, and only if somebody wants to know."""
        return listing.summary(self.reviews)

    @staticmethod
    @answered
    def resolve_total_count(root: Any, _info: Any) -> int:
        return int(root.summary.count)

    @staticmethod
    @answered
    def resolve_average_rating(root: Any, _info: Any) -> float | None:
        average: float | None = root.summary.average
        return average
