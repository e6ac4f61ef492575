"""What a storefront reports."""

from datetime import UTC, datetime
from typing import Any

import graphene

from saleor_nudges.asgi import requests
from saleor_nudges.asgi.requests import Caller
from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.graphql.mutation import ShopperMutation, errors_field, given
from saleor_nudges.host import Requester
from saleor_nudges.nudges import configs


class NudgeSessionCreate(ShopperMutation):
    """Give a visitor a token."""

    token = graphene.String(description="Token of an anonymous visitor.")
    errors = errors_field()

    class Arguments:
        token = graphene.String(description="The visitor's token so far, to renew it.")

    class Meta:
        description = "Gives an anonymous visitor a token, or renews one."

    @classmethod
    def perform(cls, asker: Requester, caller: Caller, **data: Any) -> Any:
        body = requests.dumped({"token": data.get("token") or ""})
        now = datetime.now(UTC)
        if not configs.is_on(asker.shop, now):
            raise InvalidInput("Nobody is watched here.")
        answer = requests.session(asker.shop, body, now, caller)
        return cls(token=answer.body["token"], errors=[])


class NudgeEventInput(graphene.InputObjectType):
    """One thing a storefront saw."""

    id = graphene.String(required=True, description="UUIDv7 made by the storefront.")
    kind = graphene.String(required=True, description="What happened, such as product_viewed.")
    at = graphene.String(required=True, description="When it happened, in ISO 8601 with a zone.")
    channel = graphene.String(required=True, description="Slug of the channel.")
    product = graphene.ID(description="Global id of the product.")
    variant = graphene.ID(description="Global id of the variant.")
    page = graphene.String(description="Which kind of page.")
    nudge = graphene.String(description="Public name of the nudge.")

    class Meta:
        description = "Fields of an event a storefront reports."


class NudgeEventRejection(graphene.ObjectType):
    """An event that was not kept."""

    index = graphene.Int(required=True, description="Which of the events, counted from 0.")
    code = graphene.String(required=True, description="Why, as a code.")
    message = graphene.String(required=True, description="Why, in words.")

    class Meta:
        description = "Represents an event that was not kept."


class NudgeEventsTrack(ShopperMutation):
    """Report what a storefront saw."""

    accepted = graphene.Int(description="How many events are durable.")
    rejected = graphene.List(
        graphene.NonNull(NudgeEventRejection), description="Which were not kept, and why."
    )
    errors = errors_field()

    class Arguments:
        token = graphene.String(required=True, description="Token of nudgeSessionCreate.")
        events = graphene.List(
            graphene.NonNull(NudgeEventInput), required=True, description="At most 100 events."
        )
        checkout = graphene.String(description="Hex SHA-256 of the visitor's checkout id.")

    class Meta:
        description = "Reports what a storefront saw. One bad event costs no other."

    @classmethod
    def perform(cls, asker: Requester, caller: Caller, **data: Any) -> Any:
        body = {
            "token": data["token"],
            "checkout": data.get("checkout") or "",
            "events": [given(dict(event)) for event in data["events"]],
        }
        now = datetime.now(UTC)
        answer = requests.events(asker.shop, requests.dumped(body), now, caller).body
        return cls(accepted=answer["accepted"], rejected=answer["rejected"], errors=[])
