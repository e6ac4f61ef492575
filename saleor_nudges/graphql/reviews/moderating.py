"""What a seller does with reviews: approve, reject, answer."""

from datetime import UTC, datetime
from typing import Any

import graphene

from saleor_nudges.audit import audit
from saleor_nudges.graphql.mutation import SellerMutation, errors_field
from saleor_nudges.graphql.reviews.types import ProductReviewStateEnum, ProductReviewType
from saleor_nudges.host import Requester
from saleor_nudges.models import ProductReview, ReviewState
from saleor_nudges.reviews import moderating

PERMISSION = "MANAGE_PRODUCTS"


class ProductReviewModerate(SellerMutation):
    """Approve or reject a review."""

    product_review = graphene.Field(ProductReviewType, description="The review as it is now.")
    errors = errors_field()
    permission = PERMISSION

    class Arguments:
        id = graphene.ID(required=True, description="Our own name of the review.")
        state = ProductReviewStateEnum(required=True, description="APPROVED or REJECTED.")

    class Meta:
        description = "Approves or rejects a review. Requires MANAGE_PRODUCTS."

    @classmethod
    def perform(cls, asker: Requester, **data: Any) -> Any:
        before = {"state": moderating.review_of(asker.shop, data["id"]).state}
        state = ReviewState(data["state"])
        review = moderating.moderate(asker.shop, data["id"], state, datetime.now(UTC))
        after = {"state": review.state}
        audit(asker, cls.__name__, str(review.pk), before=before, after=after)
        return cls(product_review=review, errors=[])


class ProductReviewReply(SellerMutation):
    """Answer a review."""

    product_review = graphene.Field(ProductReviewType, description="The review as it is now.")
    errors = errors_field()
    permission = PERMISSION

    class Arguments:
        id = graphene.ID(required=True, description="Our own name of the review.")
        text = graphene.String(
            required=True, description="Plain text of at most 5000 characters; empty takes it back."
        )

    class Meta:
        description = "Answers a review in public. Requires MANAGE_PRODUCTS."

    @classmethod
    def perform(cls, asker: Requester, **data: Any) -> Any:
        before = _reply(moderating.review_of(asker.shop, data["id"]))
        review = moderating.reply(asker.shop, data["id"], data["text"], datetime.now(UTC))
        audit(asker, cls.__name__, str(review.pk), before=before, after=_reply(review))
        return cls(product_review=review, errors=[])


def _reply(review: ProductReview) -> dict[str, Any]:
    # An answer may address a person by name; when it was given is enough.
    return {"repliedAt": review.replied_at.isoformat() if review.replied_at else None}
