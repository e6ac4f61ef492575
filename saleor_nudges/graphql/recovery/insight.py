"""Why somebody was not written to, what a campaign would have done, and a sweep by hand."""

from datetime import UTC, datetime
from typing import Any, Final

import graphene

from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.graphql.context import allowed
from saleor_nudges.graphql.errors import answered
from saleor_nudges.graphql.messaging import MessageChannelEnum
from saleor_nudges.graphql.mutation import SellerMutation, errors_field
from saleor_nudges.graphql.recovery.campaigns import PERMISSION, campaign_named
from saleor_nudges.graphql.recovery.checkouts import RecoveryCheckout
from saleor_nudges.host import Requester
from saleor_nudges.recovery import campaigns
from saleor_nudges.recovery.insight import explain
from saleor_nudges.recovery.insight import simulate as simulating
from saleor_nudges.recovery.sending import sweeping
from saleor_nudges.recovery.sending.sweeping import Swept

# A request waits for it; the command has no such limit.
MOST_DAYS: Final = 31


class RecoveryGate(graphene.ObjectType):
    """One gate that a message passes before it leaves."""

    gate = graphene.String(required=True, description="Which gate, as a code.")
    is_passed = graphene.Boolean(description="Whether it is passed; null when not asked.")
    text = graphene.String(required=True, description="Why, in plain words.")

    class Meta:
        description = "Represents one gate that a message passes before it leaves."


class RecoveryExplanation(graphene.ObjectType):
    """Why somebody was written to, or not."""

    first_failed = graphene.Field(
        RecoveryGate, description="What keeps a message back, if anything does."
    )
    gates = graphene.List(
        graphene.NonNull(RecoveryGate), required=True, description="Every gate, in order."
    )
    checkout = graphene.Field(RecoveryCheckout, description="The checkout it is about.")

    class Meta:
        description = "Represents why somebody was written to, or not."

    @staticmethod
    def resolve_gates(root: explain.Explanation, _info: Any) -> Any:
        return root.answers


class RecoveryCount(graphene.ObjectType):
    """How many there were of something."""

    name = graphene.String(required=True, description="Of what: a reason, or a day.")
    count = graphene.Int(required=True, description="How many.")

    class Meta:
        description = "Represents how many there were of something."


class RecoveryStepCount(graphene.ObjectType):
    """How many messages there were of one step."""

    step = graphene.Int(required=True, description="Which message.")
    count = graphene.Int(required=True, description="How many.")

    class Meta:
        description = "Represents how many messages there were of one step."


class RecoverySimulation(graphene.ObjectType):
    """What a campaign would have done."""

    checkouts = graphene.Int(required=True, description="How many were looked at.")
    sent = graphene.List(
        graphene.NonNull(RecoveryStepCount), required=True, description="What would have gone."
    )
    kept = graphene.List(
        graphene.NonNull(RecoveryCount),
        required=True,
        description="What would not have gone, by reason.",
    )
    days = graphene.List(
        graphene.NonNull(RecoveryCount), required=True, description="Messages of each day."
    )
    recovered = graphene.Int(
        required=True, description="Bought later than a first message would have gone."
    )

    class Meta:
        description = "Represents what a campaign would have done."

    @staticmethod
    def resolve_sent(root: simulating.Simulated, _info: Any) -> Any:
        return _steps(root.sent)

    @staticmethod
    def resolve_kept(root: simulating.Simulated, _info: Any) -> Any:
        return _counts(root.kept)

    @staticmethod
    def resolve_days(root: simulating.Simulated, _info: Any) -> Any:
        return _counts(root.days)


class RecoverySweep(SellerMutation):
    """Look at one batch of a campaign's checkouts now."""

    permission = PERMISSION
    entered = graphene.List(
        graphene.NonNull(RecoveryStepCount), description="Messages entered, or that would be."
    )
    kept = graphene.List(graphene.NonNull(RecoveryCount), description="Why the others do not go.")
    failed = graphene.List(
        graphene.NonNull(graphene.ID), description="Checkouts that could not be looked at."
    )
    cursor = graphene.String(description="Where to go on; empty when nothing is left.")
    errors = errors_field()

    class Arguments:
        campaign = graphene.ID(required=True, description="Whose checkouts.")
        cursor = graphene.String(description="Where the batch before ended.")
        batch_size = graphene.Int(description="At most so many, 1 to 1,000.")
        delays = graphene.List(
            graphene.NonNull(graphene.Int), description="Only steps of these delays, in seconds."
        )
        message_channels = graphene.List(
            graphene.NonNull(MessageChannelEnum), description="Only what leaves by these."
        )
        dry_run = graphene.Boolean(description="Count, and enter nothing.")

    class Meta:
        description = "Looks at one batch of a campaign's checkouts. Requires MANAGE_CHECKOUTS."

    @classmethod
    def perform(cls, asker: Requester, **data: Any) -> Any:
        campaign = campaign_named(asker.shop, data["campaign"])
        wanted = sweeping.Wanted(data.get("delays") or (), data.get("message_channels") or ())
        is_dry = bool(data.get("dry_run"))
        swept = sweeping.sweep(
            campaign,
            wanted,
            cursor=data.get("cursor") or "",
            size=data.get("batch_size"),
            is_dry=is_dry,
        )
        if not is_dry:
            cls.wrote(asker, str(campaign.pk), {"entered": sum(swept.entered.values())})
        return _answer(cls, swept)


class InsightQueries(graphene.ObjectType):
    """What can be asked about what was not sent."""

    recovery_explain = graphene.Field(
        RecoveryExplanation,
        email=graphene.String(description="Whose newest checkout."),
        checkout=graphene.ID(description="Which one, by our name or by Saleor's id."),
        order=graphene.ID(description="The one that became this order."),
        description="Why somebody was written to, or not. Requires MANAGE_CHECKOUTS.",
    )
    recovery_simulate = graphene.Field(
        RecoverySimulation,
        campaign=graphene.ID(required=True, description="Which campaign, in whatever state."),
        days=graphene.Int(description=f"How far back, 1 to {MOST_DAYS}; 30 when left out."),
        description="What a campaign would have done. Requires MANAGE_CHECKOUTS.",
    )

    @staticmethod
    @answered
    def resolve_recovery_explain(_root: Any, info: Any, **data: Any) -> explain.Explanation:
        shop = allowed(info, PERMISSION).shop
        named = {name: value for name, value in data.items() if value}
        if len(named) != 1:
            raise InvalidInput("Name an email, a checkout or an order: one of them.", field="email")
        return explain.explain(shop, **named)

    @staticmethod
    @answered
    def resolve_recovery_simulate(_root: Any, info: Any, **data: Any) -> simulating.Simulated:
        shop = allowed(info, PERMISSION).shop
        days = data.get("days") or 30
        if not 1 <= days <= MOST_DAYS:
            raise InvalidInput(f"From 1 to {MOST_DAYS} days.", field="days")
        campaign = campaign_named(shop, data["campaign"])
        one = campaigns.read(campaign, campaigns.steps_of(campaign))
        return simulating.simulate(one, datetime.now(UTC), days)


class InsightMutations(graphene.ObjectType):
    """What can be done by hand."""

    recovery_sweep = RecoverySweep.Field(
        description="Looks at one batch of a campaign's checkouts. Requires MANAGE_CHECKOUTS."
    )


def _answer(kind: Any, swept: Swept) -> Any:
    return kind(
        entered=_steps(swept.entered),
        kept=_counts(swept.kept),
        failed=swept.errors,
        cursor=swept.cursor,
        errors=[],
    )


def _steps(found: dict[int, int]) -> list[dict[str, int]]:
    return [{"step": step, "count": count} for step, count in sorted(found.items())]


def _counts(found: dict[str, int]) -> list[dict[str, Any]]:
    return [{"name": name, "count": count} for name, count in sorted(found.items())]
