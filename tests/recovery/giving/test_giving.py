"""From the message to the order: a voucher is on the fresh checkout, and its code nowhere else."""

import logging
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db.models.functions import Now
from django.test import Client

from saleor_nudges import crypto, people, telemetry
from saleor_nudges.events import Contact
from saleor_nudges.exceptions import DeliveryRefused, HostUnavailable
from saleor_nudges.host.memory import MemoryHost
from saleor_nudges.messaging import consents
from saleor_nudges.messaging.channels.memory import SENT, TROUBLE
from saleor_nudges.models import (
    FreshCheckout,
    MessageChannel,
    RecoveryVoucher,
    Send,
    TrackedCheckout,
)
from saleor_nudges.recovery import campaigns
from saleor_nudges.recovery.giving import minting, voiding, words
from saleor_nudges.recovery.insight import explain
from saleor_nudges.recovery.sending import send as sending
from saleor_nudges.testing import (
    CHANNEL,
    a_checkout,
    consume,
    left_behind,
    make_shop,
    order_placed,
    switch_on_recovery,
)
from tests.recovery.giving.letters import TEN, a_gift, spoken_for, the_gift
from tests.recovery.letters import HOST, a_letter, way_back

pytestmark = pytest.mark.django_db

CODE = re.compile(r"BACK(-[0-9A-HJKMNP-TV-Z]{4}){4}")


@pytest.fixture
def shop():
    return make_shop()


@pytest.fixture
def client():
    return Client(enforce_csrf_checks=True)


def gives(shop, rule=TEN):
    switch_on_recovery(shop)
    campaign = campaigns.campaign_of(shop, CHANNEL)
    campaigns.change(campaign, {"steps": [{"delaySeconds": 60, "voucher": rule}]})


def shelf(shop):
    return MemoryHost(shop).shelf


def came_back(shop, path, client):
    answer = client.post(path)
    assert answer.status_code == 303
    [fresh] = [
        key for key in shelf(shop).checkouts if key in answer["Location"].replace("%3A", ":")
    ]
    return fresh, answer


# The whole way.


def test_message_tells_of_it_and_the_way_back_puts_it_on(shop, client, caplog):
    # given
    caplog.set_level(logging.DEBUG)
    gives(shop, TEN | {"floor": {"EUR": "5"}})
    checkout = left_behind(shop)

    # when
    assert sending.send_due() == 1

    # then: the words, and no code anywhere yet
    [mail] = SENT
    until = the_gift(shop).expires_at
    assert f"10 % off waits for you in it, until {until.day} {until:%B %Y}" in mail.text
    assert "for 5.00 EUR or more" in mail.text
    assert "10 %" in mail.html
    assert shelf(shop).vouchers == {}
    assert the_gift(shop).state == "RESERVED"

    # when: looked at, and followed twice
    path = re.search(rf"{HOST}(/r/\S+)", mail.text)[1]
    page = client.get(path)
    assert shelf(shop).vouchers == {}
    fresh, answer = came_back(shop, path, client)
    assert came_back(shop, path, client)[0] == fresh

    # then
    [(code, made)] = shelf(shop).vouchers.items()
    assert CODE.fullmatch(code)
    assert (made.percent, made.amount, made.floor) == (10, None, Decimal(5))
    assert (made.channel, made.currency, made.ends_at) == (CHANNEL, "EUR", until)
    assert shelf(shop).codes == {fresh: code}
    assert the_gift(shop).state == "MINTED"
    assert FreshCheckout.objects.of(shop).count() == 1
    said = [mail.text, mail.html, mail.subject, str(mail.headers), page.content.decode()]
    said += [answer.content.decode(), str(answer.headers), caplog.text]
    said += [str(list(RecoveryVoucher.objects.of(shop).values()))]
    said += [str(record.__dict__) for record in caplog.records]
    assert [text for text in said if code in text or CODE.search(text)] == []

    # when
    order = order_placed(shop, shelf(shop).checkouts[fresh], email="anna@example.com")

    # then
    given = the_gift(shop)
    assert (given.state, given.order.order_id) == ("USED", order.id)
    assert voiding.work() == 0
    explained = [one.text for one in explain.explain(shop, checkout=checkout.id).answers]
    assert any("its voucher was used of 0.50 EUR" in text for text in explained)
    assert not any(CODE.search(text) for text in explained)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"percent": 10}, "10 % off"),
        ({"amount": {"EUR": "2.50"}, "floor": {"EUR": "4"}}, "2.50 EUR off"),
    ],
    ids=["percent", "amount"],
)
def test_template_says_what_there_is(rule, said, shop):
    given = a_gift(shop, rule={key: TEN[key] for key in ("expiresSeconds", "dailyBudget")} | rule)
    facts = words.facts(given, "Europe/Warsaw", "de")
    assert f"{facts['off']} off" == said
    assert facts["expires"].endswith(("MEZ", "MESZ"))
    assert facts.keys() == {"off", "percent", "amount", "floor", "expires"}


def test_language_nobody_knows_is_english(shop):
    facts = words.facts(a_gift(shop), "UTC", "x-klingon")
    assert facts["expires"].endswith("UTC")


def test_no_voucher_says_nothing():
    assert words.facts(None, "UTC", "en") == ""


def test_message_without_one_does_not_speak_of_it(shop):
    gives(shop, TEN | {"floor": {"EUR": "1000"}})
    checkout = left_behind(shop)
    assert sending.send_due() == 1
    assert "off" not in SENT[0].text
    explained = [one.text for one in explain.explain(shop, checkout=checkout.id).answers]
    assert any("no voucher (the goods are worth too little)" in text for text in explained)


# Minting.


def test_every_code_is_another(monkeypatch):
    codes = {minting.new_code() for _ in range(500)}
    assert len(codes) == 500
    assert all(CODE.fullmatch(code) for code in codes)
    assert telemetry.redact(f"code {codes.pop()}!") == "code <voucher>!"


def test_amount_is_made_as_it_was_promised(shop, client):
    rule = {"expiresSeconds": 86400, "dailyBudget": {"EUR": "9"}}
    a_gift(shop, rule=rule | {"amount": {"EUR": "2.50"}, "floor": {"EUR": "4"}})
    came_back(shop, way_back(Send.objects.of(shop).get()), client)
    [made] = shelf(shop).vouchers.values()
    assert (made.percent, made.amount, made.floor) == (None, Decimal("2.50"), Decimal(4))


def test_a_touched_checkout_is_followed_by_one_with_the_same_code(shop, client):
    # given
    a_gift(shop)
    path = way_back(Send.objects.of(shop).get())
    first, _ = came_back(shop, path, client)

    # when
    del shelf(shop).checkouts[first]
    second, _ = came_back(shop, path, client)

    # then
    assert len(set(shelf(shop).codes.values())) == 1
    assert set(shelf(shop).codes) == {first, second}


@pytest.mark.parametrize("trouble", [HostUnavailable, RuntimeError], ids=["away", "broken"])
@pytest.mark.parametrize("step", ["make_voucher", "put_voucher"])
def test_shopper_goes_on_without_it_and_the_next_tap_tries_again(
    step, trouble, shop, client, monkeypatch, caplog
):
    # given
    a_gift(shop)
    path = way_back(Send.objects.of(shop).get())

    def fails(_self, *about):
        raise trouble(str(about))

    with monkeypatch.context() as broken:
        broken.setattr(MemoryHost, step, fails)

        # when
        first, _ = came_back(shop, path, client)

    # then
    assert shelf(shop).codes == {}
    assert (the_gift(shop).reason, "voucher could not be made" in caplog.text) == ("SHOP", True)
    assert not CODE.search(caplog.text + str([record.__dict__ for record in caplog.records]))

    # when
    second, _ = came_back(shop, path, client)

    # then: the same checkout, with the code it was to have from the first
    assert second == first
    assert list(shelf(shop).codes) == [first]
    assert (the_gift(shop).state, the_gift(shop).reason) == ("MINTED", "")
    assert came_back(shop, path, client)[0] == first


def test_what_the_shop_does_not_take_is_said(shop, client):
    a_gift(shop)
    shelf(shop).takes_vouchers = False
    came_back(shop, way_back(Send.objects.of(shop).get()), client)
    assert (the_gift(shop).state, the_gift(shop).reason) == ("MINTED", "NOT_TAKEN")
    assert "does not take it" in words.told(the_gift(shop))


def test_killed_between_shop_and_commit_makes_no_second_code(shop, client, monkeypatch):
    # given: the shop has it, and our transaction was lost
    a_gift(shop)
    send = Send.objects.of(shop).get()
    real = minting.put_on

    def killed(host, *rest):
        real(host, *rest)
        raise HostUnavailable

    with monkeypatch.context() as broken:
        broken.setattr(minting, "put_on", killed)
        assert client.post(way_back(send)).status_code == 503
    [code] = shelf(shop).vouchers
    assert the_gift(shop).state == "RESERVED"

    # when
    came_back(shop, way_back(send), client)

    # then
    assert list(shelf(shop).vouchers) == [code]


def test_expired_one_is_not_made(shop, client):
    a_gift(shop)
    RecoveryVoucher.objects.of(shop).update(expires_at=Now())
    came_back(shop, way_back(Send.objects.of(shop).get()), client)
    assert shelf(shop).vouchers == {}


# The code that was on the checkout goes along.


@pytest.mark.parametrize(
    ("_case", "code", "goes"),
    [("anybodys", "WELCOME", True), ("a_name", "ANNA-10", False), ("mail", "a@b.example", False)],
)
def test_code_the_shopper_had_in_goes_along(_case, code, goes, shop, client):
    # given
    send = a_letter(shop)
    old = crypto.unseal(bytes(send.checkout.sealed_checkout_id))
    made = minting._wanted(a_gift(shop, a_checkout(shop, email="x@example.com")), code)
    MemoryHost(shop).make_voucher(made)
    shelf(shop).codes[old] = code

    # when
    fresh, _ = came_back(shop, way_back(send), client)

    # then
    assert shelf(shop).codes.get(fresh) == (code if goes else None)


def test_what_was_promised_goes_before_what_was_in(shop, client):
    # given
    given = a_gift(shop)
    send = Send.objects.of(shop).get()
    old = crypto.unseal(bytes(send.checkout.sealed_checkout_id))
    MemoryHost(shop).make_voucher(minting._wanted(given, "WELCOME"))
    shelf(shop).codes[old] = "WELCOME"

    # when
    fresh, _ = came_back(shop, way_back(send), client)

    # then
    assert CODE.fullmatch(shelf(shop).codes[fresh])


# What is not needed is over.


def test_what_did_not_leave_is_taken_back(shop):
    # given
    gives(shop)
    left_behind(shop)
    TROUBLE.append(DeliveryRefused("no"))
    sending.send_due()
    assert Send.objects.of(shop).get().state == "REFUSED"
    assert spoken_for(shop) == [Decimal("0.50")]

    # when
    assert voiding.work() == 1

    # then
    assert RecoveryVoucher.objects.of(shop).count() == 0
    assert spoken_for(shop) == [Decimal(0)]


@pytest.mark.parametrize("state", ["CLAIMED", "SENDING", "SENT", "IN_DOUBT"])
def test_what_may_have_left_is_kept(state, shop):
    a_gift(shop)
    Send.objects.of(shop).update(state=state)
    assert voiding.work() == 0
    assert the_gift(shop).state == "RESERVED"


def expire(shop, send):
    RecoveryVoucher.objects.of(shop).update(expires_at=Now())


def buy(shop, send):
    other = a_checkout(shop, email="anna@example.com", age=timedelta(minutes=1))
    order_placed(shop, other)


def erase(shop, send):
    people.erase(send.person)


@pytest.mark.parametrize(
    ("over", "reason"), [(expire, "EXPIRED"), (buy, "ORDERED"), (erase, "ERASED")]
)
@pytest.mark.parametrize("is_minted", [False, True])
def test_what_is_over_is_voided(over, reason, is_minted, shop, client):
    # given
    a_gift(shop)
    send = Send.objects.of(shop).get()
    if is_minted:
        came_back(shop, way_back(send), client)

    # when
    over(shop, send)
    voiding.work()

    # then: the worth of what never had a code goes back to its day
    assert (the_gift(shop).state, the_gift(shop).reason) == ("VOID", reason)
    assert shelf(shop).vouchers == {}
    assert spoken_for(shop) == [Decimal("0.50") if is_minted else 0]
    assert voiding.work() == 0


def test_who_unsubscribes_keeps_what_was_promised(shop, client):
    a_gift(shop)
    send = Send.objects.of(shop).get()
    consents.unsubscribe(shop, send.person, MessageChannel.EMAIL, datetime.now(UTC))
    assert voiding.work() == 0
    fresh, _ = came_back(shop, way_back(send), client)
    assert fresh in shelf(shop).codes


def test_silent_shop_is_asked_again_later(shop, client, caplog):
    # given
    a_gift(shop)
    came_back(shop, way_back(Send.objects.of(shop).get()), client)
    RecoveryVoucher.objects.of(shop).update(expires_at=Now())
    shelf(shop).is_away = True

    # when
    voiding.work()

    # then
    given = the_gift(shop)
    assert (given.state, given.failures) == ("VOIDING", 1)
    assert given.retry_at > datetime.now(UTC) + timedelta(seconds=50)
    assert "voucher could not be made, put on or voided" in caplog.text

    # when
    MemoryHost.shelf.fget.__globals__["SHELVES"][shop.key].is_away = False
    assert voiding.work() == 0
    RecoveryVoucher.objects.of(shop).update(retry_at=Now(), failures=60)
    assert voiding.work() == 1

    # then
    assert (the_gift(shop).state, shelf(shop).vouchers) == ("VOID", {})


def test_pause_grows_and_has_an_end(shop, client):
    a_gift(shop)
    came_back(shop, way_back(Send.objects.of(shop).get()), client)
    RecoveryVoucher.objects.of(shop).update(state="VOIDING", retry_at=Now(), failures=60)
    shelf(shop).is_away = True
    voiding.work()
    wait = the_gift(shop).retry_at - datetime.now(UTC)
    assert timedelta(hours=5) < wait <= timedelta(hours=6)


def test_one_silent_shop_is_asked_once_a_run(shop, monkeypatch):
    # given
    for number in range(3):
        a_gift(shop, a_checkout(shop, email=f"{number}@example.com"))
    RecoveryVoucher.objects.of(shop).update(
        state="VOIDING", retry_at=Now(), sealed_code=crypto.seal("BACK-0")
    )
    asked = []

    def away(_self, code):
        asked.append(code)
        raise HostUnavailable

    monkeypatch.setattr(MemoryHost, "end_voucher", away)

    # when
    voiding.work()

    # then
    assert asked == ["BACK-0"]


def test_what_the_shop_calls_used_is_used_by_the_fresh_checkouts_order(shop, client):
    # given: an order of which the shop did not tell the code
    a_gift(shop)
    send = Send.objects.of(shop).get()
    fresh, _ = came_back(shop, way_back(send), client)
    order = order_placed(shop, shelf(shop).checkouts[fresh], email="anna@example.com")
    RecoveryVoucher.objects.of(shop).update(state="MINTED", order=None)

    # when
    voiding.work()

    # then
    assert (the_gift(shop).state, the_gift(shop).order.order_id) == ("USED", order.id)
    assert spoken_for(shop) == [Decimal("0.50")]


def test_used_without_a_known_order_gets_it_when_it_is_told(shop, client):
    # given
    a_gift(shop)
    fresh, _ = came_back(shop, way_back(Send.objects.of(shop).get()), client)
    shelf(shop).used |= set(shelf(shop).vouchers)
    RecoveryVoucher.objects.of(shop).update(expires_at=Now())
    voiding.work()
    assert (the_gift(shop).state, the_gift(shop).order) == ("USED", None)

    # when
    order = order_placed(shop, shelf(shop).checkouts[fresh], email="anna@example.com")
    consume()

    # then
    assert the_gift(shop).order.order_id == order.id


def test_order_with_another_code_marks_nothing(shop, client):
    a_gift(shop)
    came_back(shop, way_back(Send.objects.of(shop).get()), client)
    stranger = a_checkout(shop, email="stranger@example.com")
    cart = stranger.cart.__class__(stranger.cart.lines, currency="EUR", voucher="f" * 64)
    MemoryHost(shop).shelf.checkouts[stranger.id] = stranger.__class__(
        **{name: getattr(stranger, name) for name in stranger.__slots__} | {"cart": cart}
    )
    order_placed(shop, MemoryHost(shop).shelf.checkouts[stranger.id])
    assert the_gift(shop).state == "MINTED"
    assert people.find(shop, Contact(email="stranger@example.com"))
    assert TrackedCheckout.objects.of(shop).filter(parent__isnull=False).count() == 1
