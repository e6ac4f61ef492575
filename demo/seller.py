"""What the seller sees: what is switched on, and what it did so far. Only reads."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count
from django.utils import timezone

from demo.catalogue import BY_ID, CHANNEL
from demo.models import DemoCheckout, DemoOrder
from saleor_nudges import people
from saleor_nudges.models import (
    CheckoutState,
    Nudge,
    NudgeConfig,
    NudgeType,
    Send,
    SendState,
    Shop,
    TrackedCheckout,
    ViewEvent,
)
from saleor_nudges.nudges import configs
from saleor_nudges.recovery import campaigns

LEDGER_ROWS = 12
STATES = {
    SendState.DUE: "Waits",
    SendState.CLAIMED: "Being asked for",
    SendState.SENDING: "On its way",
    SendState.SENT: "Sent",
    SendState.IN_DOUBT: "In doubt, never repeated",
    SendState.REFUSED: "Refused by the mail server",
    SendState.CANCELLED: "Not sent",
}
# Where a metric's own name is no English.
METRICS = {"live_visitors": "looking", "stock": "left"}
UNITS = (("days", 24 * 3600), ("h", 3600), ("min", 60), ("s", 1))
REASONS = {
    "ORDERED": "bought meanwhile",
    "CHECKOUT_CLOSED": "bought or emptied meanwhile",
    "CHECKOUT_GONE": "bought meanwhile",
    "CHECKOUT_CHANGED": "still at it: the wait begins again",
    "UNSUBSCRIBED": "asked for no more of these",
    "NO_CONSENT": "did not agree",
    "EVENTS_WAITING": "news is still being read",
    "NOT_CAUGHT_UP": "orders are still being read",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the ledger, in words."""

    to: str
    things: str
    state: str
    reason: str
    at: datetime
    returned_at: datetime | None
    is_recovered: bool


def overview(shop: Shop) -> dict[str, object]:
    """Return everything the seller's page shows."""
    campaign = campaigns.campaign_of(shop, CHANNEL)
    return {
        "now": timezone.now(),
        "nudges": [_nudge(shop, config) for config in configs.configs(shop, CHANNEL).values()],
        "campaign": campaign,
        "steps": campaigns.steps_of(campaign),
        "legal_basis": shop.get_legal_basis_display(),
        "tiles": _tiles(shop),
        "ledger": _ledger(shop),
    }


def _tiles(shop: Shop) -> list[tuple[str, int, str]]:
    views = ViewEvent.objects.of(shop)
    sends = Send.objects.of(shop)
    tracked = TrackedCheckout.objects.of(shop)
    interactions = dict(
        views.filter(kind__in=("nudge_viewed", "nudge_clicked"))
        .values_list("kind")
        .annotate(Count("pk"))
        .order_by()
    )
    recovered = tracked.filter(state=CheckoutState.RECOVERED).count()
    clicked = f"{interactions.get('nudge_clicked', 0)} clicked"
    return [
        ("Product views", views.filter(kind="product_viewed").count(), "by the widget"),
        ("Nudges shown", interactions.get("nudge_viewed", 0), clicked),
        ("Orders", DemoOrder.objects.count(), f"{DemoCheckout.objects.count()} carts open"),
        ("Emails sent", sends.filter(state=SendState.SENT).count(), "each step once at most"),
        ("Came back", sends.filter(returned_at__isnull=False).count(), "by the mail's link"),
        ("Recovered", recovered, "bought after it"),
    ]


def _nudge(shop: Shop, config: NudgeConfig) -> dict[str, object]:
    standing = Nudge.objects.of(shop).filter(type=config.type, withdrawn_at__isnull=True)
    newest = standing.select_related("evidence").order_by("-occurred_at").first()
    return {
        "name": config.type.replace("_", " ").capitalize(),
        "says": NudgeType(config.type).label,
        "is_enabled": config.is_enabled,
        "count": standing.count(),
        "proof": _proof(newest) if newest else "nothing to say yet",
    }


def _proof(nudge: Nudge) -> str:
    evidence = nudge.evidence
    product = BY_ID.get(nudge.product_id)
    name = product.name if product else "The whole shop"
    metric = evidence.metric[:-1] if evidence.value == 1 else evidence.metric
    said = METRICS.get(evidence.metric, metric)
    return f"{name}: {evidence.value} {said}{_window(evidence.window_seconds)}"


def _window(seconds: int | None) -> str:
    for unit, length in UNITS:
        # 60 minutes, not 1 hour: the larger unit only where it is more than one.
        if seconds and seconds >= 2 * length:
            return f" in {seconds // length} {unit}"
    return ""


def _ledger(shop: Shop) -> list[Entry]:
    rows = Send.objects.of(shop).select_related("checkout", "person").order_by("-id")
    return [_entry(send) for send in rows[:LEDGER_ROWS]]


def _entry(send: Send) -> Entry:
    lines = send.checkout.lines
    return Entry(
        to=people.contact_of(send.person).email or "somebody",
        things=", ".join(f"{line['quantity']} {line['product_name']}" for line in lines),
        state=STATES[SendState(send.state)],
        reason=REASONS.get(send.reason, send.reason),
        at=send.sent_at or send.created_at,
        returned_at=send.returned_at,
        is_recovered=send.checkout.state == CheckoutState.RECOVERED,
    )
