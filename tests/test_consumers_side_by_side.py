"""Two workers hold two facts of one thing at the same moment: what was undone stays undone."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db import connection

from saleor_nudges import consumers, people
from saleor_nudges.capture import capture
from saleor_nudges.events import Contact, CustomerErased, Flow, OrderCancelled, OrderPlaced
from saleor_nudges.facts import full_checkout, full_order
from saleor_nudges.host.memory import MemoryHost
from saleor_nudges.models import Nudge, Person, SeenOrder
from saleor_nudges.recovery.watching import watch
from saleor_nudges.testing import CHANNEL, a_checkout, make_shop

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.servers]


def side_by_side(monkeypatch: pytest.MonkeyPatch, second: Callable[[], None]) -> None:
    """Consume what waits; while that batch is folded but not committed, consume `second` too."""
    folded, errors = threading.Event(), []

    def fold_then_wait(shop, events):
        watch.fold(shop, events)
        if threading.current_thread() is threading.main_thread():
            folded.set()
            other.join(timeout=0.5)

    def consume_second():
        try:
            folded.wait(timeout=10)
            second()
            consumers.consume_batch(Flow.COMMERCE)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    others = [fold for fold in consumers.CONSUMERS if fold is not watch.fold]
    monkeypatch.setattr(consumers, "CONSUMERS", (*others, fold_then_wait))
    other = threading.Thread(target=consume_second)
    other.start()
    consumers.consume_batch(Flow.COMMERCE)
    other.join(timeout=10)
    assert not other.is_alive()
    assert errors == []


def test_a_cancellation_folded_beside_its_order_leaves_no_nudge(monkeypatch):
    # given an order of somebody we know already
    shop = make_shop()
    people.resolve(shop, Contact(email="anna@example.com"))
    checkout = a_checkout(shop, email="anna@example.com")
    order = MemoryHost(shop).place_order(checkout.id, datetime.now(UTC))
    capture(full_order(OrderPlaced, shop, order))
    # when
    side_by_side(monkeypatch, lambda: capture(full_order(OrderCancelled, shop, order)))
    # then
    assert SeenOrder.objects.of(shop).get().is_void is True
    assert Nudge.objects.of(shop).filter(withdrawn_at__isnull=True).count() == 0


def test_a_person_erased_beside_their_checkout_does_not_come_back(monkeypatch):
    # given
    shop = make_shop()
    capture(full_checkout(shop, a_checkout(shop, email="anna@example.com")))
    erased = CustomerErased(
        shop=shop.pk,
        channel=CHANNEL,
        occurred_at=datetime.now(UTC),
        user="",
        contact=Contact(email="anna@example.com"),
    )
    # when
    side_by_side(monkeypatch, lambda: capture(erased))
    # then
    assert Person.objects.of(shop).filter(erased_at__isnull=True).count() == 0
