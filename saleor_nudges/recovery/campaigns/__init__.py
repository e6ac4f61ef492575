"""What a seller sets: campaigns, their steps and triggers, a shop's manners, vouchers."""

from saleor_nudges.recovery.campaigns.changes import (
    activate,
    campaign_of,
    change,
    create,
    delete,
    fields_of,
    pause,
)
from saleor_nudges.recovery.campaigns.rows import Running, first_look, read, running, steps_of

__all__ = [
    "Running",
    "activate",
    "campaign_of",
    "change",
    "create",
    "delete",
    "fields_of",
    "first_look",
    "pause",
    "read",
    "running",
    "steps_of",
]
