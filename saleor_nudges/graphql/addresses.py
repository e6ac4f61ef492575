"""Where a channel's links begin and lead, as the seller sees it."""

from dataclasses import asdict

import graphene

from saleor_nudges.models import Shop
from saleor_nudges.recovery import addresses

CHANNEL = "Slug of the channel."
LINKS = "What links in messages begin with, on the shop's own domain; empty: this service's own."
CHECKOUT = "Address of the checkout's page, with {checkout}; empty: the shop's."


class MessagingAddresses(graphene.ObjectType):
    """Where the links of one channel begin and lead."""

    channel = graphene.String(required=True, description=CHANNEL)
    link_base_url = graphene.String(required=True, description=LINKS)
    checkout_url = graphene.String(required=True, description=CHECKOUT)

    class Meta:
        description = "Represents where the links in a channel's messages begin and lead."


class MessagingAddressesInput(graphene.InputObjectType):
    """What can be changed of it."""

    channel = graphene.String(required=True, description=CHANNEL)
    link_base_url = graphene.String(description=LINKS)
    checkout_url = graphene.String(description=CHECKOUT)

    class Meta:
        description = "Fields of a channel's addresses that can be changed."


def messaging_addresses(shop: Shop) -> list[MessagingAddresses]:
    """Return those of the channels in which they differ from the shop's."""
    listed = addresses.listed(shop).items()
    return [MessagingAddresses(channel=channel, **asdict(found)) for channel, found in listed]
