"""Saleor's schema with our fields in it, built the way Saleor builds its own."""

from collections.abc import Callable
from typing import Any, Final

import graphene
from graphql import parse
from saleor.graphql import api, views
from saleor.graphql.product.types import Product
from saleor.graphql.query_cost_map import COST_MAP

from saleor_nudges.graphql.schema import TYPES, NudgesMutation, NudgesQuery
from saleor_nudges.plugin.product_field import product_nudges

# What a query of ours costs in Saleor's own currency: one for a row, more for a sweep.
COSTS: Final[dict[str, dict[str, dict[str, Any]]]] = {
    "Query": {
        "nudges": {"complexity": 5},
        "productReviews": {"complexity": 1, "multipliers": ["first"]},
    },
    "Product": {"nudges": {"complexity": 5}},
}
FEDERATION_TYPES: Final = frozenset({"_Any", "_Entity", "_Service"})


class Query(NudgesQuery, api.Query):
    """Saleor's root, and ours."""


class Mutation(NudgesMutation, api.Mutation):
    """Saleor's root, and ours."""


def merged_view() -> Callable[..., Any]:
    """Return Saleor's own view on the merged schema. On any failure nothing has changed."""
    Product._meta.fields["nudges"] = product_nudges()
    try:
        schema = _build()
        _price(schema)
    except BaseException:
        Product._meta.fields.pop("nudges")
        raise
    view: Callable[..., Any] = views.GraphQLView.as_view(backend=api.backend, schema=schema)
    return view


def _build() -> graphene.Schema:
    """Build with what Saleor's own schema was built with, whatever that is in this version."""
    own = api.schema
    extra = [kind for kind in own.types if getattr(kind, "__name__", "") not in FEDERATION_TYPES]
    schema = api.build_federated_schema(
        Query,
        mutation=Mutation,
        types=[*extra, *TYPES],
        subscription=api.Subscription,
        directives=own.get_directives(),
    )
    if monitor := getattr(api, "monitor_fields_usage", None):
        monitor(schema)
    return schema


def _price(schema: graphene.Schema) -> None:
    """Let Saleor's cost validator know our fields.

    It judges every query by the module's own `schema`, and refuses all of them when the cost map
    names a field that schema lacks: so both change together, and only once both are proven.
    """
    costs = {name: {**COST_MAP.get(name, {}), **fields} for name, fields in COSTS.items()}
    question = parse("{ __typename }")
    _cost, errors = views.validate_query(
        schema=schema, document_ast=question, variables={}, cost_map={**COST_MAP, **costs}
    )
    if errors:
        raise errors[0]
    if not hasattr(views, "schema"):
        raise AttributeError("this Saleor judges the cost of a query by another schema")
    views.schema = schema
    COST_MAP.update(costs)
