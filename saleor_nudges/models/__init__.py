"""The tables, by subject."""

from saleor_nudges.models.events import (
    DeadLetter,
    ProductVisitor,
    ShopEvent,
    StoredEvent,
    ViewEvent,
    VisitorCheckout,
    WaitingEvent,
)
from saleor_nudges.models.messaging import Consent, MessageChannel, Person, Suppression
from saleor_nudges.models.nudges import Evidence, Nudge, NudgeConfig, NudgeSettings, NudgeType
from saleor_nudges.models.recovery import (
    Campaign,
    CampaignState,
    CampaignStep,
    CheckoutState,
    SeenOrder,
    Send,
    SendState,
    TrackedCheckout,
)
from saleor_nudges.models.shops import AppInstallation, AuditEntry, Cursor, LegalBasis, Shop

__all__ = [
    "AppInstallation",
    "AuditEntry",
    "Campaign",
    "CampaignState",
    "CampaignStep",
    "CheckoutState",
    "Consent",
    "Cursor",
    "DeadLetter",
    "Evidence",
    "LegalBasis",
    "MessageChannel",
    "Nudge",
    "NudgeConfig",
    "NudgeSettings",
    "NudgeType",
    "Person",
    "ProductVisitor",
    "SeenOrder",
    "Send",
    "SendState",
    "Shop",
    "ShopEvent",
    "StoredEvent",
    "Suppression",
    "TrackedCheckout",
    "ViewEvent",
    "VisitorCheckout",
    "WaitingEvent",
]
