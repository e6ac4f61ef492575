"""What must hold at the moment a message is marked, each with what happens when it does not."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from django.db.models import DurationField, Exists, ExpressionWrapper, F, OuterRef, Q, Value
from django.db.models.functions import Now

from saleor_nudges import consent, people, reconcile
from saleor_nudges.models import (
    CampaignState,
    CheckoutState,
    DeadLetter,
    MessageChannel,
    Person,
    SeenOrder,
    TrackedCheckout,
    WaitingEvent,
)
from saleor_nudges.recovery.campaigns import sandbox
from saleor_nudges.recovery.rules.smear import PATIENCE

# News of a purchase or of a no may wait in the stream; until it is read nothing is marked.
NOES = ("consent_withdrawn", "customer_erased")
STOPPING = ("order_placed", "order_paid", "checkout_paid", *NOES)


class Then(StrEnum):
    """What becomes of a message whose condition does not hold."""

    CANCEL = "cancel"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition on a row of the ledger."""

    reason: str
    holds: Q
    otherwise: Then


def conditions(message_channel: MessageChannel) -> tuple[Condition, ...]:
    """Return all conditions, in the order in which a reason is looked for."""
    return (
        Condition("TOO_OLD", not_too_old(), Then.CANCEL),
        Condition("ERASED", consent.has_address(message_channel), Then.CANCEL),
        Condition("ORDERED", ~_ordered(), Then.CANCEL),
        Condition("CHECKOUT_CLOSED", Q(checkout__state=CheckoutState.OPEN), Then.CANCEL),
        Condition("UNSUBSCRIBED", ~consent.is_suppressed(message_channel), Then.CANCEL),
        Condition("NO_CONSENT", consent.agrees(message_channel), Then.CANCEL),
        Condition("INSTALLATION_CHANGED", _is_here(), Then.WAIT),
        Condition("SENDING_OFF", consent.sending_is_on(), Then.WAIT),
        Condition("CAMPAIGN_OFF", Q(campaign__state=CampaignState.ACTIVE), Then.WAIT),
        Condition("BEFORE_ACTIVATION", _after_activation(), Then.CANCEL),
        Condition("CHECKOUT_CHANGED", _silent(), Then.WAIT),
        Condition("PAYMENT_STARTED", Q(checkout__is_payment_started=False), Then.WAIT),
        Condition("NOT_CAUGHT_UP", _caught_up(), Then.WAIT),
        Condition("EVENTS_WAITING", ~_waiting(), Then.WAIT),
    )


def of_thanks(message_channel: MessageChannel) -> tuple[Condition, ...]:
    """Return all conditions of a thank-you: there is an order, and no checkout any more."""
    gone = ("ORDERED", "CHECKOUT_CLOSED", "BEFORE_ACTIVATION", "CHECKOUT_CHANGED")
    kept = [one for one in conditions(message_channel) if one.reason not in gone]
    return (
        Condition("ORDER_VOID", Q(order__is_void=False), Then.CANCEL),
        *(one for one in kept if one.reason != "PAYMENT_STARTED"),
    )


def all_of(message_channel: MessageChannel, *, is_thanks: bool = False) -> Q:
    """Return the one condition under which a message may be marked; it implies `may_write`."""
    together = Q()
    for condition in (of_thanks if is_thanks else conditions)(message_channel):
        together &= condition.holds
    return together


def not_too_old() -> Q:
    """It could first have gone lately: later the cart is one that nobody remembers."""
    return Q(ready_at__gt=Now() - PATIENCE)


def _is_here() -> Q:
    # Where sending is off, that is the reason.
    return consent.is_here() | Q(shop__sending_since__isnull=True)


def _silent() -> Q:
    # How long a shopper must have been silent before this step.
    silence = ExpressionWrapper(
        F("step__delay_seconds") * Value(sandbox.paced(timedelta(seconds=1))),
        output_field=DurationField(),
    )
    return Q(is_manual=True) | Q(checkout__seen_at__lte=Now() - silence)


def _after_activation() -> Q:
    return Q(checkout__seen_at__gt=F("campaign__active_since")) & Q(
        checkout__seen_at__gt=F("shop__sending_since")
    )


def _ordered() -> Q:
    """By this checkout, by one made from it, or by the same person since it was started."""
    orders = SeenOrder.objects.across_shops().filter(shop=OuterRef("shop"))
    children = TrackedCheckout.objects.across_shops().filter(
        shop=OuterRef(OuterRef("shop")), parent=OuterRef(OuterRef("checkout"))
    )
    # The row's own person is looked at first, then everyone who shares an address with them.
    alike = Person.objects.across_shops().filter(
        people.same_person("person"), shop=OuterRef("shop")
    )
    return (
        Q(Exists(orders.filter(checkout=OuterRef("checkout__checkout"))))
        | Q(Exists(orders.filter(checkout__in=children.values("checkout"))))
        | Q(
            Exists(
                alike.filter(
                    Exists(
                        SeenOrder.objects.across_shops().filter(
                            shop=OuterRef("shop"),
                            person=OuterRef("pk"),
                            placed_at__gte=OuterRef(OuterRef("checkout__started_at")),
                        )
                    )
                )
            )
        )
    )


def _caught_up() -> Q:
    return Q(Exists(reconcile.caught_up(reconcile.ORDERS).filter(shop=OuterRef("shop"))))


def _waiting() -> Q:
    """Return the condition that news of a purchase or of a no are still on their way."""
    ours = {"shop": OuterRef("shop"), "flow": "commerce", "kind__in": STOPPING}
    waiting = WaitingEvent.objects.across_shops().filter(**ours)
    # Something failed over it. What is not tried again may be an order of anything left before
    # then, or the no of anybody: until somebody has settled it, nothing of that kind is marked.
    unsettled = (
        Q(retry_at__isnull=False)
        | Q(kind__in=NOES)
        | Q(put_aside_at__gte=OuterRef("checkout__started_at"))
    )
    put_aside = DeadLetter.objects.across_shops().filter(unsettled, **ours)
    return Q(Exists(waiting)) | Q(Exists(put_aside))
