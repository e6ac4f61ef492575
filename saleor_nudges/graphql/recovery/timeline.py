"""shopperTimeline: everything between us and one shopper, newest first."""

from base64 import b64decode, urlsafe_b64encode
from typing import Any, Final

import graphene

from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.graphql.context import allowed
from saleor_nudges.graphql.errors import answered
from saleor_nudges.graphql.standard import DateTime
from saleor_nudges.recovery.insight.timeline import Entry, EntryKind, persons_of, timeline

PERMISSION: Final = "MANAGE_USERS"
USUAL: Final = 50
MOST: Final = 100

ShopperEntryKindEnum = graphene.Enum(
    "ShopperEntryKindEnum", [(kind.name, kind.value) for kind in EntryKind]
)


class ShopperEntry(graphene.ObjectType):
    """One thing that happened between us and a shopper."""

    at = DateTime(required=True, description="When.")
    kind = ShopperEntryKindEnum(required=True, description="What it tells of.")
    text = graphene.String(required=True, description="What happened, in plain words.")
    checkout = graphene.ID(description="The checkout it is about, as `abandonedCheckout` names it.")

    class Meta:
        description = "Represents one thing that happened between us and a shopper."

    @staticmethod
    def resolve_checkout(root: Entry, _info: Any) -> Any:
        return root.checkout.pk if root.checkout else None


class ShopperTimeline(graphene.ObjectType):
    """What happened between us and a shopper."""

    entries = graphene.List(
        graphene.NonNull(ShopperEntry), required=True, description="Newest first."
    )
    cursor = graphene.String(
        required=True, description="Where to go on, as `after`; empty when nothing is older."
    )

    class Meta:
        description = "Represents what happened between us and a shopper."


class TimelineQueries(graphene.ObjectType):
    """What can be asked about one shopper."""

    shopper_timeline = graphene.Field(
        ShopperTimeline,
        email=graphene.String(description="The shopper with this address."),
        user=graphene.ID(description="The one with this account, by Saleor's id."),
        order=graphene.ID(description="Whoever placed this order, by Saleor's id."),
        first=graphene.Int(description=f"At most so many, 1 to {MOST}; {USUAL} when left out."),
        after=graphene.String(description="The cursor of the page before."),
        description="Everything between us and one shopper. Requires MANAGE_USERS.",
    )

    @staticmethod
    @answered
    def resolve_shopper_timeline(_root: Any, info: Any, **data: Any) -> ShopperTimeline:
        shop = allowed(info, PERMISSION).shop
        first, after = data.pop("first", None) or USUAL, data.pop("after", None) or ""
        if not 1 <= first <= MOST:
            raise InvalidInput(f"From 1 to {MOST}.", field="first")
        named = {name: value for name, value in data.items() if value}
        if len(named) != 1:
            raise InvalidInput("Name an email, a user or an order: one of them.", field="email")
        before = _place(after)
        found = timeline(shop, persons_of(shop, **named))
        left = [one for one in found if not before or one.place < before]
        cursor = _cursor(left[first - 1]) if len(left) > first else ""
        return ShopperTimeline(entries=left[:first], cursor=cursor)


def _cursor(last: Entry) -> str:
    return urlsafe_b64encode(last.place.encode()).decode()


def _place(cursor: str) -> str:
    try:
        return b64decode(cursor.encode(), altchars=b"-_", validate=True).decode()
    except ValueError as error:
        raise InvalidInput("This is no cursor of ours.", field="after") from error
