"""Have each claimed message marked if it may go, hand it to its channel, record the outcome.

At most once, whatever is killed when: a row is marked SENDING in the same statement that asks all
conditions, and a row that was marked is not handed over again, unless its provider takes each key
only once. See `docs/adr/0001-decisions.md`.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from itertools import batched
from typing import Final
from uuid import UUID

from django.db import OperationalError
from django.db.models.functions import Now

from saleor_nudges import telemetry
from saleor_nudges.exceptions import (
    DeliveryFailed,
    DeliveryRefused,
    DeliveryStopped,
    HostUnavailable,
    InvalidInput,
)
from saleor_nudges.host import host_class
from saleor_nudges.host.looks import CheckoutLook
from saleor_nudges.messaging.channels import Channel, Message, get_channel, kept_open
from saleor_nudges.models import MessageChannel, Send, SendState, TrackedCheckout
from saleor_nudges.recovery.reasons import Reason
from saleor_nudges.recovery.sending import breaker, detect, marking, volley
from saleor_nudges.recovery.sending.claims import claim, claim_doubtful, give_up_on_the_doubtful
from saleor_nudges.recovery.sending.outcomes import LATER, SOON, finish, put_off, try_later

# A sweep is woken every few seconds; one that takes longer stands in its followers' way.
LONGEST_SWEEP: Final = 20.0
# So many are made ready together: few enough that the last is still fresh when its turn comes.
VOLLEY: Final = 25

Channels = Callable[[MessageChannel], Channel]


def send_due(*, seconds: float = LONGEST_SWEEP) -> int:
    """Send what is due, batch after batch; return how many messages left.

    Gives back what it claimed when the time is up: a provider that hangs must not keep a worker.
    """
    limit = time.monotonic() + seconds
    sent = 0
    with host_class().writing(), kept_open() as channels:
        honouring = [one for one in MessageChannel if channels(one).honours_keys]
        sent += hand_over_again(channels, honouring)
        give_up_on_the_doubtful(honouring)
        while time.monotonic() < limit and (claimed := claim()):
            for few in batched(claimed, VOLLEY):
                sent += _deliver(few, channels, limit)
    return sent


def hand_over_again(channels: Channels, honouring: Collection[MessageChannel]) -> int:
    """Hand over once more what nobody knows the outcome of, where the provider knows its key.

    What may not go any more stays in doubt: it may have left.
    """
    left = 0
    for send in claim_doubtful(honouring):
        try:
            left += _hand_over_again(send, channels(MessageChannel(send.message_channel)))
        except Exception:
            # Still nobody knows: it is tried again when its lease is over.
            telemetry.trouble(telemetry.Log.MESSAGE_IN_DOUBT, send=send.pk)
    return left


def _hand_over_again(send: Send, channel: Channel) -> bool:
    prepared = marking.mark_again(send)
    if prepared is None:
        return False
    channel.send(prepared)
    finish(send, SendState.SENT, "")
    return True


def _deliver(claimed: Sequence[Send], channels: Channels, limit: float) -> int:
    """Bring claimed rows to their ends; give back those that are left when the time is up."""
    sent = 0
    standing = _standing(claimed) if time.monotonic() < limit else list(claimed)
    ready = volley.make_ready(standing) if time.monotonic() < limit else {}
    for send in standing:
        if time.monotonic() < limit:
            sent += deliver(send, channels, ready.get(send.pk))
        else:
            put_off(send, Now(), "")
    return sent


def _standing(claimed: Sequence[Send]) -> list[Send]:
    """Return the claimed rows with their lines; those with nothing left to buy are given back."""
    looks = _looks(claimed)
    left = []
    for send in claimed:
        if send.order:
            # Of what was bought nothing must be left.
            left.append(send)
            continue
        send.lines = detect.stand(send.checkout, looks.get(send.checkout_id))
        if send.lines == []:
            put_off(send, Now() + detect.STOCK_AGAIN, Reason.OUT_OF_STOCK)
        else:
            left.append(send)
    return left


def _looks(claimed: Sequence[Send]) -> dict[UUID, CheckoutLook]:
    """Ask each shop where the checkouts stand; of one that does not answer nothing is known."""
    by_shop: dict[UUID, list[TrackedCheckout]] = defaultdict(list)
    for send in claimed:
        if send.order:
            continue
        send.checkout.shop = send.shop
        by_shop[send.shop_id].append(send.checkout)
    found: dict[UUID, CheckoutLook] = {}
    for rows in by_shop.values():
        try:
            found |= detect.looks_of(rows[0].shop, rows)
        except HostUnavailable:
            telemetry.log(telemetry.Log.HOST_UNAVAILABLE, logging.WARNING, shop=rows[0].shop.key)
        except Exception:
            # Whatever one shop does, the messages of the others go.
            telemetry.trouble(telemetry.Log.LOOK_FAILED, shop=rows[0].shop.key)
    return found


def deliver(
    send: Send, channels: Channels = get_channel, ready: volley.Ready | None = None
) -> bool:
    """Bring one claimed row to its end, or give it back; tell whether a message left."""
    try:
        channel = channels(MessageChannel(send.message_channel))
        quickly = ready is not None and volley.mark(send, ready)
        prepared = ready.message if ready and quickly else marking.mark(send)
    except HostUnavailable as error:
        put_off(send, Now() + SOON, Reason[error.code])
        return False
    except marking.Unwritable:
        telemetry.trouble(telemetry.Log.MESSAGE_HELD, send=send.pk)
        finish(send, SendState.CANCELLED, Reason.TEMPLATE)
        return False
    except InvalidInput:
        # A rule of the shop or of another campaign cannot be read; the message is not to blame.
        telemetry.trouble(telemetry.Log.MESSAGE_HELD, send=send.pk)
        put_off(send, Now() + LATER, Reason.TROUBLE)
        return False
    except OperationalError:
        # Somebody else holds what we must hold; that is no fault of the message.
        put_off(send, Now() + SOON, Reason.CHANGED_MEANWHILE)
        return False
    except Exception:
        # Nothing was marked, so nothing left; one broken row must not hold up the others.
        telemetry.trouble(telemetry.Log.MESSAGE_HELD, send=send.pk)
        try_later(send)
        return False
    return prepared is not None and _hand_over(send, channel, prepared)


def _hand_over(send: Send, channel: Channel, prepared: Message) -> bool:
    try:
        channel.send(prepared)
    except DeliveryRefused:
        finish(send, SendState.REFUSED, Reason.PROVIDER_REFUSED)
        return False
    except DeliveryFailed as error:
        put_off(send, Now() + LATER, Reason.PROVIDER_AWAY)
        breaker.failed(send, for_long=isinstance(error, DeliveryStopped))
        return False
    except Exception:
        # Whatever it was, it may have left.
        telemetry.trouble(telemetry.Log.MESSAGE_IN_DOUBT, send=send.pk)
        finish(send, SendState.IN_DOUBT, Reason.OUTCOME_UNKNOWN)
        return False
    finish(send, SendState.SENT, "")
    return True
