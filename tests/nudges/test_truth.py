"""What the feed says against a count over the raw events, whatever happened and however it came."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saleor_nudges import facts
from saleor_nudges.capture import capture
from saleor_nudges.counts import Asked
from saleor_nudges.events import (
    CheckoutChanged,
    Event,
    OrderCancelled,
    OrderChanged,
    OrderPlaced,
    OrderRefunded,
    PageViewed,
    ProductViewed,
)
from saleor_nudges.events.identity import uuid7
from saleor_nudges.host import ProductCard
from saleor_nudges.models import Nudge, NudgeType, Shop
from saleor_nudges.nudges import KINDS
from saleor_nudges.nudges.choose import Ask, Shown, choose
from saleor_nudges.nudges.kinds.measured import Measured, shown_for
from saleor_nudges.testing import CHANNEL, JUICE, a_cart, consume, make_shop, switch_on_nudge

pytestmark = pytest.mark.django_db

PEAR = ProductCard("UHJvZHVjdDoy", "Pear Juice", "pear-juice")
PRODUCTS = (JUICE, PEAR)
VISITORS = [uuid7() for _ in range(6)]
VIEWED, VISITED = NudgeType.PRODUCT_VIEW, NudgeType.RECENT_VISITORS
CARTS, ORDERS = NudgeType.CART_SUMMARY, NudgeType.ORDER_SUMMARY
TOLD = (NudgeType.ADD_TO_CART, NudgeType.ORDER)
NUMBERS = (VIEWED, VISITED, CARTS, ORDERS)
# Which number there is of what: "" is the whole channel.
SAID = [(VISITED, "")] + [
    (kind, product)
    for kind in (VIEWED, CARTS, ORDERS)
    for product in (JUICE.id, PEAR.id, *([] if kind is VIEWED else [""]))
]
COUNTING = ("UNFULFILLED", "FULFILLED")

# Half a minute from every whole one, so that no event lies on the edge of a window.
AGES = st.integers(0, 66).map(lambda minutes: timedelta(seconds=minutes * 60 + 30))
SOME = st.lists(st.sampled_from(PRODUCTS), min_size=1, unique=True)
VIEW = st.tuples(st.sampled_from(VISITORS), st.sampled_from([JUICE.id, PEAR.id, ""]), AGES)
CART = st.lists(
    st.tuples(AGES, st.lists(st.sampled_from(PRODUCTS), unique=True)),
    min_size=1,
    max_size=3,
    unique_by=lambda look: look[0],
)
STATE = st.tuples(st.sampled_from([*COUNTING, "PARTIALLY_RETURNED", "RETURNED"]), SOME)
UNDOING = st.sampled_from([None, OrderCancelled, OrderRefunded])


@dataclass
class History:
    """What really happened, and all that may be said of it."""

    shop: Shop
    now: datetime
    events: list[Event]

    def number(self, kind: NudgeType, product: str, since: datetime, until: datetime) -> int:
        """Count over the raw events, the simplest way there is."""
        if kind in (VIEWED, VISITED):
            return len(set(self._visitors(product, since, until)))
        first = self._put() if kind is CARTS else self._bought()
        rows = [(who, what) for (who, what), at in first.items() if since <= at <= until]
        return len({who for who, what in rows if product in ("", what)})

    def told(self) -> Counter[tuple[str, str, datetime]]:
        """Return what somebody did, as often as it was done: kind, product, when."""
        first, newest = self._put(), {}
        for fact in sorted(self._facts(CheckoutChanged), key=lambda fact: fact.occurred_at):
            newest[fact.checkout] = fact
        ordered = {fact.checkout for fact in self._facts(OrderPlaced, OrderChanged, *UNDONE)}
        in_carts = [
            (NudgeType.ADD_TO_CART, line.product_id, first[checkout, line.product_id])
            for checkout, fact in newest.items()
            for line in fact.cart.lines
            if checkout not in ordered
        ]
        bought = [(NudgeType.ORDER, what, at) for (_, what), at in self._bought().items()]
        return Counter([*in_carts, *bought])

    def _facts(self, *kinds: type[Event]) -> Iterator[Any]:
        return (event for event in self.events if isinstance(event, kinds))

    def _visitors(self, product: str, since: datetime, until: datetime) -> Iterator[UUID]:
        for view in self._facts(ProductViewed, PageViewed):
            if since <= view.occurred_at <= until and product in ("", view.subject):
                yield view.visitor

    def _put(self) -> dict[tuple[str, str], datetime]:
        """Return when each product was put into each cart."""
        first: dict[tuple[str, str], datetime] = {}
        for fact in self._facts(CheckoutChanged):
            for line in fact.cart.lines:
                key = (fact.checkout, line.product_id)
                first[key] = min(first.get(key, fact.occurred_at), fact.occurred_at)
        return first

    def _bought(self) -> dict[tuple[str, str], datetime]:
        """Return which orders stand, by product, and when they were placed."""
        newest: dict[str, Any] = {}
        for fact in sorted(self._facts(OrderPlaced, OrderChanged), key=lambda f: f.revision):
            newest[fact.order_id] = fact
        undone = {fact.order_id for fact in self._facts(*UNDONE)}
        return {
            (fact.order_id, line.product_id): fact.occurred_at
            for fact in newest.values()
            for line in fact.cart.lines
            if fact.order_id not in undone and fact.status != "RETURNED"
        }


UNDONE = (OrderCancelled, OrderRefunded)


@st.composite
def histories(draw: Any) -> tuple[list[Any], list[Any], list[Any]]:
    views = draw(st.lists(VIEW, max_size=10))
    carts = draw(st.lists(CART, min_size=1, max_size=3))
    life = st.tuples(st.integers(0, 4), AGES, st.lists(STATE, min_size=1, max_size=3), UNDOING)
    orders = draw(st.lists(life, min_size=1, max_size=3))
    return views, carts, orders


def events_of(shop: Shop, now: datetime, drawn: tuple[list[Any], ...]) -> list[Event]:
    views, carts, orders = drawn
    return [
        *(viewed(shop, visitor, product, now - age) for visitor, product, age in views),
        *(
            look(shop, f"cart {number}", now - age, products)
            for number, cart in enumerate(carts)
            for age, products in cart
        ),
        *(
            fact
            for number, order in enumerate(orders)
            for fact in life_of(shop, f"order {number}", now, *order)
        ),
    ]


def viewed(shop: Shop, visitor: UUID, product: str, at: datetime) -> Event:
    about: dict[str, Any] = {"product": product} if product else {"page": "HOME"}
    kind = ProductViewed if product else PageViewed
    return kind(
        shop=shop.pk, channel=CHANNEL, occurred_at=at, id=uuid7(at), visitor=visitor, **about
    )


def look(shop: Shop, checkout: str, at: datetime, products: list[ProductCard]) -> Event:
    cart = a_cart(*products) if products else replace(a_cart(), lines=())
    return CheckoutChanged(
        shop=shop.pk,
        channel=CHANNEL,
        occurred_at=at,
        revision=facts.revision(at),
        checkout=checkout,
        cart=cart,
    )


def life_of(
    shop: Shop,
    name: str,
    now: datetime,
    cart: int,
    age: timedelta,
    states: list[tuple[str, list[ProductCard]]],
    undoing: type[Event] | None,
) -> Iterator[Event]:
    at = now - age
    order: dict[str, Any] = {
        "shop": shop.pk,
        "channel": CHANNEL,
        "occurred_at": at,
        "order_id": name,
        "checkout": f"cart {cart}",
    }
    for second, (status, products) in enumerate(states):
        revision = facts.revision(at + timedelta(seconds=second)) if second else ""
        kind = OrderChanged if second else OrderPlaced
        yield kind(**order, revision=revision, status=status, cart=a_cart(*products))
    if undoing:
        yield undoing(**order, status=status, cart=a_cart(*products))


def feed(shop: Shop, now: datetime) -> list[Shown]:
    """Return all that a page of each product and one of none say, each nudge once."""
    pages = [Ask(CHANNEL, "PRODUCT", card.id, count=20) for card in PRODUCTS]
    found = [choose(shop, ask, now).nudges for ask in (*pages, Ask(CHANNEL, "HOME", count=20))]
    return list({shown.card.id: shown for page in found for shown in page}.values())


def numbers(said: Iterable[Shown]) -> dict[tuple[NudgeType, str], Shown]:
    return {
        (NudgeType(one.card.type), one.card.product): one for one in said if one.value is not None
    }


def measured_anew(shop: Shop) -> None:
    """Count every number again, however young it is."""
    Nudge.objects.of(shop).filter(value__isnull=False).update(valid_until=timezone.now())
    for kind in NUMBERS:
        about = [(CHANNEL, product) for name, product in SAID if name is kind]
        measured = KINDS[kind]
        assert isinstance(measured, Measured)
        measured.measure(shop, about)


def assert_never_above(history: History, window: timedelta) -> None:
    for (kind, product), one in numbers(feed(history.shop, history.now)).items():
        for moment in (history.now, one.card.until):
            truth = history.number(kind, product, moment - window, moment)
            assert (one.value or 0) <= truth, (kind, product, one.value, truth)


def assert_exact(history: History, window: timedelta) -> None:
    said = feed(history.shop, history.now)
    since = history.now + shown_for(window) - window
    found = numbers(said)
    for kind, product in SAID:
        begin = since
        if kind in (VIEWED, VISITED):
            # Visitors are kept by whole buckets: those that begin within.
            bucket = Asked(CHANNEL, product, window, since).first_bucket()
            begin = datetime.fromtimestamp(bucket, UTC)
        truth = history.number(kind, product, begin, history.now)
        value = found[kind, product].value if (kind, product) in found else 0
        assert value == truth, (kind, product)
    told = [(s.card.type, s.card.product, s.card.occurred_at) for s in said if s.value is None]
    assert Counter(told) == history.told()


def a_shop(window: timedelta) -> Shop:
    shop = make_shop(uuid7().hex)
    for kind in TOLD:
        switch_on_nudge(shop, kind)
    for kind in NUMBERS:
        switch_on_nudge(shop, kind, minimum=1, window_seconds=int(window.total_seconds()))
    return shop


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    drawn=histories(),
    hours=st.sampled_from([1, 24]),
    data=st.data(),
)
def test_the_feed_says_what_happened(drawn, hours, data, monkeypatch):
    # given what happened, some of it told twice, in any order and in any three batches
    window, now = timedelta(hours=hours), datetime.now(UTC)
    monkeypatch.setattr(timezone, "now", lambda: now)
    shop = a_shop(window)
    history = History(shop, now, events_of(shop, now, drawn))
    again = data.draw(st.lists(st.sampled_from(history.events), max_size=5))
    order = data.draw(st.permutations([*history.events, *again]))
    ends = sorted(data.draw(st.lists(st.integers(0, len(order)), min_size=2, max_size=2)))

    # when / then whatever is known so far, nothing is said that did not happen
    for start, end in zip((0, *ends), (*ends, len(order)), strict=True):
        capture(*order[start:end])
        consume()
        heard = list({event.id: event for event in order[:end]}.values())
        assert_never_above(History(shop, now, heard), window)

    # then once it is counted, everything is said that happened
    measured_anew(shop)
    assert_exact(history, window)
    assert_never_above(history, window)
