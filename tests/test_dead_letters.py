"""What cannot be taken in is put aside, tried thrice and brought back; it holds nothing up."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from uuid import uuid4

import msgspec
import pytest
from django.core.management import CommandError, call_command
from django.db import DataError, OperationalError
from django.db.models.functions import Now

from saleor_nudges import consumers
from saleor_nudges.capture import capture
from saleor_nudges.consumers import dead_letters, work
from saleor_nudges.events import Contact, Flow, OrderPlaced, View
from saleor_nudges.exceptions import HostUnavailable
from saleor_nudges.facts import full_order, order_fact
from saleor_nudges.host.memory import MemoryHost
from saleor_nudges.models import (
    DeadLetter,
    HeldBatch,
    ProductCount,
    SeenOrder,
    ShopEvent,
    ViewEvent,
    WaitingEvent,
)
from saleor_nudges.recovery.sending import conditions
from saleor_nudges.stream import Batch
from saleor_nudges.stream.base import Broken
from saleor_nudges.stream.codec import encode
from saleor_nudges.stream.postgres import PostgresStream
from saleor_nudges.testing import a_checkout, consume, make_shop, viewed

pytestmark = pytest.mark.django_db

POISON = "UHJvZHVjdDpwb2lzb24="
JUICE = "UHJvZHVjdDox"


@pytest.fixture
def shop():
    return make_shop()


def fails_over_poison(_shop, events):
    for event in events:
        if isinstance(event, View) and event.subject == POISON:
            raise ZeroDivisionError(event.visitor)


def fails_without_pointing(_shop, events):
    if any(event.subject == POISON for event in events):
        raise DataError("some row of the statement")


def with_fold(monkeypatch, fold):
    monkeypatch.setattr(consumers, "CONSUMERS", (*consumers.CONSUMERS, fold))


def now_due():
    DeadLetter.objects.across_shops().update(retry_at=Now() - timedelta(seconds=1))


def counted(shop):
    rows = ProductCount.objects.of(shop).filter(grain="HOUR", kind="product_viewed")
    return dict(rows.values_list("product_id", "count"))


@pytest.mark.parametrize("fold", [fails_over_poison, fails_without_pointing])
@pytest.mark.parametrize("places", [[0], [49], [17, 18], [3, 30, 44], list(range(50))])
def test_only_the_offenders_are_put_aside_and_leave_no_trace(shop, monkeypatch, fold, places):
    # given
    with_fold(monkeypatch, fold)
    events = [viewed(shop, POISON if n in places else JUICE) for n in range(50)]
    capture(*events)
    # when
    assert consumers.consume_batch(Flow.VIEWS) == 50
    # then
    bad = {events[n].id for n in places}
    letters = DeadLetter.objects.of(shop)
    assert set(letters.values_list("event_id", flat=True)) == bad
    assert set(letters.values_list("tries", flat=True)) == {1}
    stored = set(ViewEvent.objects.of(shop).values_list("id", flat=True))
    assert stored == {event.id for event in events} - bad
    # and what stood before the failing fold counted none of them, and all of the others
    assert counted(shop) == ({JUICE: 50 - len(bad)} if len(bad) < 50 else {})
    assert WaitingEvent.objects.of(shop).count() == 0
    assert HeldBatch.objects.count() == 0


def test_the_reason_says_what_failed_and_where_and_nothing_else(shop, monkeypatch):
    with_fold(monkeypatch, fails_over_poison)
    event = viewed(shop, POISON)
    capture(event)
    consume()
    reason = DeadLetter.objects.of(shop).get().reason
    assert reason == "ZeroDivisionError in tests.test_dead_letters.fails_over_poison"
    assert str(event.visitor) not in reason


def test_one_that_fails_is_tried_thrice_and_then_stays(shop, monkeypatch):
    # given
    with_fold(monkeypatch, fails_over_poison)
    capture(viewed(shop, POISON))
    consume()
    seen = []
    for _ in range(4):
        letter = DeadLetter.objects.of(shop).get()
        wait = (letter.retry_at - letter.put_aside_at).total_seconds() if letter.retry_at else None
        seen.append((letter.tries, wait and round(wait)))
        if letter.retry_at:
            # when
            now_due()
        consume()
    # then: after one second, after five more, never again
    assert seen == [(1, 1), (2, 5), (3, None), (3, None)]


def test_one_that_succeeds_later_is_counted_once_and_its_letter_goes(shop, monkeypatch):
    # given
    with_fold(monkeypatch, fails_over_poison)
    event = viewed(shop, POISON)
    capture(event)
    consume()
    assert counted(shop) == {}
    # when the fold is mended
    monkeypatch.undo()
    now_due()
    consume()
    # then
    assert DeadLetter.objects.of(shop).count() == 0
    assert ViewEvent.objects.of(shop).get().id == event.id
    assert counted(shop) == {POISON: 1}


def test_a_letter_over_which_a_worker_dies_is_not_tried_for_ever(shop, monkeypatch):
    # given
    with_fold(monkeypatch, fails_over_poison)
    capture(viewed(shop, POISON))
    consume()

    def die(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(dead_letters, "_retry", die)
    # when
    for _ in range(2):
        now_due()
        with pytest.raises(KeyboardInterrupt):
            dead_letters.retry_due(Flow.VIEWS, consumers.CONSUMERS)
    now_due()
    assert dead_letters.retry_due(Flow.VIEWS, consumers.CONSUMERS) == 0
    # then
    assert DeadLetter.objects.of(shop).get().retry_at is None


@pytest.mark.parametrize("error", [OperationalError("gone"), HostUnavailable()])
def test_what_is_away_is_no_events_fault(shop, monkeypatch, error):
    # given
    def away(_shop, _events):
        raise error

    with_fold(monkeypatch, away)
    capture(viewed(shop, JUICE))
    # when
    with pytest.raises(type(error)):
        consumers.consume_batch(Flow.VIEWS)
    # then it waits as before, and nobody is thought dead
    assert DeadLetter.objects.of(shop).count() == 0
    assert WaitingEvent.objects.of(shop).count() == 1
    assert HeldBatch.objects.count() == 0


def test_a_row_the_database_cannot_index_is_the_rows_fault():
    class ProgramLimit(Exception):
        sqlstate = "54000"

    error = OperationalError("index row size exceeds")
    error.__cause__ = ProgramLimit()
    assert not work.is_infrastructure(error)
    assert work.is_infrastructure(OperationalError("server closed the connection"))


def test_what_is_no_entry_is_kept_as_it_is(shop):
    # given a batch as Redis hands it out
    batch = Batch([encode(viewed(shop, JUICE))])
    batch.broken = [Broken(b'{"id": "no\\u0000"}', "It is no entry of ours.", shop.pk)]
    # when, twice because it may be handed out twice
    for _ in range(2):
        consumers.process(batch, Flow.VIEWS)
    # then
    letter = DeadLetter.objects.of(shop).get()
    assert letter.payload == {"raw": '{"id": "no\\u0000"}'}
    assert ViewEvent.objects.of(shop).count() == 1
    # and trying again does not help
    now_due()
    consume()
    assert DeadLetter.objects.of(shop).get().tries == 2


def test_what_postgres_cannot_store_is_put_aside(shop):
    # given: no door lets it in, but another version of ours might have
    good, bad = encode(viewed(shop, JUICE)), encode(viewed(shop, JUICE))
    bad = msgspec.structs.replace(bad, data=bad.data | {"page": "a\0b"})
    # when
    assert consumers.process(Batch([good, bad]), Flow.VIEWS) == 1
    # then
    assert DeadLetter.objects.of(shop).get().event_id == bad.id
    assert ViewEvent.objects.of(shop).get().id == good.id


def test_a_shop_that_is_away_holds_up_only_its_own_thin_facts(shop, monkeypatch):
    # given two shops, of which the second does not answer
    other = make_shop("other.example.com")
    order = MemoryHost(shop).place_order(a_checkout(shop, email="a@b.com").id, datetime.now(UTC))
    lost = MemoryHost(other).place_order(a_checkout(other, email="a@b.com").id, datetime.now(UTC))
    whole = MemoryHost(other).place_order(a_checkout(other, email="c@d.com").id, datetime.now(UTC))
    capture(order_fact(OrderPlaced, shop, order.id, order.channel, order.created_at))
    capture(order_fact(OrderPlaced, other, lost.id, lost.channel, lost.created_at))
    capture(full_order(OrderPlaced, other, whole))
    asked = []
    answer = MemoryHost.orders

    def orders(self, ids):
        asked.append(self.shop)
        if self.shop == other:
            raise HostUnavailable
        return answer(self, ids)

    monkeypatch.setattr(MemoryHost, "orders", orders)
    # when
    consume()
    # then
    assert SeenOrder.objects.of(shop).get().order_id == order.id
    assert SeenOrder.objects.of(other).get().order_id == whole.id
    assert ShopEvent.objects.of(other).count() == 1
    waiting = WaitingEvent.objects.of(other).get()
    assert (waiting.kind, waiting.not_before > waiting.appended_at) == ("order_placed", True)
    assert DeadLetter.objects.across_shops().count() == 0
    # and when its time has come while this process has no reason to ask yet, nobody is kept waiting
    WaitingEvent.objects.of(other).update(not_before=Now() - timedelta(seconds=1))
    consume()
    assert asked.count(other) == 1
    # and when it answers again
    monkeypatch.undo()
    consumers.completing._away_until.clear()
    WaitingEvent.objects.of(other).update(not_before=Now() - timedelta(seconds=1))
    consume()
    assert SeenOrder.objects.of(other).count() == 2
    assert WaitingEvent.objects.of(other).count() == 0


def test_while_an_order_will_be_tried_again_nobody_is_written_to(shop, monkeypatch):
    # given
    def fails(_shop, events):
        for event in events:
            raise ValueError(event.id)

    with_fold(monkeypatch, fails)
    order = MemoryHost(shop).place_order(a_checkout(shop, email="a@b.com").id, datetime.now(UTC))
    capture(full_order(OrderPlaced, shop, order))
    # when
    consume()
    # then
    letters = DeadLetter.objects.of(shop).filter(kind__in=conditions.STOPPING)
    assert letters.filter(retry_at__isnull=False).count() == 1
    assert SeenOrder.objects.of(shop).count() == 0


# The command.


def said(*arguments):
    out = StringIO()
    call_command("nudges", "dead-letters", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def letters(shop, monkeypatch):
    """Two letters of one shop, one of another; and no fold fails any more."""

    def fails(_shop, events):
        for event in events:
            raise ValueError(event.id)

    with_fold(monkeypatch, fails)
    order = MemoryHost(shop).place_order(
        a_checkout(shop, email="anna@example.com").id, datetime.now(UTC)
    )
    capture(full_order(OrderPlaced, shop, order), viewed(shop, JUICE))
    capture(viewed(make_shop("other.example.com"), JUICE))
    consume()
    monkeypatch.undo()
    return list(DeadLetter.objects.across_shops())


def test_the_list_says_why_and_nothing_personal(letters):
    text = said("list")
    assert text.endswith("3 put aside.\n")
    for letter in letters:
        assert f"{letter.pk}  {letter.flow}  {letter.kind}  {letter.event_id}" in text
    assert text.count("ValueError in tests.test_dead_letters.fails") == 3
    for secret in ("anna", "Checkout:", "@"):
        assert secret not in text


@pytest.mark.parametrize(
    ("narrow", "count"),
    [
        (("--shop", "shop.example.com"), 2),
        (("--kind", "product_viewed"), 2),
        (("--shop", "shop.example.com", "--kind", "product_viewed"), 1),
        (("--shop", "nobody.example.com"), 0),
    ],
)
def test_both_can_be_narrowed_down(letters, narrow, count):
    assert said("list", *narrow).endswith(f"{count} put aside.\n")
    assert said("requeue", *narrow, "--dry-run") == f"{count} would go back; nothing was changed.\n"
    assert DeadLetter.objects.across_shops().count() == len(letters)
    assert said("requeue", *narrow).startswith(f"{count} went back into the stream, 0 cannot")
    assert WaitingEvent.objects.across_shops().count() == count


def test_requeued_events_are_taken_in_whole(shop, letters):
    # when
    assert said("requeue", "--all") == ("3 went back into the stream, 0 cannot be read and stay.\n")
    assert DeadLetter.objects.across_shops().count() == 0
    consume()
    # then: what was sealed was sealed all the while, and is whole
    order = SeenOrder.objects.of(shop).get()
    assert order.person is not None
    assert ViewEvent.objects.of(shop).count() == 1
    assert Contact(email="anna@example.com").email not in str(letters)


def test_one_by_its_number(letters):
    said("requeue", "--id", str(letters[0].pk))
    left = DeadLetter.objects.across_shops().values_list("pk", flat=True)
    assert list(left) == [letter.pk for letter in letters[1:]]


def test_what_is_no_event_stays(shop):
    batch = Batch()
    batch.broken = [Broken(b"{", "It is no JSON of ours.")]
    consumers.process(batch, Flow.VIEWS)
    assert said("requeue", "--all").startswith("0 went back into the stream, 1 cannot be read")
    assert DeadLetter.objects.across_shops().count() == 1


def test_requeue_of_nothing_in_particular_is_refused():
    with pytest.raises(CommandError):
        said("requeue")


def test_a_letter_of_a_shop_that_is_gone_can_still_be_listed():
    entry = encode(viewed(make_shop("gone.example.com"), JUICE))
    stranger = msgspec.structs.replace(entry, shop_id=uuid4(), kind="unheard_of")
    PostgresStream(Flow.VIEWS).append([stranger])
    consume()
    assert "unheard_of" in said("list")
