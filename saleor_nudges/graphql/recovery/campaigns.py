"""Campaigns: what is sent to people who left a checkout, in each channel."""

from typing import Any
from uuid import UUID

import graphene

from saleor_nudges.exceptions import InvalidInput, NotFound
from saleor_nudges.graphql.context import allowed
from saleor_nudges.graphql.errors import answered
from saleor_nudges.graphql.messaging import MessageChannelEnum
from saleor_nudges.graphql.mutation import SellerMutation, errors_field, given
from saleor_nudges.graphql.recovery.funnel import RecoveryFunnelRow, funnel_of
from saleor_nudges.graphql.standard import JSON, DateTime
from saleor_nudges.host import Requester
from saleor_nudges.models import (
    Campaign,
    CampaignMode,
    CampaignState,
    CampaignStep,
    Shop,
    StepKind,
)
from saleor_nudges.nudges.configs import check_channel
from saleor_nudges.recovery import campaigns
from saleor_nudges.recovery.campaigns.presets import PRESETS, SHIPPED
from saleor_nudges.recovery.campaigns.steps import CHOSEN

PERMISSION = "MANAGE_CHECKOUTS"
DISCOUNTS = "MANAGE_DISCOUNTS"
NAMED = "Its own name; or say the channel, for the campaign that comes with it."
CHANNEL = "Slug of the channel, for the campaign that comes with it."

RecoveryCampaignStateEnum = graphene.Enum(
    "RecoveryCampaignStateEnum", [(state.name, state.value) for state in CampaignState]
)
RecoveryCampaignModeEnum = graphene.Enum(
    "RecoveryCampaignModeEnum", [(mode.name, mode.value) for mode in CampaignMode]
)
RecoveryPresetEnum = graphene.Enum("RecoveryPresetEnum", [(name, name) for name in PRESETS])
RecoveryExitEnum = graphene.Enum("RecoveryExitEnum", [(one.name, one.value) for one in CHOSEN])


RecoveryStepKindEnum = graphene.Enum(
    "RecoveryStepKindEnum", [(kind.name, kind.value) for kind in StepKind]
)


class RecoveryStep(graphene.ObjectType):
    """One message of a campaign."""

    number = graphene.Int(required=True, description="Which message, counted from 1.")
    kind = graphene.Field(RecoveryStepKindEnum, required=True, description="What it is for.")
    delay_seconds = graphene.Int(
        required=True,
        description="Seconds after the shopper's last sign of life, or after the order.",
    )
    message_channels = graphene.List(
        graphene.NonNull(MessageChannelEnum),
        required=True,
        description="How it leaves: the first by which the person can be reached.",
    )
    condition = JSON(required=True, description="For whom it goes when it is due.")
    send_window = JSON(required=True, description="At which hours; an empty list is any time.")
    voucher = JSON(description="What it gives away; null for nothing.")
    subject = graphene.String(required=True, description="Liquid template; empty means ours.")
    text = graphene.String(required=True, description="Liquid template; empty means ours.")
    html = graphene.String(required=True, description="Liquid template; empty means ours.")

    class Meta:
        description = "Represents one message of a campaign."

    @staticmethod
    def resolve_message_channels(root: CampaignStep, _info: Any) -> list[str]:
        return [one for one in root.message_channels if one in MessageChannelEnum._meta.enum]


class RecoveryCampaign(graphene.ObjectType):
    """What is sent to people who left a checkout in one channel."""

    id = graphene.ID(required=True, description="Its own name.")
    channel = graphene.String(required=True, description="Slug of the channel.")
    name = graphene.String(required=True, description="Name for the seller.")
    is_shipped = graphene.Boolean(
        required=True, description="Whether it is the one that the channel comes with."
    )
    mode = graphene.Field(
        RecoveryCampaignModeEnum, required=True, description="Who starts its messages."
    )
    state = graphene.Field(
        RecoveryCampaignStateEnum, required=True, description="Whether it writes."
    )
    active_since = DateTime(description="Checkouts left before this are never written about.")
    trigger = JSON(required=True, description="Whom it is for.")
    exits = graphene.List(
        graphene.NonNull(RecoveryExitEnum), required=True, description="What ends it besides."
    )
    cool_down_seconds = graphene.Int(
        required=True, description="Seconds after its last message until it may begin again."
    )
    priority = graphene.Int(
        required=True, description="Of several that fit a checkout the smallest goes first."
    )
    steps = graphene.List(
        graphene.NonNull(RecoveryStep), required=True, description="Its messages, first to last."
    )
    funnel = graphene.List(
        graphene.NonNull(RecoveryFunnelRow),
        required=True,
        description="How many checkouts of its channel stand where, and how many messages went.",
    )

    class Meta:
        description = "Represents what is sent to people who left a checkout."

    @staticmethod
    @answered
    def resolve_steps(root: Campaign, _info: Any) -> Any:
        return campaigns.steps_of(root)

    @staticmethod
    @answered
    def resolve_funnel(root: Campaign, _info: Any) -> Any:
        return funnel_of(root)


class RecoveryStepInput(graphene.InputObjectType):
    """One message, whole: what is left out is as it ships."""

    kind = RecoveryStepKindEnum(description="What it is for; a REMINDER when left out.")
    delay_seconds = graphene.Int(
        required=True,
        description="Seconds after the shopper's last sign of life, or after the order.",
    )
    message_channels = graphene.List(
        graphene.NonNull(MessageChannelEnum), description="How it leaves, the best first."
    )
    condition = JSON(description="For whom it goes when it is due; see docs/campaigns.md.")
    send_window = JSON(description="At which hours; see docs/campaigns.md.")
    voucher = JSON(
        description="What it gives away; see docs/campaigns.md. Also requires MANAGE_DISCOUNTS."
    )
    subject = graphene.String(description="Liquid template; empty means ours.")
    text = graphene.String(description="Liquid template; empty means ours.")
    html = graphene.String(description="Liquid template; empty means ours.")

    class Meta:
        description = "One message of a campaign."


class RecoveryCampaignInput(graphene.InputObjectType):
    """What can be changed of a campaign."""

    name = graphene.String(description="Name for the seller.")
    mode = RecoveryCampaignModeEnum(description="Who starts its messages.")
    trigger = JSON(description="Whom it is for; see docs/campaigns.md.")
    steps = graphene.List(
        graphene.NonNull(RecoveryStepInput), description="All its messages, first to last."
    )
    exits = graphene.List(
        graphene.NonNull(RecoveryExitEnum), description="What ends it besides an order or a no."
    )
    cool_down_seconds = graphene.Int(
        description="Seconds after its last message until it may begin again."
    )
    priority = graphene.Int(description="From 1 to 100; the smaller goes first.")
    delay_seconds = graphene.Int(description="Of the first message alone.")
    subject = graphene.String(description="Of the first message alone.")
    text = graphene.String(description="Of the first message alone.")
    html = graphene.String(description="Of the first message alone.")

    class Meta:
        description = "Fields of a campaign that can be changed."


class _CampaignMutation(SellerMutation):
    """What the mutations of a campaign have in common."""

    permission = PERMISSION

    class Meta:
        abstract = True

    @classmethod
    def campaign(cls, asker: Requester, data: dict[str, Any]) -> Campaign:
        if data.get("id"):
            return campaign_named(asker.shop, data["id"])
        if not data.get("channel"):
            raise InvalidInput("Say which campaign.", field="channel")
        check_channel(data["channel"])
        campaign = campaigns.campaign_of(asker.shop, data["channel"])
        campaign.shop = asker.shop
        return campaign

    @classmethod
    def done(
        cls, asker: Requester, campaign: Campaign, after: dict[str, Any], before: dict[str, Any]
    ) -> Any:
        cls.wrote(asker, campaign.channel, after, before)
        return cls(recovery_campaign=campaign, errors=[])


class _Switch(_CampaignMutation):
    """Switches one campaign on or off."""

    recovery_campaign = graphene.Field(RecoveryCampaign, description="The campaign as it is now.")
    errors = errors_field()

    class Arguments:
        id = graphene.ID(description=NAMED)
        channel = graphene.String(description=CHANNEL)

    class Meta:
        abstract = True

    @classmethod
    def switched(cls, asker: Requester, data: dict[str, Any], switch: Any) -> Any:
        campaign = cls.campaign(asker, data)
        before = {"state": campaign.state}
        switch(campaign)
        return cls.done(asker, campaign, {"state": campaign.state}, before)


class RecoveryCampaignCreate(_CampaignMutation):
    """Make a campaign."""

    recovery_campaign = graphene.Field(RecoveryCampaign, description="The new draft.")
    errors = errors_field()

    class Arguments:
        channel = graphene.String(required=True, description="Slug of the channel.")
        preset = RecoveryPresetEnum(description="What it starts as; three messages when left out.")
        input = RecoveryCampaignInput(description="What is to be otherwise.")

    class Meta:
        description = "Makes a campaign, as a draft. Requires MANAGE_CHECKOUTS."

    @classmethod
    def perform(cls, asker: Requester, **data: Any) -> Any:
        check_channel(data["channel"])
        changes = _changes(data.get("input") or {})
        preset = PRESETS[data["preset"]] if data.get("preset") else SHIPPED
        _must_be_allowed(asker, changes, [])
        campaign = campaigns.create(asker.shop, data["channel"], changes, preset)
        return cls.done(asker, campaign, changes, {})


class RecoveryCampaignUpdate(_CampaignMutation):
    """Change a campaign."""

    recovery_campaign = graphene.Field(RecoveryCampaign, description="The campaign as it is now.")
    errors = errors_field()

    class Arguments:
        id = graphene.ID(description=NAMED)
        channel = graphene.String(description=CHANNEL)
        input = RecoveryCampaignInput(required=True, description="What to change.")

    class Meta:
        description = "Changes a campaign. Requires MANAGE_CHECKOUTS."

    @classmethod
    def perform(cls, asker: Requester, **data: Any) -> Any:
        campaign = cls.campaign(asker, data)
        changes = _changes(data["input"])
        before = campaigns.fields_of(campaign)
        _must_be_allowed(asker, changes, before["steps"])
        campaigns.change(campaign, changes)
        return cls.done(asker, campaign, changes, {key: before[key] for key in changes})


class RecoveryCampaignDelete(_CampaignMutation):
    """Delete a campaign."""

    errors = errors_field()

    class Arguments:
        id = graphene.ID(required=True, description="Its own name.")

    class Meta:
        description = "Deletes a campaign that never wrote to anybody. Requires MANAGE_CHECKOUTS."

    @classmethod
    def perform(cls, asker: Requester, **data: Any) -> Any:
        campaign = cls.campaign(asker, data)
        before = {"name": campaign.name}
        campaigns.delete(campaign)
        cls.wrote(asker, campaign.channel, {}, before)
        return cls(errors=[])


class RecoveryCampaignActivate(_Switch):
    """Switch a campaign on."""

    class Meta:
        description = "Switches a campaign on. Requires MANAGE_CHECKOUTS."

    @classmethod
    def perform(cls, asker: Requester, **data: Any) -> Any:
        return cls.switched(asker, data, campaigns.activate)


class RecoveryCampaignPause(_Switch):
    """Switch a campaign off."""

    class Meta:
        description = "Switches a campaign off. Requires MANAGE_CHECKOUTS."

    @classmethod
    def perform(cls, asker: Requester, **data: Any) -> Any:
        return cls.switched(asker, data, campaigns.pause)


class CampaignQueries(graphene.ObjectType):
    """What can be asked about campaigns."""

    recovery_campaigns = graphene.List(
        graphene.NonNull(RecoveryCampaign),
        required=True,
        channel=graphene.String(description="Only of this channel."),
        description="The campaigns, those that go first first. Requires MANAGE_CHECKOUTS.",
    )
    recovery_campaign = graphene.Field(
        RecoveryCampaign,
        id=graphene.ID(description=NAMED),
        channel=graphene.String(description=CHANNEL),
        description="One campaign, if there is such a one. Requires MANAGE_CHECKOUTS.",
    )

    @staticmethod
    @answered
    def resolve_recovery_campaigns(_root: Any, info: Any, channel: str = "") -> list[Campaign]:
        rows = Campaign.objects.of(allowed(info, PERMISSION).shop)
        rows = rows.filter(channel=channel) if channel else rows
        return list(rows.order_by("channel", "priority", "id"))

    @staticmethod
    @answered
    def resolve_recovery_campaign(
        _root: Any,
        info: Any,
        id: str = "",  # noqa: A002 - the argument's name
        channel: str = "",
    ) -> Campaign | None:
        shop = allowed(info, PERMISSION).shop
        if not id:
            return Campaign.objects.of(shop).filter(channel=channel, is_shipped=True).first()
        try:
            return campaign_named(shop, id)
        except NotFound:
            return None


class CampaignMutations(graphene.ObjectType):
    """What can be changed about campaigns."""

    recovery_campaign_create = RecoveryCampaignCreate.Field(
        description="Makes a campaign, as a draft. Requires MANAGE_CHECKOUTS."
    )
    recovery_campaign_update = RecoveryCampaignUpdate.Field(
        description="Changes a campaign. Requires MANAGE_CHECKOUTS."
    )
    recovery_campaign_delete = RecoveryCampaignDelete.Field(
        description="Deletes a campaign that never wrote to anybody. Requires MANAGE_CHECKOUTS."
    )
    recovery_campaign_activate = RecoveryCampaignActivate.Field(
        description="Switches a campaign on. Requires MANAGE_CHECKOUTS."
    )
    recovery_campaign_pause = RecoveryCampaignPause.Field(
        description="Switches a campaign off. Requires MANAGE_CHECKOUTS."
    )


def campaign_named(shop: Shop, name: str) -> Campaign:
    """Return a campaign of this shop by its id; raises NotFound."""
    try:
        wanted = UUID(name)
    except ValueError as error:
        raise NotFound from error
    found = Campaign.objects.of(shop).select_related("shop").filter(pk=wanted).first()
    if found is None:
        raise NotFound
    return found


def _must_be_allowed(
    asker: Requester, changes: dict[str, Any], before: list[dict[str, Any]]
) -> None:
    """Raise InvalidInput for a voucher that is new or another one, without the permission for it.

    In the shop itself nobody makes vouchers without it either.
    """
    if asker.may(DISCOUNTS):
        return
    known = [step["voucher"] for step in before]
    for place, step in enumerate(changes.get("steps", ())):
        if (wanted := step.get("voucher")) is not None and wanted not in known:
            raise InvalidInput(f"This needs {DISCOUNTS} as well.", field=f"steps[{place}].voucher")


def _changes(source: dict[str, Any]) -> dict[str, Any]:
    """Return an input as `campaigns.change` takes it."""
    changes = given(source)
    if "steps" in changes:
        changes["steps"] = [_step(given(step)) for step in changes["steps"]]
    return changes


def _step(source: dict[str, Any]) -> dict[str, Any]:
    names = {
        "delay_seconds": "delaySeconds",
        "message_channels": "messageChannels",
        "send_window": "sendWindow",
    }
    return {names.get(name, name): value for name, value in source.items()}
