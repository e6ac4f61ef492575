"""The vocabulary: what can happen in a shop, as frozen dataclasses."""

from saleor_nudges.events.base import Cart, Contact, Event, Fact, Flow, Line, View
from saleor_nudges.events.catalogue import (
    CustomerErased,
    ProductChanged,
    ProductWithdrawn,
    StockChanged,
)
from saleor_nudges.events.checkout import (
    CheckoutChanged,
    CheckoutFact,
    CheckoutPaid,
    CheckoutStarted,
)
from saleor_nudges.events.messages import (
    ConsentFact,
    ConsentGiven,
    ConsentWithdrawn,
    MessageClicked,
)
from saleor_nudges.events.order import (
    OrderCancelled,
    OrderFact,
    OrderPaid,
    OrderPlaced,
    OrderRefunded,
)
from saleor_nudges.events.storefront import (
    AddedToCart,
    NudgeClicked,
    NudgeClosed,
    NudgeInteraction,
    NudgeViewed,
    PageViewed,
    ProductViewed,
)

KINDS: dict[str, type[Event]] = {
    event.kind: event
    for event in (
        CheckoutStarted,
        CheckoutChanged,
        CheckoutPaid,
        OrderPlaced,
        OrderPaid,
        OrderCancelled,
        OrderRefunded,
        ProductChanged,
        ProductWithdrawn,
        StockChanged,
        CustomerErased,
        ConsentGiven,
        ConsentWithdrawn,
        MessageClicked,
        ProductViewed,
        PageViewed,
        AddedToCart,
        NudgeViewed,
        NudgeClicked,
        NudgeClosed,
    )
}

__all__ = [
    "KINDS",
    "AddedToCart",
    "Cart",
    "CheckoutChanged",
    "CheckoutFact",
    "CheckoutPaid",
    "CheckoutStarted",
    "ConsentFact",
    "ConsentGiven",
    "ConsentWithdrawn",
    "Contact",
    "CustomerErased",
    "Event",
    "Fact",
    "Flow",
    "Line",
    "MessageClicked",
    "NudgeClicked",
    "NudgeClosed",
    "NudgeInteraction",
    "NudgeViewed",
    "OrderCancelled",
    "OrderFact",
    "OrderPaid",
    "OrderPlaced",
    "OrderRefunded",
    "PageViewed",
    "ProductChanged",
    "ProductViewed",
    "ProductWithdrawn",
    "StockChanged",
    "View",
]
