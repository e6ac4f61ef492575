"""What is kept how long."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.db import connection

from saleor_nudges import doctor, growth, retention
from saleor_nudges.capture import capture
from saleor_nudges.events import Flow, NudgeClicked
from saleor_nudges.events.identity import smallest_at, uuid7
from saleor_nudges.models import (
    CartedProduct,
    DeadLetter,
    Evidence,
    Nudge,
    OrderedProduct,
    ViewEvent,
    VisitorCheckout,
)
from saleor_nudges.models.partitions import (
    existing,
    missing_partitions,
    oldest_kept,
    wanted_partitions,
)
from saleor_nudges.testing import CHANNEL, JUICE, consume, make_shop, viewed

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(2028, 2, 29, 12, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
    ],
)
def test_whatever_is_taken_has_a_partition(moment):
    for flow, table in (
        (Flow.COMMERCE, "saleor_nudges_events"),
        (Flow.VIEWS, "saleor_nudges_views"),
    ):
        pieces = [piece for piece in wanted_partitions(moment) if piece.table == table]
        assert pieces[0].start == oldest_kept(flow, moment)
        assert pieces[-1].end > moment + timedelta(days=21)
        for one, next_one in pairwise(pieces):
            assert one.end == next_one.start
        assert len({piece.name for piece in pieces}) == len(pieces)


@pytest.mark.django_db
def test_partitions_are_made_once(now):
    # given: what the tests of the archive took away is there again
    retention.make_partitions(now)
    assert missing_partitions(now) == []
    assert retention.make_partitions(now) == 0
    later = now + timedelta(days=31)
    made = retention.make_partitions(later)
    assert made == len(set(wanted_partitions(later)) - set(wanted_partitions(now)))
    assert made > 0
    assert retention.make_partitions(later) == 0


@pytest.mark.django_db
def test_old_views_go_by_partition_and_facts_stay(now):
    # given
    shop = make_shop()
    moment = now - timedelta(days=30)
    capture(viewed(shop, JUICE.id, id=uuid7(moment), occurred_at=moment), viewed(shop, JUICE.id))
    consume()
    assert ViewEvent.objects.of(shop).count() == 2
    before = existing()
    assert retention.drop_old_partitions(now) == 0

    # when
    later = now + timedelta(days=14)
    dropped = retention.drop_old_partitions(later)

    # then
    gone = before - existing()
    assert dropped == len(gone) == 2
    assert all(name.startswith("saleor_nudges_views_") for name in gone)
    assert ViewEvent.objects.of(shop).count() == 1
    assert ViewEvent.objects.of(shop).get().pk > smallest_at(oldest_kept(Flow.VIEWS, later))


@pytest.mark.django_db
def test_facts_are_kept_for_25_months_though_new_ones_are_refused_long_before(now):
    # given
    before = {name for name in existing() if name.startswith("saleor_nudges_events_")}
    first = min(before)
    year, month = int(first[-8:-4]), int(first[-4:-2])
    months = year * 12 + month - 1 + 25
    still = datetime(months // 12, months % 12 + 1, 28, tzinfo=UTC)

    # when the 25th month after the oldest one goes on
    retention.drop_old_partitions(still)
    assert first in existing()

    # when it is over
    retention.drop_old_partitions(still + timedelta(days=7))
    assert before - existing() == {first}


@pytest.mark.django_db
def test_where_there_is_an_archive_no_partition_goes_by_age(now, settings):
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"ARCHIVE_BUCKET": "bucket"}
    before = existing()
    assert retention.drop_old_partitions(now + timedelta(days=4000)) == 0
    assert existing() == before


@pytest.mark.django_db
def test_interactions_go_from_views_that_are_kept_longer(now, settings):
    # given a view and a click whose week is past what is taken in, and a click of today
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"ARCHIVE_BUCKET": "bucket"}
    shop = make_shop()
    clicks = [
        NudgeClicked(
            shop=shop.pk,
            channel=CHANNEL,
            occurred_at=at,
            id=uuid7(at),
            nudge="abc",
            visitor=uuid7(),
        )
        for at in (now - timedelta(days=20), now)
    ]
    old = clicks[0].occurred_at
    capture(*clicks, viewed(shop, JUICE.id, id=uuid7(old), occurred_at=old))
    consume()
    assert retention.delete_interactions(now) == 0

    # when
    gone = [retention.delete_interactions(now + timedelta(days=30)) for _ in range(2)]

    # then
    assert gone == [1, 0]
    left = ViewEvent.objects.of(shop).values_list("kind", flat=True)
    assert sorted(left) == ["nudge_clicked", "product_viewed"]


@pytest.mark.django_db
def test_rows_past_their_age_go_and_the_others_stay(now, monkeypatch):
    # given of each a row that is just young enough, and three that are too old; two at once
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    shop = make_shop()
    days = {Nudge: 31, Evidence: 13 * 31 + 31, DeadLetter: 90, VisitorCheckout: 90}
    for n, old in enumerate((False, True, True, True)):
        ages = {kind: now - timedelta(days=age + (1 if old else -1)) for kind, age in days.items()}
        if not old:
            ages[Evidence] = now - timedelta(days=12 * 30)
        proof = _evidence(shop, ages[Nudge])
        _evidence(shop, ages[Evidence])
        Nudge.objects.bulk_create(
            [
                Nudge(
                    id=uuid7(ages[Nudge]),
                    shop=shop,
                    channel=CHANNEL,
                    type="ORDER",
                    product_id=JUICE.id,
                    occurred_at=ages[Nudge],
                    evidence=proof,
                    source_event=uuid7(),
                )
            ]
        )
        letter = DeadLetter(shop=shop, event_id=uuid7(), flow="views", kind="x", payload={})
        DeadLetter.objects.bulk_create([letter])
        DeadLetter.objects.of(shop).filter(pk=letter.pk).update(put_aside_at=ages[DeadLetter])
        VisitorCheckout.objects.bulk_create(
            [
                VisitorCheckout(
                    shop=shop, visitor=uuid7(), checkout=str(n) * 64, seen_at=ages[VisitorCheckout]
                )
            ]
        )
    waiting = DeadLetter(
        shop=shop, event_id=uuid7(), flow="views", kind="x", payload={}, retry_at=now
    )
    DeadLetter.objects.bulk_create([waiting])
    DeadLetter.objects.of(shop).filter(pk=waiting.pk).update(put_aside_at=now - timedelta(days=99))

    # when
    gone = retention.delete_aged(now)

    # then
    assert gone == 4 * 3
    assert retention.delete_aged(now) == 0
    assert [kind.objects.of(shop).count() for kind in days] == [1, 5, 2, 1]


@pytest.mark.django_db
def test_carts_and_orders_stay_for_the_longest_window(now):
    # given rows of both, written when they happened or a month later
    shop = make_shop()
    age = timedelta(days=32)
    for name, written, happened in (
        ("past", age + DAY, age + DAY),
        ("late", DAY, age + DAY),
        ("within", age - DAY, age - DAY),
    ):
        row = {"shop": shop, "channel": CHANNEL, "product_id": "1"}
        at, pk = now - happened, uuid7(now - written)
        CartedProduct.objects.of(shop).create(**row, id=pk, checkout=name, first_at=at)
        OrderedProduct.objects.of(shop).create(
            **row, id=pk, order_id=name, quantity=1, ordered_at=at, status_at=at
        )

    # when
    gone = retention.delete_aged(now)

    # then, and what was written late goes when it has been there as long
    assert gone == 2
    carts = CartedProduct.objects.of(shop).values_list("checkout", flat=True)
    orders = OrderedProduct.objects.of(shop).values_list("order_id", flat=True)
    assert set(carts) == set(orders) == {"late", "within"}


@pytest.mark.django_db
def test_a_proof_stays_as_long_as_its_nudge(now):
    # given a measured nudge whose proof is old, because the clock was wrong once
    shop = make_shop()
    proof = _evidence(shop, now - timedelta(days=500))
    nudge = Nudge(
        shop=shop, channel=CHANNEL, type="ORDER", product_id="1", occurred_at=now, evidence=proof
    )
    Nudge.objects.bulk_create([nudge])
    assert retention.delete_aged(now) == 0
    assert Evidence.objects.of(shop).get() == proof


def _evidence(shop, at):
    proof = Evidence(
        id=uuid7(at),
        shop=shop,
        channel=CHANNEL,
        type="ORDER",
        product_id=JUICE.id,
        metric="orders",
        value=1,
        computed_at=at,
        rule_version="order-1",
    )
    Evidence.objects.bulk_create([proof])
    return proof


@pytest.mark.django_db
def test_a_young_installation_does_not_guess_its_growth(now):
    # given
    shop = make_shop()
    assert growth.growth(Flow.VIEWS, now).a_day is None
    capture(viewed(shop, JUICE.id))
    consume()
    # then
    found = growth.growth(Flow.VIEWS, now)
    assert (found.a_day, found.later) == (None, None)
    assert found.now > 0
    assert doctor_says_size().count("too young to say more") == 2


@pytest.mark.django_db
def test_growth_goes_by_the_days_there_are_events_of(now):
    # given two days of views
    shop = make_shop()
    moments = [now - timedelta(days=2) + timedelta(minutes=n) for n in range(0, 2880, 10)]
    capture(*[viewed(shop, JUICE.id, id=uuid7(at), occurred_at=at) for at in moments])
    consume()

    # when
    found = growth.growth(Flow.VIEWS, now)

    # then half of what there is came each day, empty partitions apart, and five weeks will be kept
    assert found.a_day is not None
    assert found.later is not None
    assert found.now * 0.1 < found.a_day < found.now * 0.6
    assert 35 <= found.later / found.a_day <= 43
    assert "in 90 days" in doctor_says_size()


def doctor_says_size():
    return next(finding.what for finding in doctor.examine() if finding.name == "size")


@pytest.mark.django_db
def test_the_tables_are_cut_by_their_key():
    with connection.cursor() as cursor:
        cursor.execute("SELECT relkind FROM pg_class WHERE relname = 'saleor_nudges_views'")
        assert cursor.fetchone() == ("p",)
