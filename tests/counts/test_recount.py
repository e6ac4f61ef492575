"""Counting again from the events: the same rows, bit for bit, beside whatever is consumed."""

import re
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction

from saleor_nudges import counts, tasks
from saleor_nudges.capture import capture
from saleor_nudges.counts import jobs, recount
from saleor_nudges.counts.recount import Piece
from saleor_nudges.events import OrderPlaced, PageViewed
from saleor_nudges.events.identity import uuid7
from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.models import JobState, ProductCount, RecountJob, VisitorSketch
from saleor_nudges.testing import JUICE, a_cart, consume, make_shop, viewed

PARTITION = re.compile(r"on (saleor_nudges_views_\d+)")

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.servers]


def whole():
    """Every row of both tables, as it is stored."""
    found = []
    for model in (ProductCount, VisitorSketch):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT t::text FROM {model._meta.db_table} t ORDER BY 1")
            found += [row for (row,) in cursor.fetchall()]
    return found


def some_events(shop, now):
    """Views and orders of the last day; some whose browser's clock was far off."""
    visitors = [uuid7() for _ in range(40)]
    events = []
    for n in range(300):
        at = now - timedelta(minutes=n * 4, seconds=n % 60)
        clock = at + timedelta(hours=(n % 7 - 3) * 7) if n % 10 == 0 and n > 250 else at
        events.append(
            viewed(
                shop,
                f"product {n % 7}",
                visitors[n % 40],
                occurred_at=at,
                id=uuid7(min(clock, now)),
                channel=("here", "there")[n % 2],
            )
        )
    events += [
        PageViewed(
            shop=shop.pk,
            channel=("here", "there")[n % 2],
            occurred_at=now - timedelta(minutes=n * 40),
            id=uuid7(now - timedelta(minutes=n * 40)),
            visitor=uuid7() if n % 3 else visitors[n],
            page="HOME",
        )
        for n in range(30)
    ]
    events += [
        OrderPlaced(
            shop=shop.pk,
            channel="here",
            occurred_at=now - timedelta(hours=n),
            order_id=f"order {n}",
            cart=a_cart(JUICE, JUICE, quantity=n + 1),
        )
        for n in range(12)
    ]
    return events


@pytest.fixture
def shop(now):
    shop = make_shop()
    capture(*some_events(shop, now))
    consume()
    counts.close_hours(now)
    return shop


def window(now):
    return now - timedelta(hours=23), now


def spoil():
    ProductCount.objects.across_shops().filter(product_id="product 1").delete()
    ProductCount.objects.across_shops().filter(product_id="product 2").update(count=77)
    VisitorSketch.objects.across_shops().filter(product_id="product 3").update(hashes=bytes(16))
    VisitorSketch.objects.across_shops().filter(product_id="product 4").delete()
    VisitorSketch.objects.across_shops().filter(product_id="", channel="here").delete()
    VisitorSketch.objects.across_shops().filter(product_id="").update(hashes=bytes(8))
    ProductCount.objects.across_shops().filter(product_id="", grain="HOUR").update(count=7)


def test_what_was_spoilt_is_put_right_bit_for_bit(shop, now):
    # given
    before = whole()
    spoil()
    extra = ProductCount.objects.of(shop).filter(grain="HOUR").first()
    extra.product_id = "never seen"
    extra.save(force_insert=True)
    assert whole() != before

    # when
    run = jobs.plan([shop], *window(now))
    done = jobs.work(run, seconds=60)

    # then
    progress = jobs.progress(run)
    assert (progress.done, progress.failed, done) == (progress.jobs, 0, progress.jobs)
    assert progress.events > 300
    assert progress.differing > 0
    assert whole() == before


def test_counted_right_nothing_differs_and_nothing_is_written(shop, now):
    run = jobs.plan([shop], *window(now))
    jobs.work(run, seconds=60)
    assert jobs.progress(run).differing == 0


def test_a_dry_run_changes_nothing(shop, now):
    spoil()
    before = whole()
    run = jobs.plan([shop], *window(now), dry_run=True)
    jobs.work(run, seconds=60)
    assert jobs.progress(run).differing > 0
    assert whole() == before


def test_one_channel_and_kind_leave_the_others_alone(shop, now):
    ProductCount.objects.of(shop).update(count=77)
    run = jobs.plan([shop], *window(now), kinds=["product_viewed"], channel="here")
    jobs.work(run, seconds=60)
    left = ProductCount.objects.of(shop).filter(count=77, start__gte=now - timedelta(hours=22))
    assert set(left.values_list("channel", "kind")) == {
        ("there", "product_viewed"),
        ("here", "visited"),
        ("there", "visited"),
        ("here", "order_placed"),
    }


def test_events_folded_between_counting_and_replacing_are_not_lost(shop, now, monkeypatch):
    # given a view that is stored after the events were read and before its hour is replaced
    real, late = recount._replace, []

    def replace_after_more(piece, version, hour, *, dry_run):
        if not late and piece.kind == "product_viewed" and piece.start <= now < piece.end:
            late.append(viewed(shop, "product 1", occurred_at=now))
            other = threading.Thread(target=store, args=(late,))
            other.start()
            other.join()
        return real(piece, version, hour, dry_run=dry_run)

    def store(events):
        capture(*events)
        consume()
        connection.close()

    monkeypatch.setattr(recount, "_replace", replace_after_more)

    # when
    spoil()
    run = jobs.plan([shop], *window(now))
    jobs.work(run, seconds=60)

    # then what it left is what another recount finds
    assert len(late) == 1
    monkeypatch.setattr(recount, "_replace", real)
    again = jobs.plan([shop], *window(now))
    jobs.work(again, seconds=60)
    assert jobs.progress(run).failed == 0
    assert jobs.progress(again).differing == 0


def test_a_recount_waits_for_a_fold_that_has_not_committed(shop, now):
    # given rows that are to be replaced, and a batch folded into them that is still open
    spoil()
    folded, errors = threading.Event(), []

    def fold_and_stay():
        try:
            with transaction.atomic():
                capture(*[viewed(shop, f"product {n}", occurred_at=now) for n in range(7)])
                consume()
                folded.set()
                wait_until_somebody_waits()
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    other = threading.Thread(target=fold_and_stay)
    other.start()
    assert folded.wait(timeout=10)

    # when
    for _ in range(2):
        run = jobs.plan([shop], *window(now), kinds=["product_viewed", "visited"])
        jobs.work(run, seconds=60)
    other.join(timeout=10)

    # then nothing of either is missing
    assert errors == []
    assert jobs.progress(run).failed == 0
    last = jobs.plan([shop], *window(now))
    jobs.work(last, seconds=60)
    assert jobs.progress(last).differing == 0


def wait_until_somebody_waits():
    """Return once another session waits for a lock of ours; raise if none ever does."""
    with connection.cursor() as cursor:
        for _ in range(2000):
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"
            )
            if cursor.fetchone()[0]:
                return
    raise AssertionError("nobody waited")


def test_a_recount_beside_consumption_ends_equal(shop, now):
    # given a worker that goes on consuming views of this hour
    stop, errors = threading.Event(), []

    def go_on():
        try:
            while not stop.is_set():
                capture(*[viewed(shop, f"product {n % 7}") for n in range(50)])
                consume()
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    worker = threading.Thread(target=go_on)
    worker.start()

    # when
    try:
        for _ in range(4):
            run = jobs.plan([shop], datetime.now(UTC) - timedelta(hours=3), datetime.now(UTC))
            jobs.work(run, seconds=60)
            assert jobs.progress(run).failed == 0
    finally:
        stop.set()
        worker.join()

    # then
    assert errors == []
    last = jobs.plan([shop], datetime.now(UTC) - timedelta(hours=3), datetime.now(UTC))
    counts.close_hours(datetime.now(UTC))
    jobs.work(last, seconds=60)
    assert jobs.progress(last).differing == 0


def test_a_job_whose_worker_died_is_taken_up_and_given_up_after_three_tries(shop, now):
    # given a job somebody claimed and died over
    run = jobs.plan([shop], now - timedelta(hours=1), now, kinds=["product_viewed"])
    total = jobs.progress(run).jobs
    first = jobs.claim(run)
    others = [jobs.claim(run) for _ in range(total - 1)]
    assert jobs.claim(run) is None
    for job in others:
        assert jobs.do(job)

    # when its lease is over
    RecountJob.objects.across_shops().filter(pk=first.pk).update(leased_until=now)
    second = jobs.claim(run)

    # then it is another's, and the first one's work is not taken for done
    assert second.pk == first.pk
    assert jobs.do(first) is False
    assert jobs.do(second) is True
    assert jobs.progress(run).is_over

    # when it dies three times
    stuck = RecountJob.objects.across_shops().filter(pk=first.pk)
    stuck.update(state=JobState.RUNNING, tries=3, leased_until=now)
    assert jobs.claim(run) is None
    assert stuck.get().state == JobState.FAILED


def test_what_fails_is_tried_again_and_says_why(shop, now, monkeypatch):
    monkeypatch.setattr(jobs, "recount", lambda *_, **__: 1 / 0)
    run = jobs.plan([shop], now - timedelta(minutes=1), now, kinds=["product_viewed"])
    jobs.work(run, seconds=60)
    found = set(RecountJob.objects.of(shop).filter(run=run).values_list("state", "tries", "error"))
    assert found == {("FAILED", 3, "division by zero")}


@pytest.mark.parametrize(
    ("_case", "start", "end"),
    [("older than what is stored", 400, 399), ("ends before it begins", 1, 2)],
)
def test_a_window_that_cannot_be_counted_is_refused(_case, start, end, shop, now):
    with pytest.raises(InvalidInput):
        jobs.plan([shop], now - timedelta(days=start), now - timedelta(days=end))
    assert RecountJob.objects.of(shop).count() == 0


def test_the_command_does_it_and_says_so(shop, now, capsys, monkeypatch):
    monkeypatch.setattr(tasks, "recount_with", lambda _: None)
    before = whole()
    spoil()
    start = (now - timedelta(hours=23)).isoformat()
    call_command("nudges", "recount", "--from", start)
    said = capsys.readouterr().out.splitlines()
    assert said[-1].endswith(" rows were put right.")
    assert said[-2].startswith("20 of 20 jobs, ")
    assert whole() == before
    with pytest.raises(CommandError):
        call_command("nudges", "recount", "--from", start, "--shop", "nobody")


def test_the_events_are_read_by_their_ids(shop, now):
    piece = Piece(shop.pk, "", "product_viewed", now - timedelta(hours=2), now)
    with connection.cursor() as cursor, transaction.atomic():
        # A week of these tests fits into a page or two, where any plan is as good.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {piece.statement()}", piece.parameters())
        plan = "\n".join(line for (line,) in cursor.fetchall())
    # Two days and two hours touch two weeks at most, and each is entered by its key.
    assert 1 <= len(set(PARTITION.findall(plan))) <= 2, plan
    assert "Seq Scan" not in plan, plan
    assert "Index Cond: ((id >=" in plan, plan
