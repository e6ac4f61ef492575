"""Our fields inside Saleor's own /graphql/, and Saleor unharmed by them."""

from typing import Any

import pytest
from django.urls import get_resolver

from .conftest import CHANNEL, Api, Seller, Storefront

FIELDS = """{ __schema { queryType { fields(includeDeprecated: true) { name description } }
  mutationType { fields(includeDeprecated: true) { name description } } } }"""
OUR_QUERIES = {
    "nudges",
    "nudgeConfigs",
    "nudgeConfig",
    "nudgeSettings",
    "recoveryCampaigns",
    "abandonedCheckouts",
    "productReviews",
    "productReviewSettings",
}
OUR_MUTATIONS = {
    "nudgeSessionCreate",
    "nudgeEventsTrack",
    "nudgeConfigUpdate",
    "nudgeSettingsUpdate",
    "messagingSettingsUpdate",
    "recoveryCampaignUpdate",
    "recoveryCampaignActivate",
    "productReviewCreate",
    "productReviewModerate",
    "productReviewReply",
    "productReviewSettingsUpdate",
}


def own_fields(root: str) -> set[str]:
    """Return what Saleor's own schema has, built without us."""
    from saleor.graphql import api

    return set(api.schema.get_type(root).fields)


def fields(root: str) -> dict[str, str]:
    """Return what the endpoint says it has."""
    found = Api().answer(FIELDS)["data"]["__schema"][root]["fields"]
    return {field["name"]: field["description"] for field in found}


def test_introspection_shows_ours_beside_all_of_saleors():
    queries, mutations = fields("queryType"), fields("mutationType")
    assert own_fields("Query") | OUR_QUERIES <= queries.keys() | {"_entities", "_service"}
    assert own_fields("Mutation") | OUR_MUTATIONS <= mutations.keys()


def test_every_field_of_ours_is_described_as_saleors_are():
    described = fields("queryType") | fields("mutationType")
    ours = described.keys() - own_fields("Query") - own_fields("Mutation")
    assert ours >= OUR_QUERIES | OUR_MUTATIONS
    undescribed = {name for name in ours if not (described[name] or "").endswith(".")}
    assert undescribed == set()


def test_product_has_nudges():
    answer = Api().answer(
        """{ __type(name: "Product") { fields(includeDeprecated: true) {
          name args { name } type { name kind } } } }"""
    )
    by_name = {field["name"]: field for field in answer["data"]["__type"]["fields"]}
    assert by_name["nudges"]["type"] == {"name": "NudgeFeed", "kind": "OBJECT"}
    assert {"first", "exclude", "token"} <= {arg["name"] for arg in by_name["nudges"]["args"]}
    assert {"name", "variants", "pricing"} <= by_name.keys()


def test_products_bring_their_own_nudges(
    seller: Seller, shopper: Storefront, visitor: Storefront, email: str
):
    from saleor_nudges import tasks

    seller.track("ORDER")
    bought, _ = shopper.products(2)
    shopper.buy(bought["variant"], email=email)
    tasks.drain()
    found = visitor.ask(
        """query($id: ID!, $channel: String!) { product(id: $id, channel: $channel) {
          name nudges(first: 1) { nudges { productId text } } } }""",
        id=bought["id"],
        channel=CHANNEL,
    )
    assert found["name"] == bought["name"]
    assert [nudge["productId"] for nudge in found["nudges"]["nudges"]] == [bought["id"]]


def test_federation_still_tells_its_own_schema():
    sdl = Api().ask("{ _service { sdl } }")["sdl"]
    assert "type NudgeFeed" in sdl
    assert "type Product" in sdl


def test_cost_of_our_fields_is_counted(seller: Seller):
    seller.track()
    query = "query($c: String!) { nudges(channel: $c) { pollAfter } }"
    answer = seller.answer(query, c=CHANNEL)
    assert answer["extensions"]["cost"]["requestedQueryCost"] >= 5


def test_cost_limit_refuses_ours_as_it_refuses_saleors(seller: Seller, settings: Any):
    settings.GRAPHQL_QUERY_MAX_COMPLEXITY = 4
    answer = seller.answer("query($c: String!) { nudges(channel: $c) { pollAfter } }", c=CHANNEL)
    assert answer["errors"][0]["extensions"]["exception"]["code"] == "QueryCostError"


def test_permissions_are_saleors(seller: Seller, shopper: Storefront):
    query = "query($c: String!) { nudgeConfigs(channel: $c) { type } }"
    refused = shopper.answer(query, c=CHANNEL)
    assert refused["errors"][0]["extensions"]["exception"]["code"] == "PermissionDenied"
    assert {config["type"] for config in seller.ask(query, c=CHANNEL)} >= {"ORDER"}


def test_staff_without_the_permission_are_refused(seller: Seller, email: str):
    # given: a member of staff who may only manage checkouts
    from django.contrib.auth import get_user_model
    from saleor.core.db.connection import allow_writer
    from saleor.permission.models import Permission

    with allow_writer():
        user = get_user_model()(email=email, is_staff=True, is_active=True, is_confirmed=True)
        user.set_password("a password")
        user.save()
        user.user_permissions.add(Permission.objects.get(codename="manage_checkouts"))
    token = Api().ask(
        """mutation($email: String!) { tokenCreate(email: $email, password: "a password") {
          token errors { field message code } } }""",
        email=email,
    )["token"]
    clerk = Seller(token)
    # then
    assert clerk.left_behind() == []
    refused = clerk.answer("query($c: String!) { nudgeConfigs(channel: $c) { type } }", c=CHANNEL)
    assert refused["errors"][0]["extensions"]["exception"]["code"] == "PermissionDenied"


def test_app_is_known_by_its_token_at_both_addresses(seller: Seller, email: str):
    # given: the storefront's own server
    token = seller.ask(
        """mutation { appCreate(input: { name: "Storefront", permissions: [MANAGE_CHECKOUTS] }) {
          authToken errors { field message code } } }"""
    )["authToken"]
    app = Api(token)
    said = """mutation($email: String!, $c: String!) { messagingConsentUpdate(
      email: $email, channel: $c, messageChannel: EMAIL, isGiven: true, source: "footer") {
        errors { field message code } } }"""
    # then
    app.ask(said, email=email, c=CHANNEL)
    below = app.client.post(
        "/plugins/global/saleor-nudges/graphql/",
        {"query": said, "variables": {"email": email, "c": CHANNEL}},
        content_type="application/json",
        headers=app.headers,
    )
    assert below.json() == {"data": {"messagingConsentUpdate": {"errors": []}}}


def test_introspection_is_cached_under_our_version(settings: Any):
    from saleor_nudges import __version__

    assert f"nudges-{__version__}" in settings.GRAPHQL_CACHE_SUFFIX


def test_saleors_own_addresses_are_all_there():
    from saleor.urls import urlpatterns as own

    served = [str(pattern.pattern) for pattern in get_resolver().url_patterns]
    assert [str(pattern.pattern) for pattern in own] == served[1:]
    assert served[0] == str(own[0].pattern)


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_endpoint_refuses_what_saleors_refuses(method: str):
    assert getattr(Api().client, method)("/graphql/").status_code in (200, 405)
