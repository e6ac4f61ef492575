"""On the way back: a code is made in the shop and put on the fresh checkout, and shown to nobody.

Not before: most links are never followed, so what lies in the shop unused stays rare.
"""

import logging
from collections.abc import Callable
from secrets import choice
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from saleor_nudges import crypto, telemetry
from saleor_nudges.host import Host, NewVoucher
from saleor_nudges.models import RecoveryVoucher, Send, VoucherState
from saleor_nudges.models.statements import database_now
from saleor_nudges.recovery.giving.words import Trouble

# 32 signs that nobody confuses, four times four of them: 80 random bits.
SIGNS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
GROUPS, GROUP = 4, 4
OPEN: Final = (VoucherState.RESERVED, VoucherState.MINTED)


def choose_code(send: Send) -> None:
    """Choose the code of a message's voucher, once and for all.

    Committed before the shop hears of it: whatever is killed then, the next tap makes no second
    one, and the code is found when it is to be voided.
    """
    code = new_code()
    _open(send).filter(state=VoucherState.RESERVED, sealed_code__isnull=True).update(
        sealed_code=crypto.seal(code), code_hash=crypto.keyed_hash("voucher", code)
    )


def put_on(host: Host, send: Send, checkout_id: str) -> bool:
    """Put a message's voucher on a fresh checkout; tell whether one is on it.

    Made in the shop on first use, and always the same. Raises nothing: whatever goes wrong, the
    shopper goes on without it, and its row says why.
    """
    given = _open(send).filter(sealed_code__isnull=False).select_for_update().first()
    if given is None:
        return False
    code = crypto.unseal(bytes(given.sealed_code or b""))
    trouble = _tried(given, lambda: _mint(host, given, code))
    if not trouble:
        trouble = _tried(given, lambda: _put(host, checkout_id, code))
    if trouble != given.reason:
        given.reason = trouble
        given.save(update_fields=["reason"])
    return not trouble


def is_missing(send: Send) -> bool:
    """Tell whether a message's voucher could not be put on when it was tried last."""
    return _open(send).exclude(reason="").exists()


def new_code() -> str:
    """Return a code that nobody can guess."""
    groups = ("".join(choice(SIGNS) for _ in range(GROUP)) for _ in range(GROUPS))
    return "-".join(("BACK", *groups))


def _open(send: Send) -> QuerySet[RecoveryVoucher]:
    given = RecoveryVoucher.objects.of(send.shop_id).filter(send=send, state__in=OPEN)
    return given.filter(expires_at__gt=Now())


def _tried(given: RecoveryVoucher, work: Callable[[], Trouble | None]) -> str:
    """Do something in the shop; return what went wrong, "" for nothing."""
    try:
        # In a savepoint: what fails in our own database must not spoil the way back.
        with transaction.atomic():
            return work() or ""
    except Exception as error:
        # Only the error's kind: its text, or a traceback's, could repeat the code.
        telemetry.log(
            telemetry.Log.VOUCHER_FAILED,
            logging.ERROR,
            send=given.send_id,
            error=type(error).__name__,
        )
        return Trouble.SHOP


def _mint(host: Host, given: RecoveryVoucher, code: str) -> None:
    if given.state == VoucherState.MINTED:
        return
    host.make_voucher(_wanted(given, code))
    given.state, given.minted_at = VoucherState.MINTED, database_now()
    given.save(update_fields=["state", "minted_at"])


def _put(host: Host, checkout_id: str, code: str) -> Trouble | None:
    return None if host.put_voucher(checkout_id, code) else Trouble.NOT_TAKEN


def _wanted(given: RecoveryVoucher, code: str) -> NewVoucher:
    return NewVoucher(
        code=code,
        channel=given.channel,
        currency=given.currency,
        ends_at=given.expires_at,
        percent=given.percent,
        # Of a percentage it is known when the order is.
        amount=given.worth if given.percent is None else None,
        floor=given.floor,
    )
