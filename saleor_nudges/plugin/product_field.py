"""`Product.nudges` in Saleor's own schema: a list of products costs as many look-ups as one."""

import json
from collections.abc import Iterable
from typing import Any, Final

import graphene
from saleor.graphql.core.dataloaders import DataLoader

from saleor_nudges.asgi.views import caller_of
from saleor_nudges.exceptions import NudgesError
from saleor_nudges.graphql.errors import Refused
from saleor_nudges.graphql.nudges import NudgeFeed, NudgeQueries
from saleor_nudges.graphql.nudges.feed import feeds
from saleor_nudges.plugin.facts import global_id
from saleor_nudges.plugin.host import PluginHost, is_active

# What the product itself does not say already.
ARGUMENTS: Final = (
    "first",
    "exclude",
    "shown",
    "language_code",
    "country",
    "token",
    "checkout",
    "user",
    "device",
)


class FeedsLoader(DataLoader[str, NudgeFeed | None]):
    """Answers all products of a query together; a key is the question as JSON."""

    context_key = "saleor_nudges_feeds"

    def batch_load(self, keys: Iterable[str]) -> list[Any]:
        asked = [json.loads(key) for key in keys]
        try:
            with PluginHost.writing():
                if not is_active():
                    return [None for _ in asked]
                return list(feeds(PluginHost.requester_of(self.context), self._caller, asked))
        except NudgesError as error:
            return [Refused(str(error)) for _ in asked]

    @property
    def _caller(self) -> Any:
        return caller_of(self.context)


def product_nudges() -> graphene.Field:
    """Return the field: the feed of that product's page, in the channel it was asked in."""
    asked = NudgeQueries._meta.fields["nudges"]
    return graphene.Field(
        # Nullable: whatever is wrong with us, the product is still answered.
        NudgeFeed,
        description="True nudges about this product for one visitor; null where there are none.",
        resolver=_resolve,
        args={name: asked.args[name] for name in ARGUMENTS},
    )


def _resolve(root: Any, info: Any, **data: Any) -> Any:
    if not root.channel_slug:
        return None
    page = {
        "channel": root.channel_slug,
        "page": "PRODUCT",
        "product_id": global_id("Product", root.node.pk),
    }
    return FeedsLoader(info.context).load(json.dumps(data | page, sort_keys=True))
