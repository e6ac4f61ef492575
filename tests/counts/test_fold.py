"""Counts change with the events they count: by minute and hour, once per event."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from saleor_nudges import counts, retention
from saleor_nudges.capture import capture
from saleor_nudges.counts import rows, sketch
from saleor_nudges.counts.reading import READ, Asked
from saleor_nudges.events import AddedToCart, OrderCancelled, OrderPlaced, PageViewed
from saleor_nudges.events.identity import uuid7
from saleor_nudges.models import Grain, ProductCount, VisitorSketch
from saleor_nudges.testing import CHANNEL, JUICE, a_cart, consume, make_shop, viewed

HOUR = timedelta(hours=1)


def counted(shop):
    """Every row of a product; those of a whole channel have tests of their own."""
    found = ProductCount.objects.of(shop).exclude(product_id="")
    return set(found.values_list("product_id", "kind", "grain", "start", "count", "quantity"))


def truncated(moment, seconds):
    return datetime.fromtimestamp(moment.timestamp() // seconds * seconds, UTC)


@pytest.mark.django_db
def test_views_are_counted_by_minute_and_hour(now):
    # given
    shop = make_shop()
    early = truncated(now, 3600) - timedelta(minutes=30)
    capture(
        *[viewed(shop, JUICE.id, occurred_at=early + timedelta(seconds=s)) for s in (0, 59, 60)]
    )
    added = AddedToCart(
        shop=shop.pk, channel=CHANNEL, product=JUICE.id, occurred_at=early, id=uuid7(early)
    )
    capture(added)

    # when
    consume()

    # then
    product = (JUICE.id, "product_viewed")
    assert counted(shop) == {
        (*product, "MINUTE", early, 2, 0),
        (*product, "MINUTE", early + timedelta(minutes=1), 1, 0),
        (*product, "HOUR", truncated(early, 3600), 3, 0),
    }


@pytest.mark.django_db
def test_a_visitor_of_several_pages_is_one_of_the_channel(now):
    # given one visitor of two products and a page, another of a page, and one nobody knows
    shop, (one, other) = make_shop(), (uuid7(), uuid7())
    at = truncated(now, 3600) - timedelta(minutes=30)

    def visited(visitor):
        return PageViewed(
            shop=shop.pk, channel=CHANNEL, occurred_at=at, id=uuid7(at), visitor=visitor
        )

    views = [viewed(shop, product, one, occurred_at=at) for product in (JUICE.id, "other")]

    # when
    counts.fold(shop, [*views, visited(one), visited(other)])
    counts.fold(shop, [visited(one), visited(None)])

    # then
    rows = ProductCount.objects.of(shop).filter(product_id="")
    assert set(rows.values_list("kind", "grain", "count", "quantity")) == {
        ("visited", "MINUTE", 6, 0),
        ("visited", "HOUR", 6, 0),
    }
    whole = Asked(CHANNEL, "", HOUR, at - timedelta(minutes=10))
    assert counts.visitors(shop.pk, [whole], now) == {whole: 2}


@pytest.mark.django_db
def test_the_same_event_twice_counts_once():
    shop = make_shop()
    view = viewed(shop, JUICE.id)
    for _ in range(2):
        capture(view, view)
        consume()
    assert {(grain, count) for _, _, grain, _, count, _ in counted(shop)} == {
        ("MINUTE", 1),
        ("HOUR", 1),
    }


@pytest.mark.django_db
def test_an_order_of_three_pieces_in_two_lines_is_one_order(now):
    # given
    shop = make_shop()
    at = truncated(now, 3600) - timedelta(days=2)
    cart = a_cart(JUICE, JUICE, quantity=2)
    placed = OrderPlaced(
        shop=shop.pk, channel=CHANNEL, occurred_at=at, order_id="one", cart=cart, status="NEW"
    )
    draft = OrderPlaced(
        shop=shop.pk, channel=CHANNEL, occurred_at=at, order_id="two", cart=cart, status="DRAFT"
    )
    undone = OrderCancelled(
        shop=shop.pk, channel=CHANNEL, occurred_at=at, order_id="one", cart=cart
    )

    # when
    counts.fold(shop, [placed, draft, undone])

    # then what is too old for minutes has none, and what was undone is counted on its own
    assert counted(shop) == {
        (JUICE.id, "order_placed", "HOUR", at, 1, 4),
        (JUICE.id, "order_cancelled", "HOUR", at, 1, 4),
    }


@pytest.mark.django_db
def test_the_hour_that_goes_on_is_read_from_its_five_minutes_and_made_when_over(now):
    # given visitors of an hour that is nearly over, folded in two batches
    shop = make_shop()
    start = truncated(now, 3600)
    visitors = [uuid7() for _ in range(30)]
    events = [
        viewed(shop, JUICE.id, visitor, occurred_at=start) for visitor in (*visitors, *visitors)
    ]
    counts.fold(shop, events[:20])
    counts.fold(shop, events[20:])
    assert set(VisitorSketch.objects.of(shop).values_list("grain", flat=True)) == {"FIVE_MINUTES"}

    # when it is over, twice
    assert counts.close_hours(start) == 0
    assert [counts.close_hours(start + HOUR) for _ in range(2)] == [1, 1]

    # then
    hour = VisitorSketch.objects.of(shop).get(grain=Grain.HOUR, product_id=JUICE.id)
    assert hour.start == start
    assert bytes(hour.hashes) == sketch.pack(map(sketch.hasher(shop.pk), visitors))


@pytest.mark.django_db
def test_names_with_quotes_commas_and_backslashes_are_counted_as_they_are():
    shop = make_shop()
    products = ['a"b', "c,d", "e\\f", "{g}", "h%i", "NULL", "ż"]
    for _ in range(2):
        counts.fold(shop, [viewed(shop, product) for product in products])
    found = {
        (product, count) for product, _, grain, _, count, _ in counted(shop) if grain == "HOUR"
    }
    assert found == {(product, 2) for product in products}
    sketched = set(VisitorSketch.objects.of(shop).values_list("product_id", flat=True))
    assert sketched == {*products, ""}


@pytest.mark.django_db
def test_a_batch_costs_four_statements_whatever_is_in_it(django_assert_num_queries):
    shop = make_shop()
    events = [viewed(shop, f"product {n % 40}") for n in range(200)]
    with django_assert_num_queries(4):
        counts.fold(shop, events)


@pytest.mark.django_db(transaction=True)
def test_two_workers_add_up_and_lose_no_visitor(now):
    # given batches that overlap in products which none of them finds counted before
    shop, errors = make_shop(), []
    start = truncated(now, 300)
    forth = range(600)
    batches = [
        [viewed(shop, f"product {n}", occurred_at=start) for n in order]
        for order in (forth, forth[::-1]) * 2
    ]

    def work(mine):
        try:
            with transaction.atomic():
                counts.fold(shop, mine)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    # when
    workers = [threading.Thread(target=work, args=(batch,)) for batch in batches]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=60)

    # then
    assert errors == []
    hours = ProductCount.objects.of(shop).filter(grain=Grain.HOUR)
    products, channel = hours.exclude(product_id=""), hours.get(product_id="")
    assert sum(products.values_list("count", flat=True)) == 2400
    assert channel.count == 2400
    sketches = VisitorSketch.objects.of(shop).exclude(product_id="")
    hashes = sketches.values_list("hashes", flat=True)
    assert sum(len(known) // sketch.WIDTH for known in hashes) == 2400
    visitors = [event.visitor for batch in batches for event in batch]
    whole = VisitorSketch.objects.of(shop).get(product_id="", grain=Grain.FIVE_MINUTES)
    assert bytes(whole.hashes) == sketch.pack(map(sketch.hasher(shop.pk), visitors))


@pytest.mark.django_db
def test_no_read_or_write_scans_a_table():
    # given tables with some rows in them, and no statistics
    shop = make_shop()
    counts.fold(shop, [viewed(shop, f"product {n}") for n in range(3000)])
    keys = [(CHANNEL, "product 1", "FIVE_MINUTES", 0)]
    columns = [rows.texts([key[n] for key in keys]) for n in range(3)]
    asked = Asked(CHANNEL, "product 1", HOUR, datetime.now(UTC) - HOUR)
    plans = []

    # when
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {rows.READ_SKETCHES}", [*columns, rows.numbers([0]), shop.pk])
        plans.append("\n".join(line for (line,) in cursor.fetchall()))
        grains = rows.texts(["{FIVE_MINUTES,HOUR}"])
        bounds = [rows.numbers([asked.first_bucket()]), rows.numbers([1])]
        values = [columns[0], columns[1], grains, *bounds, shop.pk, datetime.now(UTC)]
        cursor.execute(f"EXPLAIN {READ}", values)
        plans.append("\n".join(line for (line,) in cursor.fetchall()))

    # then
    for plan in plans:
        assert "saleor_nudges_visitorsketch_pkey" in plan, plan
        assert "Seq Scan" not in plan


@pytest.mark.django_db
def test_buckets_past_their_age_are_deleted_and_not_made_again(now):
    # given
    shop = make_shop()
    at = truncated(now, 3600) - timedelta(minutes=59)
    counts.fold(shop, [viewed(shop, JUICE.id, occurred_at=at)])

    # when
    counts.close_hours(now + timedelta(hours=4))
    gone = retention.delete_aged_counts(now + timedelta(hours=4))

    # then its minute and its five minutes went, its channel's too, and its hour stays
    assert gone == 4
    assert {grain for _, _, grain, *_ in counted(shop)} == {"HOUR"}
    assert set(VisitorSketch.objects.of(shop).values_list("grain", flat=True)) == {"HOUR"}

    # when a late event comes
    late = now - timedelta(hours=5)
    counts.fold(shop, [viewed(shop, JUICE.id, occurred_at=late)])
    assert {grain for _, _, grain, *_ in counted(shop)} == {"HOUR"}
    hours = VisitorSketch.objects.of(shop).filter(grain=Grain.HOUR, product_id=JUICE.id)
    assert hours.count() == 2
