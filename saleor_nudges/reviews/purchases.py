"""Whether somebody bought what they write about: looked up among the orders, never believed."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from django.db.models import Q

from saleor_nudges import crypto, facts
from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.host import Order, get_host
from saleor_nudges.models import OrderedProduct, Person, SeenOrder, Shop
from saleor_nudges.reviews.authors import Author, checkouts_of

# Orders in these states are not purchases.
NOT_A_PURCHASE: Final = frozenset({"DRAFT", *facts.STATUSES})
# The newest orders of one buyer that are looked through, and those the host is asked about.
MOST_ORDERS, MOST_ASKED = 200, 50


@dataclass(frozen=True, slots=True)
class Purchase:
    """An order in which the author bought the product, and whose it is."""

    order_id: str = ""
    buyer: Person | None = None


NONE: Final = Purchase()


def named(shop: Shop, author: Author, product_id: str, order_id: str) -> Purchase:
    """Return the purchase an author names; raises InvalidInput unless it is theirs.

    An order that does not exist and one of somebody else are refused in the same words. Raises
    HostUnavailable.
    """
    order = get_host(shop).orders([order_id]).get(order_id)
    if order is None or not _is_of(shop, order, author) or not _holds(order, product_id):
        raise InvalidInput("You have no such order with this product.", field="orderId")
    return Purchase(order.id, _buyer(shop, order.id))


def found(shop: Shop, author: Author, product_id: str) -> Purchase:
    """Return a purchase of the product by this author, if we know of one; raises HostUnavailable.

    What is not among our own rows, because it was bought before there were any, the host is asked.
    """
    orders = _orders_of(shop, author)
    if not orders:
        return NONE
    rows = OrderedProduct.objects.of(shop).filter(order_id__in=orders)
    holding = rows.filter(product_id=product_id, is_void=False, quantity__gt=0)
    counted = set(holding.exclude(status__in=NOT_A_PURCHASE).values_list("order_id", flat=True))
    bought = [order_id for order_id in orders if order_id in counted]
    if not bought:
        stored = set(rows.values_list("order_id", flat=True))
        bought = _asked(shop, [order for order in orders if order not in stored], product_id)
    return Purchase(bought[0], _buyer(shop, bought[0])) if bought else NONE


def _orders_of(shop: Shop, author: Author) -> list[str]:
    theirs = Q(checkout__in=checkouts_of(shop, author))
    if author.user:
        accounts = Person.objects.of(shop).filter(user_hash=author.user)
        theirs |= Q(person__in=accounts.values("pk"))
    orders = SeenOrder.objects.of(shop).filter(theirs, is_void=False).order_by("-placed_at")
    return list(orders.values_list("order_id", flat=True)[:MOST_ORDERS])


def _asked(shop: Shop, order_ids: Collection[str], product_id: str) -> list[str]:
    if not order_ids:
        return []
    orders: Iterable[Order] = get_host(shop).orders(list(order_ids)[:MOST_ASKED]).values()
    return [order.id for order in orders if _holds(order, product_id)]


def _is_of(shop: Shop, order: Order, author: Author) -> bool:
    if author.user_id and order.contact.user_id == author.user_id:
        return True
    checkout = crypto.checkout_hash(order.checkout_id) if order.checkout_id else ""
    return bool(checkout) and checkout in checkouts_of(shop, author)


def _holds(order: Order, product_id: str) -> bool:
    is_bought = order.status not in NOT_A_PURCHASE
    return is_bought and any(line.product_id == product_id for line in order.cart.lines)


def _buyer(shop: Shop, order_id: str) -> Person | None:
    seen = SeenOrder.objects.of(shop).filter(order_id=order_id).select_related("person").first()
    return seen.person if seen and seen.person and not seen.person.erased_at else None
