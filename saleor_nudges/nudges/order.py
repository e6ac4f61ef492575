"""“Someone from Wroclaw bought Apple Juice.” From orders that were placed and still stand."""

from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

from django.utils import timezone

from saleor_nudges import people, wording
from saleor_nudges.events import (
    Contact,
    CustomerErased,
    Event,
    Line,
    OrderCancelled,
    OrderFact,
    OrderPlaced,
    OrderRefunded,
    ProductWithdrawn,
)
from saleor_nudges.models import Evidence, Nudge, NudgeType, Person, SeenOrder, Shop
from saleor_nudges.nudges import shelf
from saleor_nudges.nudges.base import Kind, withdraw

# Orders in these states are not purchases.
NOT_A_PURCHASE = frozenset({"DRAFT", "CANCELED", "EXPIRED", "RETURNED", "REFUNDED"})


class OrderKind(Kind):
    """One nudge per order and product; the seller decides whether a first name is said."""

    type: ClassVar[NudgeType] = NudgeType.ORDER
    category: ClassVar[str] = "RECENT_PURCHASE"
    rule_version: ClassVar[str] = "order-1"
    window: ClassVar[timedelta] = timedelta(days=7)
    priority: ClassVar[int] = 40
    texts: ClassVar[dict[str, str]] = {
        "en": "{% if name %}{{ name }}{% else %}Someone{% endif %}"
        "{% if city %} from {{ city }}{% endif %} bought {{ product }}",
        "de": "{% if name %}{{ name }}{% else %}Jemand{% endif %}"
        "{% if city %} aus {{ city }}{% endif %} hat {{ product }} gekauft",
        "pl": "{% if name %}{{ name }}{% else %}Ktoś{% endif %}"
        "{% if city %} ({{ city }}){% endif %}: zakup {{ product }}",
    }

    headings: ClassVar[dict[str, str]] = {
        "en": "Recently bought",
        "de": "Vor Kurzem gekauft",
        "pl": "Ostatnio kupione",
    }

    def fold(self, shop: Shop, events: Sequence[Event]) -> None:
        # In one batch the order of an order's facts says nothing: all bear the order's own time.
        undone = {e.order_id for e in events if isinstance(e, OrderCancelled | OrderRefunded)}
        for event in events:
            match event:
                case OrderPlaced(cart=cart) if cart and event.status not in NOT_A_PURCHASE:
                    if event.order_id not in undone:
                        self._place(shop, event)
                case OrderCancelled() | OrderRefunded():
                    withdraw(shop, source_subject=event.order_id)
                case ProductWithdrawn():
                    withdraw(shop, product_id=event.product_id)
                case CustomerErased():
                    self._forget(shop, event)

    def _forget(self, shop: Shop, event: CustomerErased) -> None:
        if event.user:
            withdraw(shop, user=event.user)
        if event.person:
            withdraw(shop, person=event.person)

    def _place(self, shop: Shop, event: OrderPlaced) -> None:
        # A cancellation may overtake its order on the way to us.
        if SeenOrder.objects.of(shop).filter(order_id=event.order_id, is_void=True).exists():
            return
        cart = event.cart
        lines = {line.product_id: line for line in cart.lines} if cart else {}
        for line in lines.values():
            if line.product_id:
                self._make(shop, event, line)
        places = {(event.channel, product) for product in lines if product}
        shelf.take_down(shop.pk, places | {(event.channel, "")})

    def _make(self, shop: Shop, event: OrderPlaced, line: Line) -> None:
        evidence = Evidence.objects.of(shop).create(
            shop=shop,
            channel=event.channel,
            type=self.type,
            product_id=line.product_id,
            metric="orders",
            value=1,
            computed_at=timezone.now(),
            rule_version=self.rule_version,
            source_event=event.id,
        )
        person = Person.objects.of(shop).filter(pk=event.person).first() if event.person else None
        Nudge.objects.of(shop).create(
            shop=shop,
            channel=event.channel,
            type=self.type,
            product_id=line.product_id,
            product={
                "id": line.product_id,
                "name": line.product_name,
                "slug": line.product_slug,
                "image": line.image_url,
            },
            occurred_at=event.occurred_at,
            evidence=evidence,
            source_event=event.id,
            source_subject=event.order_id,
            checkout=event.checkout,
            user=(person.user_hash or "") if person else "",
            person=person,
            sealed_who=people.seal_about(person, _who(event)) if person else None,
        )


def _who(event: OrderFact) -> dict[str, str]:
    contact = event.contact or Contact()
    # Saleor keeps the cities of some countries in capitals, as their post offices want them.
    city = contact.city.title() if contact.city.isupper() else contact.city
    return {
        "name": wording.plain_name(contact.first_name),
        "city": wording.plain_name(city),
        "country": contact.country,
    }
