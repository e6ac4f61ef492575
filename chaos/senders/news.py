"""What people who left a checkout do next, as the shop's news of it reach us."""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final, Protocol

from django.db import connection, transaction

from chaos.senders.host import CART, CHANNEL, user_of
from chaos.senders.population import SILENT, Leaver
from saleor_nudges import facts, people
from saleor_nudges.capture import capture
from saleor_nudges.events import CheckoutChanged, Contact, Event
from saleor_nudges.host import Order
from saleor_nudges.models import MessageChannel, Suppression
from saleor_nudges.models.statements import database_now

MINUTE: Final = timedelta(minutes=1)
LONGEST_PAUSE: Final = 0.15


class Fate(StrEnum):
    """What somebody does."""

    NOTHING = "nothing"
    LOST_NEWS = "lost news"  # they buy, and no news of it ever come
    BUYS = "buys"
    BUYS_ELSEWHERE = "buys elsewhere"  # with another checkout
    BUYS_BY_ACCOUNT = "buys by account"  # with another address, on the same account
    BECOMES_CUSTOMER = "becomes customer"  # a guest who signs up, then buys with another address
    SAYS_NO = "says no"
    GONE = "gone"  # the shop throws the checkout away and says nothing


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that is captured; `stops` says that nothing may be marked from then on."""

    do: Callable[[], object]
    stops: bool = True


class News(Protocol):
    """What comes of one fate, in the order in which it comes."""

    def __call__(self, leaver: Leaver, *, is_reordered: bool) -> Iterator[Step]: ...


def capture_in_one(step: Step) -> str:
    """Do it in one transaction, and return that transaction's number."""
    with transaction.atomic():
        step.do()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id()::text")
            [(xid,)] = cursor.fetchall()
    return str(xid)


def _nothing(leaver: Leaver, *, is_reordered: bool) -> Iterator[Step]:  # noqa: ARG001
    yield from ()


def _buys(leaver: Leaver, *, is_reordered: bool) -> Iterator[Step]:
    yield from _order(leaver, leaver.contact, leaver.checkout_id, is_reordered=is_reordered)


def _buys_elsewhere(leaver: Leaver, *, is_reordered: bool) -> Iterator[Step]:
    yield from _order(leaver, leaver.contact, is_reordered=is_reordered)


def _buys_by_account(leaver: Leaver, *, is_reordered: bool) -> Iterator[Step]:
    contact = Contact(email=f"other-{leaver.email}", user_id=leaver.user_id)
    yield from _order(leaver, contact, is_reordered=is_reordered)


def _becomes_customer(leaver: Leaver, *, is_reordered: bool) -> Iterator[Step]:
    named = replace(leaver, user_id=user_of(leaver.number))
    changed_at = database_now() - SILENT + MINUTE
    # Thin, as a hook tells it: who reads it asks the shop.
    fact = facts.checkout_fact(
        CheckoutChanged, leaver.shop, leaver.checkout_id, CHANNEL, changed_at
    )
    yield Step(_captured(fact), stops=False)
    # Long enough for somebody to be reading the one when the other comes.
    time.sleep(random.random() * LONGEST_PAUSE)
    yield from _buys_by_account(named, is_reordered=is_reordered)


def _says_no(leaver: Leaver, *, is_reordered: bool) -> Iterator[Step]:  # noqa: ARG001
    row: dict[str, Any] = {
        "shop": leaver.shop,
        "message_channel": MessageChannel.EMAIL,
        "address_hash": people.email_hash(leaver.email),
    }

    def say() -> None:
        Suppression.objects.of(leaver.shop).get_or_create(
            **row, defaults={"reason": "UNSUBSCRIBED"}
        )

    yield Step(say)


def _order(
    leaver: Leaver, contact: Contact, checkout_id: str = "", *, is_reordered: bool
) -> Iterator[Step]:
    """Yield the news of an order; out of order, its later change comes first."""
    now = database_now()
    number = f"Order:{leaver.number}"
    order = Order(number, CHANNEL, now, now + MINUTE, "UNFULFILLED", contact, CART, checkout_id)
    placed, changed = facts.facts_of(leaver.shop, order)
    if is_reordered:
        yield Step(_captured(changed), stops=False)
    yield Step(_captured(placed))


def _captured(fact: Event) -> Callable[[], None]:
    return lambda: capture(fact)


NEWS: Final[dict[Fate, News]] = {
    Fate.NOTHING: _nothing,
    Fate.LOST_NEWS: _nothing,
    Fate.BUYS: _buys,
    Fate.BUYS_ELSEWHERE: _buys_elsewhere,
    Fate.BUYS_BY_ACCOUNT: _buys_by_account,
    Fate.BECOMES_CUSTOMER: _becomes_customer,
    Fate.SAYS_NO: _says_no,
    Fate.GONE: _nothing,
}
