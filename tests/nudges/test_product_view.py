"""“31 people viewed this”: distinct visitors, and never more than there were."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saleor_nudges import counts
from saleor_nudges.capture import capture
from saleor_nudges.events import ProductWithdrawn
from saleor_nudges.events.identity import uuid7
from saleor_nudges.models import Evidence, Nudge, NudgeType
from saleor_nudges.nudges import KINDS
from saleor_nudges.nudges.choose import Ask, choose
from saleor_nudges.nudges.kinds import measured
from saleor_nudges.nudges.kinds.measured import shown_for
from saleor_nudges.testing import CHANNEL, JUICE, consume, make_shop, switch_on_nudge, viewed

pytestmark = pytest.mark.django_db

VISITORS = [uuid7() for _ in range(8)]


@pytest.fixture
def shop():
    shop = make_shop()
    switch_on_nudge(shop, NudgeType.PRODUCT_VIEW)
    return shop


def shown(shop, **ask):
    feed = choose(shop, Ask(CHANNEL, "PRODUCT", JUICE.id, **ask), datetime.now(UTC))
    return [(nudge.value, nudge.text) for nudge in feed.nudges]


def measured_again(shop):
    """Let the 15 seconds pass in which a number is good enough."""
    Nudge.objects.of(shop).update(valid_until=timezone.now() + timedelta(seconds=40))
    KINDS[NudgeType.PRODUCT_VIEW].measure(shop, [(CHANNEL, JUICE.id)])


def test_visitors_are_counted_not_page_loads(shop):
    capture(*[viewed(shop, JUICE.id, visitor) for visitor in VISITORS[:5] for _ in range(4)])
    consume()
    assert shown(shop) == [(5, "5 people viewed this in the last hour")]


def test_the_number_has_its_evidence(shop):
    capture(*[viewed(shop, JUICE.id, visitor) for visitor in VISITORS])
    consume()
    evidence = Evidence.objects.of(shop).get()
    found = (evidence.metric, evidence.value, evidence.window_seconds, evidence.threshold)
    assert found == ("visitors", 8, 3600, 5)
    assert evidence.rule_version == "product-view-2"
    assert Nudge.objects.of(shop).get().evidence_id == evidence.pk


def test_the_same_beacon_twice_counts_once(shop):
    views = [viewed(shop, JUICE.id, visitor) for visitor in VISITORS[:5]]
    capture(*views, *views)
    consume()
    capture(*views)
    consume()
    measured_again(shop)
    assert shown(shop) == [(5, "5 people viewed this in the last hour")]


def test_two_batches_add_up(shop):
    for part in (VISITORS[:5], VISITORS[3:]):
        capture(*[viewed(shop, JUICE.id, visitor) for visitor in part])
        consume()
    measured_again(shop)
    assert [value for value, _ in shown(shop)] == [8]


def test_a_number_still_good_is_not_measured_again(shop):
    capture(*[viewed(shop, JUICE.id, visitor) for visitor in VISITORS[:5]])
    consume()
    capture(*[viewed(shop, JUICE.id, visitor) for visitor in VISITORS[5:]])
    consume()
    assert Evidence.objects.of(shop).count() == 1


@pytest.mark.parametrize(("_case", "count", "expected"), [("at", 5, 1), ("below", 4, 0)])
def test_a_small_number_is_not_said(_case, count, expected, shop):
    capture(*[viewed(shop, JUICE.id, visitor) for visitor in VISITORS[:count]])
    consume()
    assert len(shown(shop)) == expected
    assert Evidence.objects.of(shop).count() == expected


def test_a_visitors_own_view_is_subtracted(shop):
    capture(*[viewed(shop, JUICE.id, visitor) for visitor in VISITORS[:6]])
    consume()
    assert shown(shop, visitor=VISITORS[0]) == [(5, "5 people viewed this in the last hour")]
    assert [value for value, _ in shown(shop)] == [6]


def test_who_made_the_minimum_by_their_own_view_is_told_nothing(shop):
    capture(*[viewed(shop, JUICE.id, visitor) for visitor in VISITORS[:5]])
    consume()
    assert shown(shop, visitor=VISITORS[0]) == []


def test_a_number_past_its_time_is_not_said(shop):
    capture(*[viewed(shop, JUICE.id, visitor) for visitor in VISITORS])
    consume()
    Nudge.objects.of(shop).update(valid_until=timezone.now())
    assert shown(shop) == []


def test_while_switched_off_nothing_is_measured(shop):
    switch_on_nudge(shop, NudgeType.PRODUCT_VIEW, is_enabled=False)
    capture(*[viewed(shop, JUICE.id, visitor) for visitor in VISITORS])
    consume()
    assert (Evidence.objects.of(shop).count(), shown(shop)) == (0, [])


def test_a_window_changed_later_is_not_put_to_the_number_measured_before(shop):
    capture(*[viewed(shop, JUICE.id, visitor) for visitor in VISITORS])
    consume()
    switch_on_nudge(shop, NudgeType.PRODUCT_VIEW, window_seconds=600)
    assert [text for _, text in shown(shop)] == ["8 people viewed this in the last hour"]


def test_what_is_on_pages_is_measured_before_it_expires(shop):
    capture(*[viewed(shop, JUICE.id, visitor) for visitor in VISITORS])
    consume()
    kind = KINDS[NudgeType.PRODUCT_VIEW]
    assert kind.measure_due(shop) == 0
    Nudge.objects.of(shop).update(valid_until=timezone.now() + timedelta(seconds=30))
    assert kind.measure_due(shop) == 1
    assert Nudge.objects.of(shop).get().valid_until > timezone.now() + timedelta(seconds=50)


def test_a_withdrawn_product_begins_anew(shop):
    # given a product that was shown and withdrawn
    capture(*[viewed(shop, JUICE.id, visitor) for visitor in VISITORS])
    consume()
    now = datetime.now(UTC)
    capture(ProductWithdrawn(shop=shop.pk, channel=CHANNEL, occurred_at=now, product_id=JUICE.id))
    consume()
    assert shown(shop) == []

    # when somebody looks at it once more, and what is on pages is measured
    capture(viewed(shop, JUICE.id, VISITORS[0]))
    consume()
    measured_again(shop)

    # then those who looked before do not bring it back
    assert shown(shop) == []
    assert Nudge.objects.of(shop).get().withdrawn_at is not None


VIEWS = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 4000)), min_size=1, max_size=25)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(views=VIEWS, window=st.sampled_from([60, 90, 300, 3600]), split=st.integers(0, 25))
def test_a_number_never_claims_more_than_is_true_while_it_is_shown(views, window, split, shop):
    # given any views in any two batches
    product = f"product {uuid7()}"
    switch_on_nudge(shop, NudgeType.PRODUCT_VIEW, window_seconds=window, minimum=1)
    now = datetime.now(UTC)
    events = [
        viewed(shop, product, VISITORS[who], occurred_at=now - timedelta(seconds=ago))
        for who, ago in views
    ]

    # when
    kind = KINDS[NudgeType.PRODUCT_VIEW]
    for part in (events[:split], events[split:]):
        counts.fold(shop, part)
        kind.fold(shop, part)

    # then whenever it may be on a page, so many visitors had been there within the window
    nudge = Nudge.objects.of(shop).filter(product_id=product).first()
    if nudge is None:
        return
    assert nudge.valid_until - nudge.occurred_at == timedelta(seconds=60)
    for share in (0, 0.5, 1):
        moment = nudge.occurred_at + share * (nudge.valid_until - nudge.occurred_at)
        begin = moment - timedelta(seconds=window)
        there = {e.visitor for e in events if begin <= e.occurred_at <= moment}
        assert nudge.value <= len(there)


def test_the_number_is_exact_over_the_buckets_that_stay_inside(shop, monkeypatch):
    # The oracle above would be content with a count of none at all.
    # given one view in each of the last thirteen times five minutes, half a minute before the next
    bucket = datetime.fromtimestamp(datetime.now(UTC).timestamp() // 300 * 300 - 300, UTC)
    now = bucket + timedelta(seconds=270)
    moments = [bucket - timedelta(seconds=300 * n) for n in range(13)]
    monkeypatch.setattr(measured.timezone, "now", lambda: now)
    switch_on_nudge(shop, NudgeType.PRODUCT_VIEW, minimum=1)

    # when
    counts.fold(shop, [viewed(shop, JUICE.id, occurred_at=moment) for moment in moments])
    KINDS[NudgeType.PRODUCT_VIEW].measure(shop, [(CHANNEL, JUICE.id)])

    # then the twelfth, of 3570 seconds ago, is left out: in a minute it is of more than an hour
    assert Nudge.objects.of(shop).get().value == 11


@pytest.mark.parametrize(
    ("window", "expected"), [(60, 60), (3600, 60), (7200, 120), (86400, 1440), (30 * 86400, 3600)]
)
def test_a_long_windows_number_stands_longer(window, expected):
    assert shown_for(timedelta(seconds=window)) == timedelta(seconds=expected)


def test_a_days_window_is_counted_by_the_hour(shop):
    # given five visitors of hours that are over and six of this one
    switch_on_nudge(shop, NudgeType.PRODUCT_VIEW, window_seconds=86400)
    now = datetime.now(UTC)
    old = [viewed(shop, JUICE.id, occurred_at=now - timedelta(hours=h)) for h in (2, 5, 9, 13, 22)]
    new = [viewed(shop, JUICE.id, occurred_at=now) for _ in range(6)]
    gone = viewed(shop, JUICE.id, occurred_at=now - timedelta(hours=24, minutes=1))

    # when
    counts.fold(shop, [*old, gone, *new])
    KINDS[NudgeType.PRODUCT_VIEW].measure(shop, [(CHANNEL, JUICE.id)])

    # then
    nudge = Nudge.objects.of(shop).get()
    assert nudge.value == 11
    assert nudge.valid_until - nudge.occurred_at == timedelta(minutes=24)


def test_many_products_are_measured_in_as_many_queries_as_one(shop, django_assert_num_queries):
    kind = KINDS[NudgeType.PRODUCT_VIEW]
    products = [f"product {n}" for n in range(30)]
    counts.fold(shop, [viewed(shop, product) for product in products for _ in range(5)])
    with django_assert_num_queries(5):
        kind.measure(shop, [(CHANNEL, product) for product in products])
    assert Nudge.objects.of(shop).count() == 30
