"""Reviews over GraphQL: who reads and writes what, and how a refusal reads."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from saleor_nudges import access, crypto
from saleor_nudges.models import AuditEntry, ProductReview, ReviewState, Shop
from saleor_nudges.reviews import admission
from saleor_nudges.testing import (
    CHANNEL,
    JUICE,
    a_checkout,
    consume,
    make_shop,
    order_placed,
    switch_on_nudge,
)

pytestmark = pytest.mark.django_db

SECRET = "the storefront's own secret, signing users"
USER = "VXNlcjox"
CREATE = """mutation($product: ID!, $input: ProductReviewInput!, $token: String, $user: String) {
  productReviewCreate(channel: "default-channel", productId: $product, input: $input,
      token: $token, user: $user) {
    productReview { id rating title text authorName isVerified state source reply repliedAt }
    errors { field code message } } }"""
LIST = """query($product: ID, $first: Int, $after: String, $sortBy: ProductReviewSortEnum,
    $state: ProductReviewStateEnum) {
  productReviews(channel: "default-channel", productId: $product, first: $first, after: $after,
      sortBy: $sortBy, state: $state) {
    totalCount averageRating pageInfo { hasNextPage endCursor }
    edges { cursor node { id rating text state } } } }"""
MODERATE = """mutation($id: ID!, $state: ProductReviewStateEnum!) {
  productReviewModerate(id: $id, state: $state) {
    productReview { state } errors { field code } } }"""
REPLY = """mutation($id: ID!, $text: String!) {
  productReviewReply(id: $id, text: $text) {
    productReview { reply repliedAt } errors { field code } } }"""
SELLER = {"X-Test-Permissions": "MANAGE_PRODUCTS,MANAGE_SETTINGS"}


@pytest.fixture
def shop():
    admission._gate = None
    return make_shop(sealed_storefront_secret=crypto.seal(SECRET))


def ask(query, variables=None, **headers):
    body = json.dumps({"query": query, "variables": variables})
    answer = Client().post("/graphql/", body, content_type="application/json", headers=headers)
    assert answer.status_code == 200, answer.content
    return answer.json()


def token(shop):
    return access.visitor_token(access.new_visitor(shop.pk))


def signed(user=USER):
    return f"{user}.{hmac.new(SECRET.encode(), user.encode(), hashlib.sha256).hexdigest()}"


def create(headers=None, product=JUICE.id, token=None, user=None, **said):
    variables = {"product": product, "token": token, "user": user}
    answer = ask(CREATE, variables | {"input": {"rating": 5} | said}, **(headers or {}))
    assert "errors" not in answer, answer
    return answer["data"]["productReviewCreate"]


def some(shop, count, **fields):
    now = datetime.now(UTC)
    defaults = {"shop": shop, "channel": CHANNEL, "product_id": JUICE.id, "state": "APPROVED"}
    return [
        ProductReview.objects.of(shop).create(
            **{"rating": number % 5 + 1, "posted_at": now - timedelta(hours=number)}
            | defaults
            | fields
        )
        for number in range(count)
    ]


def listed(headers=None, **variables):
    answer = ask(LIST, variables, **(headers or {}))
    assert "errors" not in answer, answer
    return answer["data"]["productReviews"]


# Writing.


def test_a_shopper_writes_and_reads_what_was_kept(shop):
    # when
    found = create(token=token(shop), title="Yes", text="<b>Great</b> taste", authorName="Anna")

    # then
    review = ProductReview.objects.of(shop).get()
    assert found == {
        "productReview": {
            "id": str(review.pk),
            "rating": 5,
            "title": "Yes",
            "text": "Great taste",
            "authorName": "Anna",
            "isVerified": False,
            "state": "PENDING",
            "source": "storefront",
            "reply": "",
            "repliedAt": None,
        },
        "errors": [],
    }
    assert listed()["edges"] == []


def test_an_account_signed_by_the_storefront_is_verified(shop):
    order_placed(shop, a_checkout(shop, user_id=USER, email="anna@example.com"))
    assert create(user=signed())["productReview"]["isVerified"] is True


def test_the_account_of_the_request_itself_is_verified(shop):
    order_placed(shop, a_checkout(shop, user_id=USER, email="anna@example.com"))
    assert create({"X-Test-User": USER})["productReview"]["isVerified"] is True


@pytest.mark.parametrize(
    ("_case", "changes", "field", "code"),
    [
        ("no_stars", {"rating": 0}, "rating", "INVALID"),
        ("six_stars", {"rating": 6}, "rating", "INVALID"),
        ("long_text", {"text": "x" * 5001}, "text", "INVALID"),
        ("long_title", {"title": "x" * 201}, "title", "INVALID"),
        ("long_name", {"authorName": "x" * 61}, "authorName", "INVALID"),
        ("unknown_product", {"product": "UHJvZHVjdDo5OQ=="}, "productId", "INVALID"),
        ("unknown_order", {"orderId": "T3JkZXI6MQ=="}, "orderId", "INVALID"),
        ("forged_token", {"token": "forged"}, None, "BAD_SIGNATURE"),
        ("forged_user", {"user": f"{USER}.0000"}, None, "BAD_SIGNATURE"),
        ("nobody", {"token": None}, "token", "INVALID"),
    ],
)
def test_a_refusal_names_its_field_and_keeps_nothing(_case, changes, field, code, shop):
    found = create(**{"token": token(shop)} | changes)
    assert found["productReview"] is None
    assert [(error["field"], error["code"]) for error in found["errors"]] == [(field, code)]
    assert ProductReview.objects.of(shop).count() == 0


def test_somebody_elses_order_is_refused(shop):
    order = order_placed(shop, a_checkout(shop, user_id="VXNlcjoy", email="bea@example.com"))
    found = create(user=signed(), orderId=order.id)
    assert [error["field"] for error in found["errors"]] == ["orderId"]
    own = order_placed(shop, a_checkout(shop, user_id=USER, email="anna@example.com"))
    assert create(user=signed(), orderId=own.id)["productReview"]["isVerified"] is True


def test_a_second_review_is_refused(shop):
    create(user=signed())
    found = create(user=signed(), rating=1)
    assert [(error["field"], error["code"]) for error in found["errors"]] == [
        ("productId", "INVALID")
    ]
    assert ProductReview.objects.of(shop).get().rating == 5


def test_who_writes_too_often_is_told_so(shop):
    one = token(shop)
    codes = [
        error["code"]
        for _ in range(7)
        for error in create(token=one, product="UHJvZHVjdDo5OQ==")["errors"]
    ]
    assert codes == ["INVALID"] * 5 + ["TOO_MANY"] * 2


def test_a_typing_error_costs_no_turn(shop):
    one = token(shop)
    for _ in range(9):
        assert create(token=one, rating=0)["errors"][0]["field"] == "rating"
    assert create(token=one)["errors"] == []


def test_ten_megabytes_and_nul_do_not_come_in(shop):
    for text, status in (("x" * 10_000_000, 400), ("\0", 400)):
        variables = {
            "product": JUICE.id,
            "token": token(shop),
            "input": {"rating": 5, "text": text},
        }
        body = json.dumps({"query": CREATE, "variables": variables})
        answer = Client().post("/graphql/", body, content_type="application/json")
        assert answer.status_code == status
    assert ProductReview.objects.of(shop).count() == 0


# Reading.


def test_shoppers_read_page_by_page(shop):
    # given
    reviews = some(shop, 5)

    # when
    seen, after = [], None
    for _ in range(3):
        found = listed(first=2, after=after)
        assert (found["totalCount"], found["averageRating"]) == (5, 3.0)
        seen += [edge["node"]["id"] for edge in found["edges"]]
        after = found["pageInfo"]["endCursor"]

    # then
    assert found["pageInfo"]["hasNextPage"] is False
    assert seen == [str(review.pk) for review in reviews]


@pytest.mark.parametrize(
    ("sort", "stars"),
    [
        (None, [1, 2, 3, 4, 5]),
        ("NEWEST", [1, 2, 3, 4, 5]),
        ("HIGHEST_RATED", [5, 4, 3, 2, 1]),
        ("LOWEST_RATED", [1, 2, 3, 4, 5]),
    ],
)
def test_shoppers_choose_what_comes_first(sort, stars, shop):
    some(shop, 5)
    assert [edge["node"]["rating"] for edge in listed(sortBy=sort)["edges"]] == stars


def test_of_one_product(shop):
    some(shop, 2, product_id="other", rating=1)
    some(shop, 1, rating=4)
    found = listed(product=JUICE.id)
    assert (found["totalCount"], found["averageRating"]) == (1, 4.0)
    assert listed(product="nothing") == {
        "totalCount": 0,
        "averageRating": None,
        "pageInfo": {"hasNextPage": False, "endCursor": None},
        "edges": [],
    }


@pytest.mark.parametrize("state", ["PENDING", "REJECTED"])
def test_only_sellers_read_what_is_not_approved(state, shop):
    # given
    some(shop, 1, state=state, text="hidden")

    # then
    assert listed()["totalCount"] == 0
    assert listed(state="APPROVED")["totalCount"] == 0
    for headers in ({}, {"X-Test-Permissions": "MANAGE_ORDERS"}, {"X-Test-User": USER}):
        answer = ask(LIST, {"state": state}, **headers)
        assert answer["data"] == {"productReviews": None}
        assert answer["errors"][0]["extensions"]["exception"]["code"] == "PermissionDenied"
        assert "hidden" not in json.dumps(answer)
    found = listed(SELLER, state=state)
    assert [edge["node"]["text"] for edge in found["edges"]] == ["hidden"]


@pytest.mark.parametrize(
    "variables",
    [{"first": 0}, {"first": 101}, {"first": -1}, {"after": "é"}, {"after": "AAAA"}],
)
def test_a_bad_question_is_refused(variables, shop):
    answer = ask(LIST, variables)
    assert answer["data"] == {"productReviews": None}
    [error] = answer["errors"]
    assert error["extensions"]["exception"]["code"] == "Refused"


def test_a_page_costs_the_same_however_many_there_are(shop, django_assert_max_num_queries):
    some(shop, 50)
    with django_assert_max_num_queries(4):
        assert len(listed(first=50)["edges"]) == 50


def test_readers_of_one_address_are_limited(shop, settings):
    # given
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"TRUSTED_PROXIES": 0, "LIMIT_ADDRESS": 0.1}

    # then
    assert "errors" not in ask(LIST)
    answer = ask(LIST)
    assert answer["errors"][0]["extensions"]["exception"]["code"] == "Refused"


# Deciding.


def test_a_seller_lets_a_review_through_and_says_who_did(shop):
    # given
    switch_on_nudge(shop, "PRODUCT_REVIEW")
    name = create(token=token(shop))["productReview"]["id"]

    # when
    answer = ask(MODERATE, {"id": name, "state": "APPROVED"}, **SELLER)

    # then
    assert answer["data"]["productReviewModerate"] == {
        "productReview": {"state": "APPROVED"},
        "errors": [],
    }
    assert listed()["totalCount"] == 1
    entry = AuditEntry.objects.of(shop).get()
    assert (entry.action, entry.target, entry.actor) == ("ProductReviewModerate", name, "test")
    assert (entry.before, entry.after) == ({"state": "PENDING"}, {"state": "APPROVED"})
    consume()


@pytest.mark.parametrize("query", [MODERATE, REPLY])
@pytest.mark.parametrize("name", ["1", "", "01890000-0000-7000-8000-000000000001"])
def test_what_is_not_there_cannot_be_decided(query, name, shop):
    answer = ask(query, {"id": name, "state": "APPROVED", "text": "x"}, **SELLER)
    (found,) = answer["data"].values()
    assert found == {"productReview": None, "errors": [{"field": None, "code": "NOT_FOUND"}]}
    assert AuditEntry.objects.of(shop).count() == 0


@pytest.mark.parametrize("permission", ["", "MANAGE_ORDERS", "MANAGE_SETTINGS"])
@pytest.mark.parametrize("query", [MODERATE, REPLY])
def test_only_who_manages_products_decides(query, permission, shop):
    # given
    (review,) = some(shop, 1, state="PENDING")

    # when
    variables = {"id": str(review.pk), "state": "APPROVED", "text": "x"}
    answer = ask(query, variables, **{"X-Test-Permissions": permission})

    # then
    assert answer["errors"][0]["extensions"]["exception"]["code"] == "PermissionDenied"
    review.refresh_from_db()
    assert (review.state, review.reply) == (ReviewState.PENDING, "")
    assert AuditEntry.objects.of(shop).count() == 0


def test_a_seller_answers_and_shoppers_read_it(shop):
    # given
    (review,) = some(shop, 1)

    # when
    answer = ask(REPLY, {"id": str(review.pk), "text": "Thanks, <i>Anna</i>"}, **SELLER)

    # then
    review.refresh_from_db()
    assert answer["data"]["productReviewReply"]["productReview"] == {
        "reply": "Thanks, Anna",
        "repliedAt": review.replied_at.isoformat(),
    }
    entry = AuditEntry.objects.of(shop).get()
    assert entry.before == {"repliedAt": None}
    assert entry.after == {"repliedAt": review.replied_at.isoformat()}
    assert "Anna" not in json.dumps([entry.before, entry.after])


# Settings.


def settings_update(secret, **headers):
    query = """mutation($secret: String) { productReviewSettingsUpdate(
        input: {ingestSecret: $secret}) {
        productReviewSettings { isIngestEnabled ingestUrl } errors { field code } } }"""
    answer = ask(query, {"secret": secret}, **(SELLER | headers))
    return answer["data"]["productReviewSettingsUpdate"]


def test_a_seller_opens_and_closes_the_door_for_a_service(shop):
    # when
    opened = settings_update("s" * 32)

    # then
    url = f"https://nudges.example.com/webhooks/reviews/?shop={shop.public_id}"
    assert opened["productReviewSettings"] == {"isIngestEnabled": True, "ingestUrl": url}
    sealed = Shop.objects.get(pk=shop.pk).sealed_reviews_secret
    assert crypto.unseal(bytes(sealed)) == "s" * 32
    entry = AuditEntry.objects.of(shop).get()
    assert entry.after == {"isIngestEnabled": True}

    # then: said nothing, nothing changes
    assert settings_update(None)["productReviewSettings"]["isIngestEnabled"] is True
    assert settings_update("")["productReviewSettings"]["isIngestEnabled"] is False
    assert Shop.objects.get(pk=shop.pk).sealed_reviews_secret is None


@pytest.mark.parametrize("secret", ["s" * 31, "s" * 513])
def test_a_secret_that_is_none_is_refused(secret, shop):
    assert settings_update(secret) == {
        "productReviewSettings": None,
        "errors": [{"field": "ingestSecret", "code": "INVALID"}],
    }
    assert Shop.objects.get(pk=shop.pk).sealed_reviews_secret is None
