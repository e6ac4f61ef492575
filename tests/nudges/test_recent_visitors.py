"""“480 people visited this shop”: distinct visitors of any page, never more than there were."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from saleor_nudges.capture import capture
from saleor_nudges.events import AddedToCart, PageViewed
from saleor_nudges.events.identity import uuid7
from saleor_nudges.models import Evidence, Nudge, NudgeType
from saleor_nudges.nudges import KINDS
from saleor_nudges.nudges.choose import Ask, choose
from saleor_nudges.testing import CHANNEL, JUICE, consume, make_shop, switch_on_nudge, viewed

pytestmark = pytest.mark.django_db

VISITORS = [uuid7() for _ in range(30)]
# A day is counted by the hour, and an hour counts if it lies within to the end.
AGO = timedelta(hours=2)


@pytest.fixture
def shop():
    shop = make_shop()
    switch_on_nudge(shop, NudgeType.RECENT_VISITORS)
    return shop


def visited(shop, visitor, **fields):
    at = datetime.now(UTC) - AGO
    defaults = {"channel": CHANNEL, "occurred_at": at, "id": uuid7(at), "page": "HOME"}
    return PageViewed(shop=shop.pk, visitor=visitor, **defaults | fields)


def shown(shop, **ask):
    feed = choose(shop, Ask(CHANNEL, "HOME", **ask), datetime.now(UTC))
    return [(nudge.value, nudge.text) for nudge in feed.nudges]


def measured_again(shop):
    Nudge.objects.of(shop).update(valid_until=timezone.now() + timedelta(seconds=40))
    KINDS[NudgeType.RECENT_VISITORS].measure(shop, [(CHANNEL, "")])


def test_visitors_of_products_and_pages_are_counted_once_each(shop):
    capture(*[viewed(shop, f"{n % 3}", visitor) for n, visitor in enumerate(VISITORS[:20])])
    capture(*[visited(shop, visitor) for visitor in VISITORS[10:25] for _ in range(3)])
    consume()
    measured_again(shop)
    assert shown(shop) == [(25, "25 people visited this shop in the last 24 hours")]


def test_the_number_has_its_evidence(shop):
    capture(*[visited(shop, visitor) for visitor in VISITORS])
    consume()
    evidence = Evidence.objects.of(shop).get()
    found = (evidence.metric, evidence.value, evidence.window_seconds, evidence.threshold)
    assert found == ("visitors", 30, 86400, 20)
    assert (evidence.product_id, evidence.rule_version) == ("", "recent-visitors-1")


@pytest.mark.parametrize(("_case", "count", "expected"), [("at", 20, 1), ("below", 19, 0)])
def test_a_small_number_is_not_said(_case, count, expected, shop):
    capture(*[visited(shop, visitor) for visitor in VISITORS[:count]])
    consume()
    assert len(shown(shop)) == expected


def test_who_reads_it_is_subtracted(shop):
    capture(*[visited(shop, visitor) for visitor in VISITORS])
    consume()
    assert [value for value, _ in shown(shop, visitor=VISITORS[0])] == [29]


def test_a_view_nobody_made_and_other_beacons_are_no_visitors(shop, now):
    capture(*[visited(shop, visitor) for visitor in VISITORS[:19]], visited(shop, None))
    capture(
        AddedToCart(
            shop=shop.pk, channel=CHANNEL, product=JUICE.id, occurred_at=now, visitor=uuid7()
        )
    )
    consume()
    measured_again(shop)
    assert shown(shop) == []


def test_other_channels_have_visitors_of_their_own(shop):
    capture(*[visited(shop, visitor, channel="elsewhere") for visitor in VISITORS])
    capture(*[visited(shop, visitor) for visitor in VISITORS[:19]])
    consume()
    measured_again(shop)
    assert shown(shop) == []


def test_who_was_there_before_the_window_is_not_counted(shop):
    long_ago = datetime.now(UTC) - timedelta(hours=24)
    capture(
        *[visited(shop, visitor, occurred_at=long_ago, id=uuid7(long_ago)) for visitor in VISITORS]
    )
    capture(*[visited(shop, visitor) for visitor in VISITORS[:19]])
    consume()
    measured_again(shop)
    assert shown(shop) == []
