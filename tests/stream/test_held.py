"""What a dead worker held in Postgres is found, and tried in ever smaller pieces."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now

from saleor_nudges import consumers
from saleor_nudges.events import Flow
from saleor_nudges.models import DeadLetter, HeldBatch, ViewEvent, WaitingEvent
from saleor_nudges.stream.codec import encode
from saleor_nudges.stream.postgres import PIECE, PostgresStream
from saleor_nudges.testing import make_shop, viewed

pytestmark = pytest.mark.django_db


def fill(count):
    shop = make_shop()
    entries = [encode(viewed(shop, "UHJvZHVjdDox")) for _ in range(count)]
    PostgresStream(Flow.VIEWS).append(entries)
    rows = WaitingEvent.objects.of(shop).order_by("position")
    return shop, list(rows.values_list("position", flat=True))


def died_over(first, last, deaths=0, *, ago=3.0):
    """Leave behind what a worker leaves that dies over these positions."""
    return HeldBatch.objects.create(
        flow=Flow.VIEWS,
        first=first,
        last=last,
        deaths=deaths,
        held_since=Now() - timedelta(seconds=ago),
    )


def batches():
    """Take all there is; return (entries, deaths) of each batch."""
    found = []
    while True:
        with PostgresStream(Flow.VIEWS).batch(1000) as held:
            if not held:
                return found
            found.append((len(held), held.deaths))


def test_what_one_died_over_is_tried_in_pieces_and_the_rest_at_once():
    _, positions = fill(PIECE * 2 + 10)
    died_over(positions[0], positions[PIECE + 4])
    assert batches() == [(PIECE, 1), (5, 1), (PIECE + 5, 0)]
    assert HeldBatch.objects.count() == 0


def test_what_two_died_over_is_tried_one_by_one():
    _, positions = fill(5)
    died_over(positions[0], positions[2], deaths=1)
    assert batches() == [(1, 2), (1, 2), (1, 2), (2, 0)]


def test_what_three_died_over_is_put_aside_and_never_tried():
    # given
    shop, positions = fill(3)
    died_over(positions[1], positions[1], deaths=2)
    # when
    assert consumers.drain(Flow.VIEWS, seconds=60) == 3
    # then
    letter = DeadLetter.objects.of(shop).get()
    assert (letter.reason, letter.retry_at) == ("3 workers died over it.", None)
    assert ViewEvent.objects.of(shop).count() == 2
    assert WaitingEvent.objects.of(shop).count() == 0


@pytest.mark.parametrize("deaths", [0, 2])
def test_who_died_as_the_server_did_died_of_no_event(deaths):
    _, positions = fill(3)
    held = died_over(positions[0], positions[0], deaths)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE saleor_nudges_heldbatch"
            " SET held_since = pg_postmaster_start_time() - interval '1 second' WHERE id = %s",
            [held.id],
        )
    assert batches() == ([(1, 2), (2, 0)] if deaths else [(3, 0)])


def test_a_worker_between_two_commits_is_not_thought_dead():
    _, positions = fill(3)
    held = died_over(positions[0], positions[1], ago=0)
    assert batches() == [(1, 0)]
    assert HeldBatch.objects.get() == held


def test_a_batch_that_fails_is_no_death():
    # given
    fill(3)
    stream = PostgresStream(Flow.VIEWS, stale_after=0)
    # when
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), stream.batch(10) as held:  # noqa: PT012
            assert (len(held), held.deaths) == (3, 0)
            raise ZeroDivisionError
    # then
    assert HeldBatch.objects.count() == 0
    assert batches() == [(3, 0)]


def test_a_piece_that_fails_stays_a_piece():
    _, positions = fill(3)
    died_over(positions[0], positions[1])
    stream = PostgresStream(Flow.VIEWS, stale_after=0)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), stream.batch(10) as held:  # noqa: PT012
            assert (len(held), held.deaths) == (2, 1)
            raise ZeroDivisionError
    assert batches() == [(2, 1), (1, 0)]


def test_who_has_finished_leaves_nothing_to_suspect():
    _, positions = fill(2)
    died_over(positions[-1] + 1, positions[-1] + 9)
    assert batches() == [(2, 0)]
    assert HeldBatch.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_somebody_slow_is_not_thought_dead():
    # given somebody living who holds its batch for longer than it takes to be suspected
    fill(3)
    slow = PostgresStream(Flow.VIEWS)
    other = connection.copy()
    try:
        with slow.batch(2) as held:
            assert len(held) == 2
            with other.cursor() as cursor:
                cursor.execute(
                    "UPDATE saleor_nudges_heldbatch SET held_since = now() - interval '1 hour'"
                )
                # when somebody else looks
                PostgresStream(Flow.VIEWS)._break_up_stale(cursor)
                cursor.execute("SELECT deaths FROM saleor_nudges_heldbatch")
                # then
                assert cursor.fetchall() == [(0,)]
    finally:
        other.close()
    assert batches() == [(1, 0)]


def test_suspects_of_another_stream_come_in_pieces():
    shop = make_shop()
    entries = [encode(viewed(shop, "UHJvZHVjdDox")) for _ in range(PIECE + 1)]
    PostgresStream(Flow.VIEWS).append_suspects(entries, 1)
    assert batches() == [(PIECE, 1), (1, 1)]


def test_a_backlog_of_one_flow_does_not_hide_the_other():
    fill(5)
    other = PostgresStream(Flow.COMMERCE)
    with other.batch(3) as held:
        assert held == []
    assert PostgresStream(Flow.VIEWS).holds(5)
    assert not PostgresStream(Flow.VIEWS).holds(6)
    assert not other.holds(1)
