"""May we write to this person? The answer is no until the seller and the person allowed it."""

import hashlib

from django.db.models import Exists, OuterRef, Q, Subquery, Value
from django.db.models.lookups import Exact

from saleor_nudges import conf
from saleor_nudges.models import Consent, LegalBasis, MessageChannel, Shop, Suppression

# Where each message channel's address is hashed in a person's row.
ADDRESS = {MessageChannel.EMAIL: "email_hash"}


def installation() -> str:
    """Return the fingerprint that sending is bound to; a copied database has another one."""
    return hashlib.sha256(conf.installation_id().encode()).hexdigest()


def may_write(message_channel: MessageChannel) -> Q:
    """Return the condition on a row with `shop` and `person` under which we may write.

    It is asked inside the UPDATE that marks a message, so it holds at that very moment.
    """
    return (
        sending_is_on()
        & has_address(message_channel)
        & ~is_suppressed(message_channel)
        & agrees(message_channel)
    )


def sending_is_on() -> Q:
    """The seller switched sending on, chose a legal basis, and this is their installation."""
    return (
        Q(shop__is_active=True, shop__sending_since__isnull=False)
        & ~Q(shop__legal_basis=LegalBasis.NONE)
        & is_here()
    )


def is_here() -> Q:
    """This is the installation that sending was switched on in."""
    return Q(shop__sending_installation=installation())


def has_address(message_channel: MessageChannel) -> Q:
    """The person is not erased and has an address of that kind."""
    return Q(person__sealed_key__isnull=False) & Q(
        **{f"person__{ADDRESS[message_channel]}__isnull": False}
    )


def is_suppressed(message_channel: MessageChannel) -> Q:
    """The address unsubscribed, bounced or complained."""
    return Q(
        Exists(
            Suppression.objects.across_shops().filter(
                shop=OuterRef("shop"),
                message_channel=message_channel,
                address_hash=OuterRef(f"person__{ADDRESS[message_channel]}"),
            )
        )
    )


def agrees(message_channel: MessageChannel) -> Q:
    """The person's newest answer is yes; under SOFT_OPT_IN, having given none is enough."""
    answers = Consent.objects.across_shops().filter(
        shop=OuterRef("shop"), person=OuterRef("person"), message_channel=message_channel
    )
    newest = Subquery(answers.order_by("-at", "-id").values("is_given")[:1])
    is_silent = Q(shop__legal_basis=LegalBasis.SOFT_OPT_IN) & ~Q(Exists(answers))
    return Q(Exact(newest, Value(True))) | is_silent  # noqa: FBT003 - SQL's own word


def may_send_now(shop: Shop) -> bool:
    """Tell whether this shop sends at all: a cheap question before any work."""
    return Shop.objects.filter(sending_bound(), pk=shop.pk).exists()


def sending_bound() -> Q:
    """The same as `sending_is_on`, as a condition on shops themselves."""
    return Q(is_active=True, sending_since__isnull=False, sending_installation=installation()) & ~Q(
        legal_basis=LegalBasis.NONE
    )
