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
    FeaturingAllowed,
    FeaturingFact,
    FeaturingRefused,
    MessageClicked,
)
from saleor_nudges.events.order import (
    OrderCancelled,
    OrderChanged,
    OrderFact,
    OrderPaid,
    OrderPlaced,
    OrderRefunded,
)
from saleor_nudges.events.reviews import ReviewFact, ReviewPosted, ReviewWithdrawn
from saleor_nudges.events.storefront import (
    AddedToCart,
    LiveMeasured,
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
        OrderChanged,
        OrderPaid,
        OrderCancelled,
        OrderRefunded,
        ReviewPosted,
        ReviewWithdrawn,
        ProductChanged,
        ProductWithdrawn,
        StockChanged,
        CustomerErased,
        ConsentGiven,
        ConsentWithdrawn,
        FeaturingAllowed,
        FeaturingRefused,
        MessageClicked,
        ProductViewed,
        PageViewed,
        AddedToCart,
        NudgeViewed,
        NudgeClicked,
        NudgeClosed,
        LiveMeasured,
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
    "FeaturingAllowed",
    "FeaturingFact",
    "FeaturingRefused",
    "Flow",
    "Line",
    "LiveMeasured",
    "MessageClicked",
    "NudgeClicked",
    "NudgeClosed",
    "NudgeInteraction",
    "NudgeViewed",
    "OrderCancelled",
    "OrderChanged",
    "OrderFact",
    "OrderPaid",
    "OrderPlaced",
    "OrderRefunded",
    "PageViewed",
    "ProductChanged",
    "ProductViewed",
    "ProductWithdrawn",
    "ReviewFact",
    "ReviewPosted",
    "ReviewWithdrawn",
    "StockChanged",
    "View",
]
