"""A shopper writes a review."""

from datetime import UTC, datetime
from typing import Any

import graphene

from saleor_nudges.asgi.requests import Caller
from saleor_nudges.graphql.mutation import ShopperMutation, errors_field, given
from saleor_nudges.graphql.reviews.types import ProductReviewType
from saleor_nudges.host import Requester
from saleor_nudges.reviews import admission, writing
from saleor_nudges.reviews.authors import author_of


class ProductReviewInput(graphene.InputObjectType):
    """What a shopper writes."""

    rating = graphene.Int(required=True, description="Stars, from 1 to 5.")
    title = graphene.String(description="Title; at most 200 characters of plain text.")
    text = graphene.String(description="Text; at most 5000 characters of plain text.")
    author_name = graphene.String(
        description="Name to write under; at most 60 characters, or none."
    )
    order_id = graphene.ID(description="Global id of the order it was bought in, to be verified.")

    class Meta:
        description = "Fields of a review that its author writes."


class ProductReviewCreate(ShopperMutation):
    """Write a review."""

    product_review = graphene.Field(
        ProductReviewType, description="The review; others read it once the seller has approved it."
    )
    errors = errors_field()

    class Arguments:
        channel = graphene.String(required=True, description="Slug of the channel.")
        product_id = graphene.ID(required=True, description="Global id of the product.")
        input = ProductReviewInput(required=True, description="What is written.")
        token = graphene.String(description="Token of nudgeSessionCreate.")
        user = graphene.String(
            description="Account, signed by the storefront's server as for v1/events."
        )

    class Meta:
        description = "Writes a review: one per buyer and product, pending until approved."

    @classmethod
    def perform(cls, asker: Requester, caller: Caller, **data: Any) -> Any:
        shop, said = asker.shop, given(data["input"])
        order_id = said.pop("order_id", "")
        author = author_of(
            shop,
            token=data.get("token") or "",
            signed_user=data.get("user") or "",
            account=asker.user_id,
        )
        words = writing.words(**said)
        admission.admit(shop.pk, author, caller.address)
        review = writing.create(
            shop,
            author,
            data["channel"],
            data["product_id"],
            words,
            datetime.now(UTC),
            order_id=order_id,
        )
        return cls(product_review=review, errors=[])
