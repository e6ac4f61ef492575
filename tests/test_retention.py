"""What is kept how long."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.db import connection

from saleor_nudges import retention
from saleor_nudges.capture import capture
from saleor_nudges.events import Flow
from saleor_nudges.events.identity import smallest_at, uuid7
from saleor_nudges.models import ViewEvent, VisitorCheckout
from saleor_nudges.models.partitions import (
    existing,
    missing_partitions,
    oldest_kept,
    wanted_partitions,
)
from saleor_nudges.testing import JUICE, consume, make_shop, viewed


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
def test_visitors_are_forgotten(now, settings):
    # given
    shop = make_shop()
    for days in (89, 91):
        VisitorCheckout.objects.bulk_create(
            [
                VisitorCheckout(
                    shop=shop,
                    visitor=uuid7(),
                    checkout="0" * 64,
                    seen_at=now - timedelta(days=days),
                )
            ]
        )

    # when
    count = retention.delete_aged(now)

    # then
    assert count == 1
    assert VisitorCheckout.objects.of(shop).get().seen_at == now - timedelta(days=89)


@pytest.mark.django_db
def test_the_tables_are_cut_by_their_key():
    with connection.cursor() as cursor:
        cursor.execute("SELECT relkind FROM pg_class WHERE relname = 'saleor_nudges_views'")
        assert cursor.fetchone() == ("p",)
