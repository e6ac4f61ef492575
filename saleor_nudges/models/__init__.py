"""The tables, by subject."""

from saleor_nudges.models.activity import CartedProduct, OrderedProduct
from saleor_nudges.models.archives import ArchiveState, EventArchive
from saleor_nudges.models.catalogue import ShopProduct
from saleor_nudges.models.counts import Grain, JobState, ProductCount, RecountJob, VisitorSketch
from saleor_nudges.models.events import (
    DeadLetter,
    HeldBatch,
    ShopEvent,
    StoredEvent,
    ViewEvent,
    VisitorCheckout,
    WaitingEvent,
)
from saleor_nudges.models.messaging import Consent, MessageChannel, Person, Suppression
from saleor_nudges.models.nudges import (
    Evidence,
    Nudge,
    NudgeConfig,
    NudgeConsentMode,
    NudgeImage,
    NudgeLink,
    NudgeSettings,
    NudgeType,
    StockRule,
)
from saleor_nudges.models.recovery import (
    Attempt,
    Campaign,
    CampaignMode,
    CampaignState,
    CampaignStep,
    CheckoutState,
    SeenOrder,
    Send,
    SendState,
    TrackedCheckout,
)
from saleor_nudges.models.reviews import ProductReview, ReviewState
from saleor_nudges.models.shops import AppInstallation, AuditEntry, Cursor, LegalBasis, Shop

__all__ = [
    "AppInstallation",
    "ArchiveState",
    "Attempt",
    "AuditEntry",
    "Campaign",
    "CampaignMode",
    "CampaignState",
    "CampaignStep",
    "CartedProduct",
    "CheckoutState",
    "Consent",
    "Cursor",
    "DeadLetter",
    "EventArchive",
    "Evidence",
    "Grain",
    "HeldBatch",
    "JobState",
    "LegalBasis",
    "MessageChannel",
    "Nudge",
    "NudgeConfig",
    "NudgeConsentMode",
    "NudgeImage",
    "NudgeLink",
    "NudgeSettings",
    "NudgeType",
    "OrderedProduct",
    "Person",
    "ProductCount",
    "ProductReview",
    "RecountJob",
    "ReviewState",
    "SeenOrder",
    "Send",
    "SendState",
    "Shop",
    "ShopEvent",
    "ShopProduct",
    "StockRule",
    "StoredEvent",
    "Suppression",
    "TrackedCheckout",
    "ViewEvent",
    "VisitorCheckout",
    "VisitorSketch",
    "WaitingEvent",
]
