"""“This was put into 45 carts.” Each checkout of the window counts once, whatever it holds."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from saleor_nudges.events import CheckoutFact, Event
from saleor_nudges.models import CartedProduct, NudgeType, Shop, TrackedCheckout
from saleor_nudges.nudges import activity
from saleor_nudges.nudges.kinds.base import Claim
from saleor_nudges.nudges.kinds.measured import Product
from saleor_nudges.nudges.kinds.summary import Summary


class CartSummaryKind(Summary):
    """Distinct checkouts into which a product, or anything at all, was put within the window."""

    type: ClassVar[NudgeType] = NudgeType.CART_SUMMARY
    metric: ClassVar[str] = "carts"
    rule_version: ClassVar[str] = "cart-summary-1"
    window: ClassVar[timedelta] = timedelta(days=1)
    priority: ClassVar[int] = 35
    table: ClassVar[str] = CartedProduct._meta.db_table
    what: ClassVar[str] = "checkout"
    at: ClassVar[str] = "first_at"
    texts: ClassVar[dict[str, str]] = {
        "en": "{% if scope == 'CHANNEL' %}{{ count }} carts were filled here"
        "{% else %}This was put into {{ count }} carts{% endif %} in the last {{ window.en }}",
        "de": "{% if scope == 'CHANNEL' %}{{ count }} Warenkörbe wurden hier in {{ window.de }}"
        " gefüllt{% else %}Das wurde in {{ window.de }} in {{ count }} Warenkörbe gelegt"
        "{% endif %}",
        "pl": "{% if scope == 'CHANNEL' %}Koszyki napełnione tutaj: {{ count }}"
        "{% else %}Dodano to do koszyków: {{ count }}{% endif %} w ciągu {{ window.pl }}",
    }
    claims: ClassVar[frozenset[Claim]] = frozenset({Claim.CARTS})
    headings: ClassVar[dict[str, str]] = {
        "en": "In many carts",
        "de": "In vielen Warenkörben",
        "pl": "W wielu koszykach",
    }
    about: ClassVar[dict[str, str]] = {
        "en": "We count each cart once, over the last {window}.",
        "de": "Jeder Warenkorb wird einmal gezählt. Zeitraum: {window}.",
        "pl": "Każdy koszyk jest liczony raz. Okres: {window}.",
    }

    def grown(self, shop: Shop, events: Sequence[Event]) -> set[Product]:  # noqa: ARG002
        return activity.places(
            (e.channel, product)
            for e in events
            if isinstance(e, CheckoutFact) and e.cart
            for product in activity.products_in(e.cart)
        )

    def shrunk(self, shop: Shop, events: Sequence[Event]) -> set[Product]:
        gone = activity.forgotten_checkouts(shop, events)
        late = _late(shop, [e for e in events if isinstance(e, CheckoutFact) and e.cart])
        found = CartedProduct.objects.of(shop).none()
        if gone is not None:
            found |= CartedProduct.objects.of(shop).filter(checkout__in=gone)
        if late:
            found |= CartedProduct.objects.of(shop).filter(checkout__in=late)
        return activity.places(found.values_list("channel", "product_id"))


def _late(shop: Shop, facts: Sequence[CheckoutFact]) -> set[str]:
    """Return whose cart we have seen later than this: it may have been filled before we thought."""
    if not facts:
        return set()
    first: dict[str, datetime] = {}
    for fact in facts:
        first[fact.checkout] = min(first.get(fact.checkout, fact.occurred_at), fact.occurred_at)
    tracked = TrackedCheckout.objects.of(shop).filter(checkout__in=first)
    return {name for name, at in tracked.values_list("checkout", "changed_at") if first[name] < at}
