"""A seller who asks in GraphQL, with the permissions they say."""

import json

from django.test import Client

ALL = "MANAGE_CHECKOUTS,MANAGE_ORDERS,MANAGE_PRODUCTS,MANAGE_USERS,MANAGE_SETTINGS"


def ask(query, variables=None, *, shop=None, may=ALL):
    """Return the answer, errors and all."""
    response = Client().post(
        f"/graphql/?shop={shop.public_id}" if shop else "/graphql/",
        json.dumps({"query": query, "variables": variables}),
        content_type="application/json",
        headers={"X-Test-Permissions": may},
    )
    assert response.status_code == 200, response.content
    return response.json()


def told(query, variables=None, **who):
    """Return the one field of an answer without errors."""
    answer = ask(query, variables, **who)
    assert "errors" not in answer, answer
    [field] = answer["data"].values()
    return field


def code_of(answer):
    """Return why a question was not answered."""
    [error] = answer["errors"]
    return error["extensions"]["exception"]["code"]
