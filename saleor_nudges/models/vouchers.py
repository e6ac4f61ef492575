"""What messages give away: a row for each, and how much of each day's budget is spoken for."""

from django.db import models

from saleor_nudges.models.base import ChannelRow, ScopedManager, ShopRow
from saleor_nudges.models.messaging import Person
from saleor_nudges.models.recovery import SeenOrder, Send


class VoucherState(models.TextChoices):
    """Where a voucher stands. There is a code from the shopper's way back on, and not before."""

    WITHHELD = "WITHHELD", "The step gives one away, but not to this person now."
    RESERVED = "RESERVED", "The message speaks of it; its worth is taken from the day's budget."
    MINTED = "MINTED", "Its code lies in the shop."
    USED = "USED", "An order was placed with it."
    VOIDING = "VOIDING", "Its code is to be taken out of the shop."
    VOID = "VOID", "It is over, and there is no code of it."


class RecoveryVoucher(ChannelRow):
    """What one message gives away. The code is sealed, and nobody is ever shown it."""

    send = models.ForeignKey(Send, on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, related_name="+")
    state = models.CharField(max_length=16, choices=VoucherState.choices)
    # Why it was withheld, could not be put on, or is over: `recovery.giving.words`.
    reason = models.CharField(max_length=32, blank=True)
    # `worth` is given off; of a percentage, that is what it came to when the message went.
    percent = models.PositiveSmallIntegerField(null=True)
    worth = models.DecimalField(max_digits=20, decimal_places=4, default=0)
    currency = models.CharField(max_length=3, blank=True)
    # The goods of an order with it are worth at least that.
    floor = models.DecimalField(max_digits=20, decimal_places=4, default=0)
    # Of which day's budget its worth was taken, by the shop's clock.
    day = models.DateField()
    expires_at = models.DateTimeField()
    # Written before the shop hears of the code, so that whatever is killed it is found again.
    sealed_code = models.BinaryField(null=True)
    code_hash = models.CharField(max_length=64, null=True)  # noqa: DJ001 - unknown is no value
    minted_at = models.DateTimeField(null=True)
    order = models.ForeignKey(SeenOrder, on_delete=models.SET_NULL, null=True, related_name="+")
    # How often the shop could not be asked to void it, and when it is asked again.
    failures = models.PositiveSmallIntegerField(default=0)
    retry_at = models.DateTimeField(null=True)

    objects = ScopedManager["RecoveryVoucher"]()

    class Meta(ChannelRow.Meta):
        constraints = (models.UniqueConstraint(fields=["send"], name="nudges_voucher_once"),)
        indexes = (
            models.Index(fields=["shop", "person", "-id"], name="nudges_voucher_person"),
            models.Index(
                fields=["shop", "code_hash"],
                name="nudges_voucher_code",
                condition=models.Q(code_hash__isnull=False),
            ),
            models.Index(
                fields=["state", "expires_at"],
                name="nudges_voucher_open",
                condition=models.Q(state__in=["WITHHELD", "RESERVED", "MINTED", "VOIDING"]),
            ),
        )


class VoucherBudget(ShopRow):
    """How much the vouchers of one day are worth together, in one currency."""

    currency = models.CharField(max_length=3)
    day = models.DateField()
    given = models.DecimalField(max_digits=20, decimal_places=4)

    objects = ScopedManager["VoucherBudget"]()

    class Meta(ShopRow.Meta):
        constraints = (
            models.UniqueConstraint(
                fields=["shop", "currency", "day"], name="nudges_voucher_budget_once"
            ),
        )
