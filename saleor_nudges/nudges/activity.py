"""Which checkout has held which product, and which order has which: what others count and tell.

The rows are the same in whatever order the facts come, and however often: a product was put into a
cart when the earliest fact says so, an order is what its newest fact says, and what was undone
stays undone.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.contrib.postgres.functions import TransactionNow
from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from saleor_nudges.events import (
    Cart,
    CheckoutFact,
    ConsentWithdrawn,
    CustomerErased,
    Event,
    OrderCancelled,
    OrderChanged,
    OrderFact,
    OrderPlaced,
    OrderRefunded,
    ProductWithdrawn,
)
from saleor_nudges.events.identity import uuid7
from saleor_nudges.models import (
    CartedProduct,
    NudgeConfig,
    OrderedProduct,
    Person,
    SeenOrder,
    Shop,
    TrackedCheckout,
)
from saleor_nudges.models.activity import ACTIVITY_KEPT

# Orders in these states are not purchases, whatever a seller lets count.
NOT_A_PURCHASE: Final = frozenset({"DRAFT", "CANCELED", "EXPIRED", "RETURNED", "REFUNDED"})
# What was placed is older than any change of it, also than one of the same millisecond.
BEFORE_ANY_CHANGE: Final = timedelta(milliseconds=1)
CARTED: Final = CartedProduct._meta.db_table
ORDERED: Final = OrderedProduct._meta.db_table

# unnest() gives the rows in the order of the arrays, which are sorted: two workers lock alike.
UPSERT_CARTED: Final = f"""
    INSERT INTO "{CARTED}" AS known
        (id, created_at, shop_id, checkout, product_id, channel, first_at)
    SELECT id, now(), %s, checkout, product_id, channel, first_at
    FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::timestamptz[])
        AS new(id, checkout, product_id, channel, first_at)
    ON CONFLICT (shop_id, checkout, product_id) DO UPDATE SET first_at = excluded.first_at
    WHERE (known.first_at > excluded.first_at) = (known.product_id <> '')
"""
UPSERT_ORDERED: Final = f"""
    INSERT INTO "{ORDERED}" AS known (id, created_at, shop_id, order_id, product_id, channel,
        ordered_at, quantity, status, status_at, is_void)
    SELECT id, now(), %s, order_id, product_id, channel, ordered_at, quantity, status, status_at,
        false
    FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::int[],
        %s::text[], %s::timestamptz[])
        AS new(id, order_id, product_id, channel, ordered_at, quantity, status, status_at)
    ON CONFLICT (shop_id, order_id, product_id) DO UPDATE
    SET quantity = excluded.quantity, status = excluded.status, status_at = excluded.status_at
    WHERE known.status_at < excluded.status_at
"""
# What an order's newest fact does not name is not in it any more.
SETTLE: Final = f"""
    UPDATE "{ORDERED}" AS known
    SET is_void = known.is_void OR known.order_id = ANY(%(undone)s),
        quantity = CASE WHEN known.status_at < newest.at THEN 0 ELSE known.quantity END
    FROM (
        SELECT order_id, max(status_at) AS at FROM "{ORDERED}"
        WHERE shop_id = %(shop)s AND order_id = ANY(%(orders)s) GROUP BY order_id
    ) AS newest
    WHERE known.shop_id = %(shop)s AND known.order_id = newest.order_id
    AND ((NOT known.is_void AND known.order_id = ANY(%(undone)s))
        OR (known.status_at < newest.at AND known.quantity > 0))
"""

Place = tuple[str, str]  # channel, product
Held = tuple[str, str]  # checkout, product


def fold(shop: Shop, events: Sequence[Event]) -> None:
    """Write down what was put into carts and what was ordered. Called before the kinds."""
    carts = [event for event in events if isinstance(event, CheckoutFact)]
    if carts:
        _put_into_carts(shop, carts)
    orders = [event for event in events if isinstance(event, OrderFact)]
    about = of_erased(events)
    if orders or about is not None:
        _order(shop, orders, about)


def forget(shop: Shop, events: Sequence[Event]) -> None:
    """Delete what is not to be counted any more. Called after the kinds, who look at it last."""
    checkouts = forgotten_checkouts(shop, events)
    if checkouts is not None:
        CartedProduct.objects.of(shop).filter(checkout__in=checkouts).delete()
    gone = {event.product_id for event in events if isinstance(event, ProductWithdrawn)}
    if gone:
        CartedProduct.objects.of(shop).filter(product_id__in=gone).delete()
        OrderedProduct.objects.of(shop).filter(product_id__in=gone).delete()


def forgotten_checkouts(
    shop: Shop, events: Sequence[Event]
) -> "QuerySet[TrackedCheckout, str] | None":
    """Return the checkouts of those who are forgotten here, by their hashes; None for nobody."""
    about = of_erased(events)
    refused = {e.person for e in events if isinstance(e, ConsentWithdrawn) and e.person}
    if refused:
        about = Q(person__in=refused) if about is None else about | Q(person__in=refused)
    if about is None:
        return None
    return TrackedCheckout.objects.of(shop).filter(about).values_list("checkout", flat=True)


def of_erased(events: Sequence[Event]) -> Q | None:
    """Return the condition that a row's person is erased by these events; None if nobody is."""
    # Their keys were thrown away in this very transaction, before any of us was called.
    if any(isinstance(event, CustomerErased) for event in events):
        return Q(person__erased_at__gte=TransactionNow())
    return None


def products_in(cart: Cart) -> dict[str, int]:
    """Return how many pieces of each product there are, whatever their variants."""
    pieces: dict[str, int] = {}
    for line in cart.lines:
        if line.product_id:
            pieces[line.product_id] = pieces.get(line.product_id, 0) + line.quantity
    return pieces


def is_counted(config: NudgeConfig, status: str) -> bool:
    """Tell whether a seller lets an order in this state count."""
    if status in NOT_A_PURCHASE:
        return False
    return not config.order_statuses or status in config.order_statuses


def places(rows: Iterable[Place]) -> set[Place]:
    """Return whose number these products are part of: their own, and their channels'."""
    found = set(rows)
    return found | {(channel, "") for channel, _ in found}


# Carts.


def _put_into_carts(shop: Shop, facts: Sequence[CheckoutFact]) -> None:
    oldest = timezone.now() - ACTIVITY_KEPT
    told = [fact for fact in facts if fact.cart and fact.occurred_at >= oldest]
    if not told:
        return
    passed_by = _held_without_a_row(shop, {fact.checkout for fact in told})
    erased = _erased(shop, {fact.person for fact in told if fact.person})
    first: dict[Held, tuple[str, datetime]] = {}
    for fact in told:
        if fact.cart is None or fact.person in erased:
            continue
        for product in products_in(fact.cart) or ("",):
            held, at = (fact.checkout, product), fact.occurred_at
            if held in passed_by:
                continue
            if held not in first or (at < first[held][1] if product else at > first[held][1]):
                first[held] = (fact.channel, at)
    if first:
        rows = [(uuid7(), *held, *first[held]) for held in sorted(first)]
        _run(UPSERT_CARTED, shop.pk, rows)


def _held_without_a_row(shop: Shop, checkouts: set[str]) -> set[Held]:
    """Return what these checkouts are known to hold though nobody put it there within our memory.

    It was forgotten, or is too old, or came along with a cart of ours that was opened anew: to
    count it now would be to say that somebody has just put it there.
    """
    tracked = TrackedCheckout.objects.of(shop).filter(checkout__in=checkouts)
    held = {
        (checkout, line["product_id"])
        for checkout, lines, parents in tracked.values_list("checkout", "lines", "parent__lines")
        for line in [*lines, *(parents or ())]
    }
    if not held:
        return held
    rows = CartedProduct.objects.of(shop).filter(checkout__in={checkout for checkout, _ in held})
    return held - set(rows.values_list("checkout", "product_id"))


# Orders.


def _order(shop: Shop, facts: Sequence[OrderFact], about: Q | None) -> None:
    oldest = timezone.now() - ACTIVITY_KEPT
    rows: dict[tuple[str, str], tuple[str, datetime, int, str, datetime]] = {}
    for fact in facts:
        if not isinstance(fact, OrderPlaced | OrderChanged) or fact.occurred_at < oldest:
            continue
        at = _looked_like_this_at(fact)
        if fact.cart is None:
            continue
        # An order that lost its last line is heard of by a row without a product.
        for product, pieces in (products_in(fact.cart) or {"": 0}).items():
            known = rows.get((fact.order_id, product))
            if known is None or known[-1] < at:
                row = (fact.channel, fact.occurred_at, pieces, fact.status, at)
                rows[fact.order_id, product] = row
    if rows:
        _run(UPSERT_ORDERED, shop.pk, [(uuid7(), *key, *rows[key]) for key in sorted(rows)])
    _settle(shop, facts, {order for order, _ in rows}, about)


def _settle(shop: Shop, facts: Sequence[OrderFact], told: set[str], about: Q | None) -> None:
    undone = {e.order_id for e in facts if isinstance(e, OrderCancelled | OrderRefunded)}
    erased = _erased(shop, {fact.person for fact in facts if fact.person})
    undone |= {fact.order_id for fact in facts if fact.person in erased}
    seen = SeenOrder.objects.of(shop)
    # A cancellation may overtake its order on the way to us.
    overtaken = seen.filter(order_id__in=told).filter(
        Q(is_void=True) | Q(person__erased_at__isnull=False)
    )
    undone |= set(overtaken.values_list("order_id", flat=True))
    if about is not None:
        undone |= set(seen.filter(about).values_list("order_id", flat=True))
    values: dict[str, Any] = {
        "shop": shop.pk,
        "orders": sorted(told | undone),
        "undone": sorted(undone),
    }
    with connection.cursor() as cursor:
        cursor.execute(SETTLE, values)


def _looked_like_this_at(fact: OrderFact) -> datetime:
    if isinstance(fact, OrderChanged) and fact.revision:
        return datetime.fromisoformat(fact.revision)
    return fact.occurred_at - BEFORE_ANY_CHANGE


# Both.


def _erased(shop: Shop, people: set[UUID]) -> set[UUID]:
    if not people:
        return set()
    found = Person.objects.of(shop).filter(pk__in=people, erased_at__isnull=False)
    return set(found.values_list("pk", flat=True))


def _run(statement: str, shop: UUID, rows: Sequence[tuple[object, ...]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, [shop, *(list(column) for column in zip(*rows, strict=True))])
