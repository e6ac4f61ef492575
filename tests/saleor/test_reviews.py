"""Reviews inside Saleor: an account writes, the seller decides, a service brings more."""

import hashlib
import hmac
import json
from datetime import UTC, datetime

from .conftest import BASE, CHANNEL, Api, Seller, Storefront

WRITE = """mutation($channel: String!, $product: ID!, $order: ID, $token: String) {
  productReviewCreate(channel: $channel, productId: $product, token: $token,
      input: { rating: 5, text: "Great <b>taste</b>", authorName: "Anna", orderId: $order }) {
    productReview { id text state isVerified } errors { field message code } } }"""
MODERATE = """mutation($id: ID!, $state: ProductReviewStateEnum!) {
  productReviewModerate(id: $id, state: $state) {
    productReview { state } errors { field message code } } }"""
LIST = """query($channel: String!, $product: ID, $state: ProductReviewStateEnum) {
  productReviews(channel: $channel, productId: $product, first: 10, state: $state) {
    totalCount averageRating edges { node { id rating text authorName isVerified } } } }"""
SECRET = "a secret of the seller and the service"


def customer(email: str) -> Storefront:
    """Return somebody with an account, signed in."""
    from django.contrib.auth import get_user_model
    from saleor.core.db.connection import allow_writer

    with allow_writer():
        user = get_user_model()(email=email, is_active=True, is_confirmed=True)
        user.set_password("a password")
        user.save()
    return Storefront(
        Api().ask(
            """mutation($email: String!) { tokenCreate(email: $email, password: "a password") {
              token errors { field message code } } }""",
            email=email,
        )["token"]
    )


def settle() -> None:
    """Let what was heard be worked on, and the shop be asked for the products named."""
    from saleor_nudges import tasks

    tasks.drain()
    tasks.products()


def told(visitor: Storefront, product: str) -> list[str]:
    found = visitor.nudges(page="PRODUCT", product=product, count="20")
    return [nudge["text"] for nudge in found if nudge["type"] == "PRODUCT_REVIEW"]


def test_a_customers_review_is_verified_approved_told_and_taken_back(
    seller: Seller, visitor: Storefront, email: str
):
    # given
    seller.track("PRODUCT_REVIEW")
    anna = customer(email)
    [juice] = anna.products(1)
    _, order = anna.buy(juice["variant"], email=email)
    settle()

    # when: by Saleor's own token, at Saleor's own address
    review = anna.ask(WRITE, channel=CHANNEL, product=juice["id"])["productReview"]

    # then
    assert (review["text"], review["state"], review["isVerified"]) == (
        "Great taste",
        "PENDING",
        True,
    )
    twice = anna.answer(WRITE, channel=CHANNEL, product=juice["id"], order=order)
    [error] = twice["data"]["productReviewCreate"]["errors"]
    assert error["field"] == "productId"
    assert visitor.ask(LIST, channel=CHANNEL, product=juice["id"])["totalCount"] == 0

    # when
    seller.ask(MODERATE, id=review["id"], state="APPROVED")
    settle()

    # then
    listed = visitor.ask(LIST, channel=CHANNEL, product=juice["id"])
    assert (listed["totalCount"], listed["averageRating"]) == (1, 5.0)
    assert listed["edges"][0]["node"]["authorName"] == "Anna"
    assert told(visitor, juice["id"]) == [f"Someone gave {juice['name']} 5 stars: “Great taste”"]

    # when
    seller.ask(MODERATE, id=review["id"], state="REJECTED")
    settle()

    # then
    assert told(visitor, juice["id"]) == []
    assert visitor.ask(LIST, channel=CHANNEL, product=juice["id"])["totalCount"] == 0


def test_an_order_named_is_looked_up_in_saleor(seller: Seller, shopper: Storefront, email: str):
    # given: nothing of ours has heard of the order
    seller.track()
    anna, bea = customer(email), customer(f"bea-{email}")
    [juice] = anna.products(1)
    _, order = anna.buy(juice["variant"], email=email)

    # then
    refused = bea.answer(WRITE, channel=CHANNEL, product=juice["id"], order=order)
    [error] = refused["data"]["productReviewCreate"]["errors"]
    assert error["field"] == "orderId"
    written = anna.ask(WRITE, channel=CHANNEL, product=juice["id"], order=order)
    assert written["productReview"]["isVerified"] is True


def test_only_who_manages_products_sees_what_waits(seller: Seller, email: str):
    # given
    seller.track()
    anna = customer(email)
    [juice] = anna.products(1)
    anna.ask(WRITE, channel=CHANNEL, product=juice["id"])

    # then
    assert seller.ask(LIST, channel=CHANNEL, state="PENDING")["totalCount"] == 1
    refused = anna.answer(LIST, channel=CHANNEL, state="PENDING")
    assert refused["errors"][0]["extensions"]["exception"]["code"] == "PermissionDenied"
    assert refused["data"] == {"productReviews": None}


def test_a_page_of_reviews_costs_by_its_rows(seller: Seller):
    query = """query($c: String!) {
      productReviews(channel: $c, first: 40) { edges { node { id } } } }"""
    answer = seller.answer(query, c=CHANNEL)
    assert answer["extensions"]["cost"]["requestedQueryCost"] == 40


def test_a_service_brings_reviews_below_the_plugins_address(seller: Seller, visitor: Storefront):
    # given
    seller.track("PRODUCT_REVIEW")
    [juice] = visitor.products(1)
    answer = seller.ask(
        """mutation($secret: String!) { productReviewSettingsUpdate(
          input: { ingestSecret: $secret }) { productReviewSettings { isIngestEnabled }
            errors { field message code } } }""",
        secret=SECRET,
    )
    assert answer["productReviewSettings"] == {"isIngestEnabled": True}
    now = datetime.now(UTC).isoformat()
    one = {"externalId": "1", "product": juice["id"], "rating": 4, "createdAt": now}
    sent = {"source": "stars-inc", "channel": CHANNEL, "sentAt": now}
    body = json.dumps(sent | {"reviews": [one | {"state": "APPROVED", "text": "Sweet"}]}).encode()

    def bring(signature: str):
        headers = {"Nudges-Signature": signature}
        url = f"{BASE}webhooks/reviews/"
        return visitor.client.post(url, body, content_type="application/json", headers=headers)

    # then
    refused = bring("0" * 64)
    assert (refused.status_code, refused.content) == (401, b"")
    taken = bring(hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest())
    assert (taken.status_code, taken.json()) == (200, {"accepted": 1, "rejected": []})
    settle()
    assert told(visitor, juice["id"]) == [f"Someone gave {juice['name']} 4 stars: “Sweet”"]
