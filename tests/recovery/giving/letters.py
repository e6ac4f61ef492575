"""Messages whose step gives something away."""

from datetime import UTC, datetime

from django.db.models.functions import Now

from saleor_nudges.models import RecoveryVoucher, Send, SendState, VoucherBudget
from saleor_nudges.recovery.giving import promising
from tests.recovery.letters import a_letter

TEN = {"percent": 10, "expiresSeconds": 86400, "dailyBudget": {"EUR": "100"}}


def a_gift(shop, checkout=None, *, rule=TEN, now=None, **contact):
    """Return the row of a message that promised something, as the mark leaves it; or None."""
    send = a_letter(shop, checkout, **contact)
    send.step.voucher = rule
    send.step.save()
    given = promising.promise(send, now or datetime.now(UTC))
    Send.objects.of(shop).filter(pk=send.pk).update(marked_at=Now(), state=SendState.SENT)
    return given


def the_gift(shop):
    return RecoveryVoucher.objects.of(shop).get()


def why(shop):
    """Return why the newest message gave nothing away."""
    newest = RecoveryVoucher.objects.of(shop).order_by("-id").first()
    return newest.state, newest.reason


def spoken_for(shop):
    """Return what is taken from each day's budget."""
    return [row.given for row in VoucherBudget.objects.of(shop).order_by("day", "currency")]
