"""Reviews: what shoppers read and write, what sellers let through; a file for each noun."""

import graphene

from saleor_nudges.graphql.reviews.listing import ListingQueries
from saleor_nudges.graphql.reviews.moderating import ProductReviewModerate, ProductReviewReply
from saleor_nudges.graphql.reviews.settings import ProductReviewSettingsUpdate, SettingsQueries
from saleor_nudges.graphql.reviews.writing import ProductReviewCreate


class ReviewQueries(ListingQueries, SettingsQueries):
    """What can be asked about reviews."""


class ReviewMutations(graphene.ObjectType):
    """What can be changed about reviews."""

    product_review_create = ProductReviewCreate.Field(
        description="Writes a review: one per buyer and product, pending until approved."
    )
    product_review_moderate = ProductReviewModerate.Field(
        description="Approves or rejects a review. Requires MANAGE_PRODUCTS."
    )
    product_review_reply = ProductReviewReply.Field(
        description="Answers a review in public. Requires MANAGE_PRODUCTS."
    )
    product_review_settings_update = ProductReviewSettingsUpdate.Field(
        description="Changes how reviews come in from outside. Requires MANAGE_SETTINGS."
    )


__all__ = ["ReviewMutations", "ReviewQueries"]
