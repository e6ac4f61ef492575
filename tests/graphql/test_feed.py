"""What GraphQL tells a page: the feed, those of many products in one go, and who may be named."""

import json
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from saleor_nudges import people
from saleor_nudges.asgi.requests import Caller
from saleor_nudges.events import Contact
from saleor_nudges.graphql.errors import Refused
from saleor_nudges.graphql.nudges.feed import feeds
from saleor_nudges.host import Requester
from saleor_nudges.models import AuditEntry, Nudge, NudgeType
from saleor_nudges.nudges import KINDS, shelf
from saleor_nudges.nudges.defaults import COLORS
from saleor_nudges.testing import CHANNEL, consume, make_shop, switch_on_nudge
from tests.nudges.rows import deed, known_product, number

pytestmark = pytest.mark.django_db

A = "UHJvZHVjdDoxMDE="
FIELDS = """ nudges { id type title text tag productId image href highlight occurredAt showTime }
  withdrawn pollAfter """


@pytest.fixture
def shop():
    shop = make_shop()
    for kind in (NudgeType.ORDER, NudgeType.RECENT_VISITORS, NudgeType.PRODUCT_VIEW):
        switch_on_nudge(shop, kind)
    return shop


def ask(query, **variables):
    return (
        Client()
        .post(
            "/graphql/",
            json.dumps({"query": query, "variables": variables}),
            content_type="application/json",
            HTTP_X_TEST_APP="1",
            HTTP_X_TEST_PERMISSIONS="MANAGE_CHECKOUTS",
        )
        .json()
    )


def page(**given):
    arguments = ", ".join(f"{name}: {json.dumps(value)}" for name, value in given.items())
    answer = ask(f"{{ nudges(channel: {json.dumps(CHANNEL)}, {arguments}) {{ {FIELDS} }} }}")
    assert "errors" not in answer
    return answer["data"]["nudges"]


def test_a_nudge_of_the_whole_shop_has_no_product(shop):
    visitors = number(shop, NudgeType.RECENT_VISITORS, "", 480)
    assert page(first=5) == {
        "nudges": [
            {
                "id": visitors.public_id,
                "type": "RECENT_VISITORS",
                "title": "",
                "text": "480 people visited this shop in the last 24 hours",
                "tag": KINDS[NudgeType.RECENT_VISITORS].headings["en"],
                "productId": None,
                "image": None,
                "href": None,
                "highlight": COLORS["POPULARITY"],
                "occurredAt": None,
                "showTime": False,
            }
        ],
        "withdrawn": [],
        "pollAfter": 5,
    }


def test_what_a_page_shows_and_stands_no_longer_is_named(shop):
    nudge = deed(shop, NudgeType.ORDER, A)
    shown = [nudge.public_id, "gone0000"]
    assert page(shown=shown)["withdrawn"] == ["gone0000"]
    Nudge.objects.of(shop).update(withdrawn_at=datetime.now(UTC))
    shelf.take_down(shop.pk, [(CHANNEL, "")])
    assert page(shown=shown)["withdrawn"] == shown


def test_the_category_of_the_page_comes_first(shop):
    tea, bread = deed(shop, NudgeType.ORDER, "tea"), deed(shop, NudgeType.ORDER, "bread")
    known_product(shop, "tea", categories=["drinks"])
    known_product(shop, "bread", categories=["food"])
    first = {name: page(category=name, first=1)["nudges"][0]["id"] for name in ("drinks", "food")}
    assert first == {"drinks": tea.public_id, "food": bread.public_id}


# Many products.


def of_products(shop, *products, **given):
    questions = [
        {"channel": CHANNEL, "page": "PRODUCT", "product_id": product, "first": 2, **given}
        for product in products
    ]
    return feeds(Requester(shop), Caller(), questions)


def test_each_product_has_its_own(shop):
    for product in ("a", "b"):
        number(shop, NudgeType.PRODUCT_VIEW, product, 12)
        known_product(shop, product)
    found = of_products(shop, "a", "b", "none", "a")
    views = [
        [one.product_id for one in feed.nudges if one.type == "PRODUCT_VIEW"] for feed in found
    ]
    assert views == [["a"], ["b"], [], ["a"]]


def test_a_bad_question_about_one_takes_no_others_away(shop):
    deed(shop, NudgeType.ORDER, A)
    good = {"channel": CHANNEL, "page": "PRODUCT", "product_id": A}
    found = feeds(Requester(shop), Caller(), [good, {**good, "first": 21}, good])
    assert [isinstance(feed, Refused) for feed in found] == [False, True, False]
    assert [len(feed.nudges) for feed in (found[0], found[2])] == [1, 1]


def test_fifty_products_take_as_many_look_ups_as_one(shop, monkeypatch):
    # given
    products = [f"P{place:02}" for place in range(50)]
    for product in products:
        number(shop, NudgeType.PRODUCT_VIEW, product, 12)
        known_product(shop, product)
    client = shelf._client()
    commands = []
    if client is not None:
        execute = type(client).execute_command
        monkeypatch.setattr(
            type(client),
            "execute_command",
            lambda *a, **k: commands.append(a[1]) or execute(*a, **k),
        )
        pipeline = type(client.pipeline())
        together = pipeline.execute
        monkeypatch.setattr(
            pipeline, "execute", lambda *a, **k: commands.append("together") or together(*a, **k)
        )

    def asked(wanted):
        commands.clear()
        with CaptureQueriesContext(connection) as questions:
            found = of_products(shop, *wanted)
        assert [[one.product_id for one in feed.nudges] for feed in found] == [
            [product] for product in wanted
        ]
        return len(questions), list(commands)

    # when nothing is ready, and when everything is
    shelf.take_down(shop.pk, [(CHANNEL, ""), *((CHANNEL, product) for product in products)])
    cold_one = asked(products[:1])
    shelf.take_down(shop.pk, [(CHANNEL, ""), *((CHANNEL, product) for product in products)])
    cold_fifty = asked(products)
    warm_fifty = asked(products)

    # then
    assert cold_fifty == cold_one
    if client is not None:
        assert warm_fifty == (0, ["MGET"])


# Who may be named.


def consent(**given):
    arguments = ", ".join(
        f"{name}: {value if name == 'messageChannel' else json.dumps(value)}"
        for name, value in {"channel": CHANNEL, "email": "a@example.com", "source": "x"}.items()
        | given.items()
    )
    answer = ask(
        f"mutation {{ messagingConsentUpdate({arguments}) {{ errors {{ field code }} }} }}"
    )
    consume()
    return answer["data"]["messagingConsentUpdate"]["errors"]


def refuses(shop):
    person = people.find(shop, Contact(email="a@example.com"))
    return person is not None and person.refuses_featuring_at is not None


def test_the_storefronts_server_says_who_wants_to_stay_unnamed(shop):
    assert (consent(featuring=False), refuses(shop)) == ([], True)
    assert (consent(featuring=True), refuses(shop)) == ([], False)
    kept = AuditEntry.objects.of(shop).order_by("-id").values_list("after", flat=True)
    assert list(kept) == [{"featuring": True, "source": "x"}, {"featuring": False, "source": "x"}]


def test_both_may_be_said_at_once(shop):
    assert consent(featuring=False, isGiven=True, messageChannel="EMAIL") == []
    assert refuses(shop)


@pytest.mark.parametrize(
    ("given", "field"), [({}, "isGiven"), ({"isGiven": True}, "messageChannel")]
)
def test_an_answer_that_says_nothing_is_refused(given, field, shop):
    assert consent(**given) == [{"field": field, "code": "INVALID"}]
    assert AuditEntry.objects.of(shop).count() == 0
