"""The door for reviews from outside: signed, recent, judged one by one, and nothing else."""

import hashlib
import hmac
import json
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client

from saleor_nudges import crypto, people
from saleor_nudges.host.memory import SHELVES
from saleor_nudges.models import Person, ProductReview, ReviewState, Shop, WaitingEvent
from saleor_nudges.reviews import moderating
from saleor_nudges.reviews.authors import name_of
from saleor_nudges.testing import CHANNEL, JUICE, make_shop

pytestmark = pytest.mark.django_db

SECRET = "a secret of the seller and the service"
URL = "/webhooks/reviews/"
WRITTEN = "2026-10-01T09:00:00+00:00"


@pytest.fixture(autouse=True)
def _as_app(settings):
    """The door is ours, wherever we run; here the shop is in memory."""
    settings.ROOT_URLCONF = "saleor_nudges.urls"


@pytest.fixture
def shop(_as_app):
    return make_shop(sealed_reviews_secret=crypto.seal(SECRET))


@pytest.fixture
def clock():
    """Each delivery is spoken a little later than the one before."""
    moments = [datetime.now(UTC) - timedelta(minutes=4)]

    def tick():
        moments.append(moments[-1] + timedelta(seconds=1))
        return moments[-1]

    return tick


def one(number=1, **changes):
    said = {
        "externalId": f"r{number}",
        "product": JUICE.id,
        "rating": 5,
        "title": "Yes",
        "text": "Great taste",
        "author": "Anna",
        "createdAt": WRITTEN,
        "verified": True,
        "state": "APPROVED",
    }
    return {key: value for key, value in (said | changes).items() if value is not ...}


def body(*reviews, at=None, **changes):
    sent = {
        "source": "stars-inc",
        "channel": CHANNEL,
        "sentAt": (at or datetime.now(UTC)).isoformat(),
        "reviews": list(reviews),
    }
    return json.dumps(sent | changes).encode()


def sign(raw, secret=SECRET):
    return hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


def post(shop, raw, signature=None):
    signature = sign(raw) if signature is None else signature
    headers = {"Nudges-Signature": signature} if signature else {}
    url = f"{URL}?shop={shop.public_id}"
    return Client().post(url, raw, content_type="application/json", headers=headers)


def bring(shop, *reviews, **changes):
    answer = post(shop, body(*reviews, **changes))
    assert answer.status_code == 200, answer.content
    return answer.json()


def accepted(count):
    return {"accepted": count, "rejected": []}


def everything():
    return {
        "reviews": list(ProductReview.objects.across_shops().values()),
        "people": list(Person.objects.across_shops().values()),
        "events": list(WaitingEvent.objects.across_shops().values("event_id")),
        "shops": list(Shop.objects.values()),
    }


def heard(shop):
    found = WaitingEvent.objects.of(shop).filter(kind__startswith="review").order_by("position")
    return [event.kind for event in found]


def review(shop):
    return ProductReview.objects.of(shop).select_related("person").get()


# Taking in.


def test_a_review_is_taken_in_as_it_was_written(shop):
    # when
    assert bring(shop, one()) == accepted(1)

    # then
    found = review(shop)
    assert (found.source, found.external_id) == ("stars-inc", "r1")
    assert (found.channel, found.product_id, found.rating) == (CHANNEL, JUICE.id, 5)
    assert (found.title, found.text, name_of(found)) == ("Yes", "Great taste", "Anna")
    assert found.posted_at == datetime.fromisoformat(WRITTEN)
    assert (found.state, found.is_verified, found.moderated_at) == ("APPROVED", True, None)
    assert (found.buyer, found.order_id) == ("", "")
    assert heard(shop) == ["review_posted"]


def test_what_is_not_said_is_the_least(shop):
    # when
    short = {"externalId": "r1", "product": JUICE.id, "rating": 3, "createdAt": WRITTEN}
    assert bring(shop, short) == accepted(1)

    # then
    found = review(shop)
    assert (found.title, found.text, found.state) == ("", "", "PENDING")
    assert (found.is_verified, found.person, found.sealed_author) == (False, None, None)
    assert heard(shop) == []


def test_words_are_made_plain(shop):
    bring(
        shop, one(text="<b>Great</b> https://evil.example\u0000", author="An\u202ena", title="<x>")
    )
    found = review(shop)
    assert (found.title, found.text, name_of(found)) == ("", "Great […]", "Anna")


def test_a_batch_is_judged_one_by_one(shop):
    # when
    answer = bring(
        shop,
        one(1),
        one(2, rating=0),
        one(3, rating=6),
        one(4, rating="5"),
        one(5, product="UHJvZHVjdDo5OQ=="),
        one(6, text="x" * 5001),
        one(7, externalId=""),
        one(8, externalId="a\0"),
        one(9, createdAt="yesterday"),
        one(10, createdAt="2026-10-01T09:00:00"),
        one(11, createdAt="2999-01-01T00:00:00+00:00"),
        one(12, state="PUBLISHED"),
        one(13, email="nobody"),
        one(14, externalId=...),
        one(1, text="again"),
        "review",
        None,
        one(15, rating=10**30),
        one(16),
    )

    # then
    assert answer["accepted"] == 2
    assert [
        (r["index"], r["code"], r["message"].partition(":")[0]) for r in answer["rejected"]
    ] == [
        (1, "INVALID", "rating"),
        (2, "INVALID", "rating"),
        (3, "INVALID", "rating"),
        (4, "INVALID", "product"),
        (5, "INVALID", "text"),
        (6, "INVALID", "externalId"),
        (7, "INVALID", "externalId"),
        (8, "INVALID", "createdAt"),
        (9, "INVALID", "createdAt"),
        (10, "INVALID", "createdAt"),
        (11, "INVALID", "state"),
        (12, "INVALID", "email"),
        (13, "INVALID", "externalId"),
        (14, "INVALID", "externalId"),
        (15, "INVALID", "Expected `object`, got `str`"),
        (16, "INVALID", "Expected `object`, got `null`"),
        (17, "INVALID", "rating"),
    ]
    kept = ProductReview.objects.of(shop).values_list("external_id", flat=True)
    assert sorted(kept) == ["r1", "r16"]


def test_an_empty_batch_and_a_full_one_are_taken(shop):
    assert bring(shop) == accepted(0)
    assert bring(shop, *map(one, range(100))) == accepted(100)
    assert ProductReview.objects.of(shop).count() == 100


# Again, later, out of order.


def test_a_delivery_that_comes_twice_changes_nothing(shop):
    # given
    raw = body(one(), one(2))
    first = post(shop, raw).json()
    before = everything()

    # then
    assert post(shop, raw).json() == first == accepted(2)
    assert everything() == before


def test_the_same_words_later_are_no_news(shop, clock):
    bring(shop, one(), at=clock())
    before = everything()
    assert bring(shop, one(), at=clock()) == accepted(1)
    assert everything() == before


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"rating": 2}, "rating", 2),
        ({"text": "Sour"}, "text", "Sour"),
        ({"title": "No"}, "title", "No"),
        ({"verified": False}, "is_verified", False),
    ],
)
def test_an_edit_changes_the_review_and_is_heard(changes, field, value, shop, clock):
    # given
    bring(shop, one(), at=clock())

    # when
    assert bring(shop, one(**changes), at=clock()) == accepted(1)

    # then
    assert getattr(review(shop), field) == value
    assert heard(shop) == ["review_posted", "review_posted"]


def test_another_author_is_heard_and_an_authors_name_can_go(shop, clock):
    # given
    bring(shop, one(), at=clock())

    # when
    bring(shop, one(author="Bea"), at=clock())
    assert name_of(review(shop)) == "Bea"
    bring(shop, one(author=None), at=clock())

    # then
    assert name_of(review(shop)) == ""
    assert Person.objects.of(shop).count() == 1
    assert heard(shop) == ["review_posted"] * 3


def test_a_replayed_delivery_does_not_undo_a_newer_one(shop, clock):
    # given
    first, second = body(one(), at=clock()), body(one(rating=1), at=clock())
    post(shop, first)
    post(shop, second)
    before = everything()

    # when
    answer = post(shop, first)

    # then
    assert answer.json()["accepted"] == 0
    assert [(r["index"], r["code"]) for r in answer.json()["rejected"]] == [(0, "STALE")]
    assert everything() == before


def test_two_deliveries_of_one_moment_are_the_first(shop, clock):
    moment = clock()
    bring(shop, one(), at=moment)
    answer = bring(shop, one(rating=1), at=moment)
    assert [r["code"] for r in answer["rejected"]] == ["STALE"]
    assert review(shop).rating == 5


def test_two_sources_may_use_the_same_ids(shop):
    bring(shop, one())
    bring(shop, one(rating=1), source="other-inc")
    assert sorted(ProductReview.objects.of(shop).values_list("source", "rating")) == [
        ("other-inc", 1),
        ("stars-inc", 5),
    ]


# Who has the say.


def state_after(shop, clock, decision, brought):
    """The state when the seller decides between an approved review and what is brought then."""
    bring(shop, one(), at=clock())
    if decision:
        moderating.moderate(shop, str(review(shop).pk), decision, clock())
    bring(shop, one(**brought), at=clock())
    return review(shop).state


@pytest.mark.parametrize(
    ("_case", "decision", "brought", "state"),
    [
        ("service_rejects", None, {"state": "REJECTED"}, "REJECTED"),
        ("service_waits", None, {"state": "PENDING"}, "PENDING"),
        ("seller_rejected", "REJECTED", {"state": "APPROVED", "text": "new"}, "REJECTED"),
        ("seller_approved", "APPROVED", {"state": "PENDING"}, "APPROVED"),
        ("seller_approved_other_words", "APPROVED", {"state": "PENDING", "text": "x"}, "PENDING"),
        ("both_approve", "APPROVED", {"state": "APPROVED", "text": "x"}, "APPROVED"),
        ("service_takes_back", "APPROVED", {"state": "WITHDRAWN"}, "REJECTED"),
    ],
)
def test_the_stricter_has_its_way(_case, decision, brought, state, shop, clock):
    decision = ReviewState(decision) if decision else None
    assert state_after(shop, clock, decision, brought) == state
    assert heard(shop)[-1] == ("review_posted" if state == "APPROVED" else "review_withdrawn")


def test_what_the_service_took_back_it_may_bring_again(shop, clock):
    assert state_after(shop, clock, ReviewState.APPROVED, {"state": "REJECTED"}) == "REJECTED"
    bring(shop, one(), at=clock())
    assert review(shop).state == "APPROVED"


def test_a_withdrawn_review_loses_its_words_and_its_author(shop, clock):
    # given
    bring(shop, one(), at=clock())

    # when
    assert bring(shop, one(state="WITHDRAWN"), at=clock()) == accepted(1)

    # then
    found = review(shop)
    assert (found.title, found.text, name_of(found), found.sealed_author) == ("", "", "", None)
    assert heard(shop) == ["review_posted", "review_withdrawn"]


def test_an_author_known_by_address_is_forgotten_for_good(shop, clock):
    # given
    bring(shop, one(email="anna@example.com"), at=clock())
    anna = Person.objects.of(shop).get()
    assert anna.email_hash == people.email_hash("anna@example.com")
    assert name_of(review(shop)) == "Anna"

    # when
    people.erase(anna)
    assert bring(shop, one(rating=4, email="anna@example.com"), at=clock()) == accepted(1)

    # then
    found = review(shop)
    assert (found.rating, found.person, name_of(found)) == (4, None, "")


# Nobody else.


@pytest.mark.parametrize(
    ("_case", "signature"),
    [
        ("none", lambda _: ""),
        ("nonsense", lambda _: "sha256=nonsense"),
        ("not_ascii", lambda _: "\u00e9" * 64),
        ("another_secret", lambda raw: sign(raw, "another secret")),
        ("another_body", lambda raw: sign(raw + b" ")),
        ("no_secret", lambda raw: sign(raw, "")),
        ("cut_short", lambda raw: sign(raw)[:32]),
    ],
)
def test_a_forgery_changes_nothing_and_says_nothing(_case, signature, shop):
    # given
    raw = body(one())
    before = everything()

    # when
    answer = post(shop, raw, signature(raw))

    # then
    assert (answer.status_code, answer.content) == (401, b"")
    assert everything() == before


def test_the_signature_may_name_its_scheme(shop):
    raw = body(one())
    assert post(shop, raw, f"sha256={sign(raw)}").status_code == 200


def test_a_bad_body_of_a_stranger_is_not_even_looked_at(shop):
    answer = post(shop, b"{", "0" * 64)
    assert (answer.status_code, answer.content) == (401, b"")


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_delivery_of_another_time_is_a_replay(minutes, shop):
    # given
    before = everything()
    raw = body(one(), at=datetime.now(UTC) + timedelta(minutes=minutes))

    # then
    answer = post(shop, raw)
    assert (answer.status_code, answer.content) == (401, b"")
    assert everything() == before


@pytest.mark.parametrize(
    ("_case", "change"),
    [
        ("unknown", lambda shop: setattr(shop, "public_id", "unknown1")),
        ("inactive", lambda shop: Shop.objects.filter(pk=shop.pk).update(is_active=False)),
        (
            "no_secret",
            lambda shop: Shop.objects.filter(pk=shop.pk).update(sealed_reviews_secret=None),
        ),
    ],
)
def test_an_unknown_shop_is_told_nothing(_case, change, shop):
    change(shop)
    before = everything()
    raw = body(one())
    for signature in (sign(raw), sign(raw, ""), ""):
        answer = post(shop, raw, signature)
        assert (answer.status_code, answer.content) == (401, b"")
    assert everything() == before


def test_the_secret_of_one_shop_opens_no_other(shop):
    # given
    other = make_shop("other.example.com", sealed_reviews_secret=crypto.seal("x" * 32))
    bring(shop, one())
    before = everything()

    # then
    assert post(other, body(one(rating=1))).status_code == 401
    assert everything() == before


def test_a_review_of_one_shop_is_none_in_another(shop, clock):
    other = make_shop("other.example.com", sealed_reviews_secret=crypto.seal(SECRET))
    bring(shop, one(), at=clock())
    bring(other, one(rating=1), at=clock())
    assert (review(shop).rating, review(other).rating) == (5, 1)


# What is wrong with a whole delivery.


@pytest.mark.parametrize(
    ("_case", "raw", "field"),
    [
        ("no_json", b"{", "body"),
        ("no_object", b"[]", "body"),
        ("deep", b"[" * 50_000, "body"),
        ("halves", b'{"source": "\\ud800"}', "body"),
        ("nothing", b"{}", "source"),
        ("no_time", body(sentAt=None), "sentAt"),
        ("no_zone", body(sentAt="2026-11-21T10:00:00"), "sentAt"),
        ("no_channel", body(channel=""), "channel"),
        ("channel_with_nul", body(channel="a\0"), "channel"),
        ("no_source", body(source=""), "source"),
        ("our_source", body(source="storefront"), "source"),
        ("loud_source", body(source="Stars Inc."), "source"),
        ("no_list", body(reviews={}), "reviews"),
        ("too_many", body(*map(one, range(101))), "reviews"),
    ],
)
def test_a_delivery_that_makes_no_sense_is_refused_by_name(_case, raw, field, shop):
    before = everything()
    answer = post(shop, raw)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "INVALID"
    assert answer.json()["error"]["field"] == field
    assert everything() == before


def test_a_delivery_that_is_too_large_is_refused_unread(shop):
    raw = body(one(text="x" * 10_000_000))
    assert post(shop, raw).status_code == 413
    assert ProductReview.objects.of(shop).count() == 0


def test_while_the_shop_is_away_it_is_sent_again(shop):
    before = everything()
    SHELVES[shop.key].is_away = True
    assert post(shop, body(one())).status_code == 503
    assert everything() == before


def test_only_post_is_answered(shop):
    assert Client().get(URL).status_code == 405


# What the documentation shows.


def test_the_example_of_the_documentation_is_taken_in(tmp_path):
    # given: the example as it is, but for curl, which only writes down what it was given
    page = (Path(__file__).parents[2] / "docs" / "reviews.md").read_text()
    (example,) = re.findall(r"^```sh\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    (secret,) = re.findall(r"^SECRET=\"(.*)\"$", example, re.MULTILINE)
    script = f"curl() {{ printf '%s\\n' \"$@\" > {tmp_path}/given; }}\n{example}"
    subprocess.run(["bash", "-euo", "pipefail", "-c", script], check=True, timeout=30)
    given = (tmp_path / "given").read_text()
    (signature,) = re.findall(r"^Nudges-Signature: (.*)$", given, re.MULTILINE)
    raw = given.partition("--data-binary\n")[2].rstrip("\n").encode()
    shop = make_shop(public_id="abcdefgh", sealed_reviews_secret=crypto.seal(secret))

    # when
    answer = post(shop, raw, signature)

    # then
    assert "shop=abcdefgh" in given
    assert (answer.status_code, answer.json()) == (200, accepted(1))
