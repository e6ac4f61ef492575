"""By which secret an outside service may bring reviews, and where it brings them."""

from typing import Any, Final

import graphene

from saleor_nudges import conf, crypto
from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.graphql.context import allowed
from saleor_nudges.graphql.errors import answered
from saleor_nudges.graphql.mutation import SellerMutation, errors_field, given
from saleor_nudges.host import Requester
from saleor_nudges.models import Shop

PERMISSION = "MANAGE_SETTINGS"
# As long as the digest that is made with it; nobody types one longer than that.
SHORTEST_SECRET: Final = 32
LONGEST_SECRET: Final = 512


class ProductReviewSettings(graphene.ObjectType):
    """Whether a service may bring reviews."""

    is_ingest_enabled = graphene.Boolean(
        required=True, description="Whether an outside service can bring reviews."
    )
    ingest_url = graphene.String(required=True, description="Where it brings them.")

    class Meta:
        description = "Represents how reviews come in from outside."

    @staticmethod
    def resolve_is_ingest_enabled(root: Shop, _info: Any) -> bool:
        return bool(root.sealed_reviews_secret)

    @staticmethod
    def resolve_ingest_url(root: Shop, _info: Any) -> str:
        return f"{conf.get().PUBLIC_URL}webhooks/reviews/?shop={root.public_id}"


class ProductReviewSettingsInput(graphene.InputObjectType):
    """What can be changed of how reviews come in."""

    ingest_secret = graphene.String(
        description="Secret of 32 to 512 characters by which the service signs; empty: none may."
    )

    class Meta:
        description = "Fields of the settings of reviews that can be changed."


class ProductReviewSettingsUpdate(SellerMutation):
    """Change how reviews come in."""

    product_review_settings = graphene.Field(
        ProductReviewSettings, description="The settings as they are now."
    )
    errors = errors_field()
    permission = PERMISSION

    class Arguments:
        input = ProductReviewSettingsInput(required=True, description="What to change.")

    class Meta:
        description = "Changes how reviews come in from outside. Requires MANAGE_SETTINGS."

    @classmethod
    def perform(cls, asker: Requester, **data: Any) -> Any:
        shop, changes = asker.shop, given(data["input"])
        before = {"isIngestEnabled": bool(shop.sealed_reviews_secret)}
        if (secret := changes.get("ingest_secret")) is not None:
            shop.sealed_reviews_secret = _sealed(secret)
            shop.save(update_fields=["sealed_reviews_secret"])
        # That it changed is enough: it is never told again.
        cls.wrote(asker, "", {"isIngestEnabled": bool(shop.sealed_reviews_secret)}, before)
        return cls(product_review_settings=shop, errors=[])


def _sealed(secret: str) -> bytes | None:
    if not secret:
        return None
    if not SHORTEST_SECRET <= len(secret) <= LONGEST_SECRET:
        raise InvalidInput(
            f"A secret has {SHORTEST_SECRET} to {LONGEST_SECRET} characters.", field="ingestSecret"
        )
    return crypto.seal(secret)


class SettingsQueries(graphene.ObjectType):
    """What can be asked about how reviews come in."""

    product_review_settings = graphene.Field(
        ProductReviewSettings,
        required=True,
        description="How reviews come in from outside. Requires MANAGE_SETTINGS.",
    )

    @staticmethod
    @answered
    def resolve_product_review_settings(_root: Any, info: Any) -> Shop:
        return allowed(info, PERMISSION).shop
