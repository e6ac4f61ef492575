"""The kinds of nudge there are: one list. Adding one is a file, a line here, and a test."""

from saleor_nudges.models import NudgeType
from saleor_nudges.nudges.kinds.add_to_cart import AddToCartKind
from saleor_nudges.nudges.kinds.base import Kind
from saleor_nudges.nudges.kinds.cart_summary import CartSummaryKind
from saleor_nudges.nudges.kinds.live_visitors import LiveVisitorsKind
from saleor_nudges.nudges.kinds.low_stock import LowStockKind
from saleor_nudges.nudges.kinds.order import OrderKind
from saleor_nudges.nudges.kinds.order_summary import OrderSummaryKind
from saleor_nudges.nudges.kinds.product_review import ProductReviewKind
from saleor_nudges.nudges.kinds.product_view import ProductViewKind
from saleor_nudges.nudges.kinds.recent_visitors import RecentVisitorsKind

LOW_STOCK = LowStockKind()

KINDS: dict[NudgeType, Kind] = {
    kind.type: kind
    for kind in (
        AddToCartKind(),
        OrderKind(),
        ProductReviewKind(),
        ProductViewKind(),
        LiveVisitorsKind(),
        RecentVisitorsKind(),
        CartSummaryKind(),
        OrderSummaryKind(),
        LOW_STOCK,
    )
}
