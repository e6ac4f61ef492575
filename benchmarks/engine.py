"""The one place where benchmarks touch the engine of recovery; imported once Django is set up."""

from collections.abc import Sequence

from saleor_nudges.models import CampaignStep, Send, SendState, Shop
from saleor_nudges.recovery.sending import claims, detect, outcomes, send
from saleor_nudges.testing import CHANNEL, caught_up, switch_on_recovery


def switch_on(shop: Shop) -> CampaignStep:
    """Let a shop send, as a seller would; return the first step of its campaign."""
    shop.sender_email = "hello@shop.example.com"
    shop.checkout_url = "https://shop.example.com/checkout?checkout={checkout}"
    switch_on_recovery(shop)
    caught_up(shop)
    steps = CampaignStep.objects.of(shop).filter(campaign__channel=CHANNEL, number=1)
    return steps.select_related("campaign").get()


def look() -> int:
    """Enter what is due into the ledger; return how many messages were entered."""
    return detect.detect()


def deliver(seconds: float) -> int:
    """Send what is due in the ledger; return how many messages left."""
    return send.send_due(seconds=seconds)


def claim() -> Sequence[Send]:
    """Take a batch of due rows."""
    return claims.claim()


def complete(claimed: Sequence[Send]) -> None:
    """Say of claimed rows that their messages have left."""
    for one in claimed:
        outcomes.finish(one, SendState.SENT, "")
