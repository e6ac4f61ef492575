"""Which reviews there are: the approved ones for everybody, the others for sellers."""

from typing import Any

import graphene

from saleor_nudges.asgi import requests
from saleor_nudges.asgi.views import caller_of
from saleor_nudges.graphql.context import allowed, requester
from saleor_nudges.graphql.errors import answered
from saleor_nudges.graphql.reviews.types import (
    ProductReviewConnection,
    ProductReviewSortEnum,
    ProductReviewStateEnum,
)
from saleor_nudges.models import ReviewState
from saleor_nudges.reviews import listing

PERMISSION = "MANAGE_PRODUCTS"


class ListingQueries(graphene.ObjectType):
    """What can be asked about reviews."""

    # Nullable: asked together with the shop's own fields, an error of ours must not take those.
    product_reviews = graphene.Field(
        ProductReviewConnection,
        channel=graphene.String(required=True, description="Slug of the channel."),
        product_id=graphene.ID(description="Only of this product, by its global id."),
        first=graphene.Int(description="At most so many; 20 when not said, 100 at most."),
        after=graphene.String(description="Cursor to go on from."),
        sort_by=ProductReviewSortEnum(description="Which come first; the newest when not said."),
        state=ProductReviewStateEnum(
            description="Only in this state; APPROVED when not said, others need MANAGE_PRODUCTS."
        ),
        description="Reviews in a channel, with their number and average.",
    )

    @staticmethod
    @answered
    def resolve_product_reviews(_root: Any, info: Any, channel: str, **data: Any) -> Any:
        state = ReviewState(data.get("state") or ReviewState.APPROVED)
        is_open = state == ReviewState.APPROVED
        shop = (requester(info) if is_open else allowed(info, PERMISSION)).shop
        requests.admit("reviews", shop, caller_of(info.context))
        reviews = listing.reviews_in(shop, channel, data.get("product_id") or "", state)
        sort = listing.Sort(data.get("sort_by") or listing.Sort.NEWEST)
        found = listing.page(reviews, sort, data.get("first"), data.get("after") or "")
        return _connection(found, reviews)


def _connection(found: listing.ReviewPage, reviews: Any) -> ProductReviewConnection:
    edge = ProductReviewConnection.Edge
    edges = [edge(node=review, cursor=cursor) for cursor, review in found.reviews]
    info = graphene.relay.PageInfo(
        has_next_page=found.has_next,
        has_previous_page=found.has_previous,
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else None,
    )
    connection = ProductReviewConnection(edges=edges, page_info=info)
    connection.reviews = reviews
    return connection
