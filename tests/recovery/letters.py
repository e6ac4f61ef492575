"""A message that has left, row by row: what its links need, without the sending of it."""

from datetime import UTC, datetime, timedelta

from django.apps import apps

from saleor_nudges import crypto, people
from saleor_nudges.host.memory import SHELVES
from saleor_nudges.models import (
    Campaign,
    CampaignStep,
    MessageChannel,
    Send,
    SendState,
    Shop,
    TrackedCheckout,
)
from saleor_nudges.recovery.watching import watch
from saleor_nudges.recovery.way_back import links
from saleor_nudges.testing import a_checkout

HOST = "https://nudges.example.com"


def a_letter(shop, checkout=None, **contact):
    """Return the ledger's row of a message about a checkout, which is made if none is given."""
    known = {"email": "anna@example.com", "first_name": "Anna"} | contact
    checkout = checkout or a_checkout(shop, **known)
    campaign, _ = Campaign.objects.of(shop).get_or_create(
        shop=shop, channel=checkout.channel, is_shipped=True, defaults={"name": "Left behind"}
    )
    step, _ = CampaignStep.objects.of(shop).get_or_create(
        shop=shop, campaign=campaign, number=1, defaults={"delay_seconds": 1800}
    )
    tracked = followed(shop, checkout)
    return Send.objects.of(shop).create(
        shop=shop,
        channel=checkout.channel,
        checkout=tracked,
        cycle=1,
        campaign=campaign,
        step=step,
        step_number=1,
        person=tracked.person,
        message_channel=MessageChannel.EMAIL,
        state=SendState.SENT,
        ready_at=checkout.changed_at + timedelta(minutes=30),
        due_at=checkout.changed_at + timedelta(minutes=30),
        fence=1,
        sent_at=datetime.now(UTC),
    )


def followed(shop, checkout):
    """Return what we know of a checkout of the shop in memory."""
    return TrackedCheckout.objects.of(shop).create(
        shop=shop,
        channel=checkout.channel,
        checkout=crypto.checkout_hash(checkout.id),
        sealed_checkout_id=crypto.seal(checkout.id),
        person=people.resolve(shop, checkout.contact),
        lines=watch.lines_json(checkout.cart),
        total=checkout.cart.total,
        currency=checkout.cart.currency,
        language=checkout.cart.language,
        started_at=checkout.created_at,
        changed_at=checkout.changed_at,
        seen_at=checkout.changed_at,
    )


def stored(send):
    """Let the link of a message lead back, as marking it does."""
    Send.objects.of(send.shop_id).filter(pk=send.pk, fence=send.fence).update(
        **links.way_back(send)
    )


def way_back(send):
    """Return the path of a new link back, without what the statistics know it by."""
    stored(send)
    return links.return_url(send).removeprefix(HOST).partition("?")[0]


def way_out(send):
    """Return the path of the link out of the list."""
    return links.unsubscribe_url(send).removeprefix(HOST)


def everything():
    """Return all there is, in our tables and in the shop."""
    models = [m for m in apps.get_app_config("saleor_nudges").get_models() if m is not Shop]
    return [list(m._base_manager.values().order_by("pk")) for m in models] + [
        list(Shop.objects.values()),
        {key: dict(shelf.checkouts) for key, shelf in SHELVES.items()},
    ]
