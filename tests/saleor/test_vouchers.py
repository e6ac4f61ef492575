"""What a message gives away, in a real Saleor: a real voucher, and an order that costs less."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from saleor.core.db.connection import allow_writer
from saleor.discount.models import Voucher, VoucherCode

from saleor_nudges import consumers
from saleor_nudges.events import Flow
from saleor_nudges.host import NewVoucher
from saleor_nudges.models import RecoveryVoucher, Send
from saleor_nudges.plugin.host import PluginHost, current_shop
from saleor_nudges.recovery.giving import promising, voiding

from .conftest import CHANNEL, Seller, Storefront
from .test_way_back import came_back, written

TEN = {"percent": 10, "expiresSeconds": 3600, "dailyBudget": {"USD": "1000"}}
FIVE = {
    "amount": {"USD": "1.00"},
    "expiresSeconds": 3600,
    "dailyBudget": {"USD": "1000"},
    "floor": {"USD": "1.01"},
}


def priced(shopper: Storefront, checkout: str) -> dict[str, Any]:
    return shopper.ask(
        """query($id: ID!) { checkout(id: $id) { voucherCode
          totalPrice { gross { amount } } } }""",
        id=checkout,
    )


def promised(checkout: str, rule: dict[str, Any]) -> str:
    """Return the path of the link in a message that gives something away."""
    path = written(checkout)
    with PluginHost.writing():
        send = Send.objects.of(current_shop()).get()
        send.step.voucher = rule
        send.step.save()
        send.checkout.currency = "USD"
        assert promising.promise(send, datetime.now(UTC)) is not None
    return path


def left(shopper: Storefront, email: str) -> tuple[str, float]:
    [product] = shopper.products(1)
    checkout = shopper.start(product["variant"], email=email, quantity=2)
    return checkout, priced(shopper, checkout)["totalPrice"]["gross"]["amount"]


def the_voucher() -> RecoveryVoucher:
    with PluginHost.writing():
        return RecoveryVoucher.objects.of(current_shop()).get()


@pytest.mark.parametrize(("rule", "off"), [(TEN, None), (FIVE, 1.0)], ids=["percent", "amount"])
def test_fresh_checkout_costs_less_and_its_order_uses_the_voucher(
    rule: dict[str, Any], off: float | None, seller: Seller, shopper: Storefront, email: str
):
    # given
    checkout, total = left(shopper, email)
    path = promised(checkout, rule)

    # when
    answer = shopper.client.post(path)
    fresh = came_back(shopper, path)

    # then: less to pay, by a code that stands nowhere but in the shop
    now = priced(shopper, fresh)
    expected = off if off is not None else round(total * 0.1, 2)
    assert now["totalPrice"]["gross"]["amount"] == pytest.approx(total - expected, abs=0.01)
    code = now["voucherCode"]
    said = f"{answer.headers} {answer.content.decode()} {shopper.client.get(path).content.decode()}"
    assert code not in said
    with allow_writer():
        voucher = Voucher.objects.get(codes__code=code)
    assert (voucher.usage_limit, voucher.single_use, voucher.apply_once_per_customer) == (
        1,
        True,
        True,
    )
    assert voucher.private_metadata == {"saleor-nudges.recovery": "true"}

    # when
    shopper.say_email(fresh, email)
    order = shopper.complete(fresh)
    consumers.drain(Flow.COMMERCE, seconds=30)

    # then
    given = the_voucher()
    assert (given.state, given.order.order_id) == ("USED", order)
    seen = seller.ask("query($id: ID!) { order(id: $id) { voucherCode } }", id=order)
    assert seen["voucherCode"] == code


def test_two_taps_put_the_same_code_on_and_void_takes_it_out(
    seller: Seller, shopper: Storefront, email: str
):
    # given
    checkout, total = left(shopper, email)
    path = promised(checkout, TEN)
    first = came_back(shopper, path)
    assert came_back(shopper, path) == first
    # a touched one is left alone: the next one has the very same code
    shopper.say_email(first, email)
    second = came_back(shopper, path)
    codes = {priced(shopper, one)["voucherCode"] for one in (first, second)}
    assert (second != first, len(codes), None in codes) == (True, 1, False)

    # when its time is up
    with PluginHost.writing():
        RecoveryVoucher.objects.of(current_shop()).update(expires_at=datetime.now(UTC))
        voiding.work()

    # then
    assert (the_voucher().state, the_voucher().reason) == ("VOID", "EXPIRED")
    with allow_writer():
        assert not VoucherCode.objects.filter(code__in=codes).exists()
    shopper.add(second, shopper.products(1)[0]["variant"])
    after = priced(shopper, second)
    assert after["totalPrice"]["gross"]["amount"] > total


def test_what_is_used_is_not_voided(seller: Seller, shopper: Storefront, email: str):
    # given
    checkout, _ = left(shopper, email)
    fresh = came_back(shopper, promised(checkout, TEN))
    code = priced(shopper, fresh)["voucherCode"]
    shopper.say_email(fresh, email)
    shopper.complete(fresh)

    # when, then: asked twice, and of a code that never was
    with PluginHost.writing():
        host = PluginHost(current_shop())
        assert [host.end_voucher(code), host.end_voucher(code)] == [True, True]
        assert host.end_voucher("BACK-0000-0000-0000-0000") is False


def test_host_leaves_what_is_not_ours(seller: Seller, shopper: Storefront):
    with PluginHost.writing():
        host = PluginHost(current_shop())
        theirs = Voucher.objects.create(name="Theirs")
        code = VoucherCode.objects.create(voucher=theirs, code=f"THEIRS-{theirs.pk}").code
        assert host.end_voucher(code) is False
        assert VoucherCode.objects.filter(code=code).exists()


def test_voucher_is_made_once_and_refused_below_its_floor(
    seller: Seller, shopper: Storefront, email: str
):
    # given
    checkout, total = left(shopper, email)
    wanted = NewVoucher(
        code=f"BACK-{datetime.now(UTC).timestamp()}",
        channel=CHANNEL,
        currency="USD",
        ends_at=datetime.now(UTC) + timedelta(hours=1),
        percent=10,
        floor=Decimal(str(total + 1)),
    )

    # when
    with PluginHost.writing():
        host = PluginHost(current_shop())
        host.make_voucher(wanted)
        host.make_voucher(wanted)

        # then
        assert VoucherCode.objects.filter(code=wanted.code).count() == 1
        assert host.put_voucher(checkout, wanted.code) is False
        assert host.code_of(checkout) == ""
        assert host.may_make_vouchers() is True
    assert priced(shopper, checkout)["totalPrice"]["gross"]["amount"] == total


def test_code_the_shopper_had_in_goes_along(seller: Seller, shopper: Storefront, email: str):
    # given
    checkout, total = left(shopper, email)
    code = f"OWN-{datetime.now(UTC).timestamp()}"
    with PluginHost.writing():
        host = PluginHost(current_shop())
        ends_at = datetime.now(UTC) + timedelta(hours=1)
        host.make_voucher(NewVoucher(code, CHANNEL, "USD", ends_at, percent=20))
        assert host.put_voucher(checkout, code) is True
        assert host.code_of(checkout) == code

    # when
    fresh = came_back(shopper, written(checkout))

    # then
    now = priced(shopper, fresh)
    assert now["voucherCode"] == code
    assert now["totalPrice"]["gross"]["amount"] < total


def test_code_that_makes_nothing_cheaper_does_not_stay(
    seller: Seller, shopper: Storefront, email: str
):
    # given: a promotion of the shop takes more off, and Saleor drops it for a code
    from saleor.channel.models import Channel
    from saleor.discount.models import Promotion, PromotionRule

    with allow_writer():
        promotion = Promotion.objects.create(name="Half", type="order")
        rule = PromotionRule.objects.create(
            promotion=promotion,
            reward_type="subtotal_discount",
            reward_value_type="percentage",
            reward_value=50,
            order_predicate={
                "discountedObjectPredicate": {"baseSubtotalPrice": {"range": {"gte": "0.01"}}}
            },
        )
        rule.channels.add(Channel.objects.get(slug=CHANNEL))
    try:
        checkout, total = left(shopper, email)

        # when
        fresh = came_back(shopper, promised(checkout, TEN))

        # then
        now = priced(shopper, fresh)
        assert (now["voucherCode"], now["totalPrice"]["gross"]["amount"]) == (None, total)
        assert (the_voucher().state, the_voucher().reason) == ("MINTED", "NOT_TAKEN")
    finally:
        with allow_writer():
            promotion.delete()
