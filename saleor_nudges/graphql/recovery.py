"""Recovery: campaigns, and the checkouts that were left behind."""

from typing import Any
from uuid import UUID

import graphene

from saleor_nudges.exceptions import NotFound
from saleor_nudges.graphql.context import allowed
from saleor_nudges.graphql.errors import answered
from saleor_nudges.graphql.messaging import MessageChannelEnum
from saleor_nudges.graphql.mutation import SellerMutation, errors_field, given
from saleor_nudges.graphql.paging import page, paged
from saleor_nudges.graphql.standard import DateTime, Decimal
from saleor_nudges.host import Requester
from saleor_nudges.models import (
    Campaign,
    CampaignState,
    CheckoutState,
    Send,
    SendState,
    TrackedCheckout,
)
from saleor_nudges.nudges.configs import check_channel
from saleor_nudges.recovery import campaigns

PERMISSION = "MANAGE_CHECKOUTS"

RecoveryCampaignStateEnum = graphene.Enum(
    "RecoveryCampaignStateEnum", [(state.name, state.value) for state in CampaignState]
)
RecoveryCheckoutStateEnum = graphene.Enum(
    "RecoveryCheckoutStateEnum", [(state.name, state.value) for state in CheckoutState]
)
RecoverySendStateEnum = graphene.Enum(
    "RecoverySendStateEnum", [(state.name, state.value) for state in SendState]
)


class RecoveryStep(graphene.ObjectType):
    """One message of a campaign."""

    number = graphene.Int(required=True, description="Which message, counted from 1.")
    delay_seconds = graphene.Int(
        required=True, description="Seconds after the shopper's last sign of life."
    )
    message_channel = graphene.Field(
        MessageChannelEnum, required=True, description="How it leaves."
    )
    subject = graphene.String(required=True, description="Liquid template; empty means ours.")
    text = graphene.String(required=True, description="Liquid template; empty means ours.")
    html = graphene.String(required=True, description="Liquid template; empty means ours.")

    class Meta:
        description = "Represents one message of a campaign."


class RecoveryCampaign(graphene.ObjectType):
    """What is sent to people who left a checkout in one channel."""

    channel = graphene.String(required=True, description="Slug of the channel.")
    name = graphene.String(required=True, description="Name for the seller.")
    state = graphene.Field(
        RecoveryCampaignStateEnum, required=True, description="Whether it writes."
    )
    active_since = DateTime(description="Checkouts left before this are never written about.")
    steps = graphene.List(
        graphene.NonNull(RecoveryStep), required=True, description="Its messages, first to last."
    )

    class Meta:
        description = "Represents what is sent to people who left a checkout."

    @staticmethod
    @answered
    def resolve_steps(root: Campaign, _info: Any) -> Any:
        return campaigns.steps_of(root)


class RecoveryMoney(graphene.ObjectType):
    """An amount in one currency; never added to another currency."""

    amount = Decimal(required=True, description="The amount.")
    currency = graphene.String(required=True, description="ISO 4217 code.")

    class Meta:
        description = "Represents an amount of money in one currency."


class RecoverySend(graphene.ObjectType):
    """One message and what became of it."""

    step = graphene.Int(required=True, description="Which message of the campaign.")
    state = graphene.Field(RecoverySendStateEnum, required=True, description="What became of it.")
    reason = graphene.String(required=True, description="Why, as a code; empty when it was sent.")
    due_at = DateTime(required=True, description="When it was or is due.")
    sent_at = DateTime(description="When the provider took it.")

    class Meta:
        description = "Represents one message and what became of it."

    @staticmethod
    def resolve_step(root: Send, _info: Any) -> int:
        return root.step_number


class RecoveryCheckout(graphene.ObjectType):
    """A checkout that was left behind. Its id in Saleor is a secret and not told."""

    id = graphene.ID(required=True, description="Our own name of it.")
    channel = graphene.String(required=True, description="Slug of the channel.")
    state = graphene.Field(RecoveryCheckoutStateEnum, required=True, description="Where it stands.")
    total = graphene.Field(RecoveryMoney, required=True, description="What it is worth.")
    changed_at = DateTime(required=True, description="Its shopper's last sign of life.")
    next_due_at = DateTime(description="When it is to be written about, if at all.")
    is_contact_known = graphene.Boolean(required=True, description="Whether we know whose it is.")
    sends = graphene.List(
        graphene.NonNull(RecoverySend), required=True, description="Messages about it."
    )

    class Meta:
        description = "Represents a checkout that was left behind."

    @staticmethod
    def resolve_total(root: TrackedCheckout, _info: Any) -> Any:
        return {"amount": root.total, "currency": root.currency}

    @staticmethod
    def resolve_is_contact_known(root: TrackedCheckout, _info: Any) -> bool:
        return root.person_id is not None

    @staticmethod
    @answered
    def resolve_sends(root: TrackedCheckout, _info: Any) -> Any:
        return list(Send.objects.of(root.shop_id).filter(checkout=root).order_by("step_number"))


class RecoveryCheckoutConnection(graphene.relay.Connection):
    """Checkouts, newest sign of life first."""

    class Meta:
        node = RecoveryCheckout


class RecoveryCampaignInput(graphene.InputObjectType):
    """What can be changed of a campaign."""

    name = graphene.String(description="Name for the seller.")
    delay_seconds = graphene.Int(description="Seconds of silence before the first message.")
    subject = graphene.String(description="Liquid template; empty means ours.")
    text = graphene.String(description="Liquid template; empty means ours.")
    html = graphene.String(description="Liquid template; empty means ours.")

    class Meta:
        description = "Fields of a campaign that can be changed."


class _CampaignMutation(SellerMutation):
    """What the mutations of a campaign have in common."""

    permission = PERMISSION

    class Meta:
        abstract = True

    @classmethod
    def campaign(cls, asker: Requester, channel: str) -> Campaign:
        check_channel(channel)
        campaign = campaigns.campaign_of(asker.shop, channel)
        campaign.shop = asker.shop
        return campaign

    @classmethod
    def done(
        cls, asker: Requester, campaign: Campaign, after: dict[str, Any], before: dict[str, Any]
    ) -> Any:
        cls.wrote(asker, campaign.channel, after, before)
        return cls(recovery_campaign=campaign, errors=[])


class RecoveryCampaignUpdate(_CampaignMutation):
    """Change a campaign."""

    recovery_campaign = graphene.Field(RecoveryCampaign, description="The campaign as it is now.")
    errors = errors_field()

    class Arguments:
        channel = graphene.String(required=True, description="Slug of the channel.")
        input = RecoveryCampaignInput(required=True, description="What to change.")

    class Meta:
        description = "Changes the campaign of a channel. Requires MANAGE_CHECKOUTS."

    @classmethod
    def perform(cls, asker: Requester, **data: Any) -> Any:
        campaign = cls.campaign(asker, data["channel"])
        changes = given(data["input"])
        before = campaigns.fields_of(campaign)
        campaigns.change(campaign, changes)
        return cls.done(asker, campaign, changes, {key: before[key] for key in changes})


class RecoveryCampaignActivate(_CampaignMutation):
    """Switch a campaign on."""

    recovery_campaign = graphene.Field(RecoveryCampaign, description="The campaign as it is now.")
    errors = errors_field()

    class Arguments:
        channel = graphene.String(required=True, description="Slug of the channel.")

    class Meta:
        description = "Switches the campaign of a channel on. Requires MANAGE_CHECKOUTS."

    @classmethod
    def perform(cls, asker: Requester, **data: Any) -> Any:
        campaign = cls.campaign(asker, data["channel"])
        before = {"state": campaign.state}
        campaigns.activate(campaign)
        return cls.done(asker, campaign, {"state": campaign.state}, before)


class RecoveryCampaignPause(_CampaignMutation):
    """Switch a campaign off."""

    recovery_campaign = graphene.Field(RecoveryCampaign, description="The campaign as it is now.")
    errors = errors_field()

    class Arguments:
        channel = graphene.String(required=True, description="Slug of the channel.")

    class Meta:
        description = "Switches the campaign of a channel off. Requires MANAGE_CHECKOUTS."

    @classmethod
    def perform(cls, asker: Requester, **data: Any) -> Any:
        campaign = cls.campaign(asker, data["channel"])
        before = {"state": campaign.state}
        campaigns.pause(campaign)
        return cls.done(asker, campaign, {"state": campaign.state}, before)


class RecoveryQueries(graphene.ObjectType):
    """What can be asked about recovery."""

    recovery_campaigns = graphene.List(
        graphene.NonNull(RecoveryCampaign),
        required=True,
        description="The campaigns of every channel. Requires MANAGE_CHECKOUTS.",
    )
    recovery_campaign = graphene.Field(
        RecoveryCampaign,
        channel=graphene.String(required=True, description="Slug of the channel."),
        description="The campaign of one channel, if it has one. Requires MANAGE_CHECKOUTS.",
    )
    abandoned_checkouts = graphene.Field(
        RecoveryCheckoutConnection,
        required=True,
        args=paged(),
        description="Checkouts with lines, newest first. Requires MANAGE_CHECKOUTS.",
    )
    abandoned_checkout = graphene.Field(
        RecoveryCheckout,
        id=graphene.ID(required=True, description="Our own name of it."),
        description="One checkout. Requires MANAGE_CHECKOUTS.",
    )

    @staticmethod
    @answered
    def resolve_recovery_campaigns(_root: Any, info: Any) -> list[Campaign]:
        return list(Campaign.objects.of(allowed(info, PERMISSION).shop).order_by("channel"))

    @staticmethod
    @answered
    def resolve_recovery_campaign(_root: Any, info: Any, channel: str) -> Campaign | None:
        return Campaign.objects.of(allowed(info, PERMISSION).shop).filter(channel=channel).first()

    @staticmethod
    @answered
    def resolve_abandoned_checkouts(_root: Any, info: Any, **data: Any) -> Any:
        shop = allowed(info, PERMISSION).shop
        rows = TrackedCheckout.objects.of(shop)
        first, after = data.get("first"), data.get("after")
        return page(RecoveryCheckoutConnection, rows, first=first, after=after)

    @staticmethod
    @answered
    def resolve_abandoned_checkout(_root: Any, info: Any, **data: Any) -> TrackedCheckout:
        shop = allowed(info, PERMISSION).shop
        try:
            wanted = UUID(data["id"])
        except ValueError as error:
            raise NotFound from error
        found = TrackedCheckout.objects.of(shop).filter(pk=wanted).first()
        if found is None:
            raise NotFound
        return found


class RecoveryMutations(graphene.ObjectType):
    """What can be changed about recovery."""

    recovery_campaign_update = RecoveryCampaignUpdate.Field(
        description="Changes the campaign of a channel. Requires MANAGE_CHECKOUTS."
    )
    recovery_campaign_activate = RecoveryCampaignActivate.Field(
        description="Switches the campaign of a channel on. Requires MANAGE_CHECKOUTS."
    )
    recovery_campaign_pause = RecoveryCampaignPause.Field(
        description="Switches the campaign of a channel off. Requires MANAGE_CHECKOUTS."
    )
