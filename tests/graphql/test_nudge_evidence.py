"""Why did this page say 12 at 14:02? The computation that stood then is found."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from saleor_nudges import retention
from saleor_nudges.capture import capture
from saleor_nudges.models import Evidence, Nudge, NudgeType
from saleor_nudges.nudges.choose import Ask, choose
from saleor_nudges.testing import (
    CHANNEL,
    JUICE,
    a_checkout,
    consume,
    make_shop,
    order_placed,
    switch_on_nudge,
    viewed,
)
from tests.graphql.seller import ask, code_of, told

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 1, 20, 12, 0, tzinfo=UTC)
EVIDENCE = """
    query($channel: String!, $id: String, $product: ID, $type: NudgeTypeEnum, $at: DateTime,
          $first: Int, $after: String) {
        nudgeEvidence(channel: $channel, nudgeId: $id, productId: $product, type: $type, at: $at,
                      first: $first, after: $after) {
            edges { node {
                type scope productId metric windowSeconds value threshold maximum computedAt
                ruleVersion sourceEventId
            } }
            pageInfo { hasNextPage endCursor }
        }
    }
"""


@pytest.fixture
def shop():
    return make_shop()


def evidence(*, shop=None, channel=CHANNEL, **asked):
    found = told(EVIDENCE, {"channel": channel, **asked}, shop=shop, may="MANAGE_ORDERS")
    return [edge["node"] for edge in found["edges"]], found["pageInfo"]


def values(**asked):
    return [node["value"] for node in evidence(**asked)[0]]


def counted(shop, value, at, kind=NudgeType.PRODUCT_VIEW, product=JUICE.id, channel=CHANNEL):
    return Evidence.objects.of(shop).create(
        shop=shop,
        channel=channel,
        type=kind,
        product_id=product,
        metric="visitors",
        window_seconds=3600,
        value=value,
        threshold=5,
        maximum=50,
        computed_at=at,
        rule_version="product-view-2",
    )


def test_what_a_page_said_is_explained_by_its_name(shop):
    # given: a page shows a number
    switch_on_nudge(shop, NudgeType.PRODUCT_VIEW, maximum=50)
    capture(*[viewed(shop, JUICE.id) for _ in range(12)])
    consume()
    [shown] = choose(shop, Ask(CHANNEL, "PRODUCT", JUICE.id), timezone.now()).nudges

    # when
    [proof], _ = evidence(id=shown.card.id)

    # then
    stored = Evidence.objects.of(shop).get()
    assert proof == {
        "type": "PRODUCT_VIEW",
        "scope": "PRODUCT",
        "productId": JUICE.id,
        "metric": "visitors",
        "windowSeconds": 3600,
        "value": 12,
        "threshold": 5,
        "maximum": 50,
        "computedAt": stored.computed_at.isoformat(),
        "ruleVersion": stored.rule_version,
        "sourceEventId": None,
    }
    assert shown.value == 12


def test_what_stood_at_a_moment_comes_first(shop):
    # given
    for minute, value in enumerate((10, 11, 12, 13)):
        counted(shop, value, NOON + timedelta(minutes=minute))

    # then
    asked = {"product": JUICE.id, "type": "PRODUCT_VIEW"}
    moment = NOON + timedelta(minutes=2, seconds=30)
    assert values(at=moment.isoformat(), **asked) == [12, 11, 10]
    assert values(at=(NOON + timedelta(minutes=2)).isoformat(), **asked) == [12, 11, 10]
    assert values(at=(NOON - timedelta(seconds=1)).isoformat(), **asked) == []
    assert values(**asked) == [13, 12, 11, 10]


def test_the_time_of_the_computation_decides_not_the_order_of_writing(shop):
    counted(shop, 2, NOON + timedelta(minutes=1))
    counted(shop, 1, NOON)
    assert values(product=JUICE.id) == [2, 1]


def test_a_name_leads_to_all_computations_of_its_number(shop):
    # given: the row points to the newest only
    first = counted(shop, 10, NOON)
    newest = counted(shop, 11, NOON + timedelta(minutes=1))
    row = Nudge.objects.of(shop).create(
        shop=shop,
        channel=CHANNEL,
        type=NudgeType.PRODUCT_VIEW,
        product_id=JUICE.id,
        occurred_at=newest.computed_at,
        evidence=newest,
        value=11,
    )
    counted(shop, 99, NOON, kind=NudgeType.CART_SUMMARY)

    # then
    assert values(id=row.public_id) == [11, 10]
    assert values(id=row.public_id, at=first.computed_at.isoformat()) == [10]


def test_a_deed_has_the_one_event_it_is_made_of(shop):
    # given
    order_placed(shop, a_checkout(shop, email="anna@example.com", first_name="Anna"))
    order_placed(shop, a_checkout(shop, email="bert@example.com", first_name="Bert"))
    first, second = Nudge.objects.of(shop).filter(type=NudgeType.ORDER).order_by("occurred_at")

    # when
    [proof], _ = evidence(id=first.public_id)

    # then
    assert proof["sourceEventId"] == str(first.source_event)
    assert proof["sourceEventId"] != str(second.source_event)
    assert (proof["metric"], proof["value"], proof["type"]) == ("orders", 1, "ORDER")
    assert "anna" not in str(proof).lower()


def test_without_a_product_it_is_of_the_whole_channel(shop):
    counted(shop, 480, NOON, kind=NudgeType.RECENT_VISITORS, product="")
    counted(shop, 12, NOON)
    counted(shop, 7, NOON, kind=NudgeType.RECENT_VISITORS, product="", channel="other")
    [proof], _ = evidence(type="RECENT_VISITORS")
    assert (proof["value"], proof["scope"], proof["productId"]) == (480, "CHANNEL", None)


def test_the_proofs_come_page_by_page(shop):
    # given: two of the same moment; names made in one millisecond have no order among themselves
    minutes = {value: NOON + timedelta(minutes=value // 2) for value in range(5)}
    proofs = [counted(shop, value, moment) for value, moment in minutes.items()]
    proofs.sort(key=lambda proof: (proof.computed_at, proof.pk), reverse=True)

    # when
    seen, after = [], None
    while True:
        nodes, page = evidence(product=JUICE.id, first=2, after=after)
        seen += [node["value"] for node in nodes]
        after = page["endCursor"]
        if not page["hasNextPage"]:
            break

    # then
    assert seen == [proof.value for proof in proofs]
    assert sorted(seen) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"id": "nosuchid"}, "no nudge of this name"),
        ({"first": 0}, "1 to 100"),
        ({"first": 101}, "1 to 100"),
        ({"after": "é"}, "not a cursor"),
        ({"after": "AAAAAAAAAAAAAAAAAAAAAA=="}, "not a cursor"),
        ({"channel": ""}, "slug"),
    ],
)
def test_a_bad_question_is_refused(asked, words, shop):
    answer = ask(EVIDENCE, {"channel": CHANNEL, "product": JUICE.id} | asked)
    assert code_of(answer) == "Refused"
    assert words in answer["errors"][0]["message"]


def test_only_who_may_see_orders_sees_proofs(shop):
    others = "MANAGE_CHECKOUTS,MANAGE_PRODUCTS,MANAGE_USERS,MANAGE_SETTINGS"
    assert code_of(ask(EVIDENCE, {"channel": CHANNEL}, may=others)) == "PermissionDenied"


def test_one_shop_sees_no_proof_of_another(shop):
    # given
    order_placed(shop, a_checkout(shop, email="anna@example.com"))
    nudge = Nudge.objects.of(shop).filter(type=NudgeType.ORDER).get()
    cursor = evidence(shop=shop, product=JUICE.id)[1]["endCursor"]
    other = make_shop("other.example.com")

    # then
    assert evidence(shop=other, product=JUICE.id)[0] == []
    for asked in ({"id": nudge.public_id}, {"product": JUICE.id, "after": cursor}):
        assert code_of(ask(EVIDENCE, {"channel": CHANNEL, **asked}, shop=other)) == "Refused"


def test_a_proof_is_kept_for_13_months(shop, monkeypatch):
    # given
    now = timezone.now()
    kept, gone = now - timedelta(days=13 * 30), now - timedelta(days=14 * 31)
    from saleor_nudges.events.identity import smallest_at

    for moment, value in ((kept, 1), (gone, 2)):
        proof = counted(shop, value, moment)
        Evidence.objects.of(shop).filter(pk=proof.pk).update(id=smallest_at(moment))

    # when
    retention.delete_aged(now)

    # then
    assert values(product=JUICE.id) == [1]
