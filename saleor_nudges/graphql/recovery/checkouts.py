"""Checkouts that were left behind, what was sent about them, and why nothing was."""

from typing import Any
from uuid import UUID

import graphene

from saleor_nudges.exceptions import NotFound
from saleor_nudges.graphql.context import allowed
from saleor_nudges.graphql.errors import answered
from saleor_nudges.graphql.messaging import MessageChannelEnum
from saleor_nudges.graphql.mutation import SellerMutation, errors_field
from saleor_nudges.graphql.paging import page, paged
from saleor_nudges.graphql.recovery.beside import beside, put_beside
from saleor_nudges.graphql.recovery.campaigns import (
    PERMISSION,
    RecoveryCampaign,
    campaign_named,
)
from saleor_nudges.graphql.standard import DateTime, Decimal
from saleor_nudges.host import Requester
from saleor_nudges.models import (
    Attempt,
    CheckoutState,
    MatchedBy,
    RecoveredOrder,
    Send,
    SendState,
    Shop,
    TrackedCheckout,
)
from saleor_nudges.recovery import campaigns, reasons
from saleor_nudges.recovery.planning import attempts
from saleor_nudges.recovery.reasons import Reason, Why
from saleor_nudges.recovery.rules.stage import Blocker, Stage
from saleor_nudges.recovery.sending import by_hand

RecoveryCheckoutStateEnum = graphene.Enum(
    "RecoveryCheckoutStateEnum", [(state.name, state.value) for state in CheckoutState]
)
RecoverySendStateEnum = graphene.Enum(
    "RecoverySendStateEnum", [(state.name, state.value) for state in SendState]
)
RecoveryStageEnum = graphene.Enum("RecoveryStageEnum", [(one.name, one.value) for one in Stage])
RecoveryBlockerEnum = graphene.Enum(
    "RecoveryBlockerEnum", [(one.name, one.value) for one in Blocker]
)
RecoveryMatchEnum = graphene.Enum("RecoveryMatchEnum", [(one.name, one.value) for one in MatchedBy])
RecoveryCheckoutSortEnum = graphene.Enum(
    "RecoveryCheckoutSortEnum",
    [("FIRST_SEEN", "id"), ("LAST_SEEN", "seen_at"), ("TOTAL", "total")],
)


class RecoveryMoney(graphene.ObjectType):
    """An amount in one currency; never added to another currency."""

    amount = Decimal(required=True, description="The amount.")
    currency = graphene.String(required=True, description="ISO 4217 code.")

    class Meta:
        description = "Represents an amount of money in one currency."


class RecoverySend(graphene.ObjectType):
    """One message and what became of it."""

    step = graphene.Int(required=True, description="Which message of the campaign.")
    campaign = graphene.Field(RecoveryCampaign, required=True, description="Whose message it is.")
    message_channel = graphene.Field(
        MessageChannelEnum, required=True, description="How it leaves."
    )
    state = graphene.Field(RecoverySendStateEnum, required=True, description="What became of it.")
    reason = graphene.String(required=True, description="Why, as a code; empty when it was sent.")
    text = graphene.String(
        required=True, description="The same in plain words; empty when it was sent."
    )
    due_at = DateTime(required=True, description="When it was or is due.")
    sent_at = DateTime(description="When the provider took it.")
    is_manual = graphene.Boolean(required=True, description="Whether the seller asked for it.")

    class Meta:
        description = "Represents one message and what became of it."

    @staticmethod
    def resolve_step(root: Send, _info: Any) -> int:
        return root.step_number

    @staticmethod
    def resolve_text(root: Send, _info: Any) -> str:
        return _text(root.reason)


class RecoveryAttempt(graphene.ObjectType):
    """Why a message did not go when it was looked at."""

    step = graphene.Int(required=True, description="Which message; 0 when no one in particular.")
    reason = graphene.String(required=True, description="Why, as a code.")
    text = graphene.String(
        required=True,
        language_code=graphene.String(description="In which language; English if left out."),
        description="Why, in plain words.",
    )
    at = DateTime(required=True, description="When it was so first.")
    last_at = DateTime(required=True, description="When it was so last.")
    until = DateTime(description="Until when, where that is known.")
    times = graphene.Int(required=True, description="How often it was so.")

    class Meta:
        description = "Represents why a message did not go when it was looked at."

    @staticmethod
    def resolve_step(root: Attempt, _info: Any) -> int:
        return root.step_number

    @staticmethod
    def resolve_text(root: Attempt, _info: Any, language_code: str = "en") -> str:
        return attempts.say(root, language_code)


class RecoveryOrder(graphene.ObjectType):
    """An order, and one message that came before it."""

    order = graphene.ID(required=True, description="Global id of the order.")
    step = graphene.Int(required=True, description="Which message came before it.")
    message_channel = graphene.Field(
        MessageChannelEnum, required=True, description="How that message left."
    )
    matched_by = graphene.Field(
        RecoveryMatchEnum, required=True, description="What ties the order to the message."
    )
    total = graphene.Field(RecoveryMoney, required=True, description="What it is worth.")
    seconds = graphene.Int(required=True, description="From the message to the order.")
    is_clicked = graphene.Boolean(
        required=True, description="Whether the shopper had come back by the message's link."
    )

    class Meta:
        description = "Represents an order and one message that came before it."

    @staticmethod
    def resolve_order(root: RecoveredOrder, _info: Any) -> str:
        return root.order.order_id

    @staticmethod
    def resolve_step(root: RecoveredOrder, _info: Any) -> int:
        return root.send.step_number

    @staticmethod
    def resolve_message_channel(root: RecoveredOrder, _info: Any) -> str:
        return root.send.message_channel

    @staticmethod
    def resolve_total(root: RecoveredOrder, _info: Any) -> Any:
        return {"amount": root.amount, "currency": root.currency}


class RecoveryCheckout(graphene.ObjectType):
    """A checkout that was left behind. Its id in Saleor is a secret and not told."""

    id = graphene.ID(required=True, description="Our own name of it.")
    channel = graphene.String(required=True, description="Slug of the channel.")
    state = graphene.Field(RecoveryCheckoutStateEnum, required=True, description="Where it stands.")
    stage = graphene.Field(RecoveryStageEnum, description="How far its shopper came, if known.")
    blockers = graphene.List(
        graphene.NonNull(RecoveryBlockerEnum),
        required=True,
        description="What stood in the way, the weightiest first.",
    )
    total = graphene.Field(RecoveryMoney, required=True, description="What it is worth.")
    changed_at = DateTime(required=True, description="Its last change in the shop.")
    seen_at = DateTime(required=True, description="Its shopper's last sign of life.")
    campaign = graphene.Field(RecoveryCampaign, description="Whose messages it gets.")
    next_due_at = DateTime(description="When it is looked at next, if at all.")
    reason = graphene.String(required=True, description="Why not sooner or not at all, a code.")
    text = graphene.String(required=True, description="The same in plain words.")
    is_contact_known = graphene.Boolean(required=True, description="Whether we know whose it is.")
    sends = graphene.List(
        graphene.NonNull(RecoverySend), required=True, description="Messages about it."
    )
    attempts = graphene.List(
        graphene.NonNull(RecoveryAttempt),
        required=True,
        description="Why messages did not go, oldest first.",
    )

    orders = graphene.List(
        graphene.NonNull(RecoveryOrder),
        required=True,
        description="Orders that its messages came before; none that is void.",
    )

    class Meta:
        description = "Represents a checkout that was left behind."

    @staticmethod
    def resolve_total(root: TrackedCheckout, _info: Any) -> Any:
        return {"amount": root.total, "currency": root.currency}

    @staticmethod
    def resolve_stage(root: TrackedCheckout, _info: Any) -> str | None:
        return root.stage or None

    @staticmethod
    def resolve_text(root: TrackedCheckout, _info: Any) -> str:
        return _text(root.reason)

    @staticmethod
    def resolve_is_contact_known(root: TrackedCheckout, _info: Any) -> bool:
        return root.person_id is not None

    @staticmethod
    @answered
    def resolve_campaign(root: TrackedCheckout, _info: Any) -> Any:
        return root.campaign

    @staticmethod
    @answered
    def resolve_sends(root: TrackedCheckout, _info: Any) -> Any:
        return beside(root).sends.get(root.pk, [])

    @staticmethod
    @answered
    def resolve_attempts(root: TrackedCheckout, _info: Any) -> Any:
        return beside(root).attempts.get(root.pk, [])

    @staticmethod
    @answered
    def resolve_orders(root: TrackedCheckout, _info: Any) -> Any:
        return beside(root).orders.get(root.pk, [])


class RecoveryCheckoutConnection(graphene.relay.Connection):
    """Checkouts, a page at a time."""

    class Meta:
        node = RecoveryCheckout


class RecoveryCheckoutFilterInput(graphene.InputObjectType):
    """Which checkouts are wanted; what is left out is any."""

    channel = graphene.String(description="Slug of the channel.")
    states = graphene.List(
        graphene.NonNull(RecoveryCheckoutStateEnum), description="Where they stand."
    )
    stages = graphene.List(graphene.NonNull(RecoveryStageEnum), description="How far they came.")
    blocker = RecoveryBlockerEnum(description="What stood in the way.")
    reason = graphene.String(description="Why nothing was sent, a code.")
    is_contact_known = graphene.Boolean(description="Whether we know whose they are.")
    seen_after = DateTime(description="Last seen from this time on.")
    seen_before = DateTime(description="Last seen before this time.")

    class Meta:
        description = "Which abandoned checkouts are wanted."


class RecoverySendNow(SellerMutation):
    """Send the next message about a checkout now."""

    permission = PERMISSION
    recovery_send = graphene.Field(RecoverySend, description="The message that is due now.")
    errors = errors_field()

    class Arguments:
        checkout = graphene.ID(required=True, description="Our own name of the checkout.")
        campaign = graphene.ID(description="Which campaign; its own when left out.")

    class Meta:
        description = (
            "Makes the next message about a checkout due now. What keeps any message back keeps "
            "this one back. Requires MANAGE_CHECKOUTS."
        )

    @classmethod
    def perform(cls, asker: Requester, **data: Any) -> Any:
        tracked = checkout_named(asker.shop, data["checkout"])
        if data.get("campaign"):
            campaign = campaign_named(asker.shop, data["campaign"])
        else:
            campaign = tracked.campaign or campaigns.campaign_of(asker.shop, tracked.channel)
        send = by_hand.send_now(tracked, campaign)
        cls.wrote(asker, str(tracked.pk), {"step": send.step_number, "campaign": campaign.name})
        return cls(recovery_send=send, errors=[])


class CheckoutQueries(graphene.ObjectType):
    """What can be asked about checkouts that were left behind."""

    abandoned_checkouts = graphene.Field(
        RecoveryCheckoutConnection,
        required=True,
        args=paged(
            filter=RecoveryCheckoutFilterInput(description="Which ones; all when left out."),
            sort_by=RecoveryCheckoutSortEnum(description="The greatest first; FIRST_SEEN if not."),
        ),
        description="Checkouts with lines, newest first. Requires MANAGE_CHECKOUTS.",
    )
    abandoned_checkout = graphene.Field(
        RecoveryCheckout,
        id=graphene.ID(required=True, description="Our own name of it."),
        description="One checkout. Requires MANAGE_CHECKOUTS.",
    )

    @staticmethod
    @answered
    def resolve_abandoned_checkouts(_root: Any, info: Any, **data: Any) -> Any:
        shop = allowed(info, PERMISSION).shop
        rows = TrackedCheckout.objects.of(shop).filter(**_filter(data.get("filter") or {}))
        rows = rows.select_related("campaign", "shop")
        first, after = data.get("first"), data.get("after")
        by = data.get("sort_by") or "id"
        found = page(RecoveryCheckoutConnection, rows, first=first, after=after, by=by)
        put_beside(shop, (edge.node for edge in found.edges))
        return found

    @staticmethod
    @answered
    def resolve_abandoned_checkout(_root: Any, info: Any, **data: Any) -> TrackedCheckout:
        return checkout_named(allowed(info, PERMISSION).shop, data["id"])


class CheckoutMutations(graphene.ObjectType):
    """What can be changed about checkouts that were left behind."""

    recovery_send_now = RecoverySendNow.Field(
        description="Makes the next message about a checkout due now. Requires MANAGE_CHECKOUTS."
    )


def checkout_named(shop: Shop, name: str) -> TrackedCheckout:
    """Return a checkout of this shop by our own name; raises NotFound."""
    try:
        wanted = UUID(name)
    except ValueError as error:
        raise NotFound from error
    found = TrackedCheckout.objects.of(shop).select_related("campaign").filter(pk=wanted).first()
    if found is None:
        raise NotFound
    return found


def _filter(wanted: dict[str, Any]) -> dict[str, Any]:
    columns = {
        "channel": "channel",
        "states": "state__in",
        "stages": "stage__in",
        "reason": "reason",
        "seen_after": "seen_at__gte",
        "seen_before": "seen_at__lt",
    }
    given = {name: value for name, value in wanted.items() if value is not None}
    found = {column: given[name] for name, column in columns.items() if name in given}
    if "blocker" in given:
        found["blockers__contains"] = [given["blocker"]]
    if "is_contact_known" in given:
        found["person__isnull"] = not given["is_contact_known"]
    return found


def _text(reason: str) -> str:
    return reasons.say(Why(Reason[reason])) if reason in Reason.__members__ else ""
