"""Vouchers through the shop's API: begun and not finished, refused, and never repeated in words."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from saleor_nudges import crypto, manifest
from saleor_nudges.exceptions import HostUnavailable
from saleor_nudges.host import NewVoucher
from saleor_nudges.service.host import ServiceHost
from saleor_nudges.webhooks import payloads
from tests.host.test_contract import a_checkout, an_order
from tests.service import stand_in

pytestmark = pytest.mark.django_db

CODE = "BACK-0123-4567-89AB-CDEF"
ENDS = datetime.now(UTC) + timedelta(days=1)
TEN = NewVoucher(CODE, "default-channel", "EUR", ENDS, percent=10)


@pytest.fixture
def standing(settings):
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {
        "HOST": "saleor_nudges.service.host.ServiceHost",
        "ALLOW_PRIVATE_ADDRESSES": True,
    }
    with stand_in.standing_in() as found:
        yield found


@pytest.fixture
def host(standing):
    return ServiceHost(stand_in.installed(standing))


def test_it_is_asked_for_as_it_must_be(host, standing):
    # when
    host.make_voucher(
        NewVoucher(CODE, "default-channel", "EUR", ENDS, None, Decimal(5), Decimal(9))
    )

    # then
    [made] = standing.vouchers.values()
    assert made["asked"] == {
        "type": "ENTIRE_ORDER",
        "name": "Welcome back",
        "addCodes": [CODE],
        "discountValueType": "FIXED",
        "usageLimit": 1,
        "singleUse": True,
        "applyOncePerCustomer": True,
        "endDate": ENDS.isoformat(),
    }
    listed = {"channelId": "Q2hhbm5lbDox", "discountValue": "5", "minAmountSpent": "9"}
    assert (made["channels"], made["mark"]) == ([listed], "true")


@pytest.mark.parametrize("missing", ["mark", "channels"])
def test_what_was_begun_is_gone_on_with(missing, host, standing):
    # given
    host.make_voucher(TEN)
    [made] = standing.vouchers.values()
    made[missing] = None if missing == "mark" else []

    # when
    host.make_voucher(TEN)

    # then
    assert list(standing.vouchers.values()) == [made]
    assert (made["mark"], len(made["channels"])) == ("true", 1)


@pytest.mark.parametrize(
    "voucher",
    [
        NewVoucher(CODE, "gone", "EUR", ENDS, percent=10),
        NewVoucher(CODE, "default-channel", "PLN", ENDS, percent=10),
    ],
    ids=["channel", "currency"],
)
def test_channel_that_is_another_by_now_gets_none(voucher, host, standing):
    with pytest.raises(HostUnavailable):
        host.make_voucher(voucher)
    assert standing.vouchers == {}


def test_what_is_found_but_not_the_very_code_is_not_ours(host, standing):
    # given: the shop's search finds what only holds the text
    host.make_voucher(NewVoucher(f"{CODE}-MORE", "default-channel", "EUR", ENDS, percent=5))

    # when, then
    assert host.end_voucher(CODE) is False
    assert len(standing.vouchers) == 1


def test_refusal_names_no_code(host, standing, monkeypatch):
    # given: another's voucher with that code, which the search does not tell
    host.make_voucher(TEN)
    nothing = {"vouchers": {"edges": []}}
    monkeypatch.setitem(stand_in.OPERATIONS, "NudgesVouchers", lambda *_: nothing)

    # when, then
    with pytest.raises(HostUnavailable) as refused:
        host.make_voucher(TEN)
    assert str(refused.value) == "The shop answered ALREADY_EXISTS to voucherCreate."


@pytest.mark.parametrize("granted", [[], ["MANAGE_ORDERS"], ["MANAGE_DISCOUNTS"]])
def test_permission_is_asked_of_the_shop(granted, host, standing):
    standing.permissions = granted
    assert host.may_make_vouchers() is ("MANAGE_DISCOUNTS" in granted)


def test_app_asks_for_it_only_where_it_is_set(settings):
    assert "MANAGE_DISCOUNTS" not in manifest.manifest("https://a.example", "3.23")["permissions"]
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"APP_VOUCHERS": True}
    assert "MANAGE_DISCOUNTS" in manifest.manifest("https://a.example", "3.23")["permissions"]


@pytest.mark.parametrize(
    ("_case", "said", "understood"),
    [
        ("a_code", {"voucherCode": CODE}, lambda: crypto.keyed_hash("voucher", CODE)),
        ("none", {"voucherCode": None}, lambda: ""),
        ("an_older_subscription", {}, lambda: None),
    ],
)
def test_order_tells_the_code_by_its_keyed_name(_case, said, understood):
    data = stand_in.order_json(an_order()) | said
    assert payloads.order(data).cart.voucher == understood()


@pytest.mark.parametrize("takes_off", [0.0, -1.0], ids=["nothing", "a_promotion_gave_more"])
def test_code_that_makes_nothing_cheaper_does_not_stay(takes_off, host, standing):
    # given
    standing.checkouts["Checkout:one"] = stand_in.checkout_json(a_checkout())
    standing.takes_off = takes_off
    host.make_voucher(TEN)

    # when, then
    assert host.put_voucher("Checkout:one", CODE) is False
    assert host.code_of("Checkout:one") == ""
    assert host.put_voucher("Checkout:gone", CODE) is False
